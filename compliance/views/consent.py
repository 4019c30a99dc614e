"""Consents that a member writes down, and the notices that people are shown."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, add_errors, member_view
from compliance.consent import ANY, CHANNELS, MAX_PROOF, give_consent, object_to, withdraw_consent
from compliance.contacts import get_contact
from compliance.models import Notice
from compliance.notices import MAX_NOTICE, get_notice, publish_notice, update_notice, visible_notices

ACTS = {"give": "Agreed", "withdraw": "Withdrew", "object": "Objected"}
# How they read where a capital letter is not enough.
CHANNEL_NAMES = {"email": "E-mail", "phone": "Telephone", "sms": "SMS"}
EVERY = (ANY, "Every channel")


class ConsentForm(forms.Form):
    act = forms.ChoiceField(label="What the person said", choices=list(ACTS.items()))
    purpose = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"list": "purposes", "autocomplete": "off"}),
        help_text="Such as newsletter; “any” to withdraw or object to everything.",
    )
    channel = forms.ChoiceField(choices=[*((name, CHANNEL_NAMES.get(name, name.title())) for name in CHANNELS), EVERY])
    notice = forms.ChoiceField(required=False, help_text="What they were shown when they agreed.")
    proof = forms.CharField(
        max_length=MAX_PROOF - 100,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="How you know: the form, the letter, the call and its day.",
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = list(visible_notices(actor))
        self.purposes = sorted({row.purpose for row in rows})
        notices = [(str(row.pk), str(row)) for row in rows]
        # A choice field of its own: nobody can name a notice of another workspace.
        self.fields["notice"] = forms.ChoiceField(
            choices=[("", "No notice"), *notices], required=False, help_text=self.fields["notice"].help_text
        )

    def clean_purpose(self) -> str:
        return self.cleaned_data["purpose"].strip().lower()


@require_POST
@member_view(Perm.CONTENT_EDIT)
def contact_consent(request: MemberRequest, contact_id: UUID) -> HttpResponse:
    from compliance.views.contacts import show_contact

    contact = get_contact(request.actor, contact_id)
    form = ConsentForm(request.POST, actor=request.actor)
    if form.is_valid():
        try:
            record_act(form.cleaned_data, contact, by=request.actor)
        except ValidationError as error:
            add_errors(form, _named(error))
        else:
            messages.success(request, "Written down.")
            return redirect("compliance:contact", contact.pk)
    return show_contact(request, contact, form)


def record_act(data: dict[str, Any], contact: Any, *, by: Actor) -> None:
    evidence = {"note": data["proof"]} if data["proof"] else {}
    if data["act"] == "give":
        notice = get_notice(by, UUID(data["notice"])) if data["notice"] else None
        give_consent(contact, data["purpose"], data["channel"], by=by, method="staff", notice=notice, evidence=evidence)
    else:
        refuse = withdraw_consent if data["act"] == "withdraw" else object_to
        refuse(contact, data["purpose"], data["channel"], by=by, method="staff", evidence=evidence)


def _named(error: ValidationError) -> ValidationError:
    """The form calls the evidence by another name."""
    found = error.error_dict
    return ValidationError({("proof" if name == "evidence" else name): texts for name, texts in found.items()})


# --- notices ----------------------------------------------------------------------------------------------


class NoticeForm(forms.Form):
    purpose = forms.CharField(max_length=40, help_text="What the data are for, such as newsletter.")
    language = forms.CharField(max_length=12, initial="en", help_text="Such as en, zh or pt-BR.")
    text = forms.CharField(
        max_length=MAX_NOTICE,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Who you are, what you use, what for, for how long, and that one can withdraw at any time.",
    )


class NoticeTextForm(forms.Form):
    text = forms.CharField(max_length=MAX_NOTICE, widget=forms.Textarea(attrs={"rows": 8}))


@member_view(Perm.VIEW)
def notice_list(request: MemberRequest) -> HttpResponse:
    return render(request, "compliance/notice_list.html", {"notices": list(visible_notices(request.actor))})


@member_view(Perm.SETTINGS)
def notice_new(request: MemberRequest) -> HttpResponse:
    form = NoticeForm(request.POST or None, initial={"purpose": request.GET.get("purpose", "")[:40]})
    if request.method == "POST" and form.is_valid():
        try:
            notice = publish_notice(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"Published: {notice}.")
            return redirect("compliance:notices")
    return _show(request, form, None)


@member_view(Perm.VIEW)
def notice_edit(request: MemberRequest, notice_id: UUID) -> HttpResponse:
    notice = get_notice(request.actor, notice_id)
    form = NoticeTextForm(request.POST or None, initial={"text": notice.text})
    if request.method == "POST" and form.is_valid():
        try:
            update_notice(notice, by=request.actor, text=form.cleaned_data["text"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("compliance:notices")
    return _show(request, form, notice)


def _show(request: MemberRequest, form: forms.Form, notice: Notice | None) -> HttpResponse:
    context = {"form": form, "notice": notice}
    return render(request, "compliance/notice_form.html", context, status=422 if form.errors else 200)
