from uuid import UUID

from django.http import Http404

from accounts.access import Actor, Perm
from social.models import Connection


def get_connection(actor: Actor, connection_id: UUID) -> Connection:
    actor.require(Perm.VIEW)
    connection = Connection.objects.filter(workspace=actor.workspace, pk=connection_id).first()
    if connection is None:
        raise Http404("No such connection.")
    return connection
