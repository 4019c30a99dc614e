"""One round of measuring: claim, hold the money, ask the network, write down. Nothing is asked inside a transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics import ages
from analytics.collection import costs, record, results
from analytics.collection.claims import RESERVE, Claim, claim_due
from analytics.models import MeasuredPost
from lib.clock import now
from social import credentials
from social.models import Connection, Network
from social.networks.port import Failure, NetworkError, PostNumbers, Readings
from social.services import pause_by_network

log = structlog.get_logger(__name__)
LIMIT = 1000
LEAST_WAIT, MAX_WAIT = timedelta(seconds=10), timedelta(hours=1)
# X's cap for reading is used up: publishing goes on, and reading is tried again the next day.
READ_CAP = "usage_cap"
# Of reading views, before reactions are kept without them.
TRIES = 2


def measure_due(limit: int = LIMIT) -> int:
    """How many posts were measured."""
    measured, taken = 0, 0
    while taken < limit and (claims := claim_due(limit - taken)):
        taken += sum(len(claim.post_ids) for claim in claims)
        measured += sum(map(measure, claims))
    return measured


def measure(claim: Claim) -> int:
    posts = _prepare(claim)
    if not posts:
        return 0
    try:
        readings = _read(posts)
    except NetworkError as error:
        _put_off(claim, posts, error)
        return 0
    except Exception:
        # The outermost loop of a worker: without this the claim would run out and come back for ever.
        log.exception("measuring_crashed", connection=str(claim.connection_id))
        _put_off(claim, posts, NetworkError(Failure.TEMPORARY, "internal", "Something went wrong on our side."))
        return 0
    with workspace_scope(claim.workspace_id):
        measured = [post for post in posts if record.write(post, readings, claim.lease_until)]
        _leave_reserve(claim, readings)
        if any(_is_at_a_day(post) for post in posts):
            results.tell_reach(posts[0].connection)
        costs.settle_all(measured)
    return len(measured)


def _is_at_a_day(post: MeasuredPost) -> bool:
    return ages.age_reached(post.published_at, post.next_age, now())[0] == ages.DAY


def _prepare(claim: Claim) -> list[MeasuredPost]:
    """Those worth a call, their cost held back."""
    with workspace_scope(claim.workspace_id):
        rows = MeasuredPost.objects.select_related("connection__workspace", "part").filter(
            pk__in=claim.post_ids, lease_until=claim.lease_until
        )
        worth = [post for post in rows.order_by("published_at") if not record.passes_by(post, claim.lease_until)]
        affordable, others = costs.hold_all(Workspace.objects.get(pk=claim.workspace_id), worth)
        for post in others:
            record.skip(post, ages.Missing.CAP, claim.lease_until)
    return affordable


def _read(posts: Sequence[MeasuredPost]) -> Readings:
    """Private numbers in a call of their own: beside one that they are kept back for, X may keep back others."""
    connection = posts[0].connection
    if connection.network == Network.TELEGRAM:
        return _read_telegram(connection, posts)
    young = [post.remote_id for post in posts if now() - post.published_at < ages.PRIVATE_FOR]
    old = [post.remote_id for post in posts if post.remote_id not in young]
    found = _ask(connection, young, with_private=True) if young else Readings({})
    if not old:
        return found
    more = _ask(connection, old, with_private=False)
    return Readings(found.posts | more.posts, found.gone | more.gone, more.windows)


def _read_telegram(connection: Connection, posts: Sequence[MeasuredPost]) -> Readings:
    """What the bot has heard is not lost over views that cannot be read: after some tries it goes without them."""
    remote_ids = [post.remote_id for post in posts]
    try:
        return credentials.open_client(connection).read_metrics(remote_ids)
    except NetworkError as error:
        is_passing = error.failure in {Failure.TEMPORARY, Failure.RATE_LIMIT}
        if not is_passing or any(post.failures < TRIES for post in posts):
            raise
        return Readings(dict.fromkeys(remote_ids, PostNumbers({}, {"impressions": ages.Missing.NOT_YET})))


def _ask(connection: Connection, remote_ids: list[str], *, with_private: bool) -> Readings:
    version = credentials.credential_version(connection)
    try:
        return credentials.open_client(connection).read_metrics(remote_ids, with_private=with_private)
    except NetworkError as error:
        if error.failure is not Failure.UNAUTHORIZED or connection.network != Network.X:
            raise
    # X sometimes refuses an access token before its time.
    credentials.refresh_credential(connection, seen_version=version)
    return credentials.open_client(connection).read_metrics(remote_ids, with_private=with_private)


def _put_off(claim: Claim, posts: Sequence[MeasuredPost], error: NetworkError) -> None:
    """As the engine treats the answer: wait for the window, pause, or ask for a new log-in."""
    connection = posts[0].connection
    log.warning("posts_not_measured", connection=str(connection.pk), code=error.code)
    with workspace_scope(claim.workspace_id):
        # Without a clear answer X may have charged: the same day's next try pays no second time.
        if error.failure is not Failure.TEMPORARY:
            costs.release_all(posts)
        if error.failure is Failure.PAUSED and error.code != READ_CAP:
            pause_by_network(connection, error)
        if error.failure is Failure.UNAUTHORIZED:
            credentials.mark_reconnect(connection, error.message)
        for post in posts:
            record.put_off(post, now() + _wait(post, error), claim.lease_until, counts=_counts(connection, error))
        if error.failure is Failure.RATE_LIMIT and error.retry_at and connection.network == Network.X:
            _rest(connection, error.retry_at)


def _counts(connection: Connection, error: NetworkError) -> bool:
    """Waiting for a window on X is no failure; on Telegram a session that has to wait is one."""
    is_window = error.failure is Failure.RATE_LIMIT and connection.network == Network.X
    return not is_window and error.failure in {Failure.TEMPORARY, Failure.REJECTED, Failure.RATE_LIMIT}


def _wait(post: MeasuredPost, error: NetworkError) -> timedelta:
    if error.code == READ_CAP:
        return timedelta(days=1)
    if error.failure is Failure.RATE_LIMIT and post.connection.network == Network.X:
        return max(LEAST_WAIT, (error.retry_at or now()) - now())
    return min(MAX_WAIT, timedelta(minutes=2 ** min(post.failures, 8)))


def _rest(connection: Connection, until: datetime) -> None:
    """Nothing of this account is read before then. Publishing has a window of its own and goes on."""
    MeasuredPost.objects.filter(connection=connection, due_at__lt=until).update(due_at=until)


def _leave_reserve(claim: Claim, readings: Readings) -> None:
    for window in readings.windows:
        if window.remaining <= window.limit * RESERVE:
            _rest(Connection(pk=claim.connection_id), window.resets_at)
