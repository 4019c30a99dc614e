from typing import Any

from django import forms

from accounts.forms import zones
from campaigns.models import Campaign
from compliance.places import INDUSTRIES, MARKETS

WEEKDAYS = list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        # Browsers take no other format, whatever the language.
        super().__init__(format="%Y-%m-%d")


class CampaignForm(forms.ModelForm):
    markets = forms.MultipleChoiceField(
        choices=list(MARKETS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Whose rules its posts are checked against. None: those of the workspace.",
    )
    industry = forms.ChoiceField(
        choices=[("", "As the workspace"), *INDUSTRIES.items()],
        required=False,
        help_text="Some businesses have rules of their own.",
    )

    class Meta:
        model = Campaign
        fields = ["name", "goal", "brief", "starts_on", "ends_on", "markets", "industry"]
        labels = {"starts_on": "First day", "ends_on": "Last day"}
        help_texts = {
            "goal": "What it is for, in one sentence: it stands beside the name everywhere.",
            "brief": "Audience, voice, what to say and what not to.",
        }
        widgets = {
            "goal": forms.TextInput(),
            "brief": forms.Textarea(attrs={"rows": 10}),
            "starts_on": DateInput(),
            "ends_on": DateInput(),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("starts_on"), cleaned.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "The last day is before the first.")
        return cleaned


class ShareForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="Guests see this campaign and its posts, and nothing else. Somebody new gets an invitation.",
    )


class SlotForm(forms.Form):
    weekdays = forms.TypedMultipleChoiceField(
        label="Days",
        choices=WEEKDAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one day."},
    )
    time = forms.TimeField(label="Time", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, help_text="The clock on the wall there.")
