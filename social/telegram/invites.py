"""Named invite links: who came by which."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from lib.clock import now
from social.models import Connection, InviteLink, Network
from social.networks.port import Failure, NetworkError
from social.networks.telegram import api
from social.telegram import bots
from social.telegram.bots import KnownBot
from social.telegram.chats import chat_id_of

MAX_NAME = 32
MAX_MEMBERS = 99_999


def create_invite_link(
    connection: Connection,
    *,
    by: Actor,
    name: str,
    member_limit: int | None = None,
    expires_at: datetime | None = None,
    needs_approval: bool = False,
    campaign_id: UUID | None = None,
) -> InviteLink:
    """Call it outside a transaction: Telegram makes the link."""
    by.require(Perm.CONNECTIONS)
    bot = bot_of(connection)
    _check_terms(name := name.strip(), member_limit, expires_at, needs_approval)
    try:
        url = api.create_invite_link(
            bot.token,
            chat_id_of(connection.remote_id),
            name=name,
            expires_at=expires_at,
            member_limit=member_limit,
            needs_approval=needs_approval,
        )
    except NetworkError as error:
        raise ValidationError(error.message) from error
    with workspace_scope(by.workspace.pk):
        link = InviteLink.objects.create(
            workspace=by.workspace,
            connection=connection,
            campaign_id=campaign_id,
            name=name,
            url=url,
            member_limit=member_limit,
            needs_approval=needs_approval,
            expires_at=expires_at,
            created_by=by.user,
        )
        audit.record("invite_link.create", link, by=by, name=name, connection=str(connection))
    return link


def _check_terms(name: str, member_limit: int | None, expires_at: datetime | None, needs_approval: bool) -> None:
    if not 1 <= len(name) <= MAX_NAME:
        raise ValidationError({"name": f"A name has 1 to {MAX_NAME} characters."})
    if member_limit is not None and not 1 <= member_limit <= MAX_MEMBERS:
        raise ValidationError({"member_limit": f"Between 1 and {MAX_MEMBERS:,}."})
    if member_limit and needs_approval:
        raise ValidationError({"member_limit": "A link with approval cannot have a limit: you decide about each."})
    if expires_at and expires_at <= now():
        raise ValidationError({"expires_at": "This is in the past."})


def bot_of(connection: Connection) -> KnownBot:
    if connection.network != Network.TELEGRAM or connection.status == Connection.Status.DISCONNECTED:
        raise ValidationError("This is not a connected Telegram chat.")
    with workspace_scope(connection.workspace_id):
        bot = bots.find_bot(connection.workspace, bots.bot_id_of(connection))
    if bot is None:
        raise ValidationError("This chat's bot is gone. Connect the chat again.")
    return bot


def revoke_invite_link(link: InviteLink, *, by: Actor) -> None:
    """Nobody else gets in by it. Call it outside a transaction."""
    by.require(Perm.CONNECTIONS)
    if link.revoked_at:
        return
    bot = bot_of(link.connection)
    try:
        api.revoke_invite_link(bot.token, chat_id_of(link.connection.remote_id), link.url)
    except NetworkError as error:
        # Telegram does not know it (any more): then nobody can use it either.
        if error.failure is not Failure.REJECTED:
            raise ValidationError(error.message) from error
    with workspace_scope(by.workspace.pk):
        if InviteLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now()):
            audit.record("invite_link.revoke", link, by=by, name=link.name)
