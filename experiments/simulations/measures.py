"""What a simulation found, beside what it was held against."""

from typing import NamedTuple


class Measure(NamedTuple):
    """One line of the printed table; `bound` is in words."""

    name: str
    measured: float
    bound: str
    passed: bool


def at_most(name: str, measured: float, limit: float) -> Measure:
    return Measure(name, float(measured), f"<= {limit:g}", bool(measured <= limit))


def at_least(name: str, measured: float, limit: float) -> Measure:
    return Measure(name, float(measured), f">= {limit:g}", bool(measured >= limit))


def near(name: str, measured: float, target: float, tolerance: float) -> Measure:
    return Measure(name, float(measured), f"{target:g} ± {tolerance:g}", bool(abs(measured - target) <= tolerance))
