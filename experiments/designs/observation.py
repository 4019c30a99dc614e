"""G: before and after a change that was made for everybody. Shown for what it is: not an experiment."""

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.core.exceptions import ValidationError

from accounts.access import Actor
from analytics.queries.period import FIRST_DAY
from experiments import outcomes
from experiments.models import Experiment
from experiments.slots import connection_of
from lib.clock import now

BEFORE, AFTER = "before", "after"


def check_start(experiment: Experiment) -> None:
    connection_of(experiment)
    changed_at(experiment)


def plan(experiment: Experiment, by: Actor) -> None:
    """Nothing is assigned."""


def changed_at(experiment: Experiment) -> datetime:
    try:
        moment = datetime.fromisoformat(experiment.settings["changed_at"])
    except ValueError as error:
        raise ValidationError({"changed_at": "Say when it was changed, as 2026-11-30T12:00:00+00:00."}) from error
    if moment.tzinfo is None:
        raise ValidationError({"changed_at": "Say the zone, too: 2026-11-30T12:00:00+00:00."})
    if not FIRST_DAY <= moment.date() <= now().date() + timedelta(days=1):
        raise ValidationError({"changed_at": "A day that has been, and not too long ago for any post."})
    return moment


def collect(experiment: Experiment) -> dict[str, Any]:
    connection = connection_of(experiment)
    moment, span = changed_at(experiment), timedelta(days=experiment.settings["days"])
    age_h = outcomes.age_of(experiment, connection.network)
    rows = outcomes.posts_of([connection.pk])
    rows = rows.filter(published_at__gte=moment - span, published_at__lt=moment + span)
    posts = []
    for post in rows:
        reading = outcomes.read_at_age(post, age_h)
        rate = outcomes.rate_of(experiment.metric, reading["metrics"]) if reading else None
        if rate and reading:
            side = BEFORE if post.published_at < moment else AFTER
            posts.append({"side": side, "events": rate[0], "exposures": rate[1], "age_h": reading["age_h"]})
    return {
        "unit": "post",
        "at": now().isoformat(),
        "arms": [],
        "control": "",
        "age_h": age_h,
        "changed_at": moment.isoformat(),
        "posts": posts,
        "waiting": [],
        "to_come": 0,
        "excluded": [],
    }


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    """Medians of the posts' own rates; no p, no winner, no interval that looks like one."""
    sides = {
        side: [post["events"] / post["exposures"] for post in data["posts"] if post["side"] == side]
        for side in (BEFORE, AFTER)
    }
    medians = {side: median(rates) if rates else None for side, rates in sides.items()}
    before, after = medians[BEFORE], medians[AFTER]
    return {
        "unit": "post",
        "method": "before and after",
        "arms": [],
        "leader": "",
        "health": None,
        "guardrails": [],
        "smallest_arm": min(len(rates) for rates in sides.values()),
        "before": {"posts": len(sides[BEFORE]), "median": before},
        "after": {"posts": len(sides[AFTER]), "median": after},
        "change": after / before - 1 if before and after is not None else None,
    }
