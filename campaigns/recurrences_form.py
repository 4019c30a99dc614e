from typing import Any

from django import forms

from accounts.forms import zones
from campaigns.forms import WEEKDAYS, DateInput
from campaigns.models import Recurrence
from campaigns.recurrences import COOLDOWNS


class RecurrenceForm(forms.Form):
    kind = forms.ChoiceField(
        label="How",
        choices=[("weekly", "On set days of the week"), ("evergreen", "Evergreen: in free slots, after a rest")],
        widget=forms.RadioSelect,
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="Days", choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    at = forms.TimeField(label="Time", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, help_text="The clock on the wall there.")
    cooldown_days = forms.IntegerField(
        label="Days of rest",
        initial=30,
        min_value=COOLDOWNS[0],
        max_value=COOLDOWNS[-1],
        required=False,
        help_text="Evergreen only: so many days after the last one went out.",
    )
    ends_on = forms.DateField(label="Last day", required=False, widget=DateInput())

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        cleaned = dict(self.cleaned_data)
        # An empty rest is no choice; the model knows the usual one.
        if cleaned["cooldown_days"] is None:
            cleaned["cooldown_days"] = Recurrence._meta.get_field("cooldown_days").default
        return cleaned
