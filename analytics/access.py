"""The only way to load an object of these pages: 404 to strangers."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from analytics.models import Anomaly, Funnel, MediaCost, Segment, SharedPage, Target
from campaigns.access import get_campaign, visible_campaigns
from campaigns.models import Campaign
from social.models import Connection

M = TypeVar("M", bound=Model)


def visible_funnels(actor: Actor) -> QuerySet[Funnel]:
    return _members_only(actor, Funnel.objects.filter(workspace=actor.workspace))


def visible_segments(actor: Actor) -> QuerySet[Segment]:
    return _members_only(actor, Segment.objects.filter(workspace=actor.workspace))


def visible_shares(actor: Actor) -> QuerySet[SharedPage]:
    return _members_only(actor, SharedPage.objects.filter(workspace=actor.workspace).select_related("created_by"))


def visible_anomalies(actor: Actor) -> QuerySet[Anomaly]:
    return _members_only(actor, Anomaly.objects.filter(workspace=actor.workspace))


def get_funnel(actor: Actor, funnel_id: UUID) -> Funnel:
    return _get(visible_funnels(actor), funnel_id)


def get_segment(actor: Actor, segment_id: UUID) -> Segment:
    return _get(visible_segments(actor), segment_id)


def get_share(actor: Actor, share_id: UUID) -> SharedPage:
    return _get(visible_shares(actor), share_id)


def get_anomaly(actor: Actor, anomaly_id: UUID) -> Anomaly:
    return _get(visible_anomalies(actor), anomaly_id)


def get_target(actor: Actor, campaign_id: UUID, target_id: UUID) -> Target:
    return _get(Target.objects.filter(campaign=get_campaign(actor, campaign_id)), target_id)


def get_media_cost(actor: Actor, campaign_id: UUID, cost_id: UUID) -> MediaCost:
    return _get(MediaCost.objects.filter(campaign=get_campaign(actor, campaign_id)), cost_id)


def find_campaign(actor: Actor, text: str) -> Campaign | None:
    """Of a filter in an address; one that does not exist narrows nothing."""
    return visible_campaigns(actor).filter(pk=pk).first() if (pk := _uuid(text)) else None


def find_connection(actor: Actor, text: str) -> Connection | None:
    accounts = _members_only(actor, Connection.objects.shown().filter(workspace=actor.workspace))
    return accounts.filter(pk=pk).first() if (pk := _uuid(text)) else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _members_only(actor: Actor, rows: QuerySet[M]) -> QuerySet[M]:
    actor.require(Perm.VIEW)
    return rows


def _get(rows: QuerySet[M], pk: UUID) -> M:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("Not found.")
    return row
