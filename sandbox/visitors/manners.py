"""What an order says about visitors, read and checked."""

import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox.addresses import is_loopback

MAX_VISITORS = 100_000
MAX_THREADS = 32


class BadOrder(ValueError):
    """What was asked makes no sense; the text says why."""


@dataclass(frozen=True)
class Telling:
    """How a shop hears of a conversion; None and empty where nothing is said."""

    rates: dict[str, float] = field(default_factory=dict)
    rate: float | None = None
    pixel: str | None = None
    server: dict[str, Any] | None = None
    value: float | dict[str, Any] | None = None

    def over(self, other: "Telling") -> "Telling":
        """What is said here, completed by the other."""
        return Telling(
            {**other.rates, **self.rates},
            other.rate if self.rate is None else self.rate,
            self.pixel or other.pixel,
            self.server or other.server,
            other.value if self.value is None else self.value,
        )

    def rate_of(self, variant: str) -> float:
        return self.rates.get(variant, self.rate or 0.0)

    def value_for(self, draw: float) -> float:
        """`draw` is standard normal."""
        if isinstance(self.value, dict):
            return round(max(0.0, self.value.get("mean", 0) + draw * self.value.get("sd", 0)), 2)
        return float(self.value or 0)


@dataclass(frozen=True)
class Manners:
    bots: float = 0.0
    repeat: float = 0.0
    cookieless: float = 0.0
    repeat_calls: float = 0.0
    joins: float = 0.25
    threads: int = 4
    hosts: dict[str, str] = field(default_factory=dict)
    telling: Telling = field(default_factory=Telling)


MANNERS = ("bots", "repeat", "cookieless", "repeat_calls", "joins", "threads", "hosts")
TELLING = ("rates", "rate", "pixel", "server", "value")


def parse_manners(body: dict[str, Any]) -> Manners:
    usual = Manners()
    shares = {name: number(body, name, getattr(usual, name), 0, 1) for name in MANNERS[1:5]}
    return Manners(
        bots=number(body, "bots", usual.bots, 0, 10),
        **shares,
        threads=whole(body, "threads", usual.threads, 1, MAX_THREADS),
        hosts=_hosts(typed(body, "hosts", dict, {})),
        telling=parse_telling(body),
    )


def parse_telling(body: dict[str, Any]) -> Telling:
    rates = typed(body, "rates", dict, {})
    server, value = typed(body, "server", dict, None), body.get("value")
    if server is not None:
        text(server, "url")
        typed(server, "headers", dict, {})
    if isinstance(value, dict):
        number(value, "mean", 0, 0, math.inf)
        number(value, "sd", 0, 0, math.inf)
    elif value is not None:
        number(body, "value", 0, 0, math.inf)
    return Telling(
        {str(name): number(rates, name, 0, 0, 1) for name in rates},
        number(body, "rate", 0, 0, 1) if "rate" in body else None,
        typed(body, "pixel", str, None),
        server,
        value,
    )


def _hosts(given: dict[str, Any]) -> dict[str, str]:
    for name, place in given.items():
        try:
            is_ours = isinstance(place, str) and is_loopback(urlsplit(f"http://{place}").hostname or "")
        except ValueError:
            is_ours = False
        if not is_ours:
            raise BadOrder(f"{name} has to stand for a loopback address")
    return {name.lower(): place for name, place in given.items()}


def refuse_unknown(body: dict[str, Any], names: tuple[str, ...]) -> None:
    unknown = set(body) - set(names)
    if unknown:
        raise BadOrder(f"no field {min(unknown)}; there are {', '.join(names)}")


def number(body: dict[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadOrder(f"{name} is a number from {least:g} to {most:g}")
    return float(value)


def whole(body: dict[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = body.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise BadOrder(f"{name} is a whole number from {least} to {most}")
    return value


def text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadOrder(f"{name} is required")
    return value


def typed(body: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = body.get(name, default)
    if value is not None and not isinstance(value, kind):
        raise BadOrder(f"{name} has the wrong type")
    return default if value is None else value
