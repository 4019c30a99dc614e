"""What followers will see, and how much room is left: built from rendered content, saved or not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from campaigns.models import Delivery, MediaAsset
from campaigns.rendering import Rendered, RenderedMedia, RenderedPart, check_rendered, render
from social.models import Connection, Network
from social.networks.port import Entity
from social.networks.rules import RULES
from social.networks.x.entities import find_cashtags, find_hashtags, find_mentions
from social.networks.x.text import extract_urls, parse_tweet

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
class Preview:
    connection: Connection
    parts: list[PreviewPart]
    made_with_ai: bool
    problems: list[str]

    @property
    def network(self) -> str:
        return self.connection.network

    @property
    def author(self) -> dict[str, str]:
        return {"name": self.connection.name or self.connection.handle, "handle": self.connection.handle}


def build_preview(rendered: Rendered, connection: Connection, assets: Mapping[UUID, MediaAsset]) -> Preview:
    """A file that is no longer in the library is left out of the check: the engine refuses it by the hash."""
    known = _without_missing(rendered, assets)
    return Preview(
        connection=connection,
        parts=[_part(part, connection) for part in rendered.parts],
        made_with_ai=rendered.made_with_ai,
        problems=check_rendered(known, connection, dict(assets)),
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


def _part(part: RenderedPart, connection: Connection) -> PreviewPart:
    rules = RULES[connection.network]
    limit = rules.limit(connection, bool(part.media))
    return PreviewPart(
        html=MARKED[connection.network](part.text, limit),
        media=[_preview_media(item) for item in part.media],
        used=rules.length(part.text),
        limit=limit,
    )


def _preview_media(item: RenderedMedia) -> PreviewMedia:
    return PreviewMedia(
        url=reverse("campaigns:media-file", args=[item.asset_id]),
        thumb_url=reverse("campaigns:media-thumb", args=[item.asset_id]),
        alt=item.alt_text,
        is_video=item.kind == "video",
    )


# --- text with its entities marked ------------------------------------------------------------------------


def mark_x(text: str, limit: int) -> SafeString:
    """Links, mentions and tags in X's colour; what runs past the limit is marked."""
    fitting = _fitting(text, limit)
    entities = [(link.start, link.end) for link in extract_urls(text)]
    for find in (find_mentions, find_hashtags, find_cashtags):
        entities += [(entity.start, entity.end) for entity in find(text)]
    if fitting == len(text):
        return mark_safe(_mark_entities(text, 0, entities))  # noqa: S308 escaped piece by piece
    head, tail = _mark_entities(text[:fitting], 0, entities), _mark_entities(text[fitting:], fitting, entities)
    return mark_safe(f'{head}<span class="over">{tail}</span>')  # noqa: S308 escaped piece by piece


def _mark_entities(text: str, offset: int, entities: Iterable[tuple[int, int]]) -> str:
    """`text` begins at `offset` of what the spans count; one cut in two by the limit is marked on both sides."""
    pieces, at = [], 0
    for start, end in sorted(entities):
        start, end = max(start - offset, at), min(end - offset, len(text))  # noqa: PLW2901
        if start < end:
            pieces += [escape(text[at:start]), f'<span class="entity">{escape(text[start:end])}</span>']
            at = end
    return "".join([*pieces, escape(text[at:])])


def _fitting(text: str, limit: int) -> int:
    """How many code points fit."""
    parsed = parse_tweet(text, limit)
    if parsed.weighted_length <= limit:
        return len(text)
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * (parsed.valid_range[1] + 1)]
    return len(units.decode("utf-16-le", "surrogatepass"))


MARKED: dict[str, Callable[[str, int], SafeString]] = {Network.X: mark_x}
