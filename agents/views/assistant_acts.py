"""Acts on assistants and their versions, each behind one button."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from agents.forms_assistants import CloneForm, LabelForm
from agents.models import Assistant, PromptLabel
from agents.prompts import assistants, labels
from agents.prompts.errors import PromptConflict
from agents.prompts.serving import PRODUCTION
from agents.prompts.versions import get_version, newest


def _act(request: MemberRequest, do: Callable[[], Any], said: str) -> bool:
    try:
        do()
    except PromptConflict as refusal:
        messages.error(request, str(refusal))
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, said)
        return True
    return False


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_label(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    form = LabelForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Name a label and a version.")
        return redirect(_path(assistant))
    label, number = form.cleaned_data["label"], form.cleaned_data["version"]
    said = f"Version {number} is {label} now." + (" The next run uses it." if label == PRODUCTION else "")
    _act(request, lambda: labels.set_label(assistant, label, number, by=request.actor), said)
    return redirect(_path(assistant))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_unlabel(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    row = _label(request, assistant)
    if row:
        _act(request, lambda: labels.remove_label(assistant, row.label, by=request.actor), f"{row} is taken away.")
    return redirect(_path(assistant))


@require_POST
@member_view(Perm.SETTINGS)
def assistant_protect(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    """Turn the protection of a label over."""
    assistant = assistants.get_assistant(request.actor, assistant_id)
    row = _label(request, assistant)
    if row is None:
        return redirect(_path(assistant))
    said = f"Editors may move {row.label} now." if row.is_protected else f"Only admins move {row.label} now."

    def turn() -> None:
        labels.set_label(assistant, row.label, row.version.number, by=request.actor, is_protected=not row.is_protected)

    _act(request, turn, said)
    return redirect(_path(assistant))


def _label(request: MemberRequest, assistant: Assistant) -> PromptLabel | None:
    rows = PromptLabel.objects.filter(assistant=assistant).select_related("version")
    row = rows.filter(label=request.POST.get("label", "")[:40].replace("\0", "")).first()
    if row is None:
        messages.error(request, "There is no such label; perhaps somebody took it away.")
    return row


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_rollback(request: MemberRequest, assistant_id: UUID, number: int) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    get_version(assistant, number)
    said = f"A new version says what version {number} said."
    if _act(request, lambda: labels.roll_back(assistant, number, by=request.actor), said):
        return redirect(f"{_path(assistant)}?version={newest(assistant).number}")
    return redirect(_path(assistant))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_version_delete(request: MemberRequest, assistant_id: UUID, number: int) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    get_version(assistant, number)
    _act(request, lambda: labels.remove_version(assistant, number, by=request.actor), f"Version {number} is deleted.")
    return redirect(_path(assistant))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_clone(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    form = CloneForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the copy a name of at most 80 characters.")
        return redirect(_path(assistant))
    name, number = form.cleaned_data["name"], form.cleaned_data["version"]
    copy = assistants.clone_assistant(assistant, by=request.actor, name=name, number=number)
    messages.success(request, f"“{copy}” begins with the same prompt.")
    return redirect(_path(copy))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_customise(request: MemberRequest, key: str) -> HttpResponse:
    try:
        copy = assistants.customise_shipped(key, by=request.actor)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect("agents:assistant-built-in", key)
    messages.success(request, "This is your own copy. It is used once a version is in production.")
    return redirect(_path(copy))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_archive(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id)
    said = f"“{assistant}” is archived."
    if _act(request, lambda: assistants.archive_assistant(assistant, by=request.actor), said):
        return redirect("agents:assistants")
    return redirect(_path(assistant))


@require_POST
@member_view(Perm.CONTENT_EDIT)
def assistant_restore(request: MemberRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistants.get_assistant(request.actor, assistant_id, is_archived=True)
    _act(request, lambda: assistants.restore_assistant(assistant, by=request.actor), f"“{assistant}” is back.")
    return redirect(_path(assistant))


def _path(assistant: Assistant) -> str:
    return reverse("agents:assistant", args=[assistant.pk])
