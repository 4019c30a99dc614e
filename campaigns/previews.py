"""What followers will see, and how much room is left: built from rendered content, saved or not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString

from campaigns.costs import Cost, cost_of
from campaigns.models import Delivery, MediaAsset
from campaigns.preview_text import MARKED
from campaigns.rendering import Rendered, RenderedMedia, RenderedPart, check_rendered, render
from lib.money import dollars
from social.models import Connection, Network
from social.networks.options import REPLY_SETTINGS
from social.networks.port import Entity
from social.networks.rules import RULES
from social.networks.x.prices import part_cost
from social.networks.x.text import contains_url, extract_urls

# From here on the counter warns.
NEAR_PERCENT = 90


@dataclass(frozen=True)
class PreviewMedia:
    url: str
    thumb_url: str
    alt: str
    is_video: bool


@dataclass(frozen=True)
class PreviewPart:
    html: SafeString
    media: list[PreviewMedia]
    used: int
    limit: int
    poll: "PreviewPoll | None" = None
    # The first address of the text, which the network shows as a card.
    link: str = ""
    cost_micro: int = 0
    # What it would cost without its link; 0 where that makes no difference.
    plain_micro: int = 0

    @property
    def link_host(self) -> str:
        return urlsplit(self.link if "://" in self.link else f"https://{self.link}").hostname or self.link

    @property
    def cost(self) -> str:
        return dollars(self.cost_micro) if self.cost_micro else ""

    @property
    def plain_cost(self) -> str:
        return dollars(self.plain_micro) if self.plain_micro else ""

    @property
    def over(self) -> int:
        return max(0, self.used - self.limit)

    @property
    def percent(self) -> int:
        return min(100, 100 * self.used // self.limit)

    @property
    def state(self) -> str:
        if self.over:
            return "over"
        return "near" if self.percent >= NEAR_PERCENT else ""


@dataclass(frozen=True)
class PreviewPoll:
    choices: list[str]
    runs: str


@dataclass(frozen=True)
class Preview:
    connection: Connection
    parts: list[PreviewPart]
    made_with_ai: bool
    problems: list[str]
    cost: Cost
    options: dict[str, Any] = field(default_factory=dict)
    reply_to: str = ""

    @property
    def who_can_reply(self) -> str:
        return REPLY_SETTINGS.get(self.options.get("reply_settings", ""), "")

    @property
    def total_cost(self) -> str:
        return dollars(self.cost.total) if self.cost.total else ""

    @property
    def network(self) -> str:
        return self.connection.network

    @property
    def author(self) -> dict[str, str]:
        return {"name": self.connection.name or self.connection.handle, "handle": self.connection.handle}


def build_preview(rendered: Rendered, connection: Connection, assets: Mapping[UUID, MediaAsset]) -> Preview:
    """A file that is no longer in the library is left out of the check: the engine refuses it by the hash."""
    known = _without_missing(rendered, assets)
    cost = cost_of(rendered)
    return Preview(
        connection=connection,
        parts=[
            _part(part, connection, cost_micro) for part, cost_micro in zip(rendered.parts, cost.parts, strict=True)
        ],
        made_with_ai=rendered.made_with_ai,
        problems=check_rendered(known, connection, dict(assets)),
        cost=cost,
        options=rendered.options,
        reply_to=rendered.reply_to,
    )


def preview_delivery(delivery: Delivery) -> Preview:
    """Expects its content loaded (`with_content`)."""
    assets = {use.asset_id: use.asset for part in delivery.post.parts.all() for use in part.media.all()}
    return build_preview(render(delivery), delivery.connection, assets)


def rendered_from(snapshot: Mapping[str, object]) -> Rendered:
    """The snapshot of a review, as it was rendered then."""
    return Rendered(
        connection_id=UUID(str(snapshot["connection_id"])),
        network=str(snapshot["network"]),
        remote_account=str(snapshot["remote_account"]),
        parts=tuple(
            RenderedPart(
                part["text"],
                tuple(_media_from(item) for item in part["media"]),
                tuple(Entity(**entity) for entity in part.get("entities", [])),
                part.get("poll"),
            )
            for part in snapshot["parts"]  # type: ignore[attr-defined]
        ),
        made_with_ai=bool(snapshot["made_with_ai"]),
        options=dict(snapshot.get("options", {})),  # type: ignore[call-overload]
        reply_to=str(snapshot.get("reply_to", "")),
    )


def _media_from(item: Mapping[str, str]) -> RenderedMedia:
    return RenderedMedia(UUID(item["asset_id"]), item["sha256"], item["kind"], item["alt_text"])


def _without_missing(rendered: Rendered, assets: Mapping[UUID, MediaAsset]) -> Rendered:
    parts = tuple(
        replace(part, media=tuple(item for item in part.media if item.asset_id in assets)) for part in rendered.parts
    )
    return replace(rendered, parts=parts)


def _part(part: RenderedPart, connection: Connection, cost_micro: int) -> PreviewPart:
    rules = RULES[connection.network]
    limit = rules.limit(connection, bool(part.media))
    return PreviewPart(
        html=MARKED[connection.network](part.text, limit, part.entities),
        media=[_preview_media(item) for item in part.media],
        used=rules.length(part.text),
        limit=limit,
        poll=_poll(part.poll) if part.poll else None,
        link=_first_link(part),
        cost_micro=cost_micro,
        plain_micro=_plain_cost(part, cost_micro) if connection.network == Network.X else 0,
    )


def _plain_cost(part: RenderedPart, cost_micro: int) -> int:
    """The same part without its link: nine tenths of the price of a post is often one address."""
    return cost_micro - part_cost(part.text) + part_cost("") if contains_url(part.text) else 0


def _first_link(part: RenderedPart) -> str:
    hidden = [(entity.offset, entity.url) for entity in part.entities if entity.url]
    written = [(link.start, link.url) for link in extract_urls(part.text)]
    return min([*hidden, *written], default=(0, ""))[1]


def _poll(poll: Mapping[str, Any]) -> PreviewPoll:
    choices = [choice for choice in poll["options"] if choice.strip()]
    return PreviewPoll(choices or ["Choice 1", "Choice 2"], _duration(poll["minutes"]))


def _duration(minutes: int) -> str:
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            number = minutes // size
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{minutes} minutes"


def _preview_media(item: RenderedMedia) -> PreviewMedia:
    return PreviewMedia(
        url=reverse("campaigns:media-file", args=[item.asset_id]),
        thumb_url=reverse("campaigns:media-thumb", args=[item.asset_id]),
        alt=item.alt_text,
        is_video=item.kind == "video",
    )
