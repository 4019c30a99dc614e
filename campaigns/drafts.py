"""The whole content of a post, as a form, the API, an import or a former version gives it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from campaigns.models import Campaign, Source


@dataclass(frozen=True)
class MediaDraft:
    asset_id: UUID
    alt_text: str = ""


@dataclass(frozen=True)
class PartDraft:
    text: str
    media: tuple[MediaDraft, ...] = ()
    poll: dict[str, Any] | None = None


@dataclass(frozen=True)
class PostDraft:
    parts: tuple[PartDraft, ...]
    title: str = ""
    campaign: Campaign | None = None
    made_with_ai: bool = False
    connections: tuple[UUID, ...] = ()
    # Connection id to texts by position; None keeps the post's own.
    overrides: dict[UUID, list[str | None]] = field(default_factory=dict)
    # Marked text has bold, links and the like (`social.networks.markup`).
    is_marked: bool = False
    # By network, as `social.networks.options` checks them.
    options: dict[str, Any] = field(default_factory=dict)
    # The id of the post this one answers.
    reply_to: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    # A `Post.Relationship`.
    relationship: str = "own_brand"
    source: Source | None = None
    external_id: str = ""
    # The name of a registered shortener for its links (`campaigns.links`).
    shortener: str = ""
