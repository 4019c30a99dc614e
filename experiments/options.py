"""The settings of an experiment: defaults by design, and what each may be."""

import math
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from analytics.ages import COMPARED_AT, ENGAGING, HOUR
from experiments.models import Experiment
from lib.text import storable

Design = Experiment.Design
Settings = dict[str, Any]

VISITOR_DESIGNS = {Design.LINK_SPLIT, Design.SUBSCRIBER_SPLIT}
POST_DESIGNS = {Design.PAIRED_SLOTS, Design.CROSSOVER, Design.PROGRAMME}
SEQUENTIAL, FIXED, POOLED = "sequential", "fixed", "pooled"
ANALYSES = (SEQUENTIAL, FIXED, POOLED)
AGES_H = {network: age_s // HOUR for network, age_s in COMPARED_AT.items()}
WASHOUT_H = {"x": 24, "telegram": 72}
# A test that would run longer is not worth its wait.
MOST_DAYS = 90
FEWEST_PAIRS, FEWEST_POSTS = 6, 5
MOST_UNITS = 1_000_000_000
MOST_GUARDRAILS = 10

VISITOR_METRICS = ("conversions", "clicks")
# Name to what counts, of so many impressions.
POST_METRICS: dict[str, tuple[str, ...]] = {
    "engagement_rate": ENGAGING,
    "click_rate": ("link_clicks",),
    "like_rate": ("likes", "reactions"),
    "reply_rate": ("replies",),
    "repost_rate": ("reposts", "quotes"),
    "bookmark_rate": ("bookmarks",),
    "profile_rate": ("profile_clicks",),
    "join_rate": ("joins",),
}

SHARED: Settings = {
    "alpha": 0.05,
    "power": 0.8,
    # The smallest lift that is worth finding, as a share of the control.
    "mde": 0.2,
    "analysis": SEQUENTIAL,
    # Of the workspace's currency, in millionths; None: nobody said.
    "value_micro": None,
    "segments": [],
}
VISITORS: Settings = SHARED | {
    "links": [],
    "base_rate": 0.05,
    "goal": "",
    # Of all visitors; of those, at equal shares whatever the bandit does.
    "share": 1.0,
    "holdout": 0.1,
    "floor": 0.02,
    "half_life_days": None,
    # A bandit is done when its leader is expected to lose less than this share of its own rate.
    "caring": 0.02,
    "burn_in_h": 24,
}
SUBSCRIBERS: Settings = VISITORS | {"contacts": [], "arm_links": {}}
POSTS: Settings = SHARED | {"connection": "", "age_h": None, "residual_sd": 0.35}
PAIRS: Settings = POSTS | {
    "pairs": 20,
    # {"weekday": 0 to 6, "time": "17:00"}, on the workspace's clock.
    "slots": [],
    "gap_days": 7,
    "washout_h": None,
    "starts_on": "",
    "title": "",
}
DEFAULTS: dict[str, Settings] = {
    Design.LINK_SPLIT: VISITORS,
    Design.SUBSCRIBER_SPLIT: SUBSCRIBERS,
    Design.PAIRED_SLOTS: PAIRS,
    Design.CROSSOVER: PAIRS | {"connections": [], "periods": 8, "period_days": 7},
    Design.PROGRAMME: POSTS | {"posts": 40, "strata": ["hour", "weekday", "format"]},
    Design.OPTIMISER: POSTS | {"quiet_hours": [], "analysis": FIXED},
    Design.OBSERVATION: POSTS | {"changed_at": "", "days": 28, "analysis": FIXED},
}
# Posts are measured at these ages.
CHOICES: dict[str, tuple[int | str, ...]] = {"analysis": ANALYSES, "age_h": (1, 3, 6, 24, 48, 72, 168)}
# With the ends.
RANGES: dict[str, tuple[float, float]] = {
    "alpha": (0.0001, 0.5),
    "power": (0.5, 0.999),
    "base_rate": (0.00001, 0.999),
    "mde": (0.005, 100),
    "share": (0, 1),
    "holdout": (0, 1),
    "floor": (0, 1),
    "caring": (0, 1),
    "half_life_days": (0.01, 3650),
    "residual_sd": (0.01, 10),
    "value_micro": (1, 1e15),
}
WHOLE = {
    "pairs": (1, 500),
    "gap_days": (1, 28),
    "washout_h": (0, 24 * 14),
    "burn_in_h": (0, 24 * 14),
    "periods": (2, 104),
    "period_days": (1, 28),
    "posts": (2, 5000),
    "days": (1, 365),
}
IDS = {"links": 100, "connections": 50, "contacts": 10_000}
WORDS = {"strata": ("hour", "weekday", "format"), "segments": ("day", "link", "device")}
LONGEST, LONGEST_GOAL = 200, 60
MOST_SLOTS = 100


def clean_settings(design: str, given: Settings) -> Settings:
    """The design's defaults with what was given; raises ValidationError beside the name that is wrong."""
    defaults = DEFAULTS[design]
    if not isinstance(given, dict):
        raise ValidationError({"settings": "Give them by name."})
    if unknown := sorted(str(name) for name in given.keys() - defaults.keys()):
        raise ValidationError({"settings": f"This design has no setting {', '.join(unknown)}."[:LONGEST]})
    settings = defaults | given
    for name, value in settings.items():
        if value is None and defaults[name] is None:
            continue
        if problem := _problem(name, value):
            raise ValidationError({"settings": f"{name}: {problem}"})
    return settings


def _problem(name: str, value: Any) -> str:
    """Empty where it may stand."""
    if name in CHOICES:
        # No list or the like, which cannot be looked up.
        is_known = isinstance(value, int | str) and value in CHOICES[name]
        return "" if is_known else f"choose one of {', '.join(map(str, CHOICES[name]))}."
    if name in RANGES or name in WHOLE:
        return _number_problem(name, value)
    if name in IDS or name in WORDS or name in {"slots", "quiet_hours"}:
        return _list_problem(name, value)
    if name == "arm_links":
        is_fit = isinstance(value, dict) and len(value) <= 26 and all(_is_id(pk) for pk in value.values())
        return "" if is_fit else "give the id of a link for each arm."
    return _text_problem(name, value)


def _text_problem(name: str, value: Any) -> str:
    if not isinstance(value, str) or value != storable(value) or len(value) > LONGEST:
        return f"a text of at most {LONGEST} characters."
    return "" if name != "connection" or not value or _is_id(value) else "give the id of an account."


def _number_problem(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "a number is needed."
    least, most = RANGES.get(name) or WHOLE[name]
    if name in WHOLE and value != int(value):
        return "a whole number is needed."
    return "" if least <= value <= most else f"a number from {least:g} to {most:g}."


def _list_problem(name: str, value: Any) -> str:
    if not isinstance(value, list):
        return "a list is needed."
    if name in IDS:
        is_fit = len(value) <= IDS[name] and all(_is_id(pk) for pk in value)
        return "" if is_fit else f"at most {IDS[name]:,} ids."
    if name in WORDS:
        return "" if all(word in WORDS[name] for word in value) else f"any of {', '.join(WORDS[name])}."
    if name == "quiet_hours":
        hours = {hour for hour in value if isinstance(hour, int) and hour in range(24)}
        return "" if len(hours) == len(value) < 24 else "hours from 0 to 23, each once, and not all of them."
    is_fit = len(value) <= MOST_SLOTS and all(isinstance(slot, dict) for slot in value)
    return "" if is_fit else "give a weekday and a time for each."


def _is_id(value: Any) -> bool:
    try:
        UUID(value)
    except (AttributeError, TypeError, ValueError):
        return False
    return isinstance(value, str)


def clean_metric(design: str, metric: str) -> str:
    known = VISITOR_METRICS if design in VISITOR_DESIGNS else tuple(POST_METRICS)
    if metric not in known:
        raise ValidationError({"metric": f"This design decides by one of: {', '.join(known)}."})
    return metric


def clean_guardrails(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{"metric", "margin"}]: what may not get worse than the control by more than this share."""
    if not isinstance(given, list) or len(given) > MOST_GUARDRAILS:
        raise ValidationError({"guardrails": f"A list of at most {MOST_GUARDRAILS}."})
    cleaned = [_clean_guardrail(rail) for rail in given]
    if len({rail["metric"] for rail in cleaned}) < len(cleaned):
        raise ValidationError({"guardrails": "A metric is guarded once."})
    return cleaned


def _clean_guardrail(rail: Any) -> dict[str, Any]:
    given: dict[str, Any] = rail if isinstance(rail, dict) else {}
    metric, margin = storable(str(given.get("metric", ""))).strip(), given.get("margin", 0.1)
    is_number = isinstance(margin, int | float) and not isinstance(margin, bool)
    if not metric or len(metric) > LONGEST_GOAL or not is_number or not 0.001 <= margin <= 10:
        raise ValidationError({"guardrails": "Each needs a metric, and a margin: a share of the control above 0."})
    return {"metric": metric, "margin": float(margin)}


def clean_units(value: Any) -> int | None:
    """As many as a person wants; None: as many as the smallest lift asks for."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_UNITS:
        raise ValidationError({"planned_units": f"A whole number from 1 to {MOST_UNITS:,}."})
    return value
