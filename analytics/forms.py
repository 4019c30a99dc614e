"""Forms of the pages of results."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from analytics.models import Segment
from analytics.queries.goals import LABELS as GOALS
from analytics.queries.period import FIRST_DAY
from analytics.shares import DAYS, MOST_DAYS


class TargetForm(forms.Form):
    metric = forms.ChoiceField(label="What", choices=list(GOALS.items()))
    value = forms.DecimalField(label="How many", min_value=Decimal("0.01"), max_digits=15, decimal_places=2)

    def clean(self) -> dict[str, Any]:
        """`amount` in the unit that is stored."""
        data = super().clean() or {}
        value = data.get("value")
        if value is None:
            return data
        if data.get("metric") == "revenue":
            return data | {"amount": int(value * 1_000_000)}
        if value != int(value):
            raise ValidationError({"value": "Write a whole number."})
        return data | {"amount": int(value)}


class MediaCostForm(forms.Form):
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    amount = forms.DecimalField(
        label="Amount in US dollars", min_value=Decimal("0.01"), max_value=Decimal(1_000_000), decimal_places=2
    )
    note = forms.CharField(label="What for", max_length=200, required=False)

    def clean_day(self) -> Any:
        day = self.cleaned_data["day"]
        if day < FIRST_DAY or day.year > 2100:
            raise ValidationError("Choose a day in this century.")
        return day


class ShareForm(forms.Form):
    label = forms.CharField(label="Who is it for?", max_length=80, required=False, help_text="Only you see this.")
    days = forms.IntegerField(label="How many days it works", min_value=1, max_value=MOST_DAYS, initial=DAYS)
    with_costs = forms.BooleanField(
        label="Show costs and return on them",
        required=False,
        help_text="Without it nobody outside sees what you spend.",
    )


class FunnelForm(forms.Form):
    name = forms.CharField(max_length=80)


# Of contacts and of visitors one can ask different things: the rules below are drawn anew.
REDRAWS = {
    "hx-post": "",
    "hx-trigger": "change",
    "hx-vals": '{"act": "again"}',
    "hx-include": "#segment",
    "hx-target": "#builder",
}


class SegmentForm(forms.Form):
    name = forms.CharField(max_length=80)
    subject = forms.ChoiceField(
        label="Of whom", choices=Segment.Subject.choices, widget=forms.RadioSelect(attrs=REDRAWS)
    )
