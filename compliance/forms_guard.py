"""Forms of the guard's pages."""

from typing import Any

from django import forms

from compliance.guard_check import MAX_TEXT
from compliance.guard_settings import (
    CERTIFICATE,
    FACT_LISTS,
    LONGEST_EXPIRY_HOURS,
    LONGEST_SLA_MINUTES,
    MAX_CERTIFICATE,
)
from compliance.models import GuardSettings, WorkspaceTerm
from compliance.places import INDUSTRIES, MARKETS, PLATFORMS
from compliance.terms import MAX_FILE_BYTES, TermDraft

RELATIONSHIPS = [
    ("", "Not said"),
    ("own_brand", "Our own brand"),
    ("paid", "Paid by somebody"),
    ("gift", "Got it for free"),
    ("affiliate", "Earns by its links"),
    ("employee", "Written by an employee"),
]


class LinesField(forms.CharField):
    """One entry per line."""

    widget = forms.Textarea

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, max_length=20_000, **more)
        self.widget.attrs |= {"rows": 4, "spellcheck": "false"}

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class MarketsField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def __init__(self, **more: Any) -> None:
        super().__init__(choices=list(MARKETS.items()), required=False, **more)


class GuardSettingsForm(forms.Form):
    markets = MarketsField(help_text="Whose rules every post is checked against. A campaign may name its own.")
    industry = forms.ChoiceField(
        choices=[("", "None of these"), *INDUSTRIES.items()],
        required=False,
        help_text="Some businesses have rules of their own.",
    )
    pii_mode = forms.ChoiceField(
        label="Personal data in a text",
        choices=GuardSettings.PiiMode.choices,
        help_text="Telephone numbers, addresses, ids, keys. What must not go out is blocked in any case.",
    )
    review_cert_number = forms.CharField(
        label="Medical advertising certificate",
        required=False,
        max_length=MAX_CERTIFICATE,
        help_text="The number of the certificate on file (医疗广告审查证明). Medical advertising in China needs one.",
    )
    allowed_contacts = LinesField(
        label="Our own public contact data", help_text="E-mail addresses and telephone numbers, one per line."
    )
    allowed_domains = LinesField(
        label="Domains to link to",
        help_text="One per line, such as example.com. Where there are any, a link to another one asks a reviewer.",
    )
    blocked_domains = LinesField(label="Domains never to link to", help_text="One per line.")
    sla_high = forms.IntegerField(label="High risk", min_value=1, max_value=LONGEST_SLA_MINUTES)
    sla_medium = forms.IntegerField(label="Medium risk", min_value=1, max_value=LONGEST_SLA_MINUTES)
    sla_low = forms.IntegerField(label="Low risk", min_value=1, max_value=LONGEST_SLA_MINUTES)
    expires_after_hours = forms.IntegerField(
        label="Give up after (hours)",
        min_value=1,
        max_value=LONGEST_EXPIRY_HOURS,
        help_text="A review that nobody decided by then expires: nothing is sent.",
    )

    def __init__(self, data: Any, *, data_of: dict[str, Any]) -> None:
        minutes = {f"sla_{risk}": value for risk, value in data_of["sla_minutes"].items()}
        super().__init__(data, initial=data_of | minutes)

    def settings(self) -> dict[str, Any]:
        """What the service takes."""
        names = ("markets", "industry", "pii_mode", CERTIFICATE, *FACT_LISTS, "expires_after_hours")
        minutes = {risk: self.cleaned_data[f"sla_{risk}"] for risk in ("high", "medium", "low")}
        return {name: self.cleaned_data[name] for name in names} | {"sla_minutes": minutes}

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error("sla_high" if field == "sla_minutes" else field, error)


class TermForm(forms.Form):
    term = forms.CharField(label="Word or phrase", max_length=120)
    kind = forms.ChoiceField(label="What to do", choices=WorkspaceTerm.Kind.choices)
    replacement = forms.CharField(
        label="Say instead", required=False, max_length=120, help_text="Offered with one click."
    )
    reason = forms.CharField(label="Why", required=False, max_length=200, help_text="Writers read it.")
    platforms = forms.MultipleChoiceField(
        choices=list(PLATFORMS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: everywhere.",
    )
    valid_to = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The last day it counts. You are told a week before.",
    )

    def draft(self) -> TermDraft:
        return TermDraft(**self.cleaned_data | {"platforms": tuple(self.cleaned_data["platforms"])})


class FileForm(forms.Form):
    file = forms.FileField(required=False, label="CSV file", widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))
    # What was shown by the dry run comes back as it is.
    text = forms.CharField(required=False, max_length=MAX_FILE_BYTES, strip=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("file") and not cleaned.get("text"):
            self.add_error("file", "Choose a file.")
        elif cleaned.get("file") and cleaned["file"].size > MAX_FILE_BYTES:
            self.add_error("file", "The file may have 1 MB at most.")
        return cleaned

    def content(self) -> bytes:
        given = self.cleaned_data["file"]
        return given.read() if given else self.cleaned_data["text"].encode()


class CheckForm(forms.Form):
    text = forms.CharField(max_length=MAX_TEXT, strip=False, widget=forms.Textarea(attrs={"rows": 6}))
    platform = forms.ChoiceField(choices=[("any", "Any"), *PLATFORMS.items()], required=False)
    markets = MarketsField()
    industry = forms.ChoiceField(choices=[("", "None of these"), *INDUSTRIES.items()], required=False)
    relationship = forms.ChoiceField(label="The author's tie to the brand", choices=RELATIONSHIPS, required=False)
    ai_generated = forms.BooleanField(label="Made with AI", required=False)
