"""Writing down what was read: a snapshot for the age, the newest numbers on the post, and its next turn."""

from datetime import datetime
from typing import Any

from analytics import ages
from analytics.ages import engagements_of
from analytics.collection import costs
from analytics.models import MeasuredPost, Snapshot
from analytics.models.measures import METRICS
from campaigns.account_health import hear_gone
from lib.clock import now
from social.models import Network
from social.networks.port import Failure, NetworkError, PostNumbers, Readings

# What Telegram tells the bot by itself, late and in batches.
HEARD = ("reactions", "joins")
SOURCES = {Network.X: "x.lookup", Network.TELEGRAM: "telegram.session"}
UPDATES = "telegram.updates"
MISSING = ages.Missing


def write(post: MeasuredPost, readings: Readings, lease: datetime) -> bool:
    """True where it was measured, and has to be paid. Inside the workspace's scope.

    The same age is written once, whoever comes twice.
    """
    if post.remote_id in readings.gone:
        costs.release_all([post])
        _end(post, lease)
        return False
    numbers = readings.posts.get(post.remote_id)
    if numbers is None:
        costs.release_all([post])
        put_off(post, now() + ages.LEAST_TOLERANCE, lease, counts=True)
        return False
    numbers = _explained(post, numbers)
    age_s, following = ages.age_reached(post.published_at, post.next_age, now())
    if age_s is not None:
        _keep_snapshots(post, age_s, numbers)
    _update(post, lease, **_newest(post, numbers), **_next_turn(post, following, measured_at=now()))
    return True


def _explained(post: MeasuredPost, numbers: PostNumbers) -> PostNumbers:
    """Private numbers of an old post were not refused: they are gone."""
    if now() - post.published_at < ages.PRIVATE_FOR:
        return numbers
    missing = {k: MISSING.VANISHED if why == MISSING.NOT_GRANTED else why for k, why in numbers.missing.items()}
    return PostNumbers(numbers.metrics, missing)


def _keep_snapshots(post: MeasuredPost, age_s: int, numbers: PostNumbers) -> None:
    network = Network(post.connection.network)
    rows = []
    if network == Network.X or numbers.metrics:
        never = {name: why for name, why in post.missing.items() if why == MISSING.NOT_HERE}
        rows.append(_snapshot(post, age_s, SOURCES[network], numbers.metrics, never | numbers.missing))
    if network == Network.TELEGRAM:
        metrics, missing = _heard(post)
        missing |= {} if numbers.metrics else numbers.missing
        rows.append(_snapshot(post, age_s, UPDATES, metrics, missing, Snapshot.Kind.DELAYED))
    Snapshot.objects.bulk_create(rows, ignore_conflicts=True)


def _heard(post: MeasuredPost) -> tuple[dict[str, int], dict[str, str]]:
    """Read again: an update may have come during the call."""
    newest = MeasuredPost.objects.values(*HEARD, "missing").get(pk=post.pk)
    metrics = {name: newest[name] for name in HEARD if newest[name] is not None}
    missing = {name: why for name, why in newest["missing"].items() if why == MISSING.NOT_HERE and name not in metrics}
    return metrics, missing | ({} if "reactions" in metrics else {"reactions": MISSING.NOT_YET})


def _snapshot(
    post: MeasuredPost,
    age_s: int,
    source: str,
    metrics: dict[str, int],
    missing: dict[str, str],
    kind: str = Snapshot.Kind.EXACT,
) -> Snapshot:
    return Snapshot(
        workspace_id=post.workspace_id,
        post=post,
        age_s=age_s,
        at=now(),
        source=source,
        kind=kind,
        metrics=metrics,
        missing={name: why for name, why in missing.items() if name not in metrics},
    )


def _newest(post: MeasuredPost, numbers: PostNumbers) -> dict[str, Any]:
    """What was known stays where it is not to be had any more."""
    known = {name: count for name, count in numbers.metrics.items() if name in METRICS}
    fields = MeasuredPost.objects.values(*METRICS, "missing").get(pk=post.pk) | known
    missing = {**fields.pop("missing"), **numbers.missing}
    if post.connection.network == Network.TELEGRAM:
        missing.setdefault("reactions", MISSING.NOT_YET)
    missing = {name: why for name, why in missing.items() if fields[name] is None}
    return {**known, "missing": missing, "engagements": engagements_of(fields)}


# --- turns --------------------------------------------------------------------------------------------------


def passes_by(post: MeasuredPost, lease: datetime) -> bool:
    """Whether there is nothing to ask for: it was taken down, or its age is over and it was measured before."""
    if post.part and post.part.deleted_at:
        _end(post, lease)
        return True
    age_s, following = ages.age_reached(post.published_at, post.next_age, now())
    if age_s is not None or post.measured_at is None:
        return False
    _update(post, lease, **_next_turn(post, following))
    return True


def skip(post: MeasuredPost, why: str, lease: datetime) -> None:
    """The age passes without a number, and says why."""
    age_s, following = ages.age_reached(post.published_at, post.next_age, now())
    if age_s is not None:
        row = _snapshot(post, age_s, SOURCES[Network(post.connection.network)], {}, {"*": why})
        Snapshot.objects.bulk_create([row], ignore_conflicts=True)
    _update(post, lease, **_next_turn(post, following))


def put_off(post: MeasuredPost, until: datetime, lease: datetime, *, counts: bool) -> None:
    _update(post, lease, due_at=until, failures=min(post.failures + counts, 1000))


def _next_turn(post: MeasuredPost, following: int, measured_at: datetime | None = None) -> dict[str, Any]:
    if following >= len(ages.AGES):
        due = None
    else:
        is_daily = post.connection.network == Network.X
        due = ages.turn_of(post.published_at, following, paid_on=measured_at or post.measured_at, is_daily=is_daily)
    fields: dict[str, Any] = {"next_age": following, "due_at": due}
    return fields | ({"measured_at": measured_at, "failures": 0} if measured_at else {})


def _end(post: MeasuredPost, lease: datetime) -> None:
    """It is not there any more. What was known of it stays."""
    unknown = {name: MISSING.GONE for name in METRICS if getattr(post, name) is None}
    _update(post, lease, gone_at=now(), due_at=None, missing=unknown | post.missing)
    age_s, _ = ages.age_reached(post.published_at, post.next_age, now())
    if age_s is not None:
        row = _snapshot(post, age_s, SOURCES[Network(post.connection.network)], {}, {"*": MISSING.GONE})
        Snapshot.objects.bulk_create([row], ignore_conflicts=True)
    if post.part:
        hear_gone(post.part, NetworkError(Failure.REJECTED, "gone", "The post was deleted."))


def _update(post: MeasuredPost, lease: datetime, **fields: Any) -> bool:
    """Only by who holds the claim."""
    held = MeasuredPost.objects.filter(pk=post.pk, lease_until=lease)
    return bool(held.update(lease_until=None, **fields))
