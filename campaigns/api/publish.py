"""/api/tasks/publish: send, or plan, several at once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Actor, Perm
from accounts.rest import WorkspaceView
from campaigns.access import visible_deliveries
from campaigns.api.answers import Data, valid
from campaigns.deliveries import publish_now, schedule_delivery
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery

State = Delivery.State
UNAPPROVED = {State.DRAFT, State.IN_REVIEW, State.CANCELED}
MAX_IDS = 100


class PublishInput(serializers.Serializer[Any]):
    posts = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=MAX_IDS, help_text="All of each."
    )
    deliveries = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=MAX_IDS)
    at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Now by default.")

    def validate(self, attrs: Data) -> Data:
        if not attrs["posts"] and not attrs["deliveries"]:
            raise serializers.ValidationError("Name posts or deliveries.")
        return attrs


class PublishResult(serializers.Serializer[Any]):
    post = serializers.UUIDField(allow_null=True)
    delivery = serializers.UUIDField(allow_null=True)
    ok = serializers.BooleanField()
    state = serializers.CharField(help_text="Of the delivery afterwards; empty where there is none.")
    scheduled_at = serializers.DateTimeField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class PublishAnswer(serializers.Serializer[Any]):
    results = PublishResult(many=True)


class PublishTaskView(WorkspaceView):
    @extend_schema(
        operation_id="tasks_publish",
        tags=["deliveries"],
        summary="Publish or plan what is approved; one result per delivery, and nothing unapproved ever",
        request=PublishInput,
        responses=PublishAnswer,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.PUBLISH)
        data = valid(PublishInput(data=request.data))
        return Response({"results": list(_results(self.actor, data))})


def _results(actor: Actor, data: Data) -> Iterator[Data]:
    rows = visible_deliveries(actor).select_related("post", "connection")
    by_id = {row.pk: row for row in rows.filter(pk__in=data["deliveries"])}
    of_posts = list(rows.filter(post__in=data["posts"]).order_by("created_at"))
    wanted: dict[UUID, Delivery] = {}
    for post_id in dict.fromkeys(data["posts"]):
        found = [row for row in of_posts if row.post_id == post_id]
        wanted |= {row.pk: row for row in found}
        if not found:
            yield _failure(post_id, None, "not_found", "There is no such post, or it goes nowhere.")
    for delivery_id in dict.fromkeys(data["deliveries"]):
        if row := by_id.get(delivery_id):
            wanted[delivery_id] = row
        else:
            yield _failure(None, delivery_id, "not_found", "There is no such delivery.")
    yield from (_send(row, data["at"], actor) for row in wanted.values())


def _send(row: Delivery, at: datetime | None, actor: Actor) -> Data:
    if row.state in UNAPPROVED:
        return _failure(row.post_id, row.pk, "not_approved", "It needs an approval first.", row)
    try:
        after = schedule_delivery(row, at, by=actor) if at else publish_now(row, by=actor)
    except NotAllowedNow as refusal:
        return _failure(row.post_id, row.pk, "not_allowed_now", str(refusal), row)
    except ValidationError as refusal:
        return _failure(row.post_id, row.pk, "invalid", " ".join(refusal.messages), row)
    return {
        "post": after.post_id,
        "delivery": after.pk,
        "ok": True,
        "state": after.state,
        "scheduled_at": after.scheduled_at,
        "code": "",
        "detail": "",
    }


def _failure(post: UUID | None, delivery: UUID | None, code: str, detail: str, row: Delivery | None = None) -> Data:
    return {
        "post": post,
        "delivery": delivery,
        "ok": False,
        "state": row.state if row else "",
        "scheduled_at": row.scheduled_at if row else None,
        "code": code,
        "detail": detail,
    }
