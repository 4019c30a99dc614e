"""/api/connections/health: what the networks' answers say about the accounts, and what follows from it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.account_health import health_cards
from campaigns.api.answers import Data
from compliance.models import AccountHealth
from social.access import get_connection
from social.models import Connection
from social.queries import shown_connections

State = AccountHealth.State


class HealthAnswer(serializers.Serializer[Any]):
    connection = serializers.UUIDField()
    state = serializers.ChoiceField(State.choices)
    text = serializers.CharField(allow_blank=True, help_text="What it means for its posts; empty while healthy.")
    reasons = serializers.ListField(child=serializers.CharField())
    since = serializers.DateTimeField(allow_null=True)
    is_forced = serializers.BooleanField(help_text="Set by the staff of this installation, until they take it back.")


class HealthListAnswer(serializers.Serializer[Any]):
    results = HealthAnswer(many=True)


HEALTHY: Data = {"state": State.HEALTHY.value, "text": "", "reasons": [], "since": None, "is_forced": False}


def health_data(connections: Iterable[Connection]) -> list[Data]:
    """In one query, however many."""
    ids = [row.pk for row in connections]
    cards = health_cards(ids)
    return [{"connection": pk} | {name: cards.get(pk, HEALTHY)[name] for name in HEALTHY} for pk in ids]


class HealthListView(WorkspaceView):
    @extend_schema(
        operation_id="connections_health",
        tags=["connections"],
        summary="How the networks treat the workspace's accounts",
        responses=HealthListAnswer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        return Response({"results": health_data(shown_connections(self.actor.workspace))})


class HealthView(WorkspaceView):
    @extend_schema(
        operation_id="connection_health",
        tags=["connections"],
        summary="How the network treats one account",
        responses=HealthAnswer,
    )
    def get(self, request: Request, connection_id: UUID) -> Response:
        (answer,) = health_data([get_connection(self.actor, connection_id)])
        return Response(answer)
