"""Is an uncertain part live? Read the account's own posts and match; never guess, never send from here."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Min, QuerySet

from accounts.scope import workspace_scope
from campaigns.engine import outcome
from campaigns.engine.budget import release_cost, settle_cost
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.queries import with_content
from campaigns.rendering import RenderedPart, render
from lib.clock import now
from social import credentials
from social.models import UnknownPolicy
from social.networks.port import Failure, NetworkError, RemotePost

log = structlog.get_logger(__name__)
State, Outcome = Delivery.State, Attempt.Outcome
# Between our clock and the network's; posts of another delivery are excluded by their claim, not by time.
CLOCK_SKEW = timedelta(minutes=1)
LOOK_UP_LIMIT = 50


def look_up_delivery(workspace_id: UUID, delivery_id: UUID) -> None:
    with workspace_scope(workspace_id):
        delivery = with_content(Delivery.objects.filter(pk=delivery_id, state=State.UNCONFIRMED)).first()
    if not delivery:
        return
    try:
        _look_up(delivery)
    except NetworkError as error:
        _cannot_read(delivery, error)
    except Exception:
        # The outermost loop of a worker: counted like a timeline that cannot be read, so that a person is asked.
        log.exception("look_up_crashed", delivery=str(delivery_id))
        _cannot_read(delivery, NetworkError(Failure.TEMPORARY, "internal", "Something went wrong on our side."))


def _look_up(delivery: Delivery) -> None:
    with workspace_scope(delivery.workspace_id):
        attempt, position = _open_call(delivery)
        is_known = delivery.live_parts.filter(position=position).exists()
        parent = _expected_parent(delivery, position)
    since = _began(delivery, attempt, position) - CLOCK_SKEW
    if not is_known:
        client = credentials.open_client(delivery.connection)
        if not client.can_read_posts:
            _decide_unread(delivery, attempt, position)
            return
        posts = client.own_posts(since)
    else:
        posts = []
    with workspace_scope(delivery.workspace_id):
        held = (
            Delivery.objects.select_for_update(no_key=True, of=("self",))
            .select_related("connection", "workspace")
            .filter(pk=delivery.pk, state=State.UNCONFIRMED, fence=delivery.fence)
            .first()
        )
        if held is None:
            return
        parts = render(delivery).parts
        found = find_match(parts[position], posts, since, parent, _claimed(delivery, posts))
        if is_known:
            _go_on(held, attempt, position, len(parts))
        elif found:
            _adopt(held, attempt, position, parts[position], found, len(parts))
        else:
            release_cost(held, position)
            _not_live(held, attempt)


def _decide_unread(delivery: Delivery, attempt: Attempt, position: int) -> None:
    """Nobody can look: a person decides, or what this account's owner decided before."""
    policy = UnknownPolicy(delivery.connection.unknown_policy)
    with workspace_scope(delivery.workspace_id):
        if not _uncertain(delivery).update(due_at=None, lease_until=None, problem_text=UNREAD[policy]):
            return
        if policy == UnknownPolicy.ASK:
            outcome.tell(delivery, "unconfirmed", f"{delivery.connection}: {UNREAD[policy]}")
        elif policy == UnknownPolicy.SEND_AGAIN:
            release_cost(delivery, position)
            _settle(attempt, Outcome.UNKNOWN, UNREAD[policy])
            outcome.count_failure(delivery, "unknown", UNREAD[policy], fence=delivery.fence)
        else:
            _uncertain(delivery).update(state=State.FAILED, problem_code=MAY_BE_LIVE)
            outcome.tell(delivery, "failed", f"{delivery.connection}: {UNREAD[policy]}")


MAY_BE_LIVE = "may_be_live"
UNREAD = {
    UnknownPolicy.ASK: "No clear answer, and nobody can look it up here. Look at the chat and say what you see.",
    UnknownPolicy.SEND_AGAIN: "No clear answer; as set for this account it is sent again.",
    UnknownPolicy.NEVER_TWICE: "No clear answer; as set for this account it is not sent again. It may be live.",
}


def find_match(
    part: RenderedPart, posts: list[RemotePost], since: datetime, parent: str | None, claimed: set[str]
) -> RemotePost | None:
    """The oldest post with this text, media count and parent, made since then and claimed by no other delivery."""
    matching = [
        post
        for post in posts
        if post.created_at >= since
        and post.remote_id not in claimed
        and post.media_count == len(part.media)
        and post.reply_to == parent
        and post.says(part.text)
    ]
    return min(matching, key=lambda post: post.created_at, default=None)


def _open_call(delivery: Delivery) -> tuple[Attempt, int]:
    """The newest attempt whose call has no recorded answer, and the part that it was for."""
    attempt = delivery.attempts.exclude(submitting_part=None).order_by("-number").first()
    attempt = attempt or delivery.attempts.latest("number")
    position = attempt.submitting_part
    return attempt, delivery.live_parts.count() if position is None else position


def _began(delivery: Delivery, attempt: Attempt, position: int) -> datetime:
    """The first call for this part, even one that was thought to have failed: a duplicate refusal may speak of it."""
    with workspace_scope(delivery.workspace_id):
        before = delivery.live_parts.filter(position=position - 1).first()
        tries = delivery.attempts.filter(submitting_at__isnull=False)
        if before:
            tries = tries.filter(submitting_at__gte=before.published_at)
        first = tries.aggregate(first=Min("submitting_at"))["first"]
    return first or attempt.submitting_at or attempt.claimed_at


def _expected_parent(delivery: Delivery, position: int) -> str | None:
    if position == 0:
        return None
    return LivePart.objects.values_list("remote_id", flat=True).get(delivery=delivery, position=position - 1)


def _claimed(delivery: Delivery, posts: list[RemotePost]) -> set[str]:
    ids = [post.remote_id for post in posts]
    return set(
        LivePart.objects.filter(connection=delivery.connection, remote_id__in=ids).values_list("remote_id", flat=True)
    )


def _adopt(held: Delivery, attempt: Attempt, position: int, part: RenderedPart, found: RemotePost, parts: int) -> None:
    try:
        with transaction.atomic():
            LivePart.objects.create(
                workspace_id=held.workspace_id,
                delivery=held,
                connection=held.connection,
                position=position,
                content_hash=part.content_hash,
                remote_id=found.remote_id,
                url=found.url,
                was_found=True,
                published_at=found.created_at,
            )
    except IntegrityError:
        # Another delivery claimed it between our reading and now: look again.
        _look_again(held, timedelta(seconds=settings.READ_LAG_S))
        return
    _go_on(held, attempt, position, parts)


def _go_on(held: Delivery, attempt: Attempt, position: int, parts: int) -> None:
    """The part is live: done, or on with the next one."""
    settle_cost(held, position)
    _settle(attempt, Outcome.ACCEPTED, f"Found live after {held.lookups} look-up(s).")
    if position + 1 == parts:
        outcome.mark_published(held)
    else:
        Delivery.objects.filter(pk=held.pk).update(state=State.RETRY_WAIT, due_at=now(), lease_until=None)


def _not_live(held: Delivery, attempt: Attempt) -> None:
    _settle(attempt, Outcome.REFUSED, "Looked: it is not on the account, so it was not accepted.")
    outcome.count_failure(held, attempt.code or "not_accepted", "The network did not take it.", fence=held.fence)


def _settle(attempt: Attempt, result: str, message: str) -> None:
    """Every try of this part is answered now."""
    Attempt.objects.filter(delivery_id=attempt.delivery_id, submitting_part=attempt.submitting_part).update(
        submitting_part=None
    )
    Attempt.objects.filter(pk=attempt.pk).update(outcome=result, message=message, finished_at=now())


def _cannot_read(delivery: Delivery, error: NetworkError) -> None:
    wait = timedelta(seconds=settings.RETRY_BASE_S)
    if error.failure is Failure.UNAUTHORIZED:
        error = _refresh(delivery)
    with workspace_scope(delivery.workspace_id):
        if error.failure is Failure.UNAUTHORIZED:
            credentials.mark_reconnect(delivery.connection, error.message)
        if delivery.lookups >= LOOK_UP_LIMIT:
            _uncertain(delivery).update(due_at=None, lease_until=None)
            outcome.tell(delivery, "unconfirmed", "We could not find out whether a post is live. Please look.")
            return
        _look_again(delivery, max(wait, (error.retry_at or now()) - now()))


def _refresh(delivery: Delivery) -> NetworkError:
    """A short wait when the token is new now, else what is wrong with it."""
    try:
        version = credentials.credential_version(delivery.connection)
        credentials.refresh_credential(delivery.connection, seen_version=version)
    except NetworkError as error:
        return error
    return NetworkError(Failure.TEMPORARY, "refreshed", "The log-in was renewed.")


def _look_again(delivery: Delivery, wait: timedelta) -> None:
    _uncertain(delivery).update(due_at=now() + wait, lease_until=None)


def _uncertain(delivery: Delivery) -> QuerySet[Delivery]:
    """The row, while it is uncertain about the same call."""
    return Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state=State.UNCONFIRMED)
