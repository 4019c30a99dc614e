"""/api/ai: drafts, what is known of the audience, and times to post."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import NetworkView, WorkspaceView
from accounts.scope import workspace_scope
from agents.models import Run
from agents.runs.queries import run_status
from agents.runs.services import start_run
from campaigns.access import visible_campaigns
from campaigns.api.answers import Data, valid
from campaigns.draft_checks import LANGUAGES, is_blocked
from campaigns.drafting import MAX_COUNT, MAX_TEXT, MAX_WISH, Wanted, problem_of, start_drafts
from campaigns.origins import DRAFT, KEPT
from campaigns.timing import MAX_TIMES, NEEDED
from compliance.guard import Verdict
from social.models import Connection, Network

AUDIENCE, TIMING = "audience", "timing"
LONGEST_WAIT_S = 30
LOOK_S = 0.1
FAILED = {"over_budget": HTTPStatus.PAYMENT_REQUIRED, "refused": HTTPStatus.UNPROCESSABLE_ENTITY}
WAIT = serializers.IntegerField(
    min_value=0,
    max_value=LONGEST_WAIT_S,
    default=LONGEST_WAIT_S,
    help_text="Seconds to wait for the result; then 202 with the address that has it later.",
)


class NotDone(exceptions.APIException):
    """The run ended without a result."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, run: Run) -> None:
        code = str((run.error or {}).get("code", run.status))
        super().__init__(problem_of(run), code)
        self.status_code = FAILED.get(code, HTTPStatus.SERVICE_UNAVAILABLE)


class GenerateInput(serializers.Serializer[Any]):
    brief = serializers.CharField(max_length=MAX_WISH, required=False, help_text="What it is about. Or `topic`.")
    topic = serializers.CharField(max_length=MAX_WISH, required=False)
    network = serializers.ChoiceField(Network.choices, required=False, help_text="Says how long it may be.")
    connection = serializers.UUIDField(required=False, help_text="Instead of a network: one account.")
    language = serializers.ChoiceField(list(LANGUAGES.items()), default="en")
    tone = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT, default=1)
    campaign = serializers.UUIDField(required=False)
    text = serializers.CharField(
        max_length=MAX_TEXT, required=False, allow_blank=True, default="", help_text="Material to write from."
    )
    wait = WAIT

    def validate(self, attrs: Data) -> Data:
        if bool(attrs.get("brief")) == bool(attrs.get("topic")):
            raise serializers.ValidationError({"brief": "Give either a brief or a topic."})
        return attrs


class AiNote(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="language, brand, claim, link, product")
    text = serializers.CharField()
    quote = serializers.CharField(allow_blank=True)
    must_change = serializers.BooleanField()


class AiFinding(serializers.Serializer[Any]):
    severity = serializers.CharField()
    rule = serializers.CharField(allow_blank=True)
    message = serializers.CharField()
    fix = serializers.CharField(allow_blank=True)
    citation = serializers.CharField(allow_blank=True)
    start = serializers.IntegerField(help_text="UTF-16 units of the text; with `end` equal it is about the whole.")
    end = serializers.IntegerField()
    replacement = serializers.CharField(allow_null=True, allow_blank=True)


class AiOrigin(serializers.Serializer[Any]):
    run_id = serializers.UUIDField()
    step_key = serializers.CharField()
    model = serializers.CharField()
    is_sandbox = serializers.BooleanField()
    assistant = serializers.CharField()
    prompt_version = serializers.IntegerField(allow_null=True)
    prompt_sha256 = serializers.CharField()
    sources = serializers.ListField(child=serializers.DictField())
    cost_micro = serializers.IntegerField()


class AiDraft(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    text = serializers.CharField()
    angle = serializers.CharField(allow_blank=True)
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    problems = serializers.ListField(child=serializers.CharField(), help_text="What the network would refuse.")
    findings = AiFinding(many=True)
    notes = AiNote(many=True)
    origin = AiOrigin()


class AiRun(serializers.Serializer[Any]):
    run_id = serializers.UUIDField()
    status = serializers.CharField(help_text="queued, running, succeeded, …: as every run.")
    progress = serializers.CharField(allow_blank=True)
    cost_micro = serializers.IntegerField(help_text="Of all calls so far, in micro-dollars.")


class DraftsAnswer(AiRun):
    drafts = AiDraft(many=True)


class AudienceGroup(serializers.Serializer[Any]):
    name = serializers.CharField()
    wants = serializers.CharField()
    rests_on = serializers.CharField()
    try_next = serializers.CharField()


class AudienceInput(serializers.Serializer[Any]):
    campaign = serializers.UUIDField(required=False)
    language = serializers.ChoiceField(list(LANGUAGES.items()), default="en")
    question = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")
    wait = WAIT


class AudienceAnswer(AiRun):
    is_enough = serializers.BooleanField(help_text="Whether there is enough to say anything.")
    missing = serializers.ListField(child=serializers.CharField())
    summary = serializers.CharField()
    groups = AudienceGroup(many=True)
    facts = serializers.DictField()


class TimingInput(serializers.Serializer[Any]):
    connection = serializers.UUIDField(required=False, help_text="All accounts without it.")
    count = serializers.IntegerField(min_value=1, max_value=MAX_TIMES, default=5)
    wait = WAIT


class AiTime(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    local = serializers.CharField()


class HourAnswer(serializers.Serializer[Any]):
    hour = serializers.IntegerField(help_text="On the workspace's clock.")
    posts = serializers.IntegerField()
    reach = serializers.FloatField(help_text="Geometric mean of the impressions after a day.")
    low = serializers.FloatField(help_text="Of the 95 % interval.")
    high = serializers.FloatField()


class AccountTimes(serializers.Serializer[Any]):
    connection = serializers.UUIDField()
    account = serializers.CharField()
    basis = serializers.ChoiceField(
        ["measured", "slots", "defaults"], help_text="Its measured posts, its own slots, or common hours."
    )
    times = AiTime(many=True)
    hours = HourAnswer(many=True, help_text="What its measured posts reached, by the hour; the best first.")


class TimingAnswer(AiRun):
    time_zone = serializers.CharField()
    published = serializers.IntegerField()
    measured = serializers.IntegerField(help_text="Published posts whose reach was read back.")
    needed = serializers.IntegerField(help_text=f"Measured posts before anything is learnt: {NEEDED}.")
    is_enough = serializers.BooleanField()
    why = serializers.CharField()
    accounts = AccountTimes(many=True)


class AiRunResult(AiRun):
    """A run of any of the three kinds: it answers what its kind answers, once it is done."""

    def get_fields(self) -> dict[str, Any]:
        results = {
            name: field
            for kind in (DraftsAnswer, AudienceAnswer, TimingAnswer)
            for name, field in kind().get_fields().items()
        }
        for field in results.values():
            field.required = False
        return results | super().get_fields()


def run_data(run: Run) -> Data:
    """Inside the workspace's scope."""
    status = run_status(run)
    return {
        "run_id": str(run.pk),
        "status": run.status,
        "progress": run.progress,
        "cost_micro": status["usage"]["cost_micro"],
    }


def result_data(run: Run) -> Data:
    output = run.output or {}
    if run.workflow == DRAFT:
        return {"drafts": [_draft(row) for row in output.get("drafts", [])]}
    return {name: value for name, value in output.items() if name not in {"cost_micro", "is_sandbox", "model"}}


def _draft(row: Data) -> Data:
    findings = row["findings"]
    return {
        "n": row["n"],
        "text": row["text"],
        "angle": row["angle"],
        "verdict": Verdict.BLOCK.value if is_blocked(findings) else findings["verdict"],
        "problems": findings["problems"],
        "findings": [{name: found.get(name) for name in FINDING} for found in findings["found"]],
        "notes": row["notes"],
        "origin": {name: row["origin"].get(name) for name in KEPT},
    }


FINDING = ("severity", "rule", "message", "fix", "citation", "start", "end", "replacement")


class AiView(NetworkView):
    """Starts a run and waits for it outside any transaction."""

    problems = (402, 503)

    def answer(self, start: Callable[[], Run], wait_s: int) -> Response:
        with workspace_scope(self.actor.workspace.pk):
            run = start()
        run = self._wait(run.pk, wait_s)
        with workspace_scope(self.actor.workspace.pk):
            data = run_data(run)
        if not run.is_ended:
            path = reverse("campaigns-api:ai-run", args=[run.pk])
            return Response(data, status=HTTPStatus.ACCEPTED, headers={"Location": path, "Retry-After": "2"})
        if run.status != Run.Status.SUCCEEDED:
            raise NotDone(run)
        return Response(data | result_data(run))

    def _wait(self, run_id: UUID, wait_s: int) -> Run:
        ends_at = time.monotonic() + wait_s
        while True:
            with workspace_scope(self.actor.workspace.pk):
                run = Run.objects.get(pk=run_id)
            if run.is_ended or time.monotonic() >= ends_at:
                return run
            time.sleep(LOOK_S)


class GenerateView(AiView):
    @extend_schema(
        operation_id="ai_generate_content",
        tags=["ai"],
        summary="Drafts of a post, each with what the rules say and where it comes from",
        request=GenerateInput,
        responses={200: DraftsAnswer, 202: AiRun},
        examples=[
            OpenApiExample(
                "For X, in Chinese",
                {"brief": "Our decaf is back, in both shops from Monday", "network": "x", "language": "zh", "count": 2},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        data = valid(GenerateInput(data=request.data))
        wanted = Wanted(
            wish=data.get("brief") or data["topic"],
            language=data["language"],
            tone=data["tone"],
            count=data["count"],
            connection_id=data.get("connection"),
            network="" if data.get("connection") else data.get("network", ""),
            campaign_id=data.get("campaign"),
            text=data["text"],
        )
        return self.answer(lambda: start_drafts(wanted, by=self.actor), data["wait"])


class AudienceView(AiView):
    @extend_schema(
        operation_id="ai_analyze_audience",
        tags=["ai"],
        summary="What the workspace's own posts, conversations and contacts say of its audience",
        request=AudienceInput,
        responses={200: AudienceAnswer, 202: AiRun},
    )
    def post(self, request: Request) -> Response:
        data = valid(AudienceInput(data=request.data))
        return self.answer(lambda: self._start(data), data["wait"])

    def _start(self, data: Data) -> Run:
        campaign_id = data.get("campaign")
        if campaign_id and not visible_campaigns(self.actor).filter(pk=campaign_id).exists():
            raise serializers.ValidationError({"campaign": "There is no such campaign."})
        sent = {"language": data["language"], "question": data["question"]}
        return start_run(AUDIENCE, sent, by=self.actor, campaign_id=campaign_id)


class TimingView(AiView):
    @extend_schema(
        operation_id="ai_optimize_timing",
        tags=["ai"],
        summary="Times to post, and what they rest on: measured posts, or honest defaults",
        request=TimingInput,
        responses={200: TimingAnswer, 202: AiRun},
    )
    def post(self, request: Request) -> Response:
        data = valid(TimingInput(data=request.data))
        return self.answer(lambda: self._start(data), data["wait"])

    def _start(self, data: Data) -> Run:
        connection_id: UUID | None = data.get("connection")
        accounts = Connection.objects.shown().filter(workspace=self.actor.workspace)
        if connection_id and not accounts.filter(pk=connection_id).exists():
            raise serializers.ValidationError({"connection": "There is no such account."})
        sent = {"connection": str(connection_id) if connection_id else "", "count": data["count"]}
        return start_run(TIMING, sent, by=self.actor)


class AiRunView(WorkspaceView):
    @extend_schema(
        operation_id="ai_run",
        tags=["ai"],
        summary="How a run stands; with its result once it is done",
        responses=AiRunResult,
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        self.actor.require(Perm.VIEW)
        # One's own: what nobody took over is nobody else's business.
        runs = Run.objects.filter(workspace=self.actor.workspace, user=self.actor.user)
        run = runs.filter(pk=run_id, workflow__in=[DRAFT, AUDIENCE, TIMING]).first()
        if run is None:
            raise Http404
        data = run_data(run)
        if run.is_ended and run.status != Run.Status.SUCCEEDED:
            raise NotDone(run)
        return Response(data | (result_data(run) if run.is_ended else {}))
