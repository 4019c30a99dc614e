"""Labels: names that move from version to version. `latest` moves by itself."""

import re

from django.core.exceptions import ValidationError
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from agents.models import Assistant, PromptLabel, PromptVersion
from agents.prompts.assistants import changing
from agents.prompts.dependents import refuse_while_named
from agents.prompts.errors import PromptConflict
from agents.prompts.library import shipped_prompts
from agents.prompts.serving import LATEST, PRODUCTION
from agents.prompts.versions import (
    PromptDraft,
    add_version,
    delete_version,
    draft_of,
    get_version,
    newest,
    refuse_errors,
)
from lib.clock import now

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MAX_LABELS = 20


def set_label(
    assistant: Assistant,
    label: str,
    number: int,
    *,
    by: Actor,
    expected: int | None = None,
    is_protected: bool | None = None,
) -> PromptLabel:
    """Put a label on a version, and protect it or not. `production` is protected from the start."""
    by.require(Perm.CONTENT_EDIT)
    _check_name(label)
    with changing(assistant, expected):
        row = PromptLabel.objects.filter(assistant=assistant, label=label).first() or _new_label(assistant, label)
        if row.is_protected or is_protected:
            by.require(Perm.SETTINGS)
        version = _labelled_version(assistant, number)
        row.version, row.updated_by, row.updated_at = version, by.user, now()
        row.is_protected = row.is_protected if is_protected is None else is_protected
        row.save()
        audit.record("prompt.label", assistant, by=by, label=label, version=number, is_protected=row.is_protected)
    return row


def _check_name(label: str) -> None:
    if label == LATEST:
        raise PromptConflict("“latest” always stands at the newest version.")
    if not NAME.fullmatch(label):
        raise ValidationError({"label": "Small letters, digits, - and _, at most 40 of them; a letter first."})


def _new_label(assistant: Assistant, label: str) -> PromptLabel:
    if PromptLabel.objects.filter(assistant=assistant).count() >= MAX_LABELS:
        raise PromptConflict(f"An assistant has at most {MAX_LABELS} labels.")
    return PromptLabel(
        workspace=assistant.workspace, assistant=assistant, label=label, is_protected=label == PRODUCTION
    )


def _labelled_version(assistant: Assistant, number: int) -> PromptVersion:
    version = PromptVersion.objects.filter(assistant=assistant, number=number).first()
    if version is None:
        raise ValidationError({"version": f"There is no version {number}."})
    # What it names may be gone by now.
    refuse_errors(assistant, version.body)
    return version


def remove_label(assistant: Assistant, label: str, *, by: Actor, expected: int | None = None) -> None:
    by.require(Perm.CONTENT_EDIT)
    if label == LATEST:
        raise PromptConflict("“latest” always stands at the newest version.")
    with changing(assistant, expected):
        row = PromptLabel.objects.filter(assistant=assistant, label=label).first()
        if row is None:
            raise Http404("Not found.")
        if row.is_protected:
            by.require(Perm.SETTINGS)
        if assistant.key not in shipped_prompts():
            refuse_while_named(assistant, label=label)
        row.delete()
        audit.record("prompt.unlabel", assistant, by=by, label=label)


def roll_back(
    assistant: Assistant, to: int, *, by: Actor, expected: int | None = None, message: str = ""
) -> PromptVersion:
    """A new version that says what an old one said: history only grows. Labels stay where they are."""
    by.require(Perm.CONTENT_EDIT)
    with changing(assistant, expected):
        former, left = _labelled_version(assistant, to), newest(assistant)
        old = draft_of(former)
        draft = PromptDraft(old.body, old.config, old.variables, message or f"Back to version {to}")
        version = add_version(assistant, draft, by=by, rolled_back_from=left.number)
        audit.record("prompt.rollback", assistant, by=by, to=to, version=version.number, left=left.number)
    return version


def remove_version(assistant: Assistant, number: int, *, by: Actor, expected: int | None = None) -> None:
    by.require(Perm.CONTENT_EDIT)
    with changing(assistant, expected):
        version = get_version(assistant, number)
        refuse_while_named(assistant, number=number)
        delete_version(version, by=by)
