"""The settings of an experiment: defaults by design, and what each may be."""

import math
from typing import Any

from django.core.exceptions import ValidationError

from experiments.models import Experiment

Design = Experiment.Design
Settings = dict[str, Any]

VISITOR_DESIGNS = {Design.LINK_SPLIT, Design.SUBSCRIBER_SPLIT}
POST_DESIGNS = {Design.PAIRED_SLOTS, Design.CROSSOVER, Design.PROGRAMME}
SEQUENTIAL, FIXED, POOLED = "sequential", "fixed", "pooled"
ANALYSES = (SEQUENTIAL, FIXED, POOLED)
AGES_H = {"x": 24, "telegram": 72}
WASHOUT_H = {"x": 24, "telegram": 72}
# A test that would run longer is not worth its wait.
MOST_DAYS = 90
FEWEST_PAIRS, FEWEST_POSTS = 6, 5

VISITOR_METRICS = ("conversions", "clicks")
# Name to what counts, of so many impressions.
POST_METRICS: dict[str, tuple[str, ...]] = {
    "engagement_rate": ("likes", "replies", "reposts", "quotes", "bookmarks", "reactions"),
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
# Strictly between; with the ends.
OPEN_SHARES = ("alpha", "power", "base_rate")
SHARES = ("share", "holdout", "floor", "caring")
POSITIVE = ("mde", "half_life_days", "age_h", "residual_sd", "value_micro")
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


def clean_settings(design: str, given: Settings) -> Settings:
    """The design's defaults with what was given; raises ValidationError beside the name that is wrong."""
    defaults = DEFAULTS[design]
    if unknown := sorted(given.keys() - defaults.keys()):
        raise ValidationError({"settings": f"This design has no setting {', '.join(unknown)}."})
    settings = defaults | given
    for name, value in settings.items():
        if problem := _problem(name, value, defaults[name]):
            raise ValidationError({"settings": f"{name}: {problem}"})
    return settings


def _problem(name: str, value: Any, default: Any) -> str:
    if value is None and default is None:
        return ""
    if name == "analysis":
        return "" if value in ANALYSES else f"choose one of {', '.join(ANALYSES)}."
    if name in OPEN_SHARES or name in SHARES or name in POSITIVE or name in WHOLE:
        return _number_problem(name, value)
    if default is not None and not isinstance(value, type(default)):
        return f"a {type(default).__name__} is needed."
    return ""


def _number_problem(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "a number is needed."
    if name in WHOLE:
        least, most = WHOLE[name]
        return "" if value == int(value) and least <= value <= most else f"a whole number from {least} to {most}."
    if name in OPEN_SHARES:
        return "" if 0 < value < 1 else "a share between 0 and 1, both excluded."
    if name in SHARES:
        return "" if 0 <= value <= 1 else "a share from 0 to 1."
    return "" if value > 0 else "a number above 0."


def clean_metric(design: str, metric: str) -> str:
    known = VISITOR_METRICS if design in VISITOR_DESIGNS else tuple(POST_METRICS)
    if metric not in known:
        raise ValidationError({"metric": f"This design decides by one of: {', '.join(known)}."})
    return metric


def clean_guardrails(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{"metric", "margin"}]: what may not get worse than the control by more than this share."""
    cleaned = []
    for rail in given:
        metric, margin = str(rail.get("metric", "")).strip(), rail.get("margin", 0.1)
        if not metric or not isinstance(margin, int | float) or not 0 < margin <= 10:
            raise ValidationError(
                {"guardrails": "Each needs a metric, and a margin above 0 as a share of the control’s."}
            )
        cleaned.append({"metric": metric[:60], "margin": float(margin)})
    if len({rail["metric"] for rail in cleaned}) < len(cleaned):
        raise ValidationError({"guardrails": "A metric is guarded once."})
    return cleaned
