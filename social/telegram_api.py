"""/api/telegram/*. What asks Telegram stands outside of any transaction."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.rest import NetworkView, WorkspaceView, paged
from accounts.scope import workspace_scope
from social import queries, services
from social.access import get_bot, get_connection, get_invite_link, get_own_bot
from social.models import Connection, InviteLink, Network
from social.networks.port import NetworkError
from social.serializers import ConnectionSerializer, DisconnectSerializer, StatusSerializer
from social.telegram import bots, chats, codes, invites, links, receiver
from social.telegram.bots import KnownBot
from social.telegram_serializers import (
    BotChoiceSerializer,
    BotSerializer,
    BotsSerializer,
    ChatsSerializer,
    CodeSerializer,
    ConnectChatSerializer,
    InviteLinkSerializer,
    NewBotSerializer,
    NewInviteLinkSerializer,
)

NO_BOT = "This instance has no bot: add one of your own, and name it as `bot`."
BOT = OpenApiParameter("bot", int, description="Id of the bot. Left out: the bot of this instance.")


def _bot(view: WorkspaceView, bot_id: int | None) -> KnownBot:
    with workspace_scope(view.actor.workspace.pk):
        bot_id = bot_id or bots.instance_bot_id()
        if bot_id is None:
            raise ValidationError({"bot": NO_BOT})
        return get_bot(view.actor, bot_id)


def _connection(view: WorkspaceView, connection_id: UUID) -> Connection:
    with workspace_scope(view.actor.workspace.pk):
        connection = get_connection(view.actor, connection_id)
    if connection.network != Network.TELEGRAM:
        raise Http404("No such Telegram chat.")
    connection.workspace = view.actor.workspace
    return connection


class BotListView(NetworkView):
    @extend_schema(
        operation_id="telegram_bots", tags=["telegram"], summary="Bots to post with", responses=BotsSerializer
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        with workspace_scope(self.actor.workspace.pk):
            found = bots.usable_bots(self.actor.workspace)
        return Response(BotsSerializer({"bots": found}).data)

    @extend_schema(
        operation_id="telegram_bot_add",
        tags=["telegram"],
        summary="Add a bot of your own",
        request=NewBotSerializer,
        responses={201: BotSerializer},
    )
    def post(self, request: Request) -> Response:
        token = valid(NewBotSerializer(data=request.data))["token"]
        bot = bots.add_bot(token, by=self.actor)
        return Response(BotSerializer(_bot(self, bot.bot_id)).data, status=201)


class BotView(NetworkView):
    @extend_schema(
        operation_id="telegram_bot_remove",
        tags=["telegram"],
        summary="Remove a bot of your own, and its token",
        responses={204: None},
    )
    def delete(self, request: Request, bot_id: int) -> Response:
        with workspace_scope(self.actor.workspace.pk):
            bot = get_own_bot(self.actor, bot_id)
        bots.remove_bot(bot, by=self.actor)
        return Response(status=204)


class CodeView(NetworkView):
    @extend_schema(
        operation_id="telegram_code",
        tags=["telegram"],
        summary="A code that shows which chat is yours",
        description="Needed with the bot of this instance, where your linked account has not added the bot itself.",
        request=BotChoiceSerializer,
        responses={201: CodeSerializer},
    )
    def post(self, request: Request) -> Response:
        given = valid(BotChoiceSerializer(data=request.data))
        try:
            bots.meet_instance_bot()
        except NetworkError as error:
            raise ValidationError({"bot": error.message}) from error
        bot = _bot(self, given.get("bot"))
        with workspace_scope(self.actor.workspace.pk):
            code = codes.create_code(codes.Purpose.CONNECT, bot.bot_id, by=self.actor)
        answer = {
            "code": code.text,
            "command": f"/connect {code.text}",
            "add_to_channel": links.add_to_channel(bot.username),
            "add_to_group": links.add_to_group(bot.username, code.text),
            "expires_at": code.expires_at,
        }
        return Response(CodeSerializer(answer).data, status=201)


class ChatListView(WorkspaceView):
    @extend_schema(
        operation_id="telegram_chats",
        tags=["telegram"],
        summary="Chats that may be connected",
        parameters=[BOT],
        responses=ChatsSerializer,
    )
    def get(self, request: Request) -> Response:
        bot = _bot(self, valid(BotChoiceSerializer(data=request.query_params)).get("bot"))
        receiver.wake(bot.bot_id)
        return Response(ChatsSerializer({"chats": chats.connectable_chats(bot, by=self.actor)}).data)


class ConnectView(NetworkView):
    @extend_schema(
        operation_id="telegram_connect",
        tags=["telegram"],
        summary="Connect a channel, a group or a topic",
        description="The same again reconnects it.",
        request=ConnectChatSerializer,
        responses={201: ConnectionSerializer},
    )
    def post(self, request: Request) -> Response:
        given = valid(ConnectChatSerializer(data=request.data))
        bot = _bot(self, given.get("bot"))
        made = chats.connect_chat(bot, given["chat"], by=self.actor, topic=given.get("topic"))
        return Response(ConnectionSerializer(_connection(self, made.pk)).data, status=201)


class StatusView(WorkspaceView):
    @extend_schema(
        operation_id="telegram_status",
        tags=["telegram"],
        summary="The workspace's Telegram chats and their health",
        responses=StatusSerializer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        rows = queries.shown_connections(self.actor.workspace).filter(network=Network.TELEGRAM)
        return Response(StatusSerializer({"connections": rows}).data)


class DisconnectView(WorkspaceView):
    @extend_schema(
        operation_id="telegram_disconnect",
        tags=["telegram"],
        summary="Stop using a Telegram chat",
        request=DisconnectSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        given = valid(DisconnectSerializer(data=request.data))
        services.disconnect(_connection(self, given["connection"]), by=self.actor)
        return Response(status=204)


class InviteLinkListView(NetworkView, ListView):
    @extend_schema(
        operation_id="telegram_invite_links",
        tags=["telegram"],
        summary="Invite links and who joined by them",
        parameters=[OpenApiParameter("connection", UUID, description="Only those of one chat.")],
        responses=InviteLinkSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        with workspace_scope(self.actor.workspace.pk):
            rows = InviteLink.objects.filter(workspace=self.actor.workspace)
            if wanted := request.query_params.get("connection"):
                rows = rows.filter(connection=_uuid(wanted))
            return paged(self, rows, InviteLinkSerializer)

    @extend_schema(
        operation_id="telegram_invite_link_create",
        tags=["telegram"],
        summary="Make an invite link",
        request=NewInviteLinkSerializer,
        responses={201: InviteLinkSerializer},
    )
    def post(self, request: Request) -> Response:
        given = valid(NewInviteLinkSerializer(data=request.data))
        connection = _connection(self, given.pop("connection"))
        link = invites.create_invite_link(connection, by=self.actor, **given)
        return Response(InviteLinkSerializer(link).data, status=201)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({"connection": "This is not an id."}) from None


class InviteLinkRevokeView(NetworkView):
    @extend_schema(
        operation_id="telegram_invite_link_revoke",
        tags=["telegram"],
        summary="Let nobody else in by a link",
        request=None,
        responses=InviteLinkSerializer,
    )
    def post(self, request: Request, link_id: UUID) -> Response:
        link = self._link(link_id)
        invites.revoke_invite_link(link, by=self.actor)
        return Response(InviteLinkSerializer(self._link(link_id)).data)

    def _link(self, link_id: UUID) -> InviteLink:
        with workspace_scope(self.actor.workspace.pk):
            return get_invite_link(self.actor, link_id)
