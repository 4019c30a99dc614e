"""Outcomes of posts: what each had at the age that the experiment says, and what was to be expected of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from analytics import ages
from analytics.models import FollowerCount, MeasuredPost, Snapshot
from campaigns.models import Delivery, PartMedia
from experiments.models import Experiment, Unit
from experiments.options import AGES_H, POST_METRICS
from lib.clock import now

State = Unit.State
SENT = {Delivery.State.PUBLISHED}
NEVER = {
    Delivery.State.CANCELED: "Its post was canceled.",
    Delivery.State.FAILED: "Its post could not be published.",
    Delivery.State.MISSED: "Its post missed its time.",
}
# Fewer posts outside of the test make no forecast.
LEAST_FOR_BASELINE = 30
MOST_FOR_BASELINE = 1000


def age_of(experiment: Experiment, network: str) -> int:
    return int(experiment.settings.get("age_h") or AGES_H.get(network, 24))


def collect(experiment: Experiment) -> dict[str, Any]:
    """Brings the units up to date and answers with those that count."""
    units = list(_units(experiment))
    measured = _measured(units)
    for unit in units:
        _bring_up_to_date(experiment, unit, measured.get(unit.delivery_id))
    _forecast(experiment, [unit for unit in units if unit.state == State.MEASURED])
    Unit.objects.bulk_update(units, [*CHANGED, "baseline"])
    arms = list(experiment.arms.order_by("position"))
    return {
        "unit": "post",
        "at": now().isoformat(),
        "arms": [arm.key for arm in arms],
        "control": next(arm.key for arm in arms if arm.is_control),
        "age_h": age_of(experiment, _network(units)),
        "posts": [_row(experiment, unit) for unit in units if unit.state == State.MEASURED],
        "waiting": [str(unit.pk) for unit in units if unit.state == State.LIVE],
        "to_come": sum(unit.state == State.PLANNED for unit in units),
        "excluded": [{"unit": str(unit.pk), "reason": unit.reason} for unit in units if unit.state == State.EXCLUDED],
    }


def _network(units: Sequence[Unit]) -> str:
    return next((unit.delivery.connection.network for unit in units if unit.delivery), "x")


CHANGED = ("state", "reason", "events", "exposures", "outcome", "variance", "facts", "measured_at")


def _units(experiment: Experiment) -> Iterable[Unit]:
    rows = Unit.objects.filter(experiment=experiment).select_related("arm", "delivery__connection", "delivery__post")
    return rows.order_by("block", "position")


def _measured(units: Sequence[Unit]) -> dict[Any, MeasuredPost]:
    """The first part of each delivery."""
    rows = _posts().filter(delivery__in=[unit.delivery_id for unit in units if unit.delivery_id])
    rows = rows.order_by("-published_at", "-pk")
    return {row.delivery_id: row for row in rows}


def _bring_up_to_date(experiment: Experiment, unit: Unit, post: MeasuredPost | None) -> None:
    if unit.state == State.EXCLUDED or unit.measured_at:
        return
    delivery = unit.delivery
    if delivery is None:
        _exclude(unit, "Its post was deleted.")
    elif delivery.state in NEVER:
        _exclude(unit, NEVER[Delivery.State(delivery.state)])
    elif delivery.state in SENT:
        unit.state = State.LIVE
        age_h = age_of(experiment, delivery.connection.network)
        if post:
            _measure(experiment, unit, post, age_h)
        published_at = post.published_at if post else delivery.published_at
        if unit.state == State.LIVE and published_at and now() > _latest(published_at, age_h):
            _exclude(unit, f"Nobody measured it when it was {age_h} hours old.")


def _measure(experiment: Experiment, unit: Unit, post: MeasuredPost, age_h: int) -> None:
    if reading := read_at_age(post, age_h):
        _note(experiment, unit, post, reading)
    elif post.gone_at:
        _exclude(unit, "It was taken down before it could be measured.")


def _latest(published_at: datetime, age_h: int) -> datetime:
    """No number that comes after this is still one of that age."""
    age_s = age_h * ages.HOUR
    return published_at + timedelta(seconds=age_s) + ages.tolerance(age_s) + ages.LEAST_TOLERANCE


def _exclude(unit: Unit, reason: str) -> None:
    unit.state, unit.reason = State.EXCLUDED, reason


def read_at_age(post: MeasuredPost, age_h: int) -> dict[str, Any] | None:
    """{"metrics", "missing", "age_h"} of the snapshots at this planned age, the exact ones first; None without any."""
    rows = [row for row in post.snapshots.all() if row.age_s == age_h * 3600]
    if not rows:
        return None
    metrics: dict[str, int] = {}
    missing: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.kind == Snapshot.Kind.EXACT):
        metrics |= row.metrics
        missing |= row.missing
    real = max(row.at for row in rows) - post.published_at
    return {"metrics": metrics, "missing": missing, "age_h": round(real.total_seconds() / 3600, 3)}


def rate_of(metric: str, metrics: dict[str, int]) -> tuple[int, int] | None:
    """(events, impressions); None where either is unknown. A part that a network does not have is left out."""
    known = [metrics[name] for name in POST_METRICS[metric] if name in metrics]
    impressions = metrics.get("impressions")
    if not known or not impressions:
        return None
    return min(sum(known), impressions), impressions


def _note(experiment: Experiment, unit: Unit, post: MeasuredPost, reading: dict[str, Any]) -> None:
    from experiments.stats.posts import log_odds

    rate = rate_of(experiment.metric, reading["metrics"])
    if rate is None:
        why = reading["missing"].get("impressions") or next(iter(reading["missing"].values()), "not_here")
        _exclude(unit, f"Its {experiment.metric.replace('_', ' ')} cannot be had ({why}).")
        return
    unit.events, unit.exposures = rate
    y, v = log_odds([rate[0]], [rate[1]])
    unit.outcome, unit.variance = float(y[0]), float(v[0])
    unit.state, unit.measured_at = State.MEASURED, now()
    unit.facts = facts_of(post, experiment.workspace.time_zone) | {"age_h": reading["age_h"]}
    if unit.planned_at:
        unit.facts["late_min"] = round((post.published_at - unit.planned_at).total_seconds() / 60)


def facts_of(post: Any, zone: str) -> dict[str, Any]:
    local = post.published_at.astimezone(ZoneInfo(zone))
    return {
        "at": post.published_at.isoformat(),
        "hour": round(local.hour + local.minute / 60, 2),
        "weekday": local.weekday(),
        "format": _format(post),
        "length": len(post.text),
        "followers": post.followers or 0,
    }


def posts_of(connections: Iterable[UUID]) -> QuerySet[MeasuredPost]:
    """Of these accounts, the newest first."""
    return _posts().filter(connection__in=list(connections)).order_by("-published_at", "-pk")


def _posts() -> QuerySet[MeasuredPost]:
    """With their snapshots, the followers of the day, and whether they carry media."""
    counts = FollowerCount.objects.filter(connection=OuterRef("connection"), day__lte=OuterRef("published_at__date"))
    media = PartMedia.objects.filter(part__post__deliveries=OuterRef("delivery"))
    rows = MeasuredPost.objects.annotate(followers=Subquery(counts.order_by("-day").values("count")[:1]))
    return rows.annotate(has_media=Exists(media)).prefetch_related("snapshots")


def _format(post: Any) -> str:
    if post.has_media:
        return "media"
    return "link" if "http" in post.text else "text"


def _forecast(experiment: Experiment, units: Sequence[Unit]) -> None:
    """Of posts outside of the test, so that no arm has a part in it; without enough of them all are forecast alike."""
    if not units:
        return
    from experiments.stats import posts

    outside = _outside(experiment, units)
    if len(outside) < LEAST_FOR_BASELINE:
        for unit in units:
            unit.baseline = 0.0
        return
    y, v = posts.log_odds([events for _, events, _ in outside], [seen for _, _, seen in outside])
    baseline = posts.fit_baseline([_known(facts) for facts, _, _ in outside], y, v)
    for unit, value in zip(units, baseline.forecast([_known(unit.facts) for unit in units]), strict=True):
        unit.baseline = float(value)


def _known(facts: dict[str, Any]) -> Any:
    from experiments.stats.posts import Post

    return Post(facts["hour"], facts["weekday"], facts["format"], facts["length"], facts["followers"])


def _outside(experiment: Experiment, units: Sequence[Unit]) -> list[tuple[dict[str, Any], int, int]]:
    """(facts, events, impressions) of the newest other posts of the same accounts, published before the start."""
    connections = {unit.delivery.connection_id: unit.delivery.connection.network for unit in units if unit.delivery}
    rows = posts_of(connections).filter(published_at__lt=experiment.started_at)[:MOST_FOR_BASELINE]
    found = []
    for post in rows:
        reading = read_at_age(post, age_of(experiment, connections[post.connection_id]))
        rate = rate_of(experiment.metric, reading["metrics"]) if reading else None
        if rate:
            found.append((facts_of(post, experiment.workspace.time_zone), *rate))
    return found


def _row(experiment: Experiment, unit: Unit) -> dict[str, Any]:
    return {
        "unit": str(unit.pk),
        "block": unit.block,
        "position": unit.position,
        "arm": unit.arm.key,
        "events": unit.events,
        "exposures": unit.exposures,
        "y": unit.outcome,
        "v": unit.variance,
        "baseline": unit.baseline,
        "age_h": unit.facts.get("age_h"),
        # A crossover may have channels of two networks, each with its own age.
        "wanted_h": age_of(experiment, unit.delivery.connection.network) if unit.delivery else None,
        "late_min": unit.facts.get("late_min", 0),
        "at": unit.facts.get("at"),
    }
