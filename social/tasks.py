from uuid import UUID

import structlog
from celery import shared_task

from accounts.scope import all_workspaces_scope
from social import services
from social.models import Connection, Credential
from social.networks.port import NetworkError

log = structlog.get_logger(__name__)


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
            Credential.objects.filter(connection__status=Connection.Status.DISCONNECTED).values_list(
                "workspace_id", "connection_id"
            )[:100]
        )
    for workspace_id, connection_id in left:
        revoke_credential(str(workspace_id), str(connection_id))


@shared_task(name="social.check_connections")
def check_connections() -> None:
    """Once a day for each account: X charges for the call."""
    with all_workspaces_scope("find accounts to check"):
        connections = list(
            Connection.objects.select_related("workspace")
            .filter(status=Connection.Status.ACTIVE)
            .order_by("checked_at")[:500]
        )
    for connection in connections:
        try:
            services.check_connection(connection)
        except NetworkError as error:
            log.info("check_failed", connection=str(connection.pk), code=error.code)
