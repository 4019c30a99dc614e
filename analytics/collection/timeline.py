"""Posts made elsewhere: by hand, or by another app. Found by reading the account's own timeline, a few times a day."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef

from accounts import usage
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.collection.adopt import new_post
from analytics.collection.telegram import MAX_TEXT, ours_among
from analytics.models import MeasuredPost
from campaigns.models import InboxCursor
from lib.clock import now
from lib.text import storable
from social import credentials
from social.models import Connection, Network
from social.networks.port import NetworkError, RemotePost
from social.networks.x import prices

log = structlog.get_logger(__name__)
KIND = "timeline"
EVERY, AFTER_FAILURE = timedelta(hours=3), timedelta(hours=1)
# How far back the first reading goes; of a busy account it sees the newest hundred.
FIRST = timedelta(days=30)
PAGE = 100
BATCH = 50
NO_MONEY = "The monthly cap has no money left for reading posts made elsewhere."


def import_due() -> int:
    """How many posts made elsewhere were found."""
    at = now()
    with all_workspaces_scope("accounts whose own posts are read"):
        rows = Connection.objects.filter(network=Network.X, status=Connection.Status.ACTIVE)
        rows = rows.filter(workspace__is_stopped=False, workspace__is_suspended=False)
        waits = InboxCursor.objects.filter(connection=OuterRef("pk"), kind=KIND, next_at__gt=at)
        due = list(rows.filter(~Exists(waits)).select_related("workspace")[:BATCH])
    return sum(map(import_timeline, due))


def import_timeline(connection: Connection) -> int:
    """Nothing where another worker reads it, where it is not X, or where the monthly cap would be passed."""
    if connection.network != Network.X:
        return 0
    with workspace_scope(connection.workspace_id):
        cursor = _take_turn(connection)
        is_paid = cursor is not None and _hold(connection)
    if cursor is None:
        return 0
    if not is_paid:
        _close(connection, cursor.pk, problem=NO_MONEY)
        return 0
    try:
        since = None if cursor.since_id else now() - FIRST
        posts = credentials.open_client(connection).read_timeline(cursor.since_id, since)
    except NetworkError as error:
        log.warning("timeline_not_read", connection=str(connection.pk), code=error.code)
        _close(connection, cursor.pk, problem=error.message, wait=AFTER_FAILURE)
        return 0
    finally:
        # The client has booked what each post cost.
        _release(connection)
    with workspace_scope(connection.workspace_id):
        count = keep_posts(connection, posts)
    newest = max([cursor.since_id, *(post.remote_id for post in posts)], key=lambda pk: int(pk or 0))
    _close(connection, cursor.pk, since_id=newest)
    return count


def keep_posts(connection: Connection, posts: Sequence[RemotePost]) -> int:
    """Those that are not ours and not known yet. Inside the workspace's scope."""
    ours = ours_among(connection, [post.remote_id for post in posts]) if posts else set()
    rows = [
        new_post(
            connection,
            post.remote_id,
            text=storable(post.text)[:MAX_TEXT],
            url=post.url,
            published_at=post.created_at,
        )
        for post in posts
        if post.remote_id not in ours
    ]
    MeasuredPost.objects.bulk_create(rows, ignore_conflicts=True)
    return MeasuredPost.objects.filter(pk__in=[row.pk for row in rows]).count()


def _take_turn(connection: Connection) -> InboxCursor | None:
    """By moving it: a second worker finds it gone, a dead one costs a turn."""
    at = now()
    cursor, _ = InboxCursor.objects.get_or_create(
        workspace_id=connection.workspace_id, connection=connection, kind=KIND, defaults={"next_at": at}
    )
    is_mine = InboxCursor.objects.filter(pk=cursor.pk, next_at__lte=at).update(next_at=at + AFTER_FAILURE)
    return cursor if is_mine else None


def _hold(connection: Connection) -> bool:
    """What a full page may cost. The same key for the same account: a lost worker's hold is found again."""
    workspace = Workspace.objects.get(pk=connection.workspace_id)
    try:
        usage.reserve(workspace, _key(connection), "x.read", PAGE * prices.POST_READ, connection_id=connection.pk)
    except usage.BudgetExceeded:
        return False
    return True


def _release(connection: Connection) -> None:
    with workspace_scope(connection.workspace_id):
        usage.release(Workspace(pk=connection.workspace_id), _key(connection))


def _key(connection: Connection) -> str:
    return f"timeline:{connection.pk}"


def _close(
    connection: Connection, cursor_id: UUID, *, since_id: str = "", problem: str = "", wait: timedelta = EVERY
) -> None:
    fields = {"since_id": since_id, "read_at": now()} if since_id else {"read_at": now()}
    with workspace_scope(connection.workspace_id):
        row = InboxCursor.objects.filter(pk=cursor_id)
        row.update(next_at=now() + wait, problem=problem[:200], **({} if problem else fields))
