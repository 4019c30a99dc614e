"""/api/users/{id}/tasks: one's own periodic tasks and what became of them."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import Data, ListView, page_of, valid
from accounts.api_auth import require_own_write
from accounts.rest import WorkspaceView
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic import services
from agents.periodic.services import MAX_NAME, MAX_WINDOW_S

USER_ID = OpenApiParameter("user_id", UUID, OpenApiParameter.PATH, description="Your own id; any other answers 404.")
UNKNOWN: dict[str, Any] = {"invalid_choice": "This is none of the choices."}
SPEC = "An instant (at), a number of seconds (every), or five fields of cron on the clock of the zone (cron)."
EXAMPLES = [
    OpenApiExample(
        "Weekdays at nine",
        {"kind": "brief", "name": "Morning", "mode": "cron", "spec": "0 9 * * 1-5", "time_zone": "Europe/Berlin"},
        request_only=True,
    ),
    OpenApiExample(
        "Every six hours", {"kind": "brief", "name": "News", "mode": "every", "spec": "21600"}, request_only=True
    ),
]


class TaskChange(serializers.Serializer[Any]):
    """Only what is named is changed."""

    name = serializers.CharField(max_length=MAX_NAME, required=False)
    args = serializers.DictField(required=False, help_text="What its kind asks for.")
    mode = serializers.ChoiceField(choices=PeriodicTask.Mode.choices, required=False, error_messages=UNKNOWN)
    spec = serializers.CharField(max_length=80, required=False, help_text=SPEC)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="By default your own.")
    window_s = serializers.IntegerField(
        min_value=0,
        max_value=MAX_WINDOW_S,
        required=False,
        help_text="It starts at a second of its own within so many seconds after the time.",
    )


class TaskInput(TaskChange):
    kind = serializers.CharField(max_length=40, help_text="brief, report, prompt.")
    name = serializers.CharField(max_length=MAX_NAME)
    mode = serializers.ChoiceField(choices=PeriodicTask.Mode.choices, error_messages=UNKNOWN)
    spec = serializers.CharField(max_length=80, help_text=SPEC)


class TaskAnswer(serializers.ModelSerializer[PeriodicTask]):
    next_at = serializers.DateTimeField(source="due_at", allow_null=True, help_text="null while it is paused or over.")

    class Meta:
        model = PeriodicTask
        fields = [
            "id", "kind", "name", "args", "mode", "spec", "time_zone", "window_s", "is_active", "wanted_at", "next_at",
            "failures_in_row", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class TurnAnswer(serializers.ModelSerializer[PeriodicTurn]):
    missed = serializers.IntegerField(help_text="Earlier times that passed unattended; this turn stands for all.")
    object_id = serializers.UUIDField(allow_null=True, help_text="What it made: a brief, a report, a run.")

    class Meta:
        model = PeriodicTurn
        fields = ["id", "wanted_at", "missed", "status", "text", "object_id", "started_at", "ended_at"]
        read_only_fields = fields


def task_data(task: PeriodicTask) -> Data:
    return dict(TaskAnswer(task).data)


def turn_data(turn: PeriodicTurn) -> Data:
    return dict(TurnAnswer(turn).data)


class OwnView(WorkspaceView):
    """The id in the path is the caller's own; any other is as good as missing."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.actor.user is None or self.actor.user.pk != kwargs["user_id"]:
            raise Http404
        require_own_write(request)


class TaskListView(OwnView, ListView):
    @extend_schema(
        operation_id="tasks",
        tags=["personal"],
        summary="Your periodic tasks, newest first",
        parameters=[USER_ID],
        responses=TaskAnswer(many=True),
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        return page_of(self, services.visible_tasks(self.actor), task_data)

    @extend_schema(
        operation_id="task_create",
        tags=["personal"],
        summary="Let something come by itself",
        parameters=[USER_ID],
        request=TaskInput,
        responses={201: TaskAnswer},
        examples=EXAMPLES,
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        task = services.create_task(by=self.actor, **valid(TaskInput(data=request.data)))
        return Response(task_data(task), status=201)


class TaskView(OwnView):
    @extend_schema(
        operation_id="task", tags=["personal"], summary="One task", parameters=[USER_ID], responses=TaskAnswer
    )
    def get(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        return Response(task_data(services.get_task(self.actor, task_id)))

    @extend_schema(
        operation_id="task_update",
        tags=["personal"],
        summary="Change it; a new time counts from now",
        parameters=[USER_ID],
        request=TaskChange,
        responses=TaskAnswer,
    )
    def patch(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        task = services.get_task(self.actor, task_id)
        return Response(task_data(services.change_task(task, by=self.actor, **valid(TaskChange(data=request.data)))))

    @extend_schema(
        operation_id="task_delete",
        tags=["personal"],
        summary="Delete it with its history",
        parameters=[USER_ID],
        responses={204: None},
    )
    def delete(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        services.delete_task(services.get_task(self.actor, task_id), by=self.actor)
        return Response(status=204)


class TaskPauseView(OwnView):
    @extend_schema(
        operation_id="task_pause",
        tags=["personal"],
        summary="Pause it",
        parameters=[USER_ID],
        request=None,
        responses=TaskAnswer,
    )
    def post(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        return Response(task_data(services.pause_task(services.get_task(self.actor, task_id), by=self.actor)))


class TaskResumeView(OwnView):
    @extend_schema(
        operation_id="task_resume",
        tags=["personal"],
        summary="Go on from now; what passed meanwhile is not caught up with",
        parameters=[USER_ID],
        request=None,
        responses=TaskAnswer,
    )
    def post(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        return Response(task_data(services.resume_task(services.get_task(self.actor, task_id), by=self.actor)))


class TaskRunView(OwnView):
    @extend_schema(
        operation_id="task_run",
        tags=["personal"],
        summary="One turn more, as soon as a worker is free",
        parameters=[USER_ID],
        request=None,
        responses={202: TaskAnswer},
    )
    def post(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        task = services.run_now(services.get_task(self.actor, task_id), by=self.actor)
        return Response(task_data(task), status=202)


class TurnListView(OwnView, ListView):
    @extend_schema(
        operation_id="task_turns",
        tags=["personal"],
        summary="What became of it, newest first",
        parameters=[USER_ID],
        responses=TurnAnswer(many=True),
    )
    def get(self, request: Request, user_id: UUID, task_id: UUID) -> Response:
        return page_of(self, services.turns_of(services.get_task(self.actor, task_id)), turn_data)
