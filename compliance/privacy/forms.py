"""Forms of the privacy pages."""

from typing import Any

from django import forms
from django.db.models import Q

from accounts.models import Workspace
from compliance.models import Contact, PrivacyRequest
from compliance.models.privacy import SubjectKind
from lib.text import storable


class ContactChoice(forms.Form):
    """A contact by address or handle: lists of all of them would be long."""

    contact = forms.CharField(label="Contact", max_length=254, help_text="E-mail address or handle.")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace

    def clean_contact(self) -> Contact:
        text = storable(self.cleaned_data["contact"]).strip()
        contacts = Contact.objects.filter(workspace=self.workspace)
        contact = contacts.filter(Q(email__iexact=text) | Q(handle__iexact=text.removeprefix("@"))).first()
        if contact is None:
            raise forms.ValidationError("No contact has this address or handle.")
        return contact


class RequestForm(ContactChoice):
    kind = forms.ChoiceField(label="What they ask for", choices=PrivacyRequest.Kind.choices)
    law = forms.ChoiceField(
        label="Law",
        choices=PrivacyRequest.Law.choices,
        initial=PrivacyRequest.Law.GDPR,
        help_text="GDPR for people in Europe, CCPA for people in California.",
    )
    new_name = forms.CharField(label="Right name", max_length=120, required=False, help_text="For a correction.")
    new_email = forms.EmailField(label="Right e-mail address", required=False, help_text="For a correction.")
    purposes = forms.CharField(
        label="Purposes",
        max_length=300,
        required=False,
        help_text="For an objection: what they object to, separated by commas. Empty: everything.",
    )

    def details(self) -> dict[str, Any]:
        given = {"name": self.cleaned_data["new_name"], "email": self.cleaned_data["new_email"]}
        purposes = [word.strip() for word in self.cleaned_data["purposes"].split(",") if word.strip()]
        return {"corrections": {name: value for name, value in given.items() if value}, "purposes": purposes}


class HoldForm(forms.Form):
    WHOLE = "workspace"
    contact = forms.CharField(
        label="Contact",
        max_length=254,
        required=False,
        help_text="E-mail address or handle. Empty: the whole workspace.",
    )
    reason = forms.CharField(label="Why", max_length=300, help_text="The case, and on whose order.")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["subject"] = (SubjectKind.WORKSPACE, self.workspace.pk)
        if cleaned.get("contact"):
            choice = ContactChoice({"contact": cleaned["contact"]}, workspace=self.workspace)
            if choice.is_valid():
                cleaned["subject"] = (SubjectKind.CONTACT, choice.cleaned_data["contact"].pk)
            else:
                self.add_error("contact", choice.errors["contact"].as_data())
        return cleaned


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Why", max_length=300)
