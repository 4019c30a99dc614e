"""/api/analytics: what happened in a period and what it earned, of a workspace or of one campaign."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, valid
from accounts.rest import WorkspaceView
from analytics.access import find_connection
from analytics.queries.goals import targets
from analytics.queries.overview import Overview, overview
from analytics.queries.period import FIRST_DAY, LENGTHS, LONGEST, USUAL, Choice, Period, read_choice, today
from analytics.queries.ranking import Ranked
from analytics.queries.roi import Roi, roi
from analytics.queries.series import METRICS, series_of
from campaigns.access import get_campaign
from campaigns.models import Campaign
from social.models import Connection

NUMBERS = (
    *("impressions", "engagements", "clicks", "bot_clicks", "visitors", "conversions", "revenue_micro", "joins"),
    *("posts", "ai_cost_micro", "network_cost_micro", "media_cost_micro"),
)
COSTS = ("ai_cost_micro", "network_cost_micro", "media_cost_micro")


class PeriodFilter(serializers.Serializer[Any]):
    days = serializers.ChoiceField(LENGTHS, required=False, help_text=f"Until today; {USUAL} without any of these.")
    than = serializers.DateField(
        required=False, help_text="First day of what it is compared with; without it the days just before."
    )

    def get_fields(self) -> dict[str, Any]:
        # A word of the language cannot be an attribute.
        days = {"from": "First day, on the workspace's clock.", "to": "Last day."}
        more = {name: serializers.DateField(required=False, help_text=text) for name, text in days.items()}
        return {**super().get_fields(), **more}

    def validate(self, data: Data) -> Data:
        start, end, than = (data.get(name) for name in ("from", "to", "than"))
        if (start is None) != (end is None):
            raise serializers.ValidationError({"from" if start is None else "to": "Give both days, or neither."})
        last = today(self.context["workspace"])
        if start and end and not FIRST_DAY <= start <= end <= last:
            raise serializers.ValidationError({"from": "This must be before `to`, and `to` not after today."})
        if start and end and (end - start).days >= LONGEST:
            raise serializers.ValidationError({"from": f"Ask for at most {LONGEST} days at once."})
        begins = start or last - timedelta(days=int(data.get("days") or USUAL) - 1)
        if than and not FIRST_DAY <= than < begins:
            raise serializers.ValidationError({"than": "This must be before the period."})
        return data


class DashboardFilter(PeriodFilter):
    campaign = serializers.UUIDField(required=False)
    connection = serializers.UUIDField(required=False)


class DaysAnswer(serializers.Serializer[Any]):
    to = serializers.DateField()
    zone = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), **super().get_fields()}


class ChangeAnswer(serializers.Serializer[Any]):
    now = serializers.IntegerField(allow_null=True)
    before = serializers.IntegerField(allow_null=True)
    percent = serializers.FloatField(allow_null=True)


class PointAnswer(serializers.Serializer[Any]):
    day = serializers.DateField()
    value = serializers.IntegerField(allow_null=True)


class RankedAnswer(serializers.Serializer[Any]):
    network = serializers.CharField()
    account = serializers.CharField()
    delivery = serializers.UUIDField(allow_null=True)
    url = serializers.CharField()
    text = serializers.CharField()
    published_at = serializers.DateTimeField()
    impressions = serializers.IntegerField(allow_null=True)
    engagements = serializers.IntegerField(allow_null=True)
    rate = serializers.FloatField(allow_null=True)


class StepAnswer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # a serializer has a label of its own
    value = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True, help_text="Of the step before.")
    note = serializers.CharField()


class AccountAnswer(serializers.Serializer[Any]):
    connection = serializers.UUIDField()
    name = serializers.CharField()
    network = serializers.CharField()
    followers = serializers.IntegerField(allow_null=True)
    gained = serializers.IntegerField(allow_null=True)
    posts = serializers.IntegerField()
    impressions = serializers.IntegerField(allow_null=True)
    engagements = serializers.IntegerField(allow_null=True)


class DashboardAnswer(serializers.Serializer[Any]):
    period = DaysAnswer()
    against = DaysAnswer()
    currency = serializers.CharField(help_text="Of revenue, which is in millionths of it; costs are micro-dollars.")
    measured_at = serializers.DateTimeField(allow_null=True, help_text="The newest reading of a post.")
    totals = serializers.DictField(
        child=serializers.IntegerField(allow_null=True), help_text="Null where nothing was measured: see `notes`."
    )
    notes = serializers.DictField(child=serializers.CharField(), help_text="By number, why there is none.")
    changes = serializers.DictField(
        child=ChangeAnswer(),
        help_text="Clicks and conversions over whole days, posts at the same age: not the totals of both periods.",
    )
    series = serializers.DictField(child=PointAnswer(many=True), help_text="A day that was not measured is null.")
    best_posts = RankedAnswer(many=True)
    worst_posts = RankedAnswer(many=True)
    funnel = StepAnswer(many=True)
    accounts = AccountAnswer(many=True)


class GoalAnswer(serializers.Serializer[Any]):
    metric = serializers.CharField()
    value = serializers.IntegerField()
    reached = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    note = serializers.CharField()


class RoiAnswer(serializers.Serializer[Any]):
    revenue_micro = serializers.IntegerField(allow_null=True, help_text="In micro-dollars, as everything here.")
    revenue_low_micro = serializers.IntegerField(allow_null=True, help_text="Of a 90 % interval.")
    revenue_high_micro = serializers.IntegerField(allow_null=True)
    costs_micro = serializers.IntegerField()
    profit_micro = serializers.IntegerField(allow_null=True)
    ratio = serializers.FloatField(allow_null=True, help_text="(revenue − costs) ÷ costs")
    ratio_low = serializers.FloatField(allow_null=True)
    ratio_high = serializers.FloatField(allow_null=True)
    chance_positive = serializers.FloatField(allow_null=True)
    missing = serializers.ListField(child=serializers.CharField())


class CampaignAnalyticsAnswer(DashboardAnswer):
    campaign = serializers.UUIDField()
    goals = GoalAnswer(many=True, help_text="Since the campaign began.")
    roi = RoiAnswer(allow_null=True, help_text="Null for guests.")


class DashboardView(WorkspaceView):
    @extend_schema(
        operation_id="analytics_dashboard",
        tags=["analytics"],
        summary="Results of the workspace",
        parameters=[DashboardFilter],
        responses=DashboardAnswer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        data = valid(DashboardFilter(data=request.query_params, context={"workspace": self.actor.workspace}))
        campaign = get_campaign(self.actor, data["campaign"]) if "campaign" in data else None
        connection = find_connection(self.actor, str(data.get("connection", "")))
        if "connection" in data and connection is None:
            raise Http404("Not found.")
        return Response(_answer(self, read_days(self, data), campaign, connection))


class CampaignAnalyticsView(WorkspaceView):
    @extend_schema(
        operation_id="analytics_campaign",
        tags=["analytics"],
        summary="Results of a campaign, its goals and what it earned",
        parameters=[PeriodFilter],
        responses=CampaignAnalyticsAnswer,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        campaign = get_campaign(self.actor, campaign_id)
        data = valid(PeriodFilter(data=request.query_params, context={"workspace": self.actor.workspace}))
        choice = read_days(self, data)
        answer = _answer(self, choice, campaign, None)
        sees_costs = self.actor.can(Perm.VIEW)
        found = roi(self.actor.workspace, choice.period, campaign) if sees_costs else None
        goals = [
            {
                "metric": goal.target.metric,
                "value": goal.target.value,
                "reached": goal.reached,
                "percent": goal.percent,
                "note": goal.note,
            }
            for goal in targets(campaign)
        ]
        return Response(answer | {"campaign": campaign.pk, "goals": goals, "roi": found and _roi(found)})


def read_days(view: WorkspaceView, data: Data) -> Choice:
    return read_choice(view.actor.workspace, {name: str(value) for name, value in data.items()})


def _answer(view: WorkspaceView, choice: Choice, campaign: Campaign | None, connection: Connection | None) -> Data:
    workspace = view.actor.workspace
    shown = overview(workspace, choice, campaign=campaign, connection=connection)
    lines = series_of(workspace, choice.period, METRICS, campaign=campaign, connection=connection)
    hidden = set() if view.actor.can(Perm.VIEW) else set(COSTS)
    return {
        "period": _days(choice.period),
        "against": _days(choice.against),
        "currency": shown.totals.currency,
        "measured_at": shown.totals.measured_at,
        "totals": {name: None if name in hidden else getattr(shown.totals, name) for name in NUMBERS},
        "notes": shown.totals.notes | dict.fromkeys(hidden, "Not shown to guests."),
        "changes": {
            kpi.key: asdict(kpi.delta) | {"percent": kpi.delta.percent} for kpi in shown.kpis if kpi.delta is not None
        },
        "series": {name: [point._asdict() for point in points] for name, points in lines.items()},
        "best_posts": [_post(row) for ranking in shown.rankings for row in ranking.best],
        "worst_posts": [_post(row) for ranking in shown.rankings for row in ranking.worst],
        "funnel": [
            {"label": step.label, "value": step.value, "share": step.share, "note": step.note} for step in shown.funnel
        ],
        "accounts": _accounts(shown),
    }


def _days(period: Period) -> dict[str, date | str]:
    return {"from": period.start, "to": period.end, "zone": period.zone}


def _post(row: Ranked) -> Data:
    post = row.post
    return {
        "network": post.network,
        "account": post.account,
        "delivery": post.delivery_id,
        "url": post.url,
        "text": post.text,
        "published_at": post.published_at,
        "impressions": post.impressions,
        "engagements": post.engagements,
        "rate": row.rate,
    }


def _accounts(shown: Overview) -> list[Data]:
    return [
        {
            "connection": row.connection.pk,
            "name": str(row.connection),
            "network": row.connection.network,
            "followers": row.followers,
            "gained": row.gained,
            "posts": row.posts,
            "impressions": row.impressions,
            "engagements": row.engagements,
        }
        for row in shown.accounts
    ]


def _roi(found: Roi) -> Data:
    return {str(name): getattr(found, str(name)) for name in RoiAnswer().fields}
