"""What will really be sent, and its hash. Approval covers the hash; sending transforms nothing."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from campaigns.models import Delivery, MediaAsset, PartMedia
from lib.media import MediaInfo
from social.models import Connection
from social.networks.markup import read_marked
from social.networks.port import Entity
from social.networks.rules import MAX_PARTS, RULES, check_part, clean_text


@dataclass(frozen=True)
class RenderedMedia:
    asset_id: UUID
    sha256: str
    kind: str
    alt_text: str


@dataclass(frozen=True)
class RenderedPart:
    text: str
    media: tuple[RenderedMedia, ...]
    entities: tuple[Entity, ...] = ()
    poll: dict[str, Any] | None = None

    @property
    def content_hash(self) -> str:
        facts: dict[str, Any] = {"text": self.text, "media": [[m.sha256, m.alt_text] for m in self.media]}
        # What a part does not have is left out, so that a new kind of content changes no older hash.
        if self.entities:
            facts["entities"] = [asdict(entity) for entity in self.entities]
        if self.poll:
            facts["poll"] = self.poll
        return digest(facts)


@dataclass(frozen=True)
class Rendered:
    connection_id: UUID
    network: str
    remote_account: str
    parts: tuple[RenderedPart, ...]
    made_with_ai: bool
    options: dict[str, Any] = field(default_factory=dict)
    reply_to: str = ""

    @property
    def content_hash(self) -> str:
        facts = {
            "connection": str(self.connection_id),
            "network": self.network,
            "account": self.remote_account,
            "parts": [part.content_hash for part in self.parts],
            "made_with_ai": self.made_with_ai,
        }
        if self.options:
            facts["options"] = self.options
        if self.reply_to:
            facts["reply_to"] = self.reply_to
        return digest(facts)

    def snapshot(self) -> dict[str, Any]:
        """For the reviewer: exactly what the hash covers, as JSON."""
        return json.loads(json.dumps(asdict(self), default=str))


def digest(value: dict[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def render(delivery: Delivery) -> Rendered:
    """Expects post.parts.media.asset and connection; prefetch them when there are many (`with_content`)."""
    post, overrides = delivery.post, delivery.override_texts
    parts = []
    for part in post.parts.all():
        own = overrides[part.position] if part.position < len(overrides) else None
        media = tuple(_media(use) for use in part.media.all())
        parts.append(
            render_part(delivery.connection, part.text if own is None else own, media, post.is_marked, part.poll)
        )
    return Rendered(
        connection_id=delivery.connection_id,
        network=delivery.connection.network,
        remote_account=delivery.connection.origin_id or delivery.connection.remote_id,
        parts=tuple(parts),
        made_with_ai=post.made_with_ai,
        options=post.options.get(delivery.connection.network, {}),
        reply_to=post.reply_to,
    )


def render_part(
    connection: Connection,
    text: str,
    media: tuple[RenderedMedia, ...] = (),
    is_marked: bool = False,
    poll: dict[str, Any] | None = None,
) -> RenderedPart:
    """Marks become entities where the network has them, and plain text where it has not."""
    text = clean_text(text)
    if not is_marked:
        return RenderedPart(text, media, poll=poll)
    has_formatting = RULES[connection.network].has_formatting
    marked = read_marked(text, spells_links=not has_formatting)
    return RenderedPart(marked.text, media, marked.entities if has_formatting else (), poll)


def _media(use: PartMedia) -> RenderedMedia:
    asset = use.asset
    return RenderedMedia(asset.pk, asset.sha256, asset.kind, use.alt_text.strip())


def media_info(asset: MediaAsset) -> MediaInfo:
    return MediaInfo(
        kind=asset.kind,  # type: ignore[arg-type]
        mime=asset.mime,
        width=asset.width,
        height=asset.height,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256,
        duration_ms=asset.duration_ms,
        fps=asset.fps,
        frames=asset.frames,
        has_audio=asset.has_audio,
    )


def check_rendered(rendered: Rendered, connection: Connection, assets: dict[UUID, MediaAsset]) -> list[str]:
    """Everything the network would refuse, named by part where there are several."""
    if not rendered.parts:
        return ["The post is empty."]
    messages = []
    if len(rendered.parts) > MAX_PARTS:
        messages.append(f"A thread has at most {MAX_PARTS} parts; this one has {len(rendered.parts)}.")
    for number, part in enumerate(rendered.parts, start=1):
        prefix = f"Part {number}: " if len(rendered.parts) > 1 else ""
        infos = [media_info(assets[media.asset_id]) for media in part.media]
        messages += [prefix + message for message in check_part(connection, part.text, infos, part.poll)]
        messages += [prefix + message for message in RULES[connection.network].check_entities(part.entities)]
        if any(len(media.alt_text) > RULES[connection.network].max_alt_text for media in part.media):
            messages.append(f"{prefix}A description of an image is too long.")
    counts = [len(part.media) for part in rendered.parts]
    return messages + RULES[connection.network].check_options(rendered.options, counts)


def check_delivery(delivery: Delivery, rendered: Rendered | None = None) -> list[str]:
    assets = {use.asset_id: use.asset for part in delivery.post.parts.all() for use in part.media.all()}
    return check_rendered(rendered or render(delivery), delivery.connection, assets)
