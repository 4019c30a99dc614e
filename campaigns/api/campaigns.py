"""/api/campaigns"""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_campaign, visible_campaigns
from campaigns.api.answers import (
    Data,
    ListView,
    check_if_match,
    check_json,
    clean_or_refuse,
    locked,
    page_of,
    tagged,
    valid,
)
from campaigns.models import Campaign, Delivery
from campaigns.services import EDITABLE, create_campaign, delete_campaign, set_campaign_status, update_campaign
from compliance.places import MAX_MARKETS, clean_industry, clean_markets

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of what you changed; 409 when it is older."
)


class CampaignInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    goal = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    brief = serializers.CharField(max_length=10_000, required=False, allow_blank=True, default="")
    starts_on = serializers.DateField(required=False, allow_null=True, default=None)
    ends_on = serializers.DateField(required=False, allow_null=True, default=None)
    config = serializers.DictField(required=False, default=dict, validators=[check_json])
    markets = serializers.ListField(
        child=serializers.CharField(max_length=8),
        required=False,
        default=list,
        max_length=MAX_MARKETS,
        help_text="Where its posts are aimed at; empty as in the workspace's settings. CN, US, UK, EU, DE and so on.",
    )
    industry = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")

    def validate_markets(self, value: list[str]) -> list[str]:
        return clean_or_refuse(clean_markets, value)

    def validate_industry(self, value: str) -> str:
        return clean_or_refuse(clean_industry, value)


class CampaignAnswer(CampaignInput):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Campaign.Status.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CampaignDetail(CampaignAnswer):
    deliveries = serializers.DictField(child=serializers.IntegerField(), help_text="How many are in each state.")


class CampaignFilter(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Campaign.Status.choices, required=False)
    search = serializers.CharField(max_length=120, required=False, help_text="In name, goal and brief.")


class StatusInput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Campaign.Status.choices)


COLUMNS = [str(name) for name in CampaignAnswer().fields]


def version_of(campaign: Campaign) -> int:
    return int(campaign.updated_at.timestamp() * 1_000_000)


def _detail(campaign: Campaign, status: int = 200) -> Response:
    rows = Delivery.objects.filter(post__campaign=campaign).order_by()
    counts = dict(rows.values_list("state").annotate(Count("pk")))
    data = {name: getattr(campaign, name) for name in COLUMNS}
    return tagged({**data, "deliveries": counts}, version_of(campaign), status)


def _filtered(rows: QuerySet[Campaign], wanted: Data) -> QuerySet[Campaign]:
    if status := wanted.get("status"):
        rows = rows.filter(status=status)
    if text := wanted.get("search"):
        rows = rows.filter(Q(name__icontains=text) | Q(goal__icontains=text) | Q(brief__icontains=text))
    return rows


class CampaignListView(ListView):
    @extend_schema(
        operation_id="campaigns",
        tags=["campaigns"],
        summary="Campaigns, newest first",
        parameters=[CampaignFilter],
        responses=CampaignAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = visible_campaigns(self.actor)
        if request.query_params:
            rows = _filtered(rows, valid(CampaignFilter(data=request.query_params)))
        # Rows without objects: nothing of a campaign is computed here.
        return page_of(self, rows.values(*COLUMNS), dict)

    @extend_schema(
        operation_id="campaign_create",
        tags=["campaigns"],
        summary="A new campaign",
        request=CampaignInput,
        responses={201: CampaignDetail},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(CampaignInput(data=request.data))
        return _detail(create_campaign(by=self.actor, **data), status=201)


class CampaignView(WorkspaceView):
    @extend_schema(operation_id="campaign", tags=["campaigns"], summary="One campaign", responses=CampaignDetail)
    def get(self, request: Request, campaign_id: UUID) -> Response:
        return _detail(get_campaign(self.actor, campaign_id))

    @extend_schema(
        operation_id="campaign_replace",
        tags=["campaigns"],
        summary="Replace a campaign; what is left out becomes empty",
        parameters=[IF_MATCH],
        request=CampaignInput,
        responses=CampaignDetail,
    )
    def put(self, request: Request, campaign_id: UUID) -> Response:
        return self._change(request, campaign_id, partial=False)

    @extend_schema(
        operation_id="campaign_update",
        tags=["campaigns"],
        summary="Change some of a campaign",
        parameters=[IF_MATCH],
        request=CampaignInput(partial=True),
        responses=CampaignDetail,
    )
    def patch(self, request: Request, campaign_id: UUID) -> Response:
        return self._change(request, campaign_id, partial=True)

    @extend_schema(
        operation_id="campaign_delete",
        tags=["campaigns"],
        summary="Delete a campaign of which nothing was sent",
        parameters=[IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, campaign_id: UUID) -> Response:
        delete_campaign(self._locked(request, campaign_id), by=self.actor)
        return Response(status=204)

    def _change(self, request: Request, campaign_id: UUID, *, partial: bool) -> Response:
        campaign = self._locked(request, campaign_id)
        data = valid(CampaignInput(data=request.data, partial=partial))
        fields = {name: data[name] for name in EDITABLE if name in data}
        return _detail(update_campaign(campaign, by=self.actor, **fields))

    def _locked(self, request: Request, campaign_id: UUID) -> Campaign:
        campaign = get_campaign(self.actor, campaign_id)
        self.actor.require(Perm.CONTENT_EDIT)
        campaign = locked(Campaign.objects.all(), campaign)
        check_if_match(request, version_of(campaign))
        return campaign


class CampaignStatusView(WorkspaceView):
    @extend_schema(
        operation_id="campaign_status",
        tags=["campaigns"],
        summary="Start, pause, resume, complete or archive",
        request=StatusInput,
        responses=CampaignDetail,
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        campaign = get_campaign(self.actor, campaign_id)
        self.actor.require(Perm.PUBLISH)
        status = valid(StatusInput(data=request.data))["status"]
        return _detail(set_campaign_status(campaign, status, by=self.actor))
