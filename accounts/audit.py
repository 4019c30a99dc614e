"""The audit trail: append-only, one hash chain per workspace, plus one for the instance's staff."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from accounts.access import Actor
from accounts.models import INSTANCE_CHAIN, AuditDetail, AuditEntry, AuditHead, Workspace
from lib.clock import now

# Enough for every name we give; an e-mail address may be longer.
ACTOR_CHARACTERS = 120
# In the instance's chain: the chain of this workspace went with it.
WORKSPACE_DELETED = "workspace.delete"


def record(action: str, subject: Model, *, by: Actor, **data: Any) -> AuditEntry:
    """Add a decision to the workspace's chain. Call it last in the transaction: it locks the chain's head."""
    return _append(by.workspace, action, subject, by.label, data)


def record_staff(action: str, subject: Model, *, staff: str, **data: Any) -> AuditEntry:
    """Add a staff act to the instance's chain (needs the all-workspaces scope)."""
    return _append(None, action, subject, staff, data)


def _append(workspace: Workspace | None, action: str, subject: Model, actor: str, data: dict[str, Any]) -> AuditEntry:
    head = _locked_head(workspace)
    salt = secrets.token_hex(16)
    actor = actor[:ACTOR_CHARACTERS]
    entry = AuditEntry(
        workspace=workspace,
        number=head.number + 1,
        at=now(),
        action=action,
        object_kind=subject._meta.model_name or "",
        object_id=str(subject.pk),
        digest=_digest(salt, actor, data),
        previous_hash=head.hash,
    )
    entry.hash = link_hash(entry)
    entry.save(force_insert=True)
    AuditDetail.objects.create(entry=entry, workspace=workspace, actor=actor, data=data, salt=salt)
    head.number, head.hash = entry.number, entry.hash
    head.save(update_fields=["number", "hash"])
    return entry


def _locked_head(workspace: Workspace | None) -> AuditHead:
    heads = _heads(workspace)
    if head := heads.first():
        return head
    # The first entry; another may be writing its first one as well.
    fresh = AuditHead(chain=workspace.pk if workspace else INSTANCE_CHAIN, workspace=workspace)
    AuditHead.objects.bulk_create([fresh], ignore_conflicts=True)
    return heads.get()


def _heads(workspace: Workspace | None) -> QuerySet[AuditHead]:
    """That of the chain, if it has one, and locked."""
    chain = workspace.pk if workspace else INSTANCE_CHAIN
    return AuditHead.objects.select_for_update(no_key=True).filter(chain=chain)


def _digest(salt: str, actor: str, data: dict[str, Any]) -> str:
    text = json.dumps([salt, actor, data], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def link_hash(entry: AuditEntry) -> str:
    fields = [
        str(entry.workspace_id or INSTANCE_CHAIN),
        entry.number,
        entry.at.isoformat(),
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.digest,
        entry.previous_hash,
    ]
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Anchor:
    """What a file outside the database saw of a chain on a day."""

    number: int
    hash: str
    day: str


@dataclass
class _Walk:
    """Where the check stands, and the anchors it has not come to yet."""

    anchors: dict[int, list[Anchor]]
    number: int = 0
    hash: str = ""


def verify_chain(workspace: Workspace | None, anchors: Iterable[Anchor] = ()) -> Iterator[str]:
    """Yield one sentence per fault: an edited, missing, added or reordered entry, or a changed detail.

    The anchors also find what leaves the chain whole: a cut tail with its head, or a chain written anew.
    """
    entries = AuditEntry.objects.filter(workspace=workspace).select_related("detail").order_by("number")
    walk = _Walk(_by_number(anchors))
    yield from _verify_links(entries, walk)
    head = _heads(workspace).first()
    # What was added while we read: from here on the lock keeps the chain still.
    yield from _verify_links(entries.filter(number__gt=walk.number), walk)
    if (head.number, head.hash) != (walk.number, walk.hash) if head else walk.number:
        yield f"the chain ends at entry {walk.number}, its head says {head.number if head else 'nothing'}"
    for number, (anchor, *_) in walk.anchors.items():
        yield f"entry {number} is gone: the anchor of {anchor.day} saw it"


def _by_number(anchors: Iterable[Anchor]) -> dict[int, list[Anchor]]:
    found: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        seen = found.setdefault(anchor.number, [])
        if anchor.hash not in {other.hash for other in seen}:
            seen.append(anchor)
    return found


def _verify_links(entries: QuerySet[AuditEntry], walk: _Walk) -> Iterator[str]:
    for entry in entries.iterator(chunk_size=1000):
        if entry.number != walk.number + 1:
            yield f"entry {walk.number + 1} is missing: the next one is {entry.number}"
        if entry.previous_hash != walk.hash:
            yield f"entry {entry.number} does not follow the one before it"
        if entry.hash != link_hash(entry):
            yield f"entry {entry.number} was changed"
        yield from _verify_detail(entry)
        for anchor in walk.anchors.pop(entry.number, ()):
            if anchor.hash != entry.hash:
                yield f"entry {entry.number} is not the one that the anchor of {anchor.day} saw"
        walk.number, walk.hash = entry.number, entry.hash


def _verify_detail(entry: AuditEntry) -> Iterator[str]:
    detail = getattr(entry, "detail", None)
    # An erased detail leaves the chain valid: only its digest is linked. One that says anything must match it.
    if detail is None or not (detail.salt or detail.actor or detail.data):
        return
    if entry.digest != _digest(detail.salt, detail.actor, detail.data):
        yield f"the detail of entry {entry.number} was changed"
