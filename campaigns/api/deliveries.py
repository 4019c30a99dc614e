"""/api/deliveries: where and when a post goes, and the receipt of what happened."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns import deliveries as services
from campaigns.access import get_delivery, visible_deliveries
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.rendering import render


class DeliveryConnection(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    network = serializers.CharField()
    handle = serializers.CharField()


class DeliveryProblem(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class DeliveryAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    post = serializers.UUIDField()
    title = serializers.CharField(help_text="Of its post.")
    campaign = serializers.UUIDField(allow_null=True)
    connection = DeliveryConnection()
    state = serializers.ChoiceField(Delivery.State.choices)
    scheduled_at = serializers.DateTimeField(allow_null=True, help_text="What a person planned.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="When the engine acts next.")
    approved_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    problem = DeliveryProblem(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class AttemptAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    outcome = serializers.ChoiceField(Attempt.Outcome.choices)
    claimed_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    submitting_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    http_status = serializers.IntegerField(allow_null=True)
    request_id = serializers.CharField(help_text="The network's own; quote it to their support.")
    code = serializers.CharField()
    message = serializers.CharField()


class LivePartAnswer(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    content_hash = serializers.CharField()
    remote_id = serializers.CharField()
    url = serializers.CharField()
    remote_ids = serializers.ListField(child=serializers.CharField(), help_text="All messages of an album.")
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="When it was taken down.")
    was_found = serializers.BooleanField(help_text="Read from the timeline, not answered to the call.")
    published_at = serializers.DateTimeField()


ATTEMPT, LIVE_PART = [str(name) for name in AttemptAnswer().fields], [str(name) for name in LivePartAnswer().fields]


class ReceiptAnswer(DeliveryAnswer):
    override_texts = serializers.ListField(child=serializers.CharField(allow_null=True))
    content_hash = serializers.CharField(help_text="Of what would be sent now.")
    approved_hash = serializers.CharField(help_text="Of what was approved; nothing else is ever sent.")
    attempts = AttemptAnswer(many=True)
    live_parts = LivePartAnswer(many=True)


class DeliveryFilter(serializers.Serializer[Any]):
    state = serializers.ChoiceField(Delivery.State.choices, required=False)
    connection = serializers.UUIDField(required=False)
    campaign = serializers.UUIDField(required=False)
    post = serializers.UUIDField(required=False)


class ScheduleInput(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="With its zone; without one it is UTC.")


class ConfirmInput(serializers.Serializer[Any]):
    link = serializers.CharField(max_length=300, help_text="Of the post on the network, or its id.")


def delivery_data(row: Delivery) -> Data:
    connection = row.connection
    return {
        "id": row.pk,
        "post": row.post_id,
        "title": row.post.title,
        "campaign": row.post.campaign_id,
        "connection": {"id": connection.pk, "network": connection.network, "handle": connection.handle},
        "state": row.state,
        "scheduled_at": row.scheduled_at,
        "due_at": row.due_at,
        "approved_at": row.approved_at,
        "published_at": row.published_at,
        "problem": {"code": row.problem_code, "text": row.problem_text} if row.problem_code else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def receipt_data(row: Delivery) -> Data:
    return delivery_data(row) | {
        "override_texts": row.override_texts,
        "content_hash": render(row).content_hash,
        "approved_hash": row.approved_hash,
        "attempts": [_columns(attempt, ATTEMPT) for attempt in row.attempts.all()],
        "live_parts": [_columns(part, LIVE_PART) for part in row.live_parts.all()],
    }


def _columns(row: Attempt | LivePart, names: list[str]) -> Data:
    return {name: getattr(row, name) for name in names}


def _filtered(rows: QuerySet[Delivery], wanted: Data) -> QuerySet[Delivery]:
    columns = {"state": "state", "connection": "connection", "campaign": "post__campaign", "post": "post"}
    return rows.filter(**{columns[name]: value for name, value in wanted.items()})


class DeliveryListView(ListView):
    @extend_schema(
        operation_id="deliveries",
        tags=["deliveries"],
        summary="Deliveries, newest first",
        parameters=[DeliveryFilter],
        responses=DeliveryAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = _filtered(visible_deliveries(self.actor), valid(DeliveryFilter(data=request.query_params)))
        return page_of(self, rows.select_related("post", "connection"), delivery_data)


class DeliveryView(WorkspaceView):
    @extend_schema(
        operation_id="delivery",
        tags=["deliveries"],
        summary="One delivery with its receipt: every attempt and all that is live",
        responses=ReceiptAnswer,
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        return Response(receipt_data(get_delivery(self.actor, delivery_id)))


def documented(name: str, summary: str, request: Any = None) -> Any:
    return extend_schema(
        operation_id=f"delivery_{name}", tags=["deliveries"], summary=summary, request=request, responses=ReceiptAnswer
    )


class DeliveryAct(WorkspaceView):
    """Something that is done to one delivery; the answer is its receipt afterwards."""

    def found(self, delivery_id: UUID) -> Delivery:
        delivery = get_delivery(self.actor, delivery_id)
        self.actor.require(Perm.PUBLISH)
        return delivery


class ScheduleView(DeliveryAct):
    @documented("schedule", "Plan it; before approval the plan is only remembered", ScheduleInput)
    def post(self, request: Request, delivery_id: UUID) -> Response:
        row = self.found(delivery_id)
        at = valid(ScheduleInput(data=request.data))["at"]
        return Response(receipt_data(services.schedule_delivery(row, at, by=self.actor)))


class PublishView(DeliveryAct):
    @documented("publish", "Publish what is approved now")
    def post(self, request: Request, delivery_id: UUID) -> Response:
        return Response(receipt_data(services.publish_now(self.found(delivery_id), by=self.actor)))


class NextSlotView(DeliveryAct):
    @documented("next_slot", "Plan it for the next free slot of its connection")
    def post(self, request: Request, delivery_id: UUID) -> Response:
        return Response(receipt_data(services.add_to_next_slot(self.found(delivery_id), by=self.actor)))


class UnscheduleView(DeliveryAct):
    @documented("unschedule", "Take it out of the calendar; the approval stays")
    def post(self, request: Request, delivery_id: UUID) -> Response:
        return Response(receipt_data(services.unschedule(self.found(delivery_id), by=self.actor)))


class CancelView(DeliveryAct):
    @documented("cancel", "Cancel what is not on its way yet")
    def post(self, request: Request, delivery_id: UUID) -> Response:
        return Response(receipt_data(services.cancel_delivery(self.found(delivery_id), by=self.actor)))


class ConfirmLiveView(DeliveryAct):
    @documented("confirm_live", "An unconfirmed one: you saw it live", ConfirmInput)
    def post(self, request: Request, delivery_id: UUID) -> Response:
        row = self.found(delivery_id)
        link = valid(ConfirmInput(data=request.data))["link"]
        return Response(receipt_data(services.confirm_live(row, link, by=self.actor)))


class SendAgainView(DeliveryAct):
    @documented("send_again", "An unconfirmed one: you looked, and it is not live")
    def post(self, request: Request, delivery_id: UUID) -> Response:
        return Response(receipt_data(services.send_again(self.found(delivery_id), by=self.actor)))
