"""Acts on campaigns and posts."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Membership, Role, User
from accounts.services import emit, notify
from campaigns import deliveries as delivery_services
from campaigns import publishing_log
from campaigns.access import VIEW_CAMPAIGN
from campaigns.deliveries.loading import may_be_live
from campaigns.drafts import MediaDraft, PartDraft, PostDraft
from campaigns.errors import NotAllowedNow, StaleForm
from campaigns.links import with_short_links
from campaigns.models import Campaign, Delivery, MediaAsset, Origin, PartMedia, Post, PostPart
from campaigns.versions import keep_version
from compliance import fingerprints
from compliance.places import clean_industry, clean_markets
from lib.clock import now
from lib.ids import uuid7
from lib.text import storable
from social.models import Connection
from social.networks.markup import read_marked
from social.networks.options import clean_options, clean_poll
from social.networks.rules import MAX_PARTS

State = Delivery.State
# Once one of these is reached the text exists outside: it is history, not a draft.
FROZEN = {State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED}
MAX_TEXT = 25_000
EDITABLE = ("name", "goal", "brief", "starts_on", "ends_on", "config", "markets", "industry")


# --- campaigns --------------------------------------------------------------------------------------------


def create_campaign(
    *,
    by: Actor,
    name: str,
    goal: str = "",
    brief: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
    config: dict[str, Any] | None = None,
    markets: Sequence[str] = (),
    industry: str = "",
) -> Campaign:
    by.require(Perm.CONTENT_EDIT)
    campaign = Campaign(
        workspace=by.workspace,
        name=name.strip(),
        goal=goal.strip(),
        brief=brief.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        config=config or {},
        markets=clean_markets(markets),
        industry=clean_industry(industry),
        created_by=by.user,
    )
    campaign.full_clean(exclude=["workspace"])
    with transaction.atomic():
        campaign.save(force_insert=True)
        emit(by.workspace, "campaign.created", campaign=str(campaign.pk))
        audit.record("campaign.create", campaign, by=by, name=campaign.name)
    return campaign


def update_campaign(campaign: Campaign, *, by: Actor, **fields: Any) -> Campaign:
    """Any of EDITABLE."""
    by.require(Perm.CONTENT_EDIT)
    before = {name: getattr(campaign, name) for name in fields}
    clean = {"markets": clean_markets, "industry": clean_industry}
    fields |= {name: clean[name](fields[name]) for name in clean.keys() & fields.keys()}
    for name, value in fields.items():
        setattr(campaign, name, value.strip() if isinstance(value, str) else value)
    campaign.full_clean(exclude=["workspace"])
    changed = [name for name in fields if getattr(campaign, name) != before[name]]
    if changed:
        campaign.updated_at = now()
        with transaction.atomic():
            campaign.save(update_fields=[*changed, "updated_at"])
            audit.record("campaign.update", campaign, by=by, changed=changed)
    return campaign


def set_campaign_status(campaign: Campaign, status: str, *, by: Actor) -> Campaign:
    """Start, pause, resume, complete, archive. Pausing holds every post that is not on its way already."""
    by.require(Perm.PUBLISH)
    if status not in Campaign.Status.values:
        raise ValidationError({"status": "Choose one of the statuses."})
    allowed_from = [before for before, following in Campaign.NEXT.items() if status in following]
    with transaction.atomic():
        before = campaign.status
        moved = Campaign.objects.filter(pk=campaign.pk, status__in=allowed_from).update(status=status, updated_at=now())
        campaign.refresh_from_db()
        if not moved and campaign.status != status:
            raise NotAllowedNow(f"A {campaign.get_status_display().lower()} campaign cannot become {status}.")
        if moved:
            emit(by.workspace, f"campaign.{status}", campaign=str(campaign.pk))
            audit.record("campaign.status", campaign, by=by, before=before, after=status)
    return campaign


def pause_for_budget(campaign: Campaign, text: str) -> None:
    """By the engine: the campaign's money is spent, so it pauses and says so, once."""
    running = Campaign.objects.filter(pk=campaign.pk, status=Campaign.Status.RUNNING)
    if running.update(status=Campaign.Status.PAUSED, updated_at=now()):
        emit(campaign.workspace, "campaign.paused", campaign=str(campaign.pk))
        told = f"“{campaign}” is paused: {text}"
        notify(campaign.workspace, "budget", told, path=f"/campaigns/{campaign.pk}", alert=True)


def delete_campaign(campaign: Campaign, *, by: Actor) -> None:
    """Only what never went out may vanish; anything else is archived, so that receipts stay."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        posts = Post.objects.filter(campaign=campaign)
        rows = Delivery.objects.select_for_update(no_key=True).filter(post__in=posts)
        if any(row.fence for row in rows):
            raise NotAllowedNow("Posts of this campaign were sent. Archive it instead, so that their receipts stay.")
        for row in rows:
            delivery_services.withdraw_review(row, by=by)
            fingerprints.forget(row.pk)
        audit.record("campaign.delete", campaign, by=by, name=campaign.name)
        campaign.delete()


def share_campaign(campaign: Campaign, user: User, *, by: Actor) -> None:
    """Let a guest see this campaign."""
    by.require(Perm.MEMBERS)
    if not Membership.objects.filter(user=user, workspace=by.workspace, role=Role.GUEST).exists():
        raise ValidationError("Only guests need a campaign shared with them: members see all of them.")
    with transaction.atomic():
        assign_perm(VIEW_CAMPAIGN, user, campaign)
        audit.record("campaign.share", campaign, by=by, guest=user.email)


def share_with_invited(user: User, campaign_id: UUID) -> None:
    """What an invitation promised, kept when it is accepted; nothing where the campaign is gone by then."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign:
        assign_perm(VIEW_CAMPAIGN, user, campaign)


def unshare_campaign(campaign: Campaign, user: User, *, by: Actor) -> None:
    by.require(Perm.MEMBERS)
    with transaction.atomic():
        remove_perm(VIEW_CAMPAIGN, user, campaign)
        audit.record("campaign.unshare", campaign, by=by, guest=user.email)


# --- posts ------------------------------------------------------------------------------------------------


def create_post(draft: PostDraft, *, by: Actor, pk: UUID | None = None, has_agent_text: bool = False) -> Post:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        post = Post.objects.create(
            pk=pk or uuid7(),
            workspace=by.workspace,
            created_by=by.user,
            authors=_with_author([], by),
            has_agent_text=has_agent_text,
        )
        draft = with_short_links(draft, post)
        _write_content(post, draft, by)
        keep_version(post, draft, by=by)
        emit(by.workspace, "post.created", post=str(post.pk))
        audit.record("post.create", post, by=by, title=post.title)
    return post


def update_post(post: Post, draft: PostDraft, *, by: Actor, revision: int | None = None) -> Post:
    """Replace the content. What was approved and is now different goes back to review."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        # The same row locks the engine needs to claim: an edit and a claim cannot overlap.
        rows = list(Delivery.objects.select_for_update(no_key=True).filter(post=post))
        post = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
        if revision is not None and revision != post.revision:
            raise StaleForm("Somebody changed this post meanwhile. Your text is still here: compare, then save again.")
        if any(row.state in FROZEN or row.live_parts.exists() or may_be_live(row) for row in rows):
            raise NotAllowedNow("This post is live or on its way, so it cannot change any more. Duplicate it instead.")
        post.authors = _with_author(post.authors, by)
        post.revision += 1
        draft = with_short_links(draft, post)
        _write_content(post, draft, by)
        keep_version(post, draft, by=by)
        delivery_services.recheck_approvals(post, by=by)
        audit.record("post.update", post, by=by, revision=post.revision)
    return post


def duplicate_post(post: Post, *, by: Actor) -> Post:
    parts = tuple(
        PartDraft(part.text, tuple(MediaDraft(use.asset_id, use.alt_text) for use in part.media.all()), part.poll)
        for part in post.parts.prefetch_related("media")
    )
    rows = list(Delivery.objects.filter(post=post).exclude(connection__status=Connection.Status.DISCONNECTED))
    draft = PostDraft(
        parts=parts,
        title=f"{post.title} (copy)".strip()[:200],
        campaign=post.campaign,
        made_with_ai=post.made_with_ai,
        connections=tuple(row.connection_id for row in rows),
        overrides={row.connection_id: row.override_texts for row in rows},
        is_marked=post.is_marked,
        options=post.options,
        tags=tuple(post.tags),
        language=post.language,
        relationship=post.relationship,
    )
    with transaction.atomic():
        copy = create_post(draft, by=by, has_agent_text=post.has_agent_text)
        # Everybody who wrote the text stands behind each copy of it: four eyes means somebody else.
        copy.authors = sorted({*copy.authors, *post.authors})
        copy.save(update_fields=["authors"])
        _copy_origins(post, copy)
    return copy


def _copy_origins(post: Post, copy: Post) -> None:
    """Where its text comes from stays known; what it cost was paid with the first."""
    rows = list(post.origins.all())
    for row in rows:
        row.pk, row.post, row.cost_micro = uuid7(), copy, 0
    Origin.objects.bulk_create(rows)


def delete_post(post: Post, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        rows = list(Delivery.objects.select_for_update(no_key=True).filter(post=post))
        if any(row.fence for row in rows):
            raise NotAllowedNow("This post was sent, so its receipt stays. Cancel what is still planned instead.")
        for row in rows:
            delivery_services.withdraw_review(row, by=by)
            fingerprints.forget(row.pk)
        audit.record("post.delete", post, by=by, title=post.title)
        post.delete()


def _with_author(authors: list[str], by: Actor) -> list[str]:
    return sorted({*authors, str(by.user.pk)}) if by.user else authors


def _write_content(post: Post, draft: PostDraft, by: Actor) -> None:
    if not draft.parts:
        raise ValidationError("Write something first.")
    if len(draft.parts) > MAX_PARTS:
        raise ValidationError(f"A thread has at most {MAX_PARTS} parts.")
    first = storable(draft.parts[0].text)
    title = storable(draft.title).strip() or _first_words(read_marked(first).text if draft.is_marked else first)
    post.title = title[:200]
    post.campaign, post.updated_at = draft.campaign, now()
    # Once an agent wrote any of it, the label stays.
    post.has_agent_text = post.has_agent_text or by.is_agent
    post.made_with_ai = draft.made_with_ai or post.has_agent_text
    post.is_marked, post.options = draft.is_marked, clean_options(draft.options)
    post.tags, post.language = list(draft.tags), draft.language[:12]
    post.relationship = _relationship(draft.relationship)
    post.source, post.external_id = draft.source or post.source, draft.external_id or post.external_id
    if post.reply_to != draft.reply_to:
        # What the network said was about another post.
        post.reply_to, post.reply_facts = draft.reply_to, {}
    post.save()
    post.parts.all().delete()
    for position, part in enumerate(draft.parts):
        text, poll = _checked_text(part.text), clean_poll(part.poll)
        row = PostPart(workspace=post.workspace, post=post, position=position, text=text, poll=poll)
        row.full_clean(exclude=["workspace", "post"], validate_unique=False)
        row.save(force_insert=True)
        _write_media(row, part.media)
    _write_connections(post, draft, by)
    if post.reply_to:
        from campaigns.tasks import look_at_reply_target

        transaction.on_commit(partial(look_at_reply_target.delay, str(post.workspace_id), str(post.pk)))


def _relationship(value: str) -> str:
    if value not in Post.Relationship.values:
        raise ValidationError({"relationship": "Choose how you are tied to what the post is about."})
    return value


def _checked_text(text: str) -> str:
    # A model does not enforce the length of a TextField, and nobody should render a novel on every page.
    if len(text) > MAX_TEXT:
        raise ValidationError({"text": f"A part has at most {MAX_TEXT:,} characters; this one has {len(text):,}."})
    return storable(text)


def _write_media(part: PostPart, media: Sequence[MediaDraft]) -> None:
    wanted = [item.asset_id for item in media]
    known = set(MediaAsset.objects.filter(workspace=part.workspace, pk__in=wanted).values_list("pk", flat=True))
    if missing := [str(pk) for pk in wanted if pk not in known]:
        raise ValidationError({"media": f"There is no file {', '.join(missing)} in this workspace."})
    for position, item in enumerate(media):
        alt_text = storable(item.alt_text)
        use = PartMedia(
            workspace=part.workspace, part=part, asset_id=item.asset_id, position=position, alt_text=alt_text
        )
        use.full_clean(exclude=["workspace", "part", "asset"], validate_unique=False)
        use.save(force_insert=True)


def _write_connections(post: Post, draft: PostDraft, by: Actor) -> None:
    wanted = dict.fromkeys(draft.connections)
    known = Connection.objects.shown().filter(workspace=post.workspace, pk__in=wanted)
    if missing := wanted.keys() - {connection.pk for connection in known}:
        raise ValidationError({"connections": f"There is no connection {', '.join(map(str, missing))} here."})
    rows = {row.connection_id: row for row in Delivery.objects.filter(post=post)}
    for connection_id, row in rows.items():
        if connection_id not in wanted:
            delivery_services.drop_delivery(row, by=by)
    made = []
    for connection_id in wanted:
        texts = [_checked_text(text) if text else None for text in draft.overrides.get(connection_id, [])]
        texts = texts if any(texts) else []
        if connection_id in rows:
            Delivery.objects.filter(pk=rows[connection_id].pk).update(override_texts=texts)
        else:
            row = Delivery.objects.create(
                workspace=post.workspace, post=post, connection_id=connection_id, override_texts=texts
            )
            made.append(row.pk)
    if made:
        publishing_log.write_many(made, "created", publishing_log.INFO, f"By {by.label}.")


def _first_words(text: str) -> str:
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= 60 else line[:59].rstrip() + "…"
