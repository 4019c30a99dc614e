"""/api/connections/{id}/slots: the posting times of an account."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.models import check_time_zone
from accounts.rest import WorkspaceView
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.models import Slot
from campaigns.slots import add_slot, edit_slot, remove_slot
from social.access import get_connection


# No seconds and no offset: the slot has a zone of its own.
@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$", "example": "09:00"})
class ClockTime(serializers.TimeField):
    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%H:%M", "%H:%M:00"], **options)


class SlotInput(serializers.Serializer[Any]):
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False, help_text="0 is Monday."
    )
    time = ClockTime()
    time_zone = serializers.CharField(
        max_length=64, required=False, validators=[check_time_zone], help_text="The workspace's own by default."
    )


class SlotAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    weekday = serializers.IntegerField(help_text="0 is Monday.")
    time = ClockTime()
    time_zone = serializers.CharField()


def slot_data(slot: Slot) -> Data:
    return {"id": slot.pk, "weekday": slot.weekday, "time": slot.time, "time_zone": slot.time_zone}


class SlotListView(ListView):
    @extend_schema(
        operation_id="slots", tags=["slots"], summary="Posting times of an account", responses=SlotAnswer(many=True)
    )
    def get(self, request: Request, connection_id: UUID) -> Response:
        connection = get_connection(self.actor, connection_id)
        return page_of(self, Slot.objects.filter(connection=connection), slot_data)

    @extend_schema(
        operation_id="slot_create",
        tags=["slots"],
        summary="Add a posting time on one or more days",
        request=SlotInput,
        responses={201: SlotAnswer(many=True)},
    )
    def post(self, request: Request, connection_id: UUID) -> Response:
        connection = get_connection(self.actor, connection_id)
        self.actor.require(Perm.PUBLISH)
        data = valid(SlotInput(data=request.data))
        zone = data.get("time_zone", self.actor.workspace.time_zone)
        slots = add_slot(connection, by=self.actor, weekdays=data["weekdays"], at=data["time"], time_zone=zone)
        return Response([slot_data(slot) for slot in slots], status=201)


class SlotEditInput(serializers.Serializer[Any]):
    weekday = serializers.IntegerField(min_value=0, max_value=6, required=False, help_text="0 is Monday.")
    time = ClockTime(required=False)
    time_zone = serializers.CharField(max_length=64, required=False, validators=[check_time_zone])


class SlotView(WorkspaceView):
    @extend_schema(
        operation_id="slot_update",
        tags=["slots"],
        summary="Change a posting time; posts that are planned for it keep theirs",
        request=SlotEditInput,
        responses=SlotAnswer,
    )
    def patch(self, request: Request, connection_id: UUID, slot_id: UUID) -> Response:
        slot = self._found(connection_id, slot_id)
        self.actor.require(Perm.PUBLISH)
        data = valid(SlotEditInput(data=request.data))
        edited = edit_slot(
            slot,
            by=self.actor,
            weekday=data.get("weekday", slot.weekday),
            at=data.get("time", slot.time),
            time_zone=data.get("time_zone", slot.time_zone),
        )
        return Response(slot_data(edited))

    @extend_schema(operation_id="slot_delete", tags=["slots"], summary="Remove a posting time", responses={204: None})
    def delete(self, request: Request, connection_id: UUID, slot_id: UUID) -> Response:
        remove_slot(self._found(connection_id, slot_id), by=self.actor)
        return Response(status=204)

    def _found(self, connection_id: UUID, slot_id: UUID) -> Slot:
        connection = get_connection(self.actor, connection_id)
        slot = Slot.objects.select_related("connection").filter(connection=connection, pk=slot_id).first()
        if slot is None:
            raise Http404
        return slot
