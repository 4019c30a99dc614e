"""What a file of a source says, as the content and the plan of a post."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import Actor
from campaigns.deliveries import schedule_delivery, submit_post
from campaigns.errors import NotAllowedNow
from campaigns.folder import ItemMetadata, compose_parts
from campaigns.models import Delivery, MediaAsset, Post, Source
from campaigns.queries import with_content
from campaigns.rendering import check_delivery
from campaigns.services import FROZEN, MediaDraft, PartDraft, PostDraft
from campaigns.source_config import SourceConfig, Words, fill, read_config

# A code and a sentence, to stand beside the file.
Note = tuple[str, str]


def new_draft(meta: ItemMetadata, asset: MediaAsset, source: Source, connections: tuple[UUID, ...]) -> PostDraft:
    config = read_config(source.config)
    return PostDraft(
        parts=_parts(meta, asset, source, config),
        title=meta.title,
        campaign=source.campaign,
        made_with_ai=meta.made_with_ai,
        connections=connections,
        tags=tuple(dict.fromkeys((*config.tags, *meta.tags))),
        language=meta.language or config.language,
        source=source,
    )


def changed_draft(meta: ItemMetadata, asset: MediaAsset, post: Post, source: Source) -> PostDraft:
    """New content; where the post belongs and goes was perhaps decided by a person since, and stays."""
    rows = list(Delivery.objects.filter(post=post))
    config = read_config(source.config)
    return PostDraft(
        parts=_parts(meta, asset, source, config),
        title=meta.title,
        campaign=post.campaign,
        made_with_ai=meta.made_with_ai,
        connections=tuple(row.connection_id for row in rows),
        overrides={row.connection_id: row.override_texts for row in rows},
        options=post.options,
        reply_to=post.reply_to,
        tags=tuple(dict.fromkeys((*config.tags, *meta.tags))),
        language=meta.language or config.language,
    )


def _parts(meta: ItemMetadata, asset: MediaAsset, source: Source, config: SourceConfig) -> tuple[PartDraft, ...]:
    meta = replace(meta, tags=[*config.tags, *meta.tags])
    first, *rest = compose_parts(meta)
    if config.text_template:
        words = Words(meta.title, meta.description, first, meta.link, tuple(meta.tags), source.name)
        first = fill(config.text_template, words)
    return PartDraft(first, (MediaDraft(asset.pk, meta.alt_text),)), *map(PartDraft, rest)


def was_sent(post: Post) -> bool:
    rows = Delivery.objects.filter(post=post)
    return rows.filter(state__in=FROZEN).exists() or rows.filter(live_parts__isnull=False).exists()


def plan_deliveries(post: Post, at: datetime | None, *, by: Actor) -> list[Note]:
    """Keep to the time that the file names. What cannot be planned is noted; the post stays a draft."""
    if at is None:
        return []
    moment = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    # What a person canceled stays canceled.
    rows = list(Delivery.objects.filter(post=post).exclude(state=Delivery.State.CANCELED))
    if not rows:
        return [("not_planned", f"Not planned for {moment}: choose a connection first.")]
    try:
        for row in rows:
            schedule_delivery(row, at, by=by)
    except ValidationError as refusal:
        return [("not_planned", f"Not planned for {moment}: {' '.join(refusal.messages)}")]
    except (NotAllowedNow, PermissionDenied) as refusal:
        return [("not_planned", f"Not planned for {moment}: {refusal}")]
    return []


def unsendable(post: Post) -> list[Note]:
    """What the chosen networks would refuse; the post is a draft all the same."""
    rows = with_content(Delivery.objects.filter(post=post))
    return [("not_sendable", f"{row.connection}: {text}") for row in rows for text in check_delivery(row)]


def submit_new(post: Post, *, by: Actor) -> list[Note]:
    """Where the source's configuration asks for it. What cannot go to review stays a draft, with the reason."""
    try:
        submit_post(post, by=by)
    except ValidationError as refusal:
        return [("not_submitted", f"Not sent to review: {' '.join(refusal.messages)}")]
    except (NotAllowedNow, PermissionDenied) as refusal:
        return [("not_submitted", f"Not sent to review: {refusal}")]
    return []
