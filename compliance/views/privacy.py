"""Privacy of a workspace: what its contacts ask for, its own copy, its holds, how long things are kept, its end."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.inventory import categories
from accounts.models import Workspace
from accounts.web import MemberRequest, add_errors, member_view
from compliance import tasks
from compliance.models import Contact, LegalHold, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import deletion, files, holds, requests
from compliance.privacy.forms import HoldForm, ReasonForm, RequestForm
from lib.clock import now

PAGE = 50


@member_view(Perm.SETTINGS)
def privacy(request: MemberRequest) -> HttpResponse:
    """Requests of contacts, and the form for a new one."""
    actor = request.actor
    form = RequestForm(request.POST or None, workspace=actor.workspace, initial={"contact": request.GET.get("contact")})
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            row = requests.open_contact_request(
                cleaned["kind"], cleaned["contact"], by=actor, law=cleaned["law"], details=form.details()
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            return redirect("compliance:privacy-request", row.pk)
    rows = requests.requests_of(actor).filter(subject_kind=SubjectKind.CONTACT)
    context = {"form": form, "page": Paginator(rows, PAGE).get_page(request.GET.get("page")), "now": now()}
    return render(request, "compliance/privacy.html", context, status=422 if form.errors else 200)


@member_view(Perm.SETTINGS)
def privacy_request(request: MemberRequest, request_id: UUID) -> HttpResponse:
    return _request_page(request, requests.get_request(request.actor, request_id))


def _request_page(request: MemberRequest, row: PrivacyRequest, error: str = "") -> HttpResponse:
    contact = Contact.objects.filter(workspace=request.actor.workspace, pk=row.subject_id).first()
    context = {
        "row": row,
        "contact": contact,
        "error": error,
        "now": now(),
        "has_file": files.has_file(row),
        "reason_form": ReasonForm(),
        "result": [(name.replace("_", " "), value) for name, value in row.manifest.items() if name != "models"],
    }
    return render(request, "compliance/privacy_request.html", context, status=422 if error else 200)


Act = Callable[[MemberRequest, PrivacyRequest], str]


def _send_link(request: MemberRequest, row: PrivacyRequest) -> str:
    contact = Contact.objects.filter(workspace=request.actor.workspace, pk=row.subject_id).first()
    if contact is None or not contact.email:
        raise ValidationError("This contact has no e-mail address. Note the document you saw instead.")
    transaction.on_commit(lambda: tasks.mail_privacy_link.delay(str(row.pk)))
    return f"A link is on its way to {contact.email}."


def _verify(request: MemberRequest, row: PrivacyRequest) -> str:
    requests.verify(row, requests.DOCUMENT, by=requests.by_member(request.actor))
    return "Noted: you saw a document that shows who asks."


def _start(request: MemberRequest, row: PrivacyRequest) -> str:
    requests.start(row, by=requests.by_member(request.actor))
    return "It is being carried out."


def _refuse(request: MemberRequest, row: PrivacyRequest) -> str:
    requests.refuse(row, request.POST.get("reason", ""), by=requests.by_member(request.actor))
    return "Refused. Tell the person why, and that they may complain to an authority."


def _extend(request: MemberRequest, row: PrivacyRequest) -> str:
    due_at = requests.extend(row, request.POST.get("reason", ""), by=requests.by_member(request.actor))
    return f"Due on {due_at:%-d %B %Y} now. Tell the person why it takes longer."


ACTS: dict[str, Act] = {
    "link": _send_link,
    "verify": _verify,
    "start": _start,
    "refuse": _refuse,
    "extend": _extend,
}


@require_POST
@member_view(Perm.SETTINGS)
def privacy_act(request: MemberRequest, request_id: UUID, act: str) -> HttpResponse:
    row = requests.get_request(request.actor, request_id)
    if act not in ACTS:
        return HttpResponse(status=404)
    try:
        messages.success(request, ACTS[act](request, row))
    except ValidationError as error:
        return _request_page(request, row, " ".join(error.messages))
    except requests.RequestClosed as closed:
        messages.error(request, str(closed))
    return redirect("compliance:privacy-request", row.pk)


@member_view(Perm.SETTINGS)  # type: ignore[arg-type]
def privacy_file(request: MemberRequest, request_id: UUID) -> HttpResponseBase:
    return files.download(requests.get_request(request.actor, request_id), by=request.actor)


# --- the workspace's own data, and its end --------------------------------------------------------------------


@member_view(Perm.SETTINGS)
def privacy_data(request: MemberRequest) -> HttpResponse:
    return _data_page(request)


def _data_page(request: MemberRequest, errors: dict[str, Any] | None = None) -> HttpResponse:
    rows = requests.requests_of(request.actor).filter(subject_kind=SubjectKind.WORKSPACE)[:10]
    context = {
        "copies": [(row, files.has_file(row)) for row in rows],
        "is_running": any(row.status == requests.Status.RUNNING for row in rows),
        "workspace_now": Workspace.objects.get(pk=request.actor.workspace.pk),
        "may_delete": request.actor.can(Perm.DELETE),
        "errors": errors or {},
        "typed": request.POST.get("name", ""),
    }
    return render(request, "compliance/privacy_data.html", context, status=422 if errors else 200)


@require_POST
@member_view(Perm.SETTINGS)
def privacy_export(request: MemberRequest) -> HttpResponse:
    try:
        requests.open_workspace_export(by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The copy is being made. It appears here.")
    return redirect("compliance:privacy-data")


@require_POST
@member_view(Perm.DELETE)
def delete_workspace(request: MemberRequest) -> HttpResponse:
    try:
        deletion.ask_deletion(request.POST.get("name", ""), by=request.actor)
    except ValidationError as error:
        return _data_page(request, {"name": " ".join(error.messages)})
    messages.success(request, "Everything is stopped. The workspace goes in 30 days, unless you change your mind.")
    return redirect("compliance:privacy-data")


@require_POST
@member_view(Perm.DELETE)
def keep_workspace(request: MemberRequest) -> HttpResponse:
    if deletion.cancel_deletion(by=request.actor):
        messages.success(request, "The workspace stays. Release publishing when you are ready.")
    return redirect("compliance:privacy-data")


# --- holds and retention --------------------------------------------------------------------------------------


@member_view(Perm.SETTINGS)
def privacy_rules(request: MemberRequest) -> HttpResponse:
    actor = request.actor
    form = HoldForm(request.POST or None, workspace=actor.workspace)
    if request.method == "POST" and form.is_valid():
        try:
            kind, subject_id = form.cleaned_data["subject"]
            holds.set_hold(kind, subject_id, form.cleaned_data["reason"], by=actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The hold stands: nothing of it is erased, by nobody and no schedule.")
            return redirect("compliance:privacy-rules")
    found = LegalHold.objects.filter(workspace=actor.workspace).select_related("set_by")
    names = Contact.objects.filter(workspace=actor.workspace).in_bulk([hold.subject_id for hold in found])
    context = {
        "form": form,
        "holds": [(hold, names.get(hold.subject_id) or hold.get_subject_kind_display()) for hold in found],
        "categories": categories(),
    }
    return render(request, "compliance/privacy_rules.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.SETTINGS)
def release_hold(request: MemberRequest, hold_id: UUID) -> HttpResponse:
    if holds.release_hold(hold_id, by=request.actor):
        messages.success(request, "The hold is released.")
    return redirect("compliance:privacy-rules")
