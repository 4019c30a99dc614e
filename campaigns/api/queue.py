"""/api/connections/{id}/queue: the posts in an account's slots, and their order."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import Conflict, WorkspaceView
from campaigns.access import get_delivery
from campaigns.api.answers import Data, valid
from campaigns.api.deliveries import DeliveryAct, documented, receipt_data
from campaigns.models import Delivery
from campaigns.queue import move_in_queue, prioritise_delivery, queued
from social.access import get_connection
from social.models import Connection


class QueueEntryAnswer(serializers.Serializer[Any]):
    place = serializers.IntegerField(help_text="From 0.")
    delivery = serializers.UUIDField()
    post = serializers.UUIDField()
    title = serializers.CharField()
    state = serializers.ChoiceField(Delivery.State.choices)
    scheduled_at = serializers.DateTimeField()


class QueueAnswer(serializers.Serializer[Any]):
    entries = QueueEntryAnswer(many=True)


class QueueMoveInput(serializers.Serializer[Any]):
    delivery = serializers.UUIDField()
    place = serializers.IntegerField(min_value=0, max_value=100_000, help_text="Those between move by one.")


def queue_data(connection: Connection) -> Data:
    rows = queued(connection).select_related("post")
    return {"entries": [_entry(place, row) for place, row in enumerate(rows)]}


def _entry(place: int, row: Delivery) -> Data:
    return {
        "place": place,
        "delivery": row.pk,
        "post": row.post_id,
        "title": row.post.title,
        "state": row.state,
        "scheduled_at": row.scheduled_at,
    }


class QueueView(WorkspaceView):
    @extend_schema(
        operation_id="queue",
        tags=["slots"],
        summary="Posts in the slots of an account, in order; those with a time set by hand are not among them",
        responses=QueueAnswer,
    )
    def get(self, request: Request, connection_id: UUID) -> Response:
        return Response(queue_data(get_connection(self.actor, connection_id)))


class QueueMoveView(WorkspaceView):
    @extend_schema(
        operation_id="queue_move",
        tags=["slots"],
        summary="Put a post at another place of its queue",
        request=QueueMoveInput,
        responses=QueueAnswer,
    )
    def post(self, request: Request, connection_id: UUID) -> Response:
        connection = get_connection(self.actor, connection_id)
        self.actor.require(Perm.PUBLISH)
        data = valid(QueueMoveInput(data=request.data))
        delivery = get_delivery(self.actor, data["delivery"])
        if delivery.connection_id != connection.pk:
            raise Conflict("This delivery goes to another account.")
        move_in_queue(delivery, data["place"], by=self.actor)
        return Response(queue_data(connection))


class PrioritiseView(DeliveryAct):
    @documented("prioritise", "Put it first in its queue; the others move one slot back")
    def post(self, request: Request, delivery_id: UUID) -> Response:
        row = self.found(delivery_id)
        prioritise_delivery(row, by=self.actor)
        return Response(receipt_data(get_delivery(self.actor, row.pk)))
