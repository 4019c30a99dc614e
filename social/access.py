from uuid import UUID

from django.http import Http404

from accounts.access import Actor, Perm
from social.models import Connection, NetworkApp
from social.queries import with_access


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
