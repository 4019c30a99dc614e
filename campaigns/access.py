"""The only way to load an object of this app: 404 to strangers, 403 to the wrong role, grants for guests."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404
from guardian.shortcuts import get_objects_for_user

from accounts.access import Actor, Perm
from campaigns.models import Campaign, Delivery, Import, LivePart, MediaAsset, Post, Recurrence, Source

VIEW_CAMPAIGN = "campaigns.view_campaign"
M = TypeVar("M", bound=Model)


def visible_campaigns(actor: Actor) -> QuerySet[Campaign]:
    """All of the workspace's for members, the shared ones for guests."""
    campaigns = Campaign.objects.filter(workspace=actor.workspace)
    if actor.is_guest:
        # The grant names an id; the filter above and the policy keep it inside this workspace.
        return get_objects_for_user(actor.user, VIEW_CAMPAIGN, campaigns, accept_global_perms=False)
    actor.require(Perm.VIEW)
    return campaigns


def visible_posts(actor: Actor) -> QuerySet[Post]:
    posts = Post.objects.filter(workspace=actor.workspace)
    return posts.filter(campaign__in=visible_campaigns(actor)) if actor.is_guest else _members_only(actor, posts)


def visible_deliveries(actor: Actor) -> QuerySet[Delivery]:
    deliveries = Delivery.objects.filter(workspace=actor.workspace)
    if actor.is_guest:
        return deliveries.filter(post__campaign__in=visible_campaigns(actor))
    return _members_only(actor, deliveries)


def visible_recurrences(actor: Actor) -> QuerySet[Recurrence]:
    return _members_only(actor, Recurrence.objects.filter(workspace=actor.workspace))


def visible_sources(actor: Actor) -> QuerySet[Source]:
    return _members_only(actor, Source.objects.filter(workspace=actor.workspace))


def visible_imports(actor: Actor) -> QuerySet[Import]:
    return _members_only(actor, Import.objects.filter(workspace=actor.workspace))


def visible_assets(actor: Actor) -> QuerySet[MediaAsset]:
    assets = MediaAsset.objects.filter(workspace=actor.workspace)
    if actor.is_guest:
        return assets.filter(uses__part__post__campaign__in=visible_campaigns(actor)).distinct()
    return _members_only(actor, assets)


def get_campaign(actor: Actor, campaign_id: UUID) -> Campaign:
    return _get(visible_campaigns(actor), campaign_id)


def get_post(actor: Actor, post_id: UUID) -> Post:
    return _get(visible_posts(actor), post_id)


def get_delivery(actor: Actor, delivery_id: UUID) -> Delivery:
    return _get(visible_deliveries(actor).select_related("post__campaign", "connection", "workspace"), delivery_id)


def get_live_part(actor: Actor, delivery_id: UUID, position: int) -> LivePart:
    parts = LivePart.objects.filter(delivery__in=visible_deliveries(actor), delivery_id=delivery_id)
    part = parts.select_related("connection", "delivery__post").filter(position=position).first()
    if part is None:
        raise Http404("Not found.")
    return part


def get_source(actor: Actor, source_id: UUID) -> Source:
    return _get(visible_sources(actor), source_id)


def get_recurrence(actor: Actor, recurrence_id: UUID) -> Recurrence:
    return _get(visible_recurrences(actor).select_related("post", "workspace"), recurrence_id)


def get_import(actor: Actor, import_id: UUID) -> Import:
    return _get(visible_imports(actor), import_id)


def get_asset(actor: Actor, asset_id: UUID) -> MediaAsset:
    return _get(visible_assets(actor), asset_id)


def _members_only(actor: Actor, rows: QuerySet[M]) -> QuerySet[M]:
    actor.require(Perm.VIEW)
    return rows


def _get(rows: QuerySet[M], pk: UUID) -> M:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("Not found.")
    return row
