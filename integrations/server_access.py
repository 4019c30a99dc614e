"""The only way to load a personal server: one's own, or as an admin any of the workspace."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from integrations.models import McpServer


def servers_of(by: Actor) -> QuerySet[McpServer]:
    """Newest first: an admin sees everybody's."""
    by.require(Perm.VIEW)
    rows = McpServer.objects.filter(workspace=by.workspace).select_related("user", "workspace")
    return rows if is_admin(by) else rows.filter(user=by.user)


def find_server(server_id: UUID, *, by: Actor) -> McpServer:
    found = servers_of(by).filter(pk=server_id).first()
    if found is None:
        raise Http404
    return found


def is_admin(by: Actor) -> bool:
    return by.can(Perm.API_KEYS)


def is_own(server: McpServer, by: Actor) -> bool:
    return by.user is not None and server.user_id == by.user.pk
