from uuid import UUID

from django.http import Http404

from accounts.access import Actor, Perm
from social.models import Bot, Connection, InviteLink, NetworkApp
from social.queries import with_access
from social.telegram import bots
from social.telegram.bots import KnownBot


def get_connection(actor: Actor, connection_id: UUID) -> Connection:
    actor.require(Perm.VIEW)
    connection = with_access(Connection.objects.filter(workspace=actor.workspace, pk=connection_id)).first()
    if connection is None:
        raise Http404("No such connection.")
    return connection


def get_own_app(actor: Actor, app_id: UUID) -> NetworkApp:
    actor.require(Perm.CONNECTIONS)
    app = NetworkApp.objects.filter(workspace=actor.workspace, pk=app_id).exclude(client_id="").first()
    if app is None:
        raise Http404("No such app.")
    return app


def get_bot(actor: Actor, bot_id: int) -> KnownBot:
    """The instance's bot or one of the workspace's."""
    actor.require(Perm.CONNECTIONS)
    bot = bots.find_bot(actor.workspace, bot_id)
    if bot is None:
        raise Http404("No such bot.")
    return bot


def get_own_bot(actor: Actor, bot_id: int) -> Bot:
    actor.require(Perm.CONNECTIONS)
    bot = Bot.objects.filter(workspace=actor.workspace, bot_id=bot_id).first()
    if bot is None:
        raise Http404("No such bot.")
    return bot


def get_invite_link(actor: Actor, link_id: UUID) -> InviteLink:
    actor.require(Perm.CONNECTIONS)
    links = InviteLink.objects.select_related("connection__workspace")
    link = links.filter(workspace=actor.workspace, pk=link_id).first()
    if link is None:
        raise Http404("No such invite link.")
    return link
