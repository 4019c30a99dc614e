"""Making and changing assistants. Every change of what they say is a new version."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.text import slugify

from accounts import audit
from accounts.access import Actor, Perm
from agents.models import Assistant, PromptVersion
from agents.prompts.dependents import refuse_while_named
from agents.prompts.errors import PromptConflict, StalePrompt
from agents.prompts.library import shipped_prompts
from agents.prompts.versions import PromptDraft, add_version, draft_of, get_version, newest
from agents.workflows.registry import WORKFLOWS
from lib.clock import now
from lib.text import one_line, storable

# Words of the addresses, never keys.
RESERVED = frozenset(
    {"clone", "rollback", "validate", "templates", "versions", "labels", "diff", "reload", "restore", "new", "library"}
)
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
FIELDS = ("name", "description", "workflow", "settings", "metadata")
EMPTY: Mapping[str, Any] = {"description": "", "workflow": "chat", "settings": {}, "metadata": {}}


# --- reading ------------------------------------------------------------------------------------------------


def visible_assistants(actor: Actor, *, is_archived: bool = False) -> QuerySet[Assistant]:
    actor.require(Perm.VIEW)
    return Assistant.objects.filter(workspace=actor.workspace, archived_at__isnull=not is_archived)


def get_assistant(actor: Actor, ref: UUID | str, *, is_archived: bool = False) -> Assistant:
    """By id or key."""
    rows = visible_assistants(actor, is_archived=is_archived)
    pk = _as_uuid(ref)
    found = rows.filter(pk=pk).first() if pk else rows.filter(key=str(ref)).first()
    if found is None:
        raise Http404("Not found.")
    return found


def _as_uuid(ref: UUID | str) -> UUID | None:
    try:
        return ref if isinstance(ref, UUID) else UUID(ref)
    except ValueError:
        return None


# --- acts ---------------------------------------------------------------------------------------------------


def create_assistant(
    *, by: Actor, name: str, draft: PromptDraft, key: str = "", cloned_from: str = "", **fields: Any
) -> Assistant:
    """With its first version. Raises ValidationError, by field."""
    by.require(Perm.CONTENT_EDIT)
    values = _clean({**EMPTY, **fields, "name": name})
    key = key or free_key(by, name)
    assistant = Assistant(workspace=by.workspace, key=key, created_by=by.user, **values)
    _check_key(assistant.key)
    _check(assistant)
    with _one_of_a_key(), transaction.atomic():
        assistant.save(force_insert=True)
        version = add_version(assistant, draft, by=by, cloned_from=cloned_from)
        audit.record("assistant.create", assistant, by=by, key=assistant.key, version=version.number)
    return assistant


def update_assistant(
    assistant: Assistant,
    *,
    by: Actor,
    expected: int | None = None,
    prompt: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Assistant:
    """Change what is named and keep the rest; null takes a name out of settings, metadata, config and variables.

    `prompt` holds body, config, variables, message; where it changes anything, a new version is made of it.
    """
    by.require(Perm.CONTENT_EDIT)
    with changing(assistant, expected):
        for name in ("settings", "metadata"):
            if name in fields:
                fields[name] = merged(getattr(assistant, name), fields[name])
        _save(assistant, fields)
        last = newest(assistant)
        version = _add_if_other(assistant, draft_of(last).merge(prompt or {}), last, by)
        audit.record("assistant.update", assistant, by=by, changed=sorted(fields), version=version and version.number)
    return assistant


def replace_assistant(
    assistant: Assistant, *, by: Actor, name: str, draft: PromptDraft, expected: int | None = None, **fields: Any
) -> Assistant:
    """As if made anew: what is left out becomes empty. The former versions stay."""
    by.require(Perm.CONTENT_EDIT)
    with changing(assistant, expected):
        _save(assistant, {**EMPTY, **fields, "name": name})
        version = _add_if_other(assistant, draft, newest(assistant), by)
        audit.record("assistant.replace", assistant, by=by, version=version and version.number)
    return assistant


def replace_prompt(
    assistant: Assistant, draft: PromptDraft, *, by: Actor, expected: int | None = None
) -> PromptVersion:
    """A fresh version; nothing of the last one stays, and nothing of the assistant changes."""
    by.require(Perm.CONTENT_EDIT)
    with changing(assistant, expected):
        last = newest(assistant)
        version = _add_if_other(assistant, draft, last, by) or last
        audit.record("prompt.replace", assistant, by=by, version=version.number)
    return version


def clone_assistant(
    assistant: Assistant, *, by: Actor, key: str = "", name: str = "", number: int | None = None
) -> Assistant:
    """A new assistant that begins with one version of this, the newest if none is named."""
    version = newest(assistant) if number is None else get_version(assistant, number)
    return create_assistant(
        by=by,
        key=key,
        name=name or f"{assistant.name[:72]} (copy)",
        draft=draft_of(version),
        cloned_from=f"{assistant.key}@{version.number}",
        **{field: getattr(assistant, field) for field in FIELDS if field != "name"},
    )


def customise_shipped(key: str, *, by: Actor) -> Assistant:
    """A workspace's own copy of a shipped prompt; it takes the shipped one's place once it is in production."""
    shipped = shipped_prompts().get(key)
    if shipped is None:
        raise Http404("Not found.")
    return create_assistant(
        by=by,
        key=key,
        name=shipped.name,
        description=shipped.description,
        workflow=shipped.workflow,
        draft=PromptDraft(shipped.body, variables=dict(shipped.variables)),
        cloned_from=f"{key}@0",
    )


def archive_assistant(assistant: Assistant, *, by: Actor, expected: int | None = None) -> None:
    """It serves nobody any more; its versions and its key are kept."""
    by.require(Perm.CONTENT_EDIT)
    with changing(assistant, expected):
        refuse_while_named(assistant)
        assistant.archived_at = now()
        assistant.save(update_fields=["archived_at"])
        audit.record("assistant.archive", assistant, by=by, key=assistant.key)


def restore_assistant(assistant: Assistant, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        rows = Assistant.objects.filter(pk=assistant.pk).exclude(archived_at=None)
        if not rows.update(archived_at=None, revision=F("revision") + 1, updated_at=now()):
            raise PromptConflict("It is not archived.")
        audit.record("assistant.restore", assistant, by=by, key=assistant.key)
    assistant.refresh_from_db()


# --- what they share ----------------------------------------------------------------------------------------


@contextmanager
def changing(assistant: Assistant, expected: int | None = None) -> Iterator[None]:
    """Count the revision on, if it is still the expected one: who comes second waits here, and then finds another.

    Inside, the row is locked and fresh. Raises StalePrompt.
    """
    with transaction.atomic():
        rows = Assistant.objects.filter(pk=assistant.pk, archived_at=None)
        if expected is not None:
            rows = rows.filter(revision=expected)
        if not rows.update(revision=F("revision") + 1, updated_at=now()):
            raise StalePrompt("It was changed meanwhile. Read it again and repeat your change.")
        assistant.refresh_from_db()
        yield


def merged(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON Merge Patch (RFC 7396) says, one level deep."""
    return {name: value for name, value in {**before, **change}.items() if value is not None}


def free_key(by: Actor, name: str) -> str:
    """From the name, and neither taken nor that of a shipped prompt, whose place it would take unasked."""
    stem = slugify(name)[:50].strip("-_") or "assistant"
    taken = {*RESERVED, *shipped_prompts()}
    taken |= set(Assistant.objects.filter(workspace=by.workspace, key__startswith=stem).values_list("key", flat=True))
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key


def _add_if_other(assistant: Assistant, draft: PromptDraft, last: PromptVersion, by: Actor) -> PromptVersion | None:
    return add_version(assistant, draft, by=by) if draft.says_other_than(last) else None


def _save(assistant: Assistant, fields: Mapping[str, Any]) -> None:
    for name, value in _clean(fields).items():
        setattr(assistant, name, value)
    _check(assistant)
    assistant.save(update_fields=[*fields])


def _clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(fields)
    if "name" in values:
        values["name"] = one_line(storable(values["name"]))
    if "description" in values:
        values["description"] = storable(values["description"])
    return values


def _check(assistant: Assistant) -> None:
    left_out = ["workspace", "created_by", "archived_at"]
    assistant.full_clean(exclude=left_out, validate_unique=False, validate_constraints=False)
    known = workflow_choices()
    if assistant.workflow not in known:
        raise ValidationError({"workflow": f"There is no such workflow. Choose from {', '.join(known)}."})


def workflow_choices() -> list[str]:
    return sorted({*WORKFLOWS, *(shipped.workflow for shipped in shipped_prompts().values())})


def _check_key(key: str) -> None:
    if not KEY.fullmatch(key):
        raise ValidationError({"key": "Small letters, digits, - and _, at most 60 of them; a letter or digit first."})
    if key in RESERVED or _as_uuid(key):
        raise ValidationError({"key": "This word has a meaning of its own. Choose another."})


@contextmanager
def _one_of_a_key() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ValidationError({"key": "There is an assistant with this key already, perhaps archived."}) from error
