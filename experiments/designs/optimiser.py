"""F: the time of the next post is chosen to learn. A best slot so far, and no cause claimed for it."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.access import Actor
from campaigns.slots import resolve
from experiments import outcomes
from experiments.models import Experiment
from experiments.slots import connection_of
from lib.clock import now

MOST_POSTS = 500
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Between posts, in log-odds, beyond what their counts explain: until the account's own posts say better.
SPREAD = 0.5


def check_start(experiment: Experiment) -> None:
    connection_of(experiment)


def plan(experiment: Experiment, by: Actor) -> None:
    """Times are suggested one by one."""


def collect(experiment: Experiment) -> dict[str, Any]:
    """All measured posts of the account at the same age, those from before included."""
    connection = connection_of(experiment)
    zone = experiment.workspace.time_zone
    age_h = outcomes.age_of(experiment, connection.network)
    posts = []
    for post in outcomes.posts_of([connection.pk])[:MOST_POSTS]:
        reading = outcomes.read_at_age(post, age_h)
        rate = outcomes.rate_of(experiment.metric, reading["metrics"]) if reading else None
        if rate and reading:
            facts = outcomes.facts_of(post, zone)
            posts.append({"events": rate[0], "exposures": rate[1], "age_h": reading["age_h"], **facts})
    return {
        "unit": "post",
        "at": now().isoformat(),
        "seed": experiment.seed,
        "arms": [],
        "control": "",
        "age_h": age_h,
        "zone": zone,
        "posts": posts,
        "waiting": [],
        "to_come": 0,
        "excluded": [],
    }


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unit": "post",
        "method": "Gaussian process",
        "arms": [],
        "smallest_arm": len(data["posts"]),
    }
    found |= {"leader": "", "health": None, "guardrails": [], "is_exploring": True, "best": None}
    if data["posts"]:
        found |= _best(experiment, data)
    found["sentence"] = f"{len(data['posts'])} posts are measured. Try next: {_words(suggestion(experiment, data))}."
    return found


def suggestion(experiment: Experiment, data: dict[str, Any]) -> dict[str, int]:
    """{"weekday", "hour"} to try next; the same data give the same one."""
    from experiments.stats import optimiser

    space = _space(experiment)
    points = optimiser.suggest(space, _observations(data), seed=data["seed"] + len(data["posts"]))
    return _slot(points[0])


def next_time(experiment: Experiment, slot: dict[str, int], *, after: datetime | None = None) -> datetime:
    """The next moment with this weekday and hour on the workspace's clock."""
    zone = experiment.workspace.time_zone
    moment = after or now()
    day: date = moment.astimezone(ZoneInfo(zone)).date()
    days = (day + timedelta(days=offset) for offset in range(8))
    times = (resolve(day, time(slot["hour"]), zone) for day in days if day.weekday() == slot["weekday"])
    return next(at for at in times if at > moment)


def _best(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    from experiments.stats import optimiser

    found = optimiser.recommend(_space(experiment), _observations(data))
    return {
        "is_exploring": found.is_exploring,
        "best": _slot(found.point),
        "lead": found.lead,
        "interval": list(found.lead_interval),
    }


def _space(experiment: Experiment) -> Any:
    from experiments.stats import optimiser

    quiet = set(experiment.settings["quiet_hours"])
    dimensions = (optimiser.Periodic("hour", 24), optimiser.Periodic("weekday", 7))
    return optimiser.Space(dimensions, allowed=lambda point: int(point["hour"]) not in quiet)


def _observations(data: dict[str, Any]) -> list[Any]:
    from experiments.stats import optimiser, posts

    if not data["posts"]:
        return []
    y, v = posts.log_odds([post["events"] for post in data["posts"]], [post["exposures"] for post in data["posts"]])
    slots = [{"hour": float(int(post["hour"])), "weekday": float(post["weekday"])} for post in data["posts"]]
    return [
        optimiser.Observation(slot, float(value), float(noise) + SPREAD**2)
        for slot, value, noise in zip(slots, y, v, strict=True)
    ]


def _slot(point: Any) -> dict[str, int]:
    return {"weekday": int(point["weekday"]), "hour": int(point["hour"])}


def _words(slot: dict[str, int]) -> str:
    return f"{DAYS[slot['weekday']]} at {slot['hour']:02}:00"
