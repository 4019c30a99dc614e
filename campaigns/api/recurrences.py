"""/api/recurrences: posts that come again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.models import check_time_zone
from accounts.rest import WorkspaceView
from campaigns import recurrences as services
from campaigns.access import get_post, get_recurrence, visible_recurrences
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.models import Recurrence
from campaigns.recurrences import COOLDOWNS


class RecurrenceInput(serializers.Serializer[Any]):
    post = serializers.UUIDField(help_text="What is copied each time.")
    kind = serializers.ChoiceField(Recurrence.Kind.choices)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, help_text="Weekly; 0 is Monday."
    )
    time = serializers.TimeField(required=False, help_text="Weekly; on the wall of the time zone.")
    time_zone = serializers.CharField(
        max_length=64, required=False, validators=[check_time_zone], help_text="The workspace's own by default."
    )
    cooldown_days = serializers.IntegerField(
        min_value=COOLDOWNS[0], max_value=COOLDOWNS[-1], required=False, help_text="Evergreen."
    )
    ends_on = serializers.DateField(required=False, allow_null=True, help_text="The last day.")


class RecurrenceAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    post = serializers.UUIDField()
    kind = serializers.ChoiceField(Recurrence.Kind.choices)
    weekdays = serializers.ListField(child=serializers.IntegerField())
    time = serializers.TimeField(allow_null=True)
    time_zone = serializers.CharField()
    cooldown_days = serializers.IntegerField()
    ends_on = serializers.DateField(allow_null=True)
    is_active = serializers.BooleanField()
    next_at = serializers.DateTimeField(allow_null=True, help_text="The next one that is not made yet; null: ended.")
    problem = serializers.CharField(help_text="Why the last try made nothing.")
    created_at = serializers.DateTimeField()


COLUMNS = [str(name) for name in RecurrenceAnswer().fields if name not in {"id", "post", "problem"}]


def recurrence_data(row: Recurrence) -> Data:
    values = {name: getattr(row, name) for name in COLUMNS}
    return {"id": row.pk, "post": row.post_id, **values, "problem": row.problem_text}


class RecurrenceListView(ListView):
    @extend_schema(
        operation_id="recurrences",
        tags=["recurrences"],
        summary="Recurring posts, newest first",
        responses=RecurrenceAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_recurrences(self.actor), recurrence_data)

    @extend_schema(
        operation_id="recurrence_create",
        tags=["recurrences"],
        summary="Repeat a post; each copy goes to review",
        request=RecurrenceInput,
        responses={201: RecurrenceAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        self.actor.require(Perm.PUBLISH)
        data: Data = {"time_zone": self.actor.workspace.time_zone} | valid(RecurrenceInput(data=request.data))
        post, at = get_post(self.actor, data.pop("post")), data.pop("time", None)
        return Response(recurrence_data(services.repeat_post(post, by=self.actor, at=at, **data)), status=201)


class RecurrenceView(WorkspaceView):
    @extend_schema(
        operation_id="recurrence", tags=["recurrences"], summary="A recurring post", responses=RecurrenceAnswer
    )
    def get(self, request: Request, recurrence_id: UUID) -> Response:
        return Response(recurrence_data(get_recurrence(self.actor, recurrence_id)))

    @extend_schema(
        operation_id="recurrence_delete",
        tags=["recurrences"],
        summary="Delete it; the posts that it made stay",
        responses={204: None},
    )
    def delete(self, request: Request, recurrence_id: UUID) -> Response:
        services.delete_recurrence(get_recurrence(self.actor, recurrence_id), by=self.actor)
        return Response(status=204)


class _Act(WorkspaceView):
    def act(self, recurrence_id: UUID, service: Callable[..., object]) -> Response:
        service(get_recurrence(self.actor, recurrence_id), by=self.actor)
        return Response(recurrence_data(get_recurrence(self.actor, recurrence_id)))


def documented(name: str, summary: str) -> Any:
    return extend_schema(
        operation_id=f"recurrence_{name}",
        tags=["recurrences"],
        summary=summary,
        request=None,
        responses=RecurrenceAnswer,
    )


class PauseView(_Act):
    @documented("pause", "Make nothing new; what was made keeps its time")
    def post(self, request: Request, recurrence_id: UUID) -> Response:
        return self.act(recurrence_id, services.pause_recurrence)


class ResumeView(_Act):
    @documented("resume", "Go on from here")
    def post(self, request: Request, recurrence_id: UUID) -> Response:
        return self.act(recurrence_id, services.resume_recurrence)


class SkipView(_Act):
    @documented("skip", "Leave out the next date that is not made yet")
    def post(self, request: Request, recurrence_id: UUID) -> Response:
        return self.act(recurrence_id, services.skip_next)


class EndView(_Act):
    @documented("end", "Make no more")
    def post(self, request: Request, recurrence_id: UUID) -> Response:
        return self.act(recurrence_id, services.end_recurrence)
