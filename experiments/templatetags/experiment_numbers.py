"""Numbers of experiments as people read them."""

import math
from typing import Any

from django import template

register = template.Library()
NAMES = {
    "mde": "Smallest difference worth finding",
    "alpha": "Chance of a false alarm",
    "power": "Chance to find it",
    "gap_days": "Days between the two of a pair",
    "value_micro": "One conversion is worth",
    "analysis": "Read",
    "age_h": "Posts are compared at the age of (hours)",
    "base_rate": "Converts now",
    "burn_in_h": "Equal shares at first (hours)",
    "caring": "Done when it may lose less than",
    "holdout": "Always at equal shares",
    "floor": "Least share of a variant",
    "share": "Of all visitors take part",
    "residual_sd": "Usual scatter (log scale)",
    "links": "Short links",
    "connection": "Account",
    "connections": "Accounts",
    "slots": "Times",
}


@register.filter
def percent(value: float | None) -> str:
    """0.0512 is 5.1 %; small rates keep two digits that say something."""
    if value is None or not math.isfinite(value):
        return "–"
    shown = 100 * value
    digits = 1 if shown >= 1 or shown == 0 else 2 if shown >= 0.1 else 3
    return f"{shown:.{digits}f} %".replace(".0 %", " %")


@register.filter
def chance(value: float | None) -> str:
    """Never nothing, never certain."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if value > 0.999 else f"{100 * value:.1f} %"


@register.filter
def lift(value: float | None) -> str:
    """+12 %, −3.4 %; beyond a thousand per cent only that."""
    if value is None or math.isnan(value):
        return "–"
    if value > 10:
        return "> +1,000 %"
    shown = 100 * value
    digits = 0 if abs(shown) >= 10 else 1
    text = f"{abs(shown):.{digits}f}"
    sign = "" if float(text) == 0 else "+" if shown > 0 else "−"
    return f"{sign}{text} %"


@register.filter
def millionths(value: float | None) -> str:
    return "–" if value is None else f"{value / 1_000_000:,.2f}"


@register.filter
def in_words(name: str) -> str:
    return NAMES.get(name, name.replace("_", " ").capitalize())


@register.filter
def plainly(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {plainly(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(plainly(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
