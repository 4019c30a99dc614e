"""/api/twitter/* and /api/connections."""

from datetime import timedelta
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.rest import WorkspaceView, paged
from lib.clock import now
from social import connect, queries, services
from social.access import get_connection
from social.models import Network
from social.serializers import AuthorizeSerializer, ConnectionSerializer, DisconnectSerializer, StatusSerializer


class TwitterConnectView(WorkspaceView):
    @extend_schema(
        operation_id="twitter_connect",
        tags=["connections"],
        summary="Start connecting an X account",
        request=None,
        responses={201: AuthorizeSerializer},
    )
    def post(self, request: Request) -> Response:
        url = connect.start_connect(by=self.actor, session_key="")
        expires_at = now() + timedelta(minutes=connect.STATE_MINUTES)
        data = AuthorizeSerializer({"authorize_url": url, "expires_at": expires_at}).data
        return Response(data, status=201)


class TwitterStatusView(WorkspaceView):
    @extend_schema(
        operation_id="twitter_status",
        tags=["connections"],
        summary="The workspace's X accounts and their health",
        responses=StatusSerializer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        rows = queries.shown_connections(self.actor.workspace).filter(network=Network.X)
        return Response(StatusSerializer({"connections": rows}).data)


class TwitterDisconnectView(WorkspaceView):
    @extend_schema(
        operation_id="twitter_disconnect",
        tags=["connections"],
        summary="Stop using an X account; its tokens are revoked",
        request=DisconnectSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        given = valid(DisconnectSerializer(data=request.data))
        services.disconnect(get_connection(self.actor, given["connection"]), by=self.actor)
        return Response(status=204)


class ConnectionListView(ListView):
    @extend_schema(
        operation_id="connections",
        tags=["connections"],
        summary="Connected accounts",
        responses=ConnectionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        return paged(self, queries.shown_connections(self.actor.workspace), ConnectionSerializer)


class ConnectionView(WorkspaceView):
    @extend_schema(
        operation_id="connection", tags=["connections"], summary="One account", responses=ConnectionSerializer
    )
    def get(self, request: Request, connection_id: UUID) -> Response:
        return Response(ConnectionSerializer(get_connection(self.actor, connection_id)).data)


class ConnectionCheckView(WorkspaceView):
    @extend_schema(
        operation_id="connection_check",
        tags=["connections"],
        summary="Ask the network whether the account works",
        description="Answered before the network is asked: `checked_at` of the connection tells when it was done.",
        request=None,
        responses={202: ConnectionSerializer},
    )
    def post(self, request: Request, connection_id: UUID) -> Response:
        connection = get_connection(self.actor, connection_id)
        services.request_check(connection, by=self.actor)
        return Response(ConnectionSerializer(connection).data, status=202)
