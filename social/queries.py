from django.db.models import F

from accounts.models import Workspace
from social.models import Connection, ConnectionQuerySet, NetworkApp


def with_access(connections: ConnectionQuerySet) -> ConnectionQuerySet:
    """Adds when the access ends; the tokens themselves stay closed."""
    return connections.select_related("connected_by").annotate(
        access_ends_at=F("credential__expires_at"),
        credential_kind=F("credential__kind"),
        credential_app=F("credential__app_id"),
        bot_username=F("credential__bot__username"),
    )


def shown_connections(workspace: Workspace) -> ConnectionQuerySet:
    return with_access(Connection.objects.shown().filter(workspace=workspace))


def own_apps(workspace: Workspace) -> list[NetworkApp]:
    """The workspace's apps for OAuth 2.0, without their secrets."""
    apps = NetworkApp.objects.filter(workspace=workspace).exclude(client_id="")
    return list(apps.only("id", "workspace_id", "name", "client_id", "created_at"))
