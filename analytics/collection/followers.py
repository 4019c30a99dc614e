"""Followers or members of each account, once a UTC day."""

import structlog
from django.db.models import Exists, OuterRef

from accounts import usage
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.models import FollowerCount
from lib.clock import now
from social import credentials
from social.models import Connection, Network
from social.networks.port import NetworkError
from social.networks.x import prices

log = structlog.get_logger(__name__)
BATCH = 50


def read_followers() -> int:
    """How many accounts were counted."""
    with all_workspaces_scope("accounts that were not counted today"):
        counted = FollowerCount.objects.filter(connection=OuterRef("pk"), day=now().date())
        rows = Connection.objects.filter(~Exists(counted), status=Connection.Status.ACTIVE)
        rows = rows.filter(workspace__is_stopped=False, workspace__is_suspended=False)
        # A private chat with the bot has nobody else in it.
        # By chance: those that fail do not stand in the way of the others.
        due = list(rows.exclude(kind="private").order_by("?")[:BATCH])
    return sum(map(_count, due))


def _count(connection: Connection) -> bool:
    try:
        number = _known_today(connection)
        if number is None:
            number = _ask(connection)
    except NetworkError as error:
        log.info("followers_not_read", connection=str(connection.pk), code=error.code)
        return False
    if number is None:
        return False
    with workspace_scope(connection.workspace_id):
        FollowerCount.objects.update_or_create(
            workspace_id=connection.workspace_id,
            connection=connection,
            day=now().date(),
            defaults={"count": number, "at": now()},
        )
        Connection.objects.filter(pk=connection.pk).update(followers=number)
    return True


def _known_today(connection: Connection) -> int | None:
    """The daily check of the account has asked already."""
    is_fresh = connection.checked_at is not None and connection.checked_at.date() == now().date()
    return connection.followers if is_fresh else None


def _ask(connection: Connection) -> int | None:
    """None where the monthly cap has no money for it. The client books what it cost under the same key."""
    key, workspace = f"user:{connection.remote_id}:{now():%Y-%m-%d}", Workspace(pk=connection.workspace_id)
    if connection.network == Network.X:
        try:
            with workspace_scope(connection.workspace_id):
                owner = Workspace.objects.get(pk=connection.workspace_id)
                usage.reserve(owner, key, "x.read", prices.USER_READ, connection_id=connection.pk)
        except usage.BudgetExceeded:
            return None
    try:
        number = credentials.open_client(connection).read_followers()
    except NetworkError:
        with workspace_scope(connection.workspace_id):
            usage.release(workspace, key)
        raise
    with workspace_scope(connection.workspace_id):
        usage.settle(workspace, key)
    return number
