"""/api/plans: proposals for one sentence, decided on line by line."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import WorkspaceView
from campaigns import plan_lines, plans
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.api.posts import find_campaign
from campaigns.draft_checks import LANGUAGES
from campaigns.models import Plan, PlanLine


class PlanInput(serializers.Serializer[Any]):
    brief = serializers.CharField(max_length=plans.MAX_BRIEF, help_text="What to promote; links and hashtags are kept.")
    connections = serializers.ListField(child=serializers.UUIDField(), allow_empty=False, max_length=plans.MAX_LINES)
    languages = serializers.ListField(
        child=serializers.CharField(max_length=12),
        allow_empty=False,
        max_length=plans.MAX_LINES,
        help_text=f"Of {', '.join(LANGUAGES)}.",
    )
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)


class PlanLineInput(serializers.Serializer[Any]):
    text = serializers.CharField(required=False, trim_whitespace=False)
    planned_at = serializers.DateTimeField(required=False)


class WishInput(serializers.Serializer[Any]):
    wish = serializers.CharField(max_length=plan_lines.MAX_WISH, required=False, allow_blank=True, default="")


class PlanLineAnswer(serializers.ModelSerializer[PlanLine]):
    status = serializers.CharField(help_text="proposed, accepted, rejected")

    class Meta:
        model = PlanLine
        fields = [
            "id",
            "n",
            "connection",
            "language",
            "planned_at",
            "text",
            "variants",
            "findings",
            "notes",
            "origin",
            "status",
            "post",
            "decided_at",
        ]


class PlanAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    brief = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    campaign = serializers.UUIDField(allow_null=True)
    status = serializers.CharField(help_text="working, ready, failed, closed")
    problem = serializers.CharField(allow_blank=True)
    strategy = serializers.DictField()
    run_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class PlanWithLines(PlanAnswer):
    cost_micro = serializers.IntegerField(help_text="Of all its model calls, in micro-dollars.")
    is_sandbox = serializers.BooleanField(help_text="No provider is set up: the sandbox model wrote it.")
    lines = PlanLineAnswer(many=True)


def plan_data(plan: Plan) -> Data:
    shown = ("name", "goal", "audience", "angle", "key_messages", "skipped")
    return {
        "id": plan.pk,
        "brief": plan.brief,
        "languages": plan.languages,
        "campaign": plan.campaign_id,
        "status": plan.status,
        "problem": plan.problem,
        "strategy": {name: plan.strategy[name] for name in shown if name in plan.strategy},
        "run_id": plan.run_id,
        "created_at": plan.created_at,
    }


def _whole(plan: Plan, status: int = 200) -> Response:
    plans.follow_run(plan)
    cost = plans.cost_of_plan(plan)
    more = {
        "cost_micro": cost.spent_micro,
        "is_sandbox": cost.is_sandbox,
        "lines": PlanLineAnswer(plan.lines.all(), many=True).data,
    }
    return Response(plan_data(plan) | more, status=status)


class PlanListView(ListView):
    @extend_schema(
        operation_id="plans", tags=["ai"], summary="Proposals, newest first", responses=PlanAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        return page_of(self, plans.visible_plans(self.actor), plan_data)

    @extend_schema(
        operation_id="plan_create",
        tags=["ai"],
        summary="Let agents propose posts for one sentence",
        request=PlanInput,
        responses={201: PlanWithLines},
    )
    def post(self, request: Request) -> Response:
        data = valid(PlanInput(data=request.data))
        plan = plans.start_plan(
            data["brief"],
            by=self.actor,
            connections=data["connections"],
            languages=data["languages"],
            campaign=find_campaign(self, data["campaign"]),
        )
        return _whole(plan, 201)


class PlanView(WorkspaceView):
    @extend_schema(operation_id="plan", tags=["ai"], summary="One proposal with its lines", responses=PlanWithLines)
    def get(self, request: Request, plan_id: UUID) -> Response:
        return _whole(plans.get_plan(self.actor, plan_id))


class LineView(WorkspaceView):
    @extend_schema(
        operation_id="plan_line_update",
        tags=["ai"],
        summary="Change the text or the time of a line; the rules look at it again",
        request=PlanLineInput,
        responses=PlanLineAnswer,
    )
    def patch(self, request: Request, plan_id: UUID, line_id: UUID) -> Response:
        line = plan_lines.get_line(self.actor, plan_id, line_id)
        data = valid(PlanLineInput(data=request.data))
        return _line(plan_lines.edit_line(line, by=self.actor, **data))


class LineActView(WorkspaceView):
    """One of the acts, by its own address."""

    def act(self, line: PlanLine, request: Request) -> None:
        raise NotImplementedError

    def post(self, request: Request, plan_id: UUID, line_id: UUID) -> Response:
        line = plan_lines.get_line(self.actor, plan_id, line_id)
        self.act(line, request)
        return _line(PlanLine.objects.get(pk=line.pk))


def _line(line: PlanLine) -> Response:
    return Response(PlanLineAnswer(line).data)


@extend_schema_view(
    post=extend_schema(
        operation_id="plan_line_accept",
        tags=["ai"],
        summary="Make it a post that waits for review",
        request=None,
        responses=PlanLineAnswer,
    )
)
class AcceptView(LineActView):
    def act(self, line: PlanLine, request: Request) -> None:
        plan_lines.accept_line(line, by=self.actor)


@extend_schema_view(
    post=extend_schema(
        operation_id="plan_line_reject", tags=["ai"], summary="Reject a line", request=None, responses=PlanLineAnswer
    )
)
class RejectView(LineActView):
    def act(self, line: PlanLine, request: Request) -> None:
        plan_lines.reject_line(line, by=self.actor)


@extend_schema_view(
    post=extend_schema(
        operation_id="plan_line_restore",
        tags=["ai"],
        summary="Take a rejection back",
        request=None,
        responses=PlanLineAnswer,
    )
)
class RestoreView(LineActView):
    def act(self, line: PlanLine, request: Request) -> None:
        plan_lines.propose_again(line, by=self.actor)


@extend_schema_view(
    post=extend_schema(
        operation_id="plan_line_rewrite",
        tags=["ai"],
        summary="Have a line written anew, as you wish",
        request=WishInput,
        responses=PlanLineAnswer,
    )
)
class RewriteView(LineActView):
    def act(self, line: PlanLine, request: Request) -> None:
        plan_lines.rewrite_line(line, valid(WishInput(data=request.data))["wish"], by=self.actor)
