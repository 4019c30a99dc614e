"""What reading a post costs on X: once per UTC day, held back before the call and settled with its answer.

X reads are cheaper for the account that owns the developer app; nobody tells us who that is, so the full price is held.
"""

from collections.abc import Iterable

from django.db.models import Q

from accounts import usage
from accounts.models import UsageEntry, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.models import MeasuredPost
from lib.clock import now
from social.models import Network
from social.networks.x import prices

KIND = "x.read"
BATCH = 500


def read_key(remote_id: str) -> str:
    """As the network's client names a read, so that all who read a post on one day pay once together."""
    return f"post:{remote_id}:{now():%Y-%m-%d}"


def hold_all(workspace: Workspace, posts: Iterable[MeasuredPost]) -> tuple[list[MeasuredPost], list[MeasuredPost]]:
    """Those that may be read, and those for which the monthly cap has no money. Inside the workspace's scope."""
    held = [(post, _hold(workspace, post)) for post in posts]
    return [post for post, is_held in held if is_held], [post for post, is_held in held if not is_held]


def _hold(workspace: Workspace, post: MeasuredPost) -> bool:
    if post.connection.network != Network.X:
        return True
    try:
        usage.reserve(
            workspace,
            read_key(post.remote_id),
            KIND,
            prices.POST_READ,
            connection_id=post.connection_id,
            object_id=post.pk,
        )
    except usage.BudgetExceeded:
        return False
    return True


def settle_all(posts: Iterable[MeasuredPost]) -> None:
    """Last in its transaction: the month's total stays locked from here on, and publishing wants it, too."""
    for post in posts:
        usage.settle(Workspace(pk=post.workspace_id), read_key(post.remote_id))


def release_all(posts: Iterable[MeasuredPost]) -> None:
    """Refused calls cost nothing, nor do posts that are gone. Inside the workspace's scope."""
    for post in posts:
        usage.release(Workspace(pk=post.workspace_id), read_key(post.remote_id))


def settle_forgotten() -> int:
    """Of workers that died after the call, where the day ended before the next try: X has charged for it."""
    with all_workspaces_scope("reads whose worker was lost"):
        today = now().replace(hour=0, minute=0, second=0, microsecond=0)
        a_call = Q(key__startswith="post:") | Q(key__startswith="user:")
        lost = UsageEntry.objects.filter(a_call, kind=KIND, status=UsageEntry.Status.RESERVED, created_at__lt=today)
        found = list(lost.values_list("workspace_id", "key")[:BATCH])
    for workspace_id, key in found:
        with workspace_scope(workspace_id):
            usage.settle(Workspace(pk=workspace_id), key)
    return len(found)
