"""The settings of an experiment as people read them."""

from collections.abc import Callable
from typing import Any

from analytics.models import Link
from experiments.models import Experiment
from experiments.options import VISITOR_DESIGNS
from social.models import Connection

SHARES = {"mde", "alpha", "power", "base_rate", "caring", "holdout", "floor", "share"}
# What only moves shares.
MOVING = {"holdout", "floor", "caring", "burn_in_h", "half_life_days"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def settings_in_words(experiment: Experiment) -> dict[str, Any]:
    """By the setting's name, what it says; without those that say nothing here. Inside the workspace's scope."""
    is_fixed = experiment.design in VISITOR_DESIGNS and experiment.allocation == Experiment.Allocation.FIXED
    hidden = MOVING if is_fixed else set()
    shown = {name: value for name, value in experiment.settings.items() if value not in (None, "", [], {})}
    return {name: _words(name, value) for name, value in shown.items() if name not in hidden}


def _words(name: str, value: Any) -> Any:
    if name in SHARES:
        return f"{100 * value:.4g} %"
    if name == "value_micro":
        return f"{value / 1_000_000:,.2f}"
    if name == "contacts":
        return f"{len(value):,}"
    return LISTS[name](value) if name in LISTS else value


def _links(ids: list[str]) -> str:
    return ", ".join(str(link) for link in Link.objects.filter(pk__in=ids)) or "Deleted"


def _accounts(ids: list[str]) -> str:
    return ", ".join(str(row) for row in Connection.objects.filter(pk__in=ids)) or "Disconnected"


def _slots(slots: list[dict[str, Any]]) -> str:
    return ", ".join(_slot(**slot) for slot in slots)


def _slot(weekday: Any = None, time: Any = "", **_unknown: Any) -> str:
    """Of a draft, which may still name a day that is none."""
    return f"{WEEKDAYS[weekday] if weekday in range(7) else '?'} {time}"


LISTS: dict[str, Callable[[Any], str]] = {
    "links": _links,
    "connections": _accounts,
    "connection": lambda pk: _accounts([pk]),
    "slots": _slots,
}
