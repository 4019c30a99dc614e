"""How many accounts a workspace may connect: its plan's number."""

from typing import Any

from django.db.models import QuerySet

from accounts import plans
from accounts.models import Workspace
from social.models import Connection


def require_place(workspace: Workspace, **identity: Any) -> None:
    """Raises PlanLimit where the plan has no room for one more account. Inside the scope, before storing it."""
    if not connected(workspace).filter(**identity).exists():
        plans.require_room(workspace, "connections", connected(workspace).count)


def connected(workspace: Workspace) -> QuerySet[Connection]:
    return Connection.objects.filter(workspace=workspace).exclude(status=Connection.Status.DISCONNECTED)


def count_connected(workspace: Workspace) -> int:
    return connected(workspace).count()
