"""What truly happened, counted while it happens."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

COUNTED = ("landed", "conversions", "calls", "joined", "left", "failed", "bots_by_kind")
PLAIN = ("visitors", "humans", "repeats", "bots", "heads", "switched")


@dataclass
class Report:
    plain: Counter[str] = field(default_factory=Counter)
    counted: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})
    links: dict[str, Counter[str]] = field(default_factory=dict)
    values: Counter[str] = field(default_factory=Counter)
    rates: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def noting(self) -> Iterator["Report"]:
        """Visitors come at the same time."""
        with self._lock:
            yield self

    def at(self, url: str) -> Counter[str]:
        return self.links.setdefault(url, Counter())

    def as_json(self) -> dict[str, Any]:
        links = {
            url: {name: found[name] for name in ("visitors", "humans", "bots")}
            for url, found in sorted(self.links.items())
        }
        calls = {name: self.counted["calls"][name] for name in ("pixel", "server", "repeated", "failed")}
        return {
            **{name: self.plain[name] for name in PLAIN},
            **{name: dict(sorted(self.counted[name].items())) for name in COUNTED},
            "calls": calls,
            # Cents: the sum must not depend on who came first.
            "value": {name: cents / 100 for name, cents in sorted(self.values.items())},
            "rates": dict(sorted(self.rates.items())),
            "links": links,
        }


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two reports of the same form as one; true rates are not added up."""
    merged = dict(one)
    for name, value in other.items():
        before = merged.get(name)
        if name == "rates":
            merged[name] = {**(before or {}), **value}
        elif isinstance(value, dict):
            merged[name] = merge(before or {}, value)
        else:
            merged[name] = round((before or 0) + value, 2)
    return merged
