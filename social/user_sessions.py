"""MTProto sessions of people, where the operator allows them: kept, leased to one process at a time, ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from lib.clock import now
from lib.ids import uuid7
from social.models import Connection, UserSession
from social.networks.port import Failure, NetworkError

if TYPE_CHECKING:
    from social.networks.telegram.mtproto import SessionReader

Status = UserSession.Status
OFF = "The operator of this instance does not allow sessions of people."
MALFORMED = "This is no session string of Telethon. Make one with StringSession and paste all of it."
BUSY = "Another process is using this session right now."


def add_session(name: str, api_id: int, api_hash: str, session: str, *, by: Actor) -> UserSession:
    """Keep a session once Telegram has answered to it. Call it outside a transaction."""
    by.require(Perm.CONNECTIONS)
    if not settings.MTPROTO:
        raise ValidationError(OFF)
    if not name.strip():
        raise ValidationError({"name": "Give the session a name."})
    _check_session(api_id, api_hash, session := session.strip())
    with workspace_scope(by.workspace.pk):
        row = UserSession.objects.create(
            workspace=by.workspace, name=name.strip()[:120], api_id=api_id, api_hash=api_hash, session=session
        )
        audit.record("user_session.add", row, by=by, name=row.name)
    return row


def _check_session(api_id: int, api_hash: str, session: str) -> None:
    from telethon.sessions import StringSession

    from social.networks.telegram.mtproto import Keys, who_is

    try:
        # Also refuses an empty one, which would only start a log-in.
        if StringSession(session).auth_key is None:
            raise ValueError("no key")
    # Its parser lets through whatever struct, base64 and ipaddress raise.
    except Exception as error:
        raise ValidationError({"session": MALFORMED}) from error
    try:
        who_is(Keys(api_id, api_hash, session))
    except NetworkError as error:
        raise ValidationError({"session": error.message}) from error


def remove_session(session: UserSession, *, by: Actor) -> None:
    by.require(Perm.CONNECTIONS)
    with workspace_scope(by.workspace.pk):
        if UserSession.objects.filter(pk=session.pk).delete()[0]:
            audit.record("user_session.remove", session, by=by, name=session.name)


def pause_session(session: UserSession, *, by: Actor) -> bool:
    by.require(Perm.CONNECTIONS)
    return _change(session, Status.ACTIVE, Status.PAUSED, "user_session.pause", by)


def resume_session(session: UserSession, *, by: Actor) -> bool:
    by.require(Perm.CONNECTIONS)
    return _change(session, Status.PAUSED, Status.ACTIVE, "user_session.resume", by)


def _change(session: UserSession, old: str, new: str, action: str, by: Actor) -> bool:
    with workspace_scope(by.workspace.pk):
        changed = UserSession.objects.filter(pk=session.pk, status=old).update(status=new, status_text="")
        if changed:
            audit.record(action, session, by=by, name=session.name)
    return bool(changed)


def reader_for(connection: Connection) -> "SessionReader | None":
    """Through a session of the same workspace; None where nobody gave one, or the chat is between two people."""
    if not settings.MTPROTO or connection.kind == "private":
        return None
    with workspace_scope(connection.workspace_id):
        session = UserSession.objects.filter(workspace=connection.workspace_id, status=Status.ACTIVE).first()
    return open_reader(session) if session else None


def open_reader(session: UserSession) -> "SessionReader":
    # Telethon is large, and most instances never need it.
    from social.networks.telegram.mtproto import Keys, SessionReader

    keys = Keys(session.api_id, session.api_hash, session.session)
    return SessionReader(keys, lambda: leased(session.workspace_id, session.pk))


@contextmanager
def leased(workspace_id: UUID, session_id: UUID) -> Iterator[None]:
    """Hold the session for one call, and remember what Telegram says about it."""
    holder = str(uuid7())
    _take(workspace_id, session_id, holder)
    try:
        yield
    except NetworkError as error:
        _note(workspace_id, session_id, error)
        raise
    finally:
        with workspace_scope(workspace_id):
            UserSession.objects.filter(pk=session_id, lease_holder=holder).update(lease_until=None, lease_holder="")


def _take(workspace_id: UUID, session_id: UUID, holder: str) -> None:
    # The call ends by itself before the lease does.
    until = now() + timedelta(seconds=2 * settings.TELEGRAM_TIMEOUT_S)
    is_free = Q(lease_until=None) | Q(lease_until__lt=now())
    may_ask = Q(flood_until=None) | Q(flood_until__lte=now())
    with workspace_scope(workspace_id):
        row = UserSession.objects.filter(pk=session_id, status=Status.ACTIVE)
        if row.filter(is_free, may_ask).update(lease_until=until, lease_holder=holder):
            return
        flood_until = row.filter(flood_until__gt=now()).values_list("flood_until", flat=True).first()
    if flood_until:
        text = "Telegram asks this session to wait."
        raise NetworkError(Failure.RATE_LIMIT, "flood_wait", text, retry_at=flood_until)
    raise NetworkError(Failure.TEMPORARY, "session_busy", BUSY)


def _note(workspace_id: UUID, session_id: UUID, error: NetworkError) -> None:
    with workspace_scope(workspace_id):
        row = UserSession.objects.filter(pk=session_id)
        if error.failure is Failure.RATE_LIMIT:
            row.update(flood_until=error.retry_at)
        if error.failure is Failure.UNAUTHORIZED:
            row.filter(status=Status.ACTIVE).update(status=Status.BROKEN, status_text=error.message[:300])
