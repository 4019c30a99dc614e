"""Short texts that are always in context: who the brand is, and how a person likes to work."""

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User, Workspace
from agents.models import MemoryBlock, MemoryBlockVersion
from lib.clock import now
from lib.text import storable


@dataclass(frozen=True)
class BlockKind:
    label: str
    title: str
    help: str
    example: str
    limit: int = 2_000


BRAND_BLOCKS = (
    BlockKind(
        "voice",
        "Voice",
        "How the brand speaks: tone, person, humour, spelling, emoji.",
        "Warm and to the point. British spelling. No exclamation marks.",
    ),
    BlockKind(
        "audience",
        "Audience",
        "Who reads it: their world, what they want, what they worry about.",
        "Home baristas between 25 and 45 who want café quality without a machine for 1,000 €.",
    ),
    BlockKind(
        "products",
        "Products",
        "What is sold, and what is special about each.",
        "Hausmischung, 250 g: chocolate, nuts, mild. Our first roast and still the favourite.",
        limit=4_000,
    ),
    BlockKind(
        "words_use", "Words to use", "One a line, or with commas between.", "small batch, slow roast", limit=1_000
    ),
    BlockKind("words_avoid", "Words to avoid", "One a line, or with commas.", "cheap, guys", limit=1_000),
    BlockKind("languages", "Languages", "Which ones, and for whom.", "German for Telegram, English for X.", limit=500),
)
OWN_BLOCK = BlockKind(
    "preferences",
    "My preferences",
    "How the assistant should work with you. Only you see it.",
    "Short answers. Drafts in two variants.",
)
PERSONALITY = BlockKind(
    "personality",
    "Personality",
    "How your assistant speaks with you. Only you see it.",
    "A calm colleague with dry humour. No exclamation marks.",
    limit=500,
)
PROFILE = BlockKind(
    "profile",
    "About me",
    "What your assistant should know of you. Only you see it.",
    "I run the shop in Hamburg, write German and English, and post before eight.",
)
OWN_BLOCKS = (OWN_BLOCK, PERSONALITY, PROFILE)
KINDS = {kind.label: kind for kind in (*BRAND_BLOCKS, *OWN_BLOCKS)}


class StaleBlock(ValidationError):
    """Somebody else saved it in between."""


def block_texts(workspace: Workspace, user: User | None = None) -> dict[str, str]:
    """By label: the workspace's blocks, and of this person the own ones in their place."""
    rows = MemoryBlock.objects.filter(workspace=workspace, user=None)
    own = MemoryBlock.objects.filter(workspace=workspace, user=user) if user else MemoryBlock.objects.none()
    return {row.label: row.text for row in [*rows, *own]}


def get_block(actor: Actor, label: str) -> MemoryBlock:
    """The row, or an unsaved empty one."""
    actor.require(Perm.VIEW)
    kind = KINDS.get(label)
    if kind is None:
        raise Http404("Not found.")
    user = _owner(actor, kind)
    row = MemoryBlock.objects.filter(workspace=actor.workspace, user=user, label=label).first()
    return row or MemoryBlock(
        workspace=actor.workspace, user=user, label=label, char_limit=kind.limit, version=0, text=""
    )


def _owner(actor: Actor, kind: BlockKind) -> User | None:
    if kind not in OWN_BLOCKS:
        return None
    if actor.user is None:
        raise Http404("Not found.")
    return actor.user


def write_block(
    label: str, text: str, *, by: Actor, version: int | None = None, run_id: UUID | None = None
) -> MemoryBlock:
    """Save a new version; `version` is the one it was made from. Raises StaleBlock, ValidationError."""
    _require_writer(label, by)
    text = storable(text).replace("\r\n", "\n").strip()
    with transaction.atomic():
        block = _locked(label, by)
        if by.is_agent and block.is_read_only:
            raise PermissionDenied("Only people change this text.")
        if version is not None and version != block.version:
            raise StaleBlock({"text": "Somebody saved this in the meantime. Look at their version first."})
        if len(text) > block.char_limit:
            over = len(text) - block.char_limit
            raise ValidationError({"text": f"{over:,} characters too long: it stands in every prompt."})
        if text == block.text:
            return block
        block.text, block.version = text, block.version + 1
        block.updated_by, block.updated_at = by.label[:120], now()
        block.save()
        _keep(block, run_id)
        audit.record("memory.block", block, by=by, label=label, version=block.version, characters=len(text))
    return block


def _require_writer(label: str, by: Actor) -> None:
    if KINDS.get(label) not in OWN_BLOCKS:
        by.require(Perm.CONTENT_EDIT)


def _locked(label: str, by: Actor) -> MemoryBlock:
    fresh = get_block(by, label)
    if fresh._state.adding:
        MemoryBlock.objects.bulk_create([fresh], ignore_conflicts=True)
    return MemoryBlock.objects.select_for_update(no_key=True).get(workspace=by.workspace, user=fresh.user, label=label)


def _keep(block: MemoryBlock, run_id: UUID | None) -> None:
    MemoryBlockVersion.objects.create(
        workspace=block.workspace,
        block=block,
        version=block.version,
        text=block.text,
        author=block.updated_by,
        run_id=run_id,
    )


def block_versions(actor: Actor, label: str) -> list[MemoryBlockVersion]:
    block = get_block(actor, label)
    return [] if block._state.adding else list(MemoryBlockVersion.objects.filter(block=block)[:100])


def restore_block(label: str, version: int, *, by: Actor) -> MemoryBlock:
    """An old text as a new version."""
    _require_writer(label, by)
    found = [row for row in block_versions(by, label) if row.version == version]
    if not found:
        raise Http404("Not found.")
    return write_block(label, found[0].text, by=by)


def lock_block(label: str, *, by: Actor, is_read_only: bool) -> MemoryBlock:
    """Whether agents may change it as well."""
    by.require(Perm.SETTINGS)
    if by.is_agent:
        raise PermissionDenied("Only people decide who changes this text.")
    with transaction.atomic():
        block = _locked(label, by)
        if block.is_read_only != is_read_only:
            block.is_read_only = is_read_only
            block.save(update_fields=["is_read_only"])
            audit.record("memory.block_lock", block, by=by, label=label, is_read_only=is_read_only)
    return block
