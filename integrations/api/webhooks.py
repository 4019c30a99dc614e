"""/api/webhooks: who is told of what, what was sent, and sending it again."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import NetworkView, WorkspaceView
from accounts.scope import workspace_scope
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from integrations.webhooks import queries, services
from integrations.webhooks.kinds import KINDS
from integrations.webhooks.payloads import example_of

PUBLISHED = OpenApiExample(
    "What goes live, and what does not",
    {"url": "https://example.com/hooks/rostrum", "kinds": ["delivery.published", "delivery.failed"], "label": "Chat"},
    request_only=True,
)
SINCE = OpenApiExample("Since Friday", {"since": "2026-11-20T09:00:00Z"}, request_only=True)
STATUS = OpenApiParameter("status", str, enum=WebhookDelivery.Status.values, description="Only these.")
KIND = OpenApiParameter("kind", str, description="Only of this kind.")


class WebhookInput(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=500, help_text="Where to POST. It has to be on the public internet.")
    kinds = serializers.ListField(
        child=serializers.CharField(max_length=60),
        help_text="Kinds of events, beginnings that end with a dot (`delivery.`), or `*` for all.",
    )
    # Every field has a label of its own, which is something else.
    label = serializers.CharField(max_length=80, required=False, allow_blank=True)  # type: ignore[assignment]


class WebhookAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    # Every field has a label of its own, which is something else.
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    status = serializers.CharField(help_text="active, paused")
    status_text = serializers.CharField(allow_blank=True, help_text="Why it is paused.")
    failures_in_row = serializers.IntegerField()
    last_ok_at = serializers.DateTimeField(allow_null=True)
    old_secret_until = serializers.DateTimeField(allow_null=True, help_text="Until then both secrets sign.")
    created_at = serializers.DateTimeField()


class NewWebhookAnswer(WebhookAnswer):
    secret = serializers.CharField(
        allow_null=True, help_text="Checks signatures. Shown this once; null when an answer is repeated."
    )


class WebhookDeliveryAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    webhook = serializers.UUIDField()
    event = serializers.UUIDField(help_text="What its receiver sees as X-Rostrum-Id.")
    replay_of = serializers.UUIDField(allow_null=True)
    kind = serializers.CharField()
    status = serializers.CharField(help_text="pending, delivered, failed, canceled")
    tries = serializers.IntegerField()
    due_at = serializers.DateTimeField(help_text="When it is tried next, while it is pending.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class WebhookTryAnswer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True, help_text="Null where nobody answered.")
    ms = serializers.IntegerField()
    problem = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True, help_text="Its first 1,000 characters.")


class WholeDeliveryAnswer(WebhookDeliveryAnswer):
    payload = serializers.DictField()
    log = WebhookTryAnswer(many=True)


class ReplayInput(serializers.Serializer[Any]):
    since = serializers.DateTimeField(help_text="All that failed since then.")


class ReplayAnswer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="How many are sent again; at most 1,000 at once.")


class KindAnswer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    example = serializers.DictField()


class KindsAnswer(serializers.Serializer[Any]):
    kinds = KindAnswer(many=True)


def webhook_data(row: WebhookEndpoint) -> Data:
    names = "id url kinds label status status_text failures_in_row last_ok_at old_secret_until created_at"
    return {name: getattr(row, name) for name in names.split()}


def delivery_data(row: WebhookDelivery) -> Data:
    names = "id kind status tries due_at created_at ended_at"
    related = {"webhook": row.endpoint_id, "event": row.payload["id"], "replay_of": row.replay_of_id}
    return {name: getattr(row, name) for name in names.split()} | related


def whole_delivery(row: WebhookDelivery) -> Data:
    return delivery_data(row) | {"payload": row.payload, "log": [_try_data(logged) for logged in row.log.all()]}


def _try_data(row: WebhookTry) -> Data:
    return {
        "at": row.at,
        "status_code": row.status_code,
        "ms": row.ms,
        "problem": row.problem_text,
        "answer": row.answer,
    }


class WebhookListView(NetworkView, ListView):
    secret_fields = frozenset({"secret"})

    @extend_schema(operation_id="webhooks", tags=["webhooks"], summary="Webhooks", responses=WebhookAnswer(many=True))
    def get(self, request: Request) -> Response:
        with workspace_scope(self.actor.workspace.pk):
            return page_of(self, queries.visible_endpoints(self.actor), webhook_data)

    @extend_schema(
        operation_id="webhook_create",
        tags=["webhooks"],
        summary="A new webhook, and its secret",
        request=WebhookInput,
        responses={201: NewWebhookAnswer},
        examples=[PUBLISHED],
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.WEBHOOKS)
        row, secret = services.create_endpoint(by=self.actor, **valid(WebhookInput(data=request.data)))
        return Response(webhook_data(row) | {"secret": secret}, status=201)


class WebhookKindsView(WorkspaceView):
    @extend_schema(
        operation_id="webhook_kinds",
        tags=["webhooks"],
        summary="What webhooks tell of, with an example of each",
        responses=KindsAnswer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.WEBHOOKS)
        rows = [
            {"kind": kind.name, "text": kind.text, "example": example_of(self.actor.workspace, kind.name)}
            for kind in KINDS.values()
        ]
        return Response({"kinds": rows})


class WebhookView(NetworkView):
    @extend_schema(operation_id="webhook", tags=["webhooks"], summary="One webhook", responses=WebhookAnswer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        return Response(webhook_data(self._row(endpoint_id)))

    @extend_schema(
        operation_id="webhook_update",
        tags=["webhooks"],
        summary="Change its address, its label or what it is told of",
        request=WebhookInput(partial=True),
        responses=WebhookAnswer,
        examples=[PUBLISHED],
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        row = self._row(endpoint_id)
        asked = valid(WebhookInput(data=request.data, partial=True))
        return Response(webhook_data(services.update_endpoint(row, by=self.actor, **asked)))

    @extend_schema(
        operation_id="webhook_delete", tags=["webhooks"], summary="Delete it, and its log", responses={204: None}
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        row = self._row(endpoint_id)
        with workspace_scope(self.actor.workspace.pk):
            services.delete_endpoint(row, by=self.actor)
        return Response(status=204)

    def _row(self, endpoint_id: UUID) -> WebhookEndpoint:
        with workspace_scope(self.actor.workspace.pk):
            return queries.get_endpoint(self.actor, endpoint_id)


class WebhookRotateView(WorkspaceView):
    secret_fields = frozenset({"secret"})

    @extend_schema(
        operation_id="webhook_rotate",
        tags=["webhooks"],
        summary="A new secret; for 24 hours the old one signs as well",
        request=None,
        responses=NewWebhookAnswer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        row = queries.get_endpoint(self.actor, endpoint_id)
        secret = services.rotate_secret(row, by=self.actor)
        return Response(webhook_data(row) | {"secret": secret})


class WebhookPauseView(WorkspaceView):
    @extend_schema(
        operation_id="webhook_pause",
        tags=["webhooks"],
        summary="Pause it; what waits goes on waiting, and nothing is added",
        request=None,
        responses=WebhookAnswer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        row = queries.get_endpoint(self.actor, endpoint_id)
        services.pause_endpoint(row, by=self.actor)
        return Response(webhook_data(row))


class WebhookResumeView(WorkspaceView):
    @extend_schema(
        operation_id="webhook_resume",
        tags=["webhooks"],
        summary="Resume it; what waited is sent now",
        request=None,
        responses=WebhookAnswer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        row = queries.get_endpoint(self.actor, endpoint_id)
        services.resume_endpoint(row, by=self.actor)
        return Response(webhook_data(row))


class WebhookTestView(NetworkView):
    @extend_schema(
        operation_id="webhook_test",
        tags=["webhooks"],
        summary="Send a test now, and say what came of it",
        request=None,
        responses=WholeDeliveryAnswer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        row = services.try_endpoint(endpoint_id, by=self.actor)
        with workspace_scope(self.actor.workspace.pk):
            return Response(whole_delivery(row))


class WebhookReplayAllView(WorkspaceView):
    @extend_schema(
        operation_id="webhook_replay_failed",
        tags=["webhooks"],
        summary="Send all again that failed since a moment",
        request=ReplayInput,
        responses=ReplayAnswer,
        examples=[SINCE],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        row = queries.get_endpoint(self.actor, endpoint_id)
        since = valid(ReplayInput(data=request.data))["since"]
        return Response({"count": services.replay_failed(row, since, by=self.actor)})


class WebhookDeliveryListView(ListView):
    @extend_schema(
        operation_id="webhook_deliveries",
        tags=["webhooks"],
        summary="What was sent to it in the last 30 days, newest first",
        parameters=[STATUS, KIND],
        responses=WebhookDeliveryAnswer(many=True),
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        row = queries.get_endpoint(self.actor, endpoint_id)
        return page_of(self, queries.search_deliveries(self.actor, row, request.query_params), delivery_data)


class WebhookDeliveryView(WorkspaceView):
    @extend_schema(
        operation_id="webhook_delivery",
        tags=["webhooks"],
        summary="One delivery with its body and every try",
        responses=WholeDeliveryAnswer,
    )
    def get(self, request: Request, webhook_delivery_id: UUID) -> Response:
        return Response(whole_delivery(queries.get_delivery(self.actor, webhook_delivery_id)))


class WebhookReplayView(WorkspaceView):
    @extend_schema(
        operation_id="webhook_replay",
        tags=["webhooks"],
        summary="Send it again",
        request=None,
        responses={201: WebhookDeliveryAnswer},
    )
    def post(self, request: Request, webhook_delivery_id: UUID) -> Response:
        row = queries.get_delivery(self.actor, webhook_delivery_id)
        return Response(delivery_data(services.replay_delivery(row, by=self.actor)), status=201)
