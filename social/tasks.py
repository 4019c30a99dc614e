from datetime import timedelta
from uuid import UUID

import structlog
from celery import shared_task

from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from social import services
from social.models import Connection, Credential, OAuthState
from social.networks.port import NetworkError
from social.telegram import codes, handlers, receiver

log = structlog.get_logger(__name__)

# A little less than a day: the daily run must find those of the day before.
CHECK_AGE = timedelta(hours=20)
BATCH = 100


@shared_task(name="social.revoke_credential")
def revoke_credential(workspace_id: str, connection_id: str) -> None:
    """One try; `sweep_revocations` finds what is left."""
    try:
        services.revoke_tokens(UUID(workspace_id), UUID(connection_id))
    except NetworkError as error:
        log.warning("revoke_failed", connection=connection_id, code=error.code)


@shared_task(name="social.sweep_revocations")
def sweep_revocations() -> None:
    with all_workspaces_scope("find tokens of disconnected accounts"):
        left = list(
            Credential.objects.filter(connection__status=Connection.Status.DISCONNECTED)
            .order_by("updated_at")
            .values_list("workspace_id", "connection_id")[:BATCH]
        )
    for workspace_id, connection_id in left:
        revoke_credential(str(workspace_id), str(connection_id))


@shared_task(name="social.check_connection")
def check_connection(workspace_id: str, connection_id: str) -> None:
    with workspace_scope(workspace_id):
        connection = Connection.objects.select_related("workspace").filter(pk=connection_id).first()
    if connection is None:
        return
    try:
        services.check_connection(connection)
    except NetworkError as error:
        log.info("check_failed", connection=connection_id, code=error.code)


@shared_task(name="social.check_connections")
def check_connections() -> None:
    """Once a day for each account: X charges for the call."""
    with all_workspaces_scope("find accounts to check"):
        due = list(
            Connection.objects.filter(status=Connection.Status.ACTIVE, checked_at__lt=now() - CHECK_AGE)
            .order_by("checked_at")
            .values_list("workspace_id", "pk")
        )
    for workspace_id, connection_id in due:
        check_connection.delay(str(workspace_id), str(connection_id))


@shared_task(name="social.forget_oauth_states")
def forget_oauth_states() -> None:
    """They hold a verifier, which is of no use once the state has expired."""
    with all_workspaces_scope("delete expired connect states"):
        OAuthState.objects.filter(expires_at__lt=now()).delete()


# --- Telegram ---------------------------------------------------------------------------------------------------


@shared_task(name="social.receive_updates", expires=10)
def receive_updates() -> None:
    receiver.receive_all()
    for bot_id in receiver.bots_with_work():
        handle_updates.delay(bot_id)


@shared_task(name="social.handle_updates")
def handle_updates(bot_id: int) -> None:
    handlers.handle_updates(bot_id)


@shared_task(name="social.forget_updates")
def forget_updates() -> None:
    receiver.forget_updates()
    codes.forget_codes()
