"""What a test has said about wording, hour and chance: kept, and read by every platform that counts."""

import json
import sqlite3
from typing import Any

from sandbox.audience import CONTAINS, ENGAGEMENTS, FEATURES, RATES, USUAL, Taste

SCHEMA = "CREATE TABLE IF NOT EXISTS audience_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
NAMES = ("effects", "builtin", "hours", "noise", "rate_noise", "counting")
MAX_FACTOR = 100.0


class BadTaste(ValueError):
    """What was asked makes no sense; the text says why."""


def read_setting(db: sqlite3.Connection, name: str) -> Any:
    row = db.execute("SELECT value FROM audience_settings WHERE name = ?", (name,)).fetchone()
    return json.loads(row["value"]) if row else None


def save_setting(db: sqlite3.Connection, name: str, value: Any) -> None:
    db.execute("INSERT OR REPLACE INTO audience_settings VALUES (?,?)", (name, json.dumps(value)))


def current(db: sqlite3.Connection) -> Taste:
    saved = read_setting(db, "taste")
    return parse(saved) if saved else USUAL


def change(db: sqlite3.Connection, order: dict[str, Any]) -> Taste:
    """What the order names is new, the rest stays; {"reset": true} forgets everything first."""
    unknown = set(order) - {*NAMES, "reset"}
    if unknown:
        raise BadTaste(f"no setting {min(unknown)}; there are {', '.join(NAMES)}")
    before = {} if order.get("reset") else read_setting(db, "taste") or {}
    saved = {**before, **{name: order[name] for name in NAMES if name in order}}
    taste = parse(saved)
    save_setting(db, "taste", saved)
    return taste


def parse(order: dict[str, Any]) -> Taste:
    hours = _typed(order.get("hours", {}), dict, "hours")
    effects = _typed(order.get("effects", {}), dict, "effects")
    return Taste(
        {name: _factors(name, value) for name, value in effects.items()},
        _typed(order.get("builtin", True), bool, "builtin"),
        _number(hours.get("swing", USUAL.swing), "swing", 1),
        _number(hours.get("peak", USUAL.peak), "peak", 24),
        _number(hours.get("rate_swing", USUAL.rate_swing), "rate_swing", 1),
        _number(order.get("noise", USUAL.noise), "noise", 3),
        _number(order.get("rate_noise", USUAL.rate_noise), "rate_noise", 3),
        _typed(order.get("counting", True), bool, "counting"),
    )


def _factors(feature: str, value: Any) -> dict[str, float]:
    """A number is meant for every engagement; an object names rates."""
    if feature not in FEATURES and not (feature.startswith(CONTAINS) and feature != CONTAINS):
        raise BadTaste(f"no feature {feature}; there are {', '.join(FEATURES)} and {CONTAINS}<words>")
    if not isinstance(value, dict):
        return dict.fromkeys(ENGAGEMENTS, _number(value, feature, MAX_FACTOR))
    for name in value:
        if name != "reach" and name not in RATES:
            raise BadTaste(f"no rate {name}; there are reach, {', '.join(RATES)}")
    return {name: _number(factor, feature, MAX_FACTOR) for name, factor in value.items()}


def _number(value: Any, name: str, largest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
        raise BadTaste(f"{name} is a number from 0 to {largest:g}")
    return float(value)


def _typed(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise BadTaste(f"{name} has the wrong type")
    return value


def as_json(taste: Taste) -> dict[str, Any]:
    return {
        "effects": {name: dict(factors) for name, factors in taste.effects.items()},
        "builtin": taste.has_builtin,
        "hours": {"swing": taste.swing, "peak": taste.peak, "rate_swing": taste.rate_swing},
        "noise": taste.noise,
        "rate_noise": taste.rate_noise,
        "counting": taste.is_counting,
    }
