from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from integrations.models import OutsideServer


def outside_servers(by: Actor) -> QuerySet[OutsideServer]:
    """For admins: what assistants may reach is a setting."""
    by.require(Perm.TOOLS)
    return OutsideServer.objects.filter(workspace=by.workspace).select_related("created_by")


def find_outside(outside_id: UUID, *, by: Actor) -> OutsideServer:
    found = outside_servers(by).filter(pk=outside_id).first()
    if found is None:
        raise Http404
    return found
