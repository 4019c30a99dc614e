"""A day's tidying: what a model proposes is checked line by line, done by the same acts as anybody's, and undoable."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.dateparse import parse_datetime

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User, Workspace
from agents.memory import blocks, items
from agents.models import Consolidation, MemoryBlock, MemoryItem, Message, Provenance, Thread
from lib.clock import now

Json = dict[str, Any]
Status = MemoryItem.Status
MAX_CHANGES = 30
# As much as one call reads.
MAX_KNOWN, MAX_NEW, MAX_THREADS = 120, 60, 20
MAX_SAID = 2_000
FIRST_LOOK_BACK = timedelta(days=1)
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "changes": {
            "type": "array",
            "maxItems": MAX_CHANGES,
            "items": {
                "type": "object",
                "properties": {
                    "act": {"type": "string", "enum": ["add", "supersede", "expire", "block"]},
                    # Which known statements are replaced or have run out.
                    "ids": {"type": "array", "items": {"type": "string"}, "maxItems": 10},
                    "text": {"type": "string", "maxLength": items.MAX_TEXT},
                    "subject": {"type": "string", "maxLength": items.MAX_SUBJECT},
                    "kind": {"type": "string", "enum": list(items.KINDS)},
                    "tier": {"type": "string", "enum": MemoryItem.Tier.values},
                    # Of a block that agents may change.
                    "label": {"type": "string", "maxLength": 40},
                    "why": {"type": "string", "maxLength": 200},
                },
                "required": ["act", "ids", "text", "subject", "kind", "tier", "label", "why"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["changes"],
    "additionalProperties": False,
}


# --- what there is to tidy --------------------------------------------------------------------------------


def gather(workspace: Workspace, user: User | None) -> Json:
    """{"new": […], "known": […], "said": […], "blocks": {…}}: only what members or we said. Expects the scope."""
    since = last_look(workspace, user)
    own = in_force(workspace, user)
    new = own.filter(created_at__gt=since).exclude(source_kind="consolidation").order_by("created_at")[:MAX_NEW]
    known = own.exclude(pk__in=[row.pk for row in new]).order_by("-created_at")[:MAX_KNOWN]
    return {
        "new": [_shown(row) for row in new],
        "known": [_shown(row) for row in known],
        "said": list(_said(workspace, user, since)) if user else [],
        "blocks": {row.label: row.text for row in _open_blocks(workspace, user)},
    }


def has_news(workspace: Workspace, user: User | None) -> bool:
    since = last_look(workspace, user)
    fresh = in_force(workspace, user).filter(created_at__gt=since).exclude(source_kind="consolidation")
    return fresh.exists() or (user is not None and _fresh_threads(workspace, user, since).exists())


def last_look(workspace: Workspace, user: User | None) -> datetime:
    row = Consolidation.objects.filter(workspace=workspace, user=user).order_by("-created_at").first()
    return row.created_at if row else now() - FIRST_LOOK_BACK


def in_force(workspace: Workspace, user: User | None) -> QuerySet[MemoryItem]:
    rows = MemoryItem.objects.filter(workspace=workspace, user=user, status=Status.ACTIVE, superseded_by=None)
    return rows.exclude(provenance=Provenance.UNTRUSTED).filter(Q(expires_at=None) | Q(expires_at__gt=now()))


def _shown(row: MemoryItem) -> Json:
    return {"id": str(row.pk), "day": f"{row.created_at:%Y-%m-%d}", **items.item_data(row)}


def _fresh_threads(workspace: Workspace, user: User, since: datetime) -> QuerySet[Thread]:
    """Without those in which a stranger's words stand: a summary would carry them on."""
    strange = Message.objects.filter(provenance=Provenance.UNTRUSTED).values("thread")
    return Thread.objects.filter(workspace=workspace, user=user, updated_at__gt=since).exclude(pk__in=strange)


def _said(workspace: Workspace, user: User, since: datetime) -> Iterable[Json]:
    for thread in _fresh_threads(workspace, user, since).order_by("-updated_at")[:MAX_THREADS]:
        own = Message.objects.filter(thread=thread, author=user, provenance=Provenance.MEMBER, created_at__gt=since)
        words = [thread.summary, *own.order_by("seq").values_list("text", flat=True)]
        text = "\n".join(filter(None, words))[:MAX_SAID]
        if text:
            yield {"thread": str(thread.pk), "said": text}


def _open_blocks(workspace: Workspace, user: User | None) -> QuerySet[MemoryBlock]:
    return MemoryBlock.objects.filter(workspace=workspace, user=user, is_read_only=False)


# --- what comes of it -------------------------------------------------------------------------------------


def apply_changes(changes: Iterable[Json], shown: Iterable[str], *, day: date, user: User | None, by: Actor) -> Json:
    """Do what holds and note it in the day's diff; what does not is counted. `shown` are the ids that the model saw."""
    allowed = set(shown)
    agent = replace(by, is_agent=True)
    diff: list[Json] = []
    refused: list[str] = []
    for change in list(changes)[:MAX_CHANGES]:
        ids = [key for key in change.get("ids", []) if key in allowed]
        try:
            with transaction.atomic():
                diff += ACTS[change["act"]](change, ids, user, agent)
        except (ValidationError, PermissionDenied, Http404) as error:
            refused.append(getattr(error, "code", None) or error.__class__.__name__)
    row = _note(day, user, diff, by)
    return {"consolidation": str(row.pk), "changed": len(diff), "refused": refused}


def _add(change: Json, _ids: list[str], user: User | None, by: Actor) -> list[Json]:
    item = _learn(change, user, by)
    return [_line("add", item, None, change)]


def _supersede(change: Json, ids: list[str], user: User | None, by: Actor) -> list[Json]:
    older = list(in_force(by.workspace, user).filter(pk__in=ids))
    if not older:
        raise ValidationError("Nothing of what it would replace is known.")
    before = [items.item_data(row) for row in older]
    item = _learn(change, user, by)
    rows = MemoryItem.objects.filter(pk__in=[row.pk for row in older], status=Status.ACTIVE)
    rows.update(status=Status.SUPERSEDED, superseded_by=item)
    return [_line("supersede", item, {"items": before}, change)]


def _expire(change: Json, ids: list[str], user: User | None, by: Actor) -> list[Json]:
    lines = []
    for row in in_force(by.workspace, user).filter(pk__in=ids):
        before = items.item_data(row)
        if items.expire_item(row, by=by):
            lines.append(_line("expire", row, before, change))
    return lines


def _block(change: Json, _ids: list[str], user: User | None, by: Actor) -> list[Json]:
    label = change.get("label", "")
    row = _open_blocks(by.workspace, user).filter(label=label).first()
    if row is None:
        raise ValidationError("There is no such text that an agent may change.")
    before = {"text": row.text, "version": row.version}
    written = blocks.write_block(label, change["text"], by=by)
    after = {"text": written.text, "version": written.version}
    why = change.get("why", "")
    return [{"act": "block", "id": str(row.pk), "label": label, "before": before, "after": after, "why": why}]


def _learn(change: Json, user: User | None, by: Actor) -> MemoryItem:
    return items.remember(
        change["text"],
        by=by,
        kind=change["kind"],
        tier=change["tier"],
        subject=change["subject"],
        provenance=Provenance.TRUSTED,
        source_kind="consolidation",
        user=user,
    )


def _line(act: str, item: MemoryItem, before: Json | None, change: Json) -> Json:
    return {"act": act, "id": str(item.pk), "before": before, "after": items.item_data(item), "why": change["why"]}


ACTS: dict[str, Callable[[Json, list[str], User | None, Actor], list[Json]]] = {
    "add": _add,
    "supersede": _supersede,
    "expire": _expire,
    "block": _block,
}


def _note(day: date, user: User | None, diff: list[Json], by: Actor) -> Consolidation:
    """One row a day: a second tidying is added to it, unless the first was undone."""
    row, is_new = Consolidation.objects.select_for_update(no_key=True).get_or_create(
        workspace=by.workspace, user=user, day=day, defaults={"diff": diff}
    )
    if not is_new:
        row.diff = diff if row.undone_at else row.diff + diff
        row.undone_at, row.undone_by, row.created_at = None, None, now()
        row.save()
    audit.record("memory.consolidate", row, by=by, changes=len(diff))
    return row


# --- looking back -----------------------------------------------------------------------------------------


def visible_consolidations(actor: Actor) -> QuerySet[Consolidation]:
    actor.require(Perm.VIEW)
    own = Q(user=actor.user) if actor.user else Q()
    return Consolidation.objects.filter(Q(user=None) | own, workspace=actor.workspace)


def get_consolidation(actor: Actor, consolidation_id: UUID) -> Consolidation:
    row = visible_consolidations(actor).filter(pk=consolidation_id).first()
    if row is None:
        raise Http404("Not found.")
    return row


def undo_consolidation(row: Consolidation, *, by: Actor) -> int | None:
    """Take all of it back that nobody has changed since; how many lines. None where that was done already."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = Consolidation.objects.select_for_update(no_key=True).get(pk=row.pk)
        if row.undone_at:
            return None
        undone = sum(UNDO[line["act"]](line, by) for line in reversed(row.diff))
        row.undone_at, row.undone_by = now(), by.user
        row.save(update_fields=["undone_at", "undone_by"])
        audit.record("memory.consolidate_undo", row, by=by, undone=undone)
    return undone


def _undo_learnt(line: Json, by: Actor) -> bool:
    item = MemoryItem.objects.filter(pk=line["id"]).first()
    return item is not None and items.undo_item(item, by=by)


def _undo_expired(line: Json, by: Actor) -> bool:
    # A line of something forgotten is empty.
    if line["before"] is None or line["after"] is None:
        return False
    expired_at, before = parse_datetime(line["after"]["expires_at"]), line["before"]["expires_at"]
    rows = MemoryItem.objects.filter(pk=line["id"], status=Status.ACTIVE, expires_at=expired_at)
    return bool(rows.update(expires_at=parse_datetime(before) if before else None))


def _undo_block(line: Json, by: Actor) -> bool:
    block = MemoryBlock.objects.filter(pk=line["id"]).first()
    if block is None or line["after"] is None or block.version != line["after"]["version"]:
        return False
    blocks.write_block(block.label, line["before"]["text"], by=by)
    return True


UNDO: dict[str, Callable[[Json, Actor], bool]] = {
    "add": _undo_learnt,
    "supersede": _undo_learnt,
    "expire": _undo_expired,
    "block": _undo_block,
}
