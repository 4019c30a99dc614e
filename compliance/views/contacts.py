from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from compliance.consent import GPC_PURPOSES, ledger_of, may_contact, standing
from compliance.consent_links import choices_url
from compliance.contacts import (
    FIELDS,
    MAX_NOTES,
    create_contact,
    get_contact,
    restrict_contact,
    search_contacts,
    update_contact,
)
from compliance.contacts_import import MAX_CHARACTERS, check_import, count_fates, import_contacts
from compliance.models import Contact
from compliance.views.consent import ConsentForm

PAGE_SIZE = 50
SHOWN = 200


class ContactForm(forms.Form):
    name = forms.CharField(max_length=120, required=False)
    email = forms.EmailField(label="E-mail", required=False)
    network = forms.CharField(max_length=12, required=False, help_text="Where the account is, such as x or telegram.")
    handle = forms.CharField(max_length=80, required=False)
    remote_id = forms.CharField(
        label="Account id", max_length=60, required=False, help_text="It stays when a handle changes."
    )
    country = forms.CharField(max_length=2, required=False, help_text="Two letters, such as DE or CN.")
    language = forms.CharField(max_length=12, required=False, help_text="Such as en, zh or pt-BR.")
    notes = forms.CharField(max_length=MAX_NOTES, required=False, widget=forms.Textarea(attrs={"rows": 4}))


class ImportForm(forms.Form):
    file = forms.FileField(label="CSV file", required=False, widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))
    text = forms.CharField(
        label="Or its rows",
        required=False,
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        help_text="The first row names the columns: name, email, network, handle, id, country, language, notes.",
    )

    def clean(self) -> dict[str, str]:
        upload, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if upload is not None and upload.size > MAX_CHARACTERS:
            raise ValidationError({"file": f"The file is larger than {MAX_CHARACTERS:,} characters. Split it."})
        if upload is not None:
            try:
                text = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise ValidationError({"file": "Save the file as UTF-8 and choose it again."}) from error
        if not text.strip():
            raise ValidationError({"file": "Choose a file, or paste its rows."})
        return {"text": text}


@member_view(Perm.VIEW)
def contact_list(request: MemberRequest) -> HttpResponse:
    words = request.GET.get("q", "")
    page = Paginator(search_contacts(request.actor, words), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "compliance/contact_list.html", {"page": page, "words": words})


@member_view(Perm.VIEW)
def contact_detail(request: MemberRequest, contact_id: UUID) -> HttpResponse:
    return show_contact(request, get_contact(request.actor, contact_id))


def show_contact(request: MemberRequest, contact: Contact, form: ConsentForm | None = None) -> HttpResponse:
    rows = list(ledger_of(contact))
    lines = [(row, may_contact(contact, row.purpose, row.channel)) for row in standing(rows)]
    context = {
        "contact": contact,
        "lines": lines,
        "ledger": rows[::-1][:SHOWN],
        "form": form or ConsentForm(actor=request.actor),
        "link": choices_url(contact),
        "gpc_purposes": GPC_PURPOSES,
    }
    has_errors = form is not None and bool(form.errors)
    return render(request, "compliance/contact_detail.html", context, status=422 if has_errors else 200)


@member_view(Perm.CONTENT_EDIT)
def contact_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, ContactForm(request.POST or None), None)


@member_view(Perm.CONTENT_EDIT)
def contact_edit(request: MemberRequest, contact_id: UUID) -> HttpResponse:
    contact = get_contact(request.actor, contact_id)
    values = {name: getattr(contact, name) for name in FIELDS}
    return _edit(request, ContactForm(request.POST or None, initial=values), contact)


def _edit(request: MemberRequest, form: ContactForm, contact: Contact | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            if contact:
                saved = update_contact(contact, by=request.actor, **form.cleaned_data)
            else:
                saved = create_contact(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("compliance:contact", saved.pk)
    context = {"form": form, "contact": contact}
    return render(request, "compliance/contact_form.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def contact_restrict(request: MemberRequest, contact_id: UUID) -> HttpResponse:
    contact = get_contact(request.actor, contact_id)
    restricted = request.POST.get("restricted") == "1"
    if restrict_contact(contact, by=request.actor, restricted=restricted):
        said = "Restricted. Nothing is sent to this person." if restricted else "The restriction is lifted."
        messages.success(request, said)
    return redirect("compliance:contact", contact.pk)


@member_view(Perm.CONTENT_EDIT)
def contact_import(request: MemberRequest) -> HttpResponse:
    """First post: what would happen. The rows stay in the form; the second post does it."""
    is_posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if is_posted else ImportForm()
    fates = None
    if is_posted and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            if "apply" in request.POST:
                counts = count_fates(import_contacts(text, by=request.actor))
                said = f"{counts['create']} added, {counts['update']} changed, {counts['error']} left out."
                messages.success(request, said)
                return redirect("compliance:contacts")
            fates = check_import(text, by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            form = ImportForm(initial={"text": text})
    context = {"form": form, "fates": (fates or [])[:SHOWN], "shown": SHOWN, "counts": fates and count_fates(fates)}
    return render(request, "compliance/contact_import.html", context, status=422 if form.errors else 200)
