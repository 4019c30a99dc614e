"""Acts on connected accounts: checking, pausing, suspending, disconnecting."""

from functools import partial
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm, system_actor
from accounts.scope import workspace_scope
from accounts.staff import STAFF, clean_reason
from lib.clock import now
from social import credentials
from social.credentials import tell_connection
from social.models import Connection, Credential, UnknownPolicy
from social.networks.port import Account, Failure, NetworkError
from social.networks.x import oauth

__all__ = [
    "check_connection",
    "disconnect",
    "pause_by_network",
    "request_check",
    "revoke_tokens",
    "set_paused",
    "set_unknown_policy",
    "suspend",
    "tell_connection",
    "unsuspend",
]

Status = Connection.Status


def disconnect(connection: Connection, *, by: Actor) -> None:
    """Stop using the account now; the tokens are revoked on X by a task and then deleted."""
    from social import tasks

    by.require(Perm.CONNECTIONS)
    with transaction.atomic():
        changed = (
            Connection.objects.shown()
            .filter(pk=connection.pk)
            .update(status=Status.DISCONNECTED, status_text=f"Disconnected by {by.label}.")
        )
        if not changed:
            return
        connection.refresh_from_db()
        transaction.on_commit(partial(tasks.revoke_credential.delay, str(connection.workspace_id), str(connection.pk)))
        audit.record("connection.disconnect", connection, by=by, handle=str(connection))


def set_paused(connection: Connection, paused: bool, *, by: Actor) -> bool:
    """False when there was nothing to change: it is not active, or not paused."""
    by.require(Perm.CONNECTIONS)
    before, after = (Status.ACTIVE, Status.PAUSED) if paused else (Status.PAUSED, Status.ACTIVE)
    text = f"Paused by {by.label}." if paused else ""
    with transaction.atomic():
        if not _move(connection, before, after, text):
            return False
        audit.record(f"connection.{'pause' if paused else 'resume'}", connection, by=by, handle=str(connection))
    return True


def set_unknown_policy(connection: Connection, policy: str, *, by: Actor) -> None:
    """What becomes of a post of which nobody can find out whether it is live."""
    by.require(Perm.CONNECTIONS)
    with transaction.atomic():
        others = Connection.objects.filter(pk=connection.pk).exclude(unknown_policy=policy)
        if others.update(unknown_policy=UnknownPolicy(policy)):
            audit.record("connection.policy", connection, by=by, handle=str(connection), policy=policy)


def suspend(connection: Connection, *, staff: str, reason: str) -> bool:
    """Staff stop an account at once, whatever its state; needs the all-workspaces scope."""
    reason = clean_reason(reason)
    text = f"{credentials.SUSPENDED} The reason: {reason}"[:300]
    with transaction.atomic():
        shown = Connection.objects.shown().exclude(status=Status.SUSPENDED)
        if not shown.filter(pk=connection.pk).update(status=Status.SUSPENDED, status_text=text):
            return False
        connection.refresh_from_db()
        tell_connection(connection, f"{connection} was suspended by staff: {reason}")
        _record_by_staff("connection.suspend", connection, staff, reason)
    return True


def unsuspend(connection: Connection, *, staff: str, reason: str) -> bool:
    """It comes back paused, so that nothing goes out before its owner has looked."""
    reason = clean_reason(reason)
    text = "No longer suspended. Resume it when you are ready."
    with transaction.atomic():
        if not _move(connection, Status.SUSPENDED, Status.PAUSED, text):
            return False
        tell_connection(connection, f"{connection} is no longer suspended, so resume it when you are ready: {reason}")
        _record_by_staff("connection.unsuspend", connection, staff, reason)
    return True


def _record_by_staff(action: str, connection: Connection, staff: str, reason: str) -> None:
    """One row in the workspace's trail, where staff are nobody in particular, and one in their own."""
    by = system_actor(connection.workspace, STAFF, ())
    audit.record(action, connection, by=by, handle=str(connection), reason=reason)
    audit.record_staff(action, connection, staff=staff, handle=str(connection), reason=reason)


def _move(connection: Connection, before: str, after: str, text: str) -> bool:
    changed = Connection.objects.filter(pk=connection.pk, status=before).update(status=after, status_text=text)
    connection.refresh_from_db()
    return bool(changed)


def pause_by_network(connection: Connection, error: NetworkError) -> None:
    """Out of credits or over the cap: stop, and tell those who can act."""
    changed = Connection.objects.filter(pk=connection.pk, status=Status.ACTIVE).update(
        status=Status.PAUSED, status_text=error.message[:300], checked_at=now()
    )
    if changed:
        tell_connection(connection, f"{connection} is paused: {error.message}")


def follow_move(connection: Connection, new_chat: str) -> None:
    """A group became a supergroup: its account goes by another id from now on, and keeps its topic."""
    topic = connection.remote_id.partition(":")[2]
    remote_id = f"{new_chat}:{topic}" if topic else new_chat
    same = Connection.objects.filter(workspace=connection.workspace_id, network=connection.network, remote_id=remote_id)
    # Somebody may have connected the supergroup by itself already.
    if same.exists():
        return
    first = connection.origin_id or connection.remote_id
    Connection.objects.filter(pk=connection.pk).update(remote_id=remote_id, origin_id=first, kind="supergroup")


# --- checking ---------------------------------------------------------------------------------------------


def request_check(connection: Connection, *, by: Actor) -> None:
    """Let a worker ask the network; for callers inside a transaction."""
    from social import tasks

    by.require(Perm.CONNECTIONS)
    if connection.status == Status.DISCONNECTED:
        raise ValidationError("This account is disconnected. Connect it again first.")
    transaction.on_commit(partial(tasks.check_connection.delay, str(connection.workspace_id), str(connection.pk)))


def check_connection(connection: Connection) -> Connection:
    """Ask the network who this is. Call it outside a transaction."""
    try:
        account = _who_is(connection)
    except NetworkError as error:
        with workspace_scope(connection.workspace_id):
            if error.failure is Failure.UNAUTHORIZED:
                credentials.mark_reconnect(connection, error.message)
            Connection.objects.filter(pk=connection.pk).update(checked_at=now())
        raise
    with workspace_scope(connection.workspace_id):
        Connection.objects.filter(pk=connection.pk).update(
            handle=account.handle,
            # A topic has a name of its own, which the network does not tell.
            name=connection.name if ":" in connection.remote_id else account.name,
            is_premium=account.is_premium,
            followers=account.followers,
            checked_at=now(),
        )
        # X answered to this log-in, so whatever ended it before is over.
        _move(connection, Status.RECONNECT, Status.ACTIVE, "")
    return connection


def _who_is(connection: Connection) -> Account:
    # Read first: whoever refreshes between this and our call has then already done it for us.
    version = credentials.credential_version(connection)
    try:
        return credentials.open_client(connection).me()
    except NetworkError as error:
        if error.failure is not Failure.UNAUTHORIZED or error.code != "unauthorized":
            raise
    # X sometimes refuses an access token before its time.
    credentials.refresh_credential(connection, seen_version=version)
    return credentials.open_client(connection).me()


# --- after disconnecting ----------------------------------------------------------------------------------


def revoke_tokens(workspace_id: UUID, connection_id: UUID) -> None:
    """Revoke at X, then delete. Raises NetworkError when X is away: the row stays and the task comes again."""
    with workspace_scope(workspace_id):
        credential = (
            Credential.objects.select_related("app")
            .filter(connection_id=connection_id, connection__status=Status.DISCONNECTED)
            .first()
        )
        if credential is None:
            return
        # The sweep takes the oldest first: one that cannot be revoked must not hold up the others.
        Credential.objects.filter(pk=credential.pk).update(updated_at=now())
    # OAuth 1.0a keys belong to the customer and go on living.
    if credential.kind == Credential.Kind.OAUTH2:
        for token in filter(None, (credential.refresh_token, credential.access_token)):
            _revoke(credentials.app_of(credential.app), token)
    with workspace_scope(workspace_id):
        Credential.objects.filter(pk=credential.pk, version=credential.version).delete()


def _revoke(keys: oauth.App, token: str) -> None:
    try:
        oauth.revoke(keys, token)
    except NetworkError as error:
        # A token that X does not know any more needs no revoking.
        if error.failure is not Failure.UNAUTHORIZED:
            raise
