"""/api/experiments: drafts, their start and end, looks, and everything that a look was made from."""

import sys
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import Data, ListView, check_json, page_of, tagged, valid, wants_other
from accounts.rest import Conflict, WorkspaceView
from campaigns.api.campaigns import IF_MATCH
from campaigns.api.posts import find_campaign
from experiments import services
from experiments.access import get_experiment, visible_experiments
from experiments.arms import ArmDraft
from experiments.exports import as_document
from experiments.models import Experiment, Look

TAGS = ["experiments"]
# The usual words repeat what was sent, which may hold characters that no answer can.
UNKNOWN: dict[str, Any] = {"invalid_choice": "This is none of the choices."}
PLAN = OpenApiExample(
    "Two landing pages",
    {
        "name": "Landing page",
        "hypothesis": "A shorter page sells more.",
        "design": "A",
        "metric": "conversions",
        "settings": {"links": ["0195c0f3-7a00-7c11-9d6e-2f3b8a41c0de"], "mde": 0.2},
        "arms": [
            {"name": "Old", "content": {"url": "https://acme.example/long"}, "is_control": True},
            {"name": "New", "content": {"url": "https://acme.example/short"}},
        ],
        "guardrails": [{"metric": "refund", "margin": 0.2}],
    },
    request_only=True,
)


def check_settings(given: Data) -> None:
    """Raises ValidationError: what cannot be kept, or is a whole number beyond any that can be calculated with."""
    check_json(given)
    if any(isinstance(value, int) and abs(value) > sys.float_info.max for value in given.values()):
        raise ValidationError("This holds a number that is too large.")


class ArmInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    content = serializers.DictField(
        required=False,
        default=dict,
        validators=[check_json],
        help_text="By design: {url} (A), {texts} (C, D), {style} (E).",
    )
    is_control = serializers.BooleanField(required=False, default=False)


class GuardrailInput(serializers.Serializer[Any]):
    metric = serializers.CharField(max_length=60)
    margin = serializers.FloatField(help_text="How much worse it may get, as a share of the control's.")


class ExperimentChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    hypothesis = serializers.CharField(max_length=500)
    metric = serializers.CharField(max_length=30)
    lower_is_better = serializers.BooleanField(required=False, default=False)
    arms = ArmInput(many=True, required=False)
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)
    guardrails = GuardrailInput(many=True, required=False)
    allocation = serializers.ChoiceField(
        choices=Experiment.Allocation.choices, required=False, default="fixed", error_messages=UNKNOWN
    )
    settings = serializers.DictField(
        required=False, default=dict, validators=[check_settings], help_text="Of the design; others are refused."
    )
    horizon_days = serializers.IntegerField(required=False, default=28, min_value=1, max_value=366)


class ExperimentInput(ExperimentChange):
    design = serializers.ChoiceField(choices=Experiment.Design.choices, error_messages=UNKNOWN)


class ActInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class WinnerInput(serializers.Serializer[Any]):
    arm = serializers.CharField(max_length=12, help_text="The key of any arm.")


class ArmAnswer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    is_control = serializers.BooleanField()
    content = serializers.DictField()


class ExperimentAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    hypothesis = serializers.CharField()
    design = serializers.CharField()
    status = serializers.CharField(help_text="draft, running, paused, stopped, archived")
    status_text = serializers.CharField(allow_blank=True)
    metric = serializers.CharField()
    lower_is_better = serializers.BooleanField()
    guardrails = serializers.ListField(child=serializers.DictField())
    allocation = serializers.CharField()
    settings = serializers.DictField()
    horizon_days = serializers.IntegerField()
    planned_units = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()
    registered_hash = serializers.CharField(allow_blank=True)
    campaign = serializers.UUIDField(allow_null=True)
    winner = serializers.CharField(allow_blank=True, help_text="The key of an arm, or empty.")
    started_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class WholeExperiment(ExperimentAnswer):
    arms = ArmAnswer(many=True)


class LookAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    verdict = serializers.CharField(help_text="better, no_difference, harmful, keep_going, cannot_tell")
    sentence = serializers.CharField()
    refusals = serializers.ListField(child=serializers.DictField(), help_text="With any, nothing is concluded.")
    result = serializers.DictField()
    data_hash = serializers.CharField()


def experiment_data(row: Experiment) -> Data:
    names = [name for name in ExperimentAnswer._declared_fields if name not in ("id", "campaign")]
    return {"id": row.pk, "campaign": row.campaign_id} | {name: getattr(row, name) for name in names}


def look_data(look: Look) -> Data:
    return {name: getattr(look, name) for name in LookAnswer._declared_fields}


def _whole(row: Experiment, status: int = 200) -> Response:
    arms = [{name: getattr(arm, name) for name in ArmAnswer._declared_fields} for arm in row.arms.all()]
    return tagged(experiment_data(row) | {"arms": arms}, row.updated_at.isoformat(), status)


def _facts(view: WorkspaceView, asked: Data) -> Data:
    """The arguments of the service, of what was sent."""
    facts = {name: value for name, value in asked.items() if name not in ("arms", "campaign")}
    if "campaign" in asked:
        facts["campaign"] = find_campaign(view, asked["campaign"])
    if "arms" in asked:
        # Fields that are left out of a change have no defaults, those of an arm neither.
        facts["arms"] = [ArmDraft(**{"name": "", **arm}) for arm in asked["arms"]]
    return facts


class ExperimentListView(ListView):
    @extend_schema(
        operation_id="experiments",
        tags=TAGS,
        summary="Experiments, newest first",
        responses=ExperimentAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_experiments(self.actor), experiment_data)

    @extend_schema(
        operation_id="experiment_create",
        tags=TAGS,
        summary="Plan an experiment",
        request=ExperimentInput,
        responses={201: WholeExperiment},
        examples=[PLAN],
    )
    def post(self, request: Request) -> Response:
        facts: Data = {"arms": [], **_facts(self, valid(ExperimentInput(data=request.data)))}
        return _whole(services.create_experiment(by=self.actor, **facts), status=201)


class ExperimentView(WorkspaceView):
    @extend_schema(
        operation_id="experiment", tags=TAGS, summary="An experiment with its arms", responses=WholeExperiment
    )
    def get(self, request: Request, experiment_id: UUID) -> Response:
        return _whole(get_experiment(self.actor, experiment_id))

    @extend_schema(
        operation_id="experiment_change",
        tags=TAGS,
        summary="Change a draft, or end this version and start the next",
        parameters=[IF_MATCH],
        request=ExperimentChange(partial=True),
        responses=WholeExperiment,
    )
    def patch(self, request: Request, experiment_id: UUID) -> Response:
        row = get_experiment(self.actor, experiment_id)
        if wants_other(request, row.updated_at.isoformat()):
            raise Conflict("It was changed meanwhile. Read it again and repeat your change.")
        asked = valid(ExperimentChange(data=request.data, partial=True))
        sent = {name: value for name, value in asked.items() if name in request.data}
        return _whole(services.change_experiment(row, by=self.actor, **_facts(self, sent)))

    @extend_schema(operation_id="experiment_delete", tags=TAGS, summary="Delete a draft", responses={204: None})
    def delete(self, request: Request, experiment_id: UUID) -> Response:
        services.delete_experiment(get_experiment(self.actor, experiment_id), by=self.actor)
        return Response(status=204)


class StartView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_start",
        tags=TAGS,
        summary="Write down what decides, and start",
        request=None,
        responses=WholeExperiment,
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        return _whole(services.start_experiment(get_experiment(self.actor, experiment_id), by=self.actor))


class PauseView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_pause",
        tags=TAGS,
        summary="Assign nobody for now",
        request=ActInput,
        responses=WholeExperiment,
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        row = get_experiment(self.actor, experiment_id)
        asked = valid(ActInput(data=request.data))
        return _whole(services.pause_experiment(row, by=self.actor, reason=asked["reason"]))


class ResumeView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_resume", tags=TAGS, summary="Go on", request=None, responses=WholeExperiment
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        return _whole(services.resume_experiment(get_experiment(self.actor, experiment_id), by=self.actor))


class StopView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_stop",
        tags=TAGS,
        summary="Take the last look and end it",
        request=ActInput,
        responses=WholeExperiment,
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        row = get_experiment(self.actor, experiment_id)
        asked = valid(ActInput(data=request.data))
        return _whole(services.stop_experiment(row, by=self.actor, reason=asked["reason"]))


class WinnerView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_winner",
        tags=TAGS,
        summary="Make any arm the winner",
        request=WinnerInput,
        responses=WholeExperiment,
        examples=[OpenApiExample("The second arm", {"arm": "b"}, request_only=True)],
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        row = get_experiment(self.actor, experiment_id)
        asked = valid(WinnerInput(data=request.data))
        return _whole(services.choose_winner(row, asked["arm"], by=self.actor))


class ArchiveView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_archive", tags=TAGS, summary="Put it away", request=None, responses=WholeExperiment
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        return _whole(services.archive_experiment(get_experiment(self.actor, experiment_id), by=self.actor))


class LookListView(ListView):
    @extend_schema(
        operation_id="experiment_looks",
        tags=TAGS,
        summary="Looks at the results, newest first",
        responses=LookAnswer(many=True),
    )
    def get(self, request: Request, experiment_id: UUID) -> Response:
        return page_of(self, get_experiment(self.actor, experiment_id).looks.all(), look_data)

    @extend_schema(
        operation_id="experiment_look",
        tags=TAGS,
        summary="Look now",
        request=None,
        responses={201: LookAnswer},
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        look = services.look_now(get_experiment(self.actor, experiment_id), by=self.actor)
        return Response(look_data(look), status=201)


class ExportView(WorkspaceView):
    @extend_schema(
        operation_id="experiment_export",
        tags=TAGS,
        summary="What was promised, seen and said, with all data",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, experiment_id: UUID) -> Response:
        return Response(as_document(get_experiment(self.actor, experiment_id)))
