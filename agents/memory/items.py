"""What is remembered: learnt, superseded, undone, forgotten."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User
from accounts.scope import all_workspaces_scope
from agents.memory.index import search_rows
from agents.memory.plain import keep_answers
from agents.memory.query import read_query
from agents.memory.search import item_scope, search_fields
from agents.memory.tokens import tokens
from agents.models import Consolidation, MemoryItem, Provenance, Tombstone
from lib.clock import now
from lib.text import one_line, storable

Status, Tier = MemoryItem.Status, MemoryItem.Tier
KINDS = {
    "fact": "Fact",
    "preference": "Preference",
    "rule": "Rule",
    "person": "Person",
    "event": "Event",
}
MAX_TEXT = 2_000
MAX_SUBJECT = 120
MAX_ITEMS = 100_000
EPHEMERAL_DAYS = 30
KEEP_EXPIRED_DAYS = 30
# A line with fewer words carries nothing that could be told from other lines.
MIN_WORDS = 2
SMALL_TALK = re.compile(
    r"(hi|hello|hey|thanks|thank you|ok|okay|great|good (morning|evening)|bye|please|yes|no"
    r"|你好|谢谢|好的|收到|嗯+|早上好|再见)[\W_]*",
    re.IGNORECASE,
)


class NotRemembered(ValidationError):
    """Why a text does not become memory: `code` is forgotten, known, small_talk, question, short or full."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__({"text": ValidationError(text, code=code)})
        self.code = code


def visible_items(actor: Actor) -> QuerySet[MemoryItem]:
    """Everybody's, and one's own."""
    actor.require(Perm.VIEW)
    own = Q(user=actor.user) if actor.user else Q()
    return MemoryItem.objects.filter(Q(user=None) | own, workspace=actor.workspace)


def get_item(actor: Actor, item_id: UUID) -> MemoryItem:
    item = visible_items(actor).filter(pk=item_id).first()
    if item is None:
        raise Http404("Not found.")
    return item


def remember(
    text: str,
    *,
    by: Actor,
    kind: str = "fact",
    tier: str = Tier.DURABLE.value,
    subject: str = "",
    provenance: str = Provenance.MEMBER.value,
    source_kind: str = "",
    source_id: UUID | None = None,
    run_id: UUID | None = None,
    user: User | None = None,
    is_again: bool = False,
) -> MemoryItem:
    """Learn one thing; the older one on the same subject is superseded. Raises NotRemembered, ValidationError.

    `user` makes it that person's alone. A stranger's words are kept apart for people to look at. `is_again` learns what
    was forgotten before.
    """
    by.require(Perm.CONTENT_EDIT)
    item = MemoryItem(
        workspace=by.workspace,
        user=user,
        kind=kind,
        tier=tier,
        status=Status.QUARANTINED if provenance == Provenance.UNTRUSTED else Status.ACTIVE,
        subject=one_line(storable(subject)).casefold()[:MAX_SUBJECT],
        text=storable(text).strip(),
        provenance=provenance,
        source_kind=source_kind,
        source_id=source_id,
        source_run_id=run_id,
        created_by=by.user,
        created_label=by.label[:120],
        expires_at=now() + timedelta(days=EPHEMERAL_DAYS) if tier == Tier.EPHEMERAL else None,
    )
    _check(item, by)
    with transaction.atomic():
        _take_turns(by)
        _check_forgotten(item, is_again)
        _check_known(item)
        _save(item)
        older = _supersede(item) if item.status == Status.ACTIVE else 0
        audit.record("memory.remember", item, by=by, kind=kind, tier=tier, status=item.status, superseded=older)
    return item


def _check(item: MemoryItem, by: Actor) -> None:
    if item.kind not in KINDS:
        raise ValidationError({"kind": f"Choose one of: {', '.join(KINDS)}."})
    if item.tier not in Tier.values:
        raise ValidationError({"tier": f"Choose one of: {', '.join(Tier.values)}."})
    if item.provenance not in Provenance.values:
        raise ValidationError({"provenance": "Unknown."})
    if not item.text or len(item.text) > MAX_TEXT:
        raise ValidationError({"text": f"Write between 1 and {MAX_TEXT:,} characters."})
    # A person may write down what they like; what an agent picks up must be worth it.
    if by.is_agent:
        _check_worth(item.text)
    if MemoryItem.objects.filter(workspace=item.workspace)[MAX_ITEMS : MAX_ITEMS + 1].exists():
        raise NotRemembered("full", "The memory is full. Forget something first.")


def _check_worth(text: str) -> None:
    """Signal and persistence: no small talk, no question, enough words to say something."""
    if SMALL_TALK.fullmatch(text):
        raise NotRemembered("small_talk", "Small talk is not remembered.")
    if text.rstrip().endswith(("?", "？")):
        raise NotRemembered("question", "A question says nothing that could be remembered.")
    if len(tokens(text)) < MIN_WORDS:
        raise NotRemembered("short", "Too short to be told from other lines.")


def _check_forgotten(item: MemoryItem, is_again: bool) -> None:
    stones = Tombstone.objects.filter(workspace=item.workspace, digest=digest_of(item.text))
    if is_again:
        stones.delete()
    elif stones.exists():
        text = "This was forgotten on purpose, so it is not learnt again."
        raise NotRemembered("forgotten", text)


def _check_known(item: MemoryItem) -> None:
    """The same words in the same place, in force: nothing new."""
    same = MemoryItem.objects.filter(
        workspace=item.workspace, user=item.user, status=item.status, superseded_by=None, text=item.text
    )
    if same.filter(Q(expires_at=None) | Q(expires_at__gt=now())).exists():
        raise NotRemembered("known", "This is remembered already.")


def _save(item: MemoryItem) -> None:
    for name, value in search_fields(item.text, heading=item.subject).items():
        setattr(item, name, value)
    item.save(force_insert=True)
    # So that no expression is left on the row.
    item.refresh_from_db(fields=["tokens"])


def _supersede(item: MemoryItem) -> int:
    """The items on the same subject that are in force give way. Returns how many."""
    if not item.subject:
        return 0
    older = MemoryItem.objects.filter(
        workspace=item.workspace, user=item.user, subject=item.subject, status=Status.ACTIVE, superseded_by=None
    )
    return older.exclude(pk=item.pk).update(superseded_by=item, status=Status.SUPERSEDED)


def undo_item(item: MemoryItem, *, by: Actor) -> bool:
    """Take it back; what it superseded is in force again. False where it was not in force."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        _take_turns(by)
        kept = MemoryItem.objects.filter(pk=item.pk, status__in=[Status.ACTIVE, Status.QUARANTINED])
        if not kept.update(status=Status.UNDONE):
            return False
        revived = _revive(item)
        audit.record("memory.undo", item, by=by, revived=revived)
    item.refresh_from_db()
    return True


def _revive(item: MemoryItem) -> int:
    older = MemoryItem.objects.filter(superseded_by=item, status=Status.SUPERSEDED)
    return older.update(superseded_by=None, status=Status.ACTIVE)


def forget_item(item: MemoryItem, *, by: Actor) -> int:
    """Delete it, and the older versions of the same knowledge, for good; a digest keeps it from being learnt again."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        _take_turns(by)
        chain = chain_of(item)
        stones = [Tombstone(workspace=by.workspace, digest=digest) for digest in {digest_of(row.text) for row in chain}]
        Tombstone.objects.bulk_create(stones, ignore_conflicts=True)
        _forget_in_diffs(by, chain)
        # No text and no subject: the trail would remember what was to be forgotten.
        audit.record("memory.forget", item, by=by, count=len(chain))
        MemoryItem.objects.filter(pk__in=[row.pk for row in chain]).delete()
    return len(chain)


def chain_of(item: MemoryItem) -> list[MemoryItem]:
    """The item and all that it superseded, the newest first."""
    chain, seen = [item], {item.pk}
    for row in chain:
        older = [one for one in MemoryItem.objects.filter(superseded_by=row) if one.pk not in seen]
        seen |= {one.pk for one in older}
        chain += older
    return chain


def _forget_in_diffs(by: Actor, chain: Iterable[MemoryItem]) -> None:
    keys = {str(row.pk) for row in chain}
    for day in Consolidation.objects.filter(workspace=by.workspace).select_for_update(no_key=True):
        diff = [line | {"before": None, "after": None} if line.get("id") in keys else line for line in day.diff]
        if diff != day.diff:
            day.diff = diff
            day.save(update_fields=["diff"])


def expire_item(item: MemoryItem, *, by: Actor) -> bool:
    """From now on it is not recalled. False where that was so already."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        in_force = MemoryItem.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now()), pk=item.pk)
        if not in_force.filter(status=Status.ACTIVE).update(expires_at=now()):
            return False
        audit.record("memory.expire", item, by=by)
    item.refresh_from_db()
    return True


def promote_item(item: MemoryItem, *, by: Actor) -> bool:
    """A person vouches for a stranger's words: they become that person's. False where nothing waits."""
    by.require(Perm.REVIEW)
    if by.is_agent or by.user is None:
        raise ValidationError("Only a person can vouch for words from outside.")
    with transaction.atomic():
        _take_turns(by)
        waiting = MemoryItem.objects.filter(pk=item.pk, status=Status.QUARANTINED)
        if not waiting.update(status=Status.ACTIVE, provenance=Provenance.MEMBER, created_by=by.user):
            return False
        item.refresh_from_db()
        _supersede(item)
        audit.record("memory.promote", item, by=by)
    return True


def sweep_expired() -> int:
    """Delete what expired a month ago, everywhere."""
    before = now() - timedelta(days=KEEP_EXPIRED_DAYS)
    with all_workspaces_scope("delete expired memory"):
        return MemoryItem.objects.filter(expires_at__lt=before).delete()[0]


def search_items(actor: Actor, words: str, *, k: int = 20) -> list[tuple[MemoryItem, float]]:
    """As the assistant would find them, with their scores."""
    actor.require(Perm.VIEW)
    scope = item_scope(actor.workspace.pk, actor.user.pk if actor.user else None)
    answers = keep_answers(search_rows(scope, read_query(words)), k)
    rows = MemoryItem.objects.in_bulk([answer.key for answer in answers])
    return [(rows[answer.key], answer.score) for answer in answers]


def digest_of(text: str) -> str:
    """Keyed, so that the words cannot be guessed from it; the same whatever the spaces, case and punctuation."""
    words = "".join(char for char in storable(text).casefold() if char.isalnum())
    key = hashlib.sha256(b"memory" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, words.encode(), hashlib.sha256).hexdigest()


def item_data(item: MemoryItem) -> dict[str, Any]:
    """As JSON, for a diff."""
    expires = item.expires_at
    return {
        "text": item.text,
        "kind": item.kind,
        "tier": item.tier,
        "subject": item.subject,
        "expires_at": expires.isoformat() if expires else None,
    }


def _take_turns(by: Actor) -> None:
    """Two who learn about one subject at once: the later one supersedes the earlier one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7301003, hashtext(%s))", [str(by.workspace.pk)])
