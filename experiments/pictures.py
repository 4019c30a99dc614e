"""What the pages draw of an experiment: three charts over time, and intervals as bars."""

import math
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from analytics.charts import Chart, Line
from experiments.models import Epoch, Experiment, Look

COLOURS = ("accent", "success", "warning", "danger", "info", "muted")
WIDTH, MIDDLE = 200.0, 100.0
# Looks that a chart shows at most: the last ones.
MOST_LOOKS = 120


@dataclass(frozen=True)
class Bar:
    """An interval of a lift on a scale that is the same for all arms of a look; points of an SVG of 200 by 20."""

    low: float
    high: float
    at: float
    is_cut: bool


def bar_of(lift: dict[str, Any], scale: float) -> Bar:
    low, high = lift["interval"]
    is_cut = abs(low) > scale or abs(high) > scale
    return Bar(_place(low, scale), _place(high, scale), _place(lift["shrunk"], scale), is_cut)


def scale_of(result: dict[str, Any]) -> float:
    """Half of the picture's width, as a lift: room for the widest interval, and at most 200 %."""
    ends = [abs(end) for arm in result.get("arms", []) if arm.get("lift") for end in arm["lift"]["interval"]]
    return min(max([*ends, 0.1]) * 1.1, 2.0)


def _place(value: float, scale: float) -> float:
    return round(MIDDLE + max(-1.0, min(1.0, value / scale)) * (WIDTH / 2 - 4), 1)


def charts_of(experiment: Experiment, looks: list[Look], epochs: list[Epoch]) -> list[Chart]:
    """`looks` and `epochs` in the order of time."""
    looks = looks[-MOST_LOOKS:]
    zone = ZoneInfo(experiment.workspace.time_zone)
    labels = [f"{look.at.astimezone(zone):%-d %b %H:%M}" for look in looks]
    names = {arm.key: arm.name for arm in experiment.arms.all()}
    colours = {key: COLOURS[number % len(COLOURS)] for number, key in enumerate(names)}
    rates = Chart(
        "rates",
        "Rate of each variant",
        labels,
        [
            Line(name, [_percent(_arm(look, key), "rate") for look in looks], colours[key])
            for key, name in names.items()
        ],
        label="Look",
        note="In %, over all units until then",
        empty="Nothing was counted yet.",
    )
    ends = Chart(
        "lifts",
        "Lift against the control",
        labels,
        [line for key, name in names.items() for line in _lift_lines(looks, key, name, colours[key])],
        label="Look",
        note="In %, with its interval; shrunk by what such tests usually find",
        empty="There is no lift yet.",
    )
    shares = Chart(
        "shares",
        "Shares over time",
        [*(f"{epoch.started_at.astimezone(zone):%-d %b %H:%M}" for epoch in epochs), *(["now"] if epochs else [])],
        [
            # The last shares hold until now.
            Line(name, [_share(epoch, key) for epoch in [*epochs, *epochs[-1:]]], colours[key])
            for key, name in names.items()
            if any(key in epoch.weights for epoch in epochs)
        ],
        label="From",
        note="In %, one row for each epoch",
        empty="Nothing is split by shares here.",
    )
    return [rates, ends, shares]


def _arm(look: Look, key: str) -> dict[str, Any]:
    return next((arm for arm in look.result.get("arms", []) if arm["key"] == key), {})


def _percent(arm: dict[str, Any], name: str) -> float | None:
    value = arm.get(name)
    return None if value is None else round(100 * value, 3)


def _lift_lines(looks: list[Look], key: str, name: str, colour: str) -> list[Line]:
    # A look that concludes nothing says nothing of lifts either.
    lifts = [None if look.refusals else _arm(look, key).get("lift") for look in looks]
    if not any(lifts):
        return []
    return [
        Line(name, [_finite(lift["shrunk"]) if lift else None for lift in lifts], colour),
        Line(
            f"{name}, low", [_finite(lift["interval"][0]) if lift else None for lift in lifts], colour, is_dashed=True
        ),
        Line(
            f"{name}, high", [_finite(lift["interval"][1]) if lift else None for lift in lifts], colour, is_dashed=True
        ),
    ]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(100 * value, 2)


def _share(epoch: Epoch, key: str) -> float | None:
    return round(100 * epoch.weights[key], 2) if key in epoch.weights else None
