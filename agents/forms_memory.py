"""Forms of the pages about memory, the brand and knowledge."""

from typing import Any

from django import forms

from agents.memory import items
from agents.memory.claims import ClaimDraft
from agents.memory.documents import MAX_BYTES, MAX_TITLE
from agents.models import MemoryItem

TIERS = [
    ("durable", "As long as it is true"),
    ("permanent", "For good"),
    ("ephemeral", f"For {items.EPHEMERAL_DAYS} days"),
]


class BlockForm(forms.Form):
    text = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 4}))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ClaimForm(forms.Form):
    text = forms.CharField(label="Claim", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    source = forms.CharField(max_length=500, help_text="What proves it: a study, a certificate, a page.")
    language = forms.CharField(max_length=12, required=False, help_text="Such as en or zh. Empty: any.")
    valid_until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="After this day no draft uses it."
    )

    def draft(self) -> ClaimDraft:
        return ClaimDraft(**self.cleaned_data)


class ItemForm(forms.Form):
    text = forms.CharField(
        label="What to remember",
        max_length=items.MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One thing, in words that are clear without the rest.",
    )
    subject = forms.CharField(
        max_length=items.MAX_SUBJECT,
        required=False,
        help_text="A newer line on the same subject takes the older one's place: “opening hours”.",
    )
    kind = forms.ChoiceField(choices=list(items.KINDS.items()))
    tier = forms.ChoiceField(label="Keep it", choices=TIERS)
    is_own = forms.BooleanField(label="Only for me", required=False, help_text="Nobody else's assistant uses it.")
    is_again = forms.BooleanField(
        label="Remember it although it was forgotten before", required=False, widget=forms.HiddenInput
    )

    def offer_again(self) -> None:
        """Once the service has refused what was forgotten: the person may insist."""
        self.fields["is_again"].widget = forms.CheckboxInput()

    def fields_for(self, user: Any) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"user": user if data.pop("is_own") else None}


class SearchForm(forms.Form):
    q = forms.CharField(max_length=200, required=False)
    kind = forms.ChoiceField(choices=[("", "All kinds"), *items.KINDS.items()], required=False)
    status = forms.ChoiceField(
        choices=[("", "In force"), *[choice for choice in MemoryItem.Status.choices if choice[0] != "active"]],
        required=False,
    )


class FileForm(forms.Form):
    file = forms.FileField(
        max_length=200,
        help_text=f"Text, Markdown, PDF, CSV or a saved web page, up to {MAX_BYTES // 1024**2} MB.",
        widget=forms.FileInput(attrs={"accept": ".txt,.md,.markdown,.pdf,.csv,.tsv,.html,.htm"}),
    )
    title = forms.CharField(max_length=MAX_TITLE, required=False, help_text="Empty: the name of the file.")


class PageForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=1_000,
        widget=forms.TextInput(attrs={"placeholder": "https://", "inputmode": "url"}),
        help_text="A public page. It is read now, and again whenever you ask for it.",
    )


class NoteForm(forms.Form):
    title = forms.CharField(max_length=MAX_TITLE)
    text = forms.CharField(
        max_length=200_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Lines that begin with # are headings.",
    )


class HourForm(forms.Form):
    hour = forms.TypedChoiceField(
        label="Tidy up every day",
        choices=[("", "Never"), *[(str(hour), f"between {hour}:00 and {hour}:59") for hour in range(24)]],
        coerce=int,
        empty_value=None,
        required=False,
    )
