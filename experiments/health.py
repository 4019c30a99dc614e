"""Whether units arrived in the shares that were set: over all, and by day, link and device, with and without bots."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from experiments.exposures import by_epoch

Counts = dict[int, dict[str, list[int]]]
Weights = dict[int, dict[str, float]]
ALARM_P = 0.001
FILTERED, UNFILTERED = "filtered", "unfiltered"


def split_health(data: dict[str, Any]) -> dict[str, Any]:
    """{"filtered", "unfiltered": check, "parts": {dimension: {name: check}}, "bots": {arm: count}, "is_broken"}"""
    weights = {epoch["number"]: epoch["weights"] for epoch in data["epochs"]}
    cells = data["cells"]
    people = [cell for cell in cells if not cell[2]]
    arms = data["arms"]
    parts = {
        "day": _by(people, weights, arms, lambda cell: cell[3]),
        "link": _by(people, weights, arms, lambda cell: cell[4]),
        "device": _parts(_device_counts(data), weights, arms),
    }
    whole = {
        FILTERED: check(_counts(people), weights, arms),
        UNFILTERED: check(_counts(cells), weights, arms),
    }
    bots = {arm: sum(cell[5] for cell in cells if cell[2] and cell[1] == arm) for arm in arms}
    is_broken = any(one["is_alarm"] for one in whole.values())
    broken_parts = [
        f"{dimension} {name}" for dimension, found in parts.items() for name, one in found.items() if one["is_alarm"]
    ]
    return {**whole, "parts": parts, "bots": bots, "is_broken": is_broken, "broken_parts": broken_parts}


def check(counts: Counts, weights: Weights, arms: Iterable[str], tests: int = 1) -> dict[str, Any]:
    """One test over all epochs: against the shares that each epoch had. `tests`: of how many parts this is one."""
    from experiments.stats import srm

    arms = list(arms)
    seen = [sum(epoch.get(arm, [0])[0] for epoch in counts.values()) for arm in arms]
    expected = [_expected(counts, weights, arm) for arm in arms]
    if not any(seen):
        return {"counts": seen, "expected": expected, "p": 1.0, "log_e": 0.0, "is_alarm": False}
    if not any(expected):
        return {"counts": seen, "expected": expected, "p": 0.0, "log_e": 0.0, "is_alarm": True}
    found = srm.check_ratio(seen, expected)
    p = found.p_chi2 if found.p_exact is None else found.p_exact
    # Epochs follow one another, so their evidence multiplies.
    log_e = sum(_epoch_log_e(counts[number], weights.get(number, {})) for number in counts)
    is_alarm = found.unexpected_traffic or p < ALARM_P / tests or p_of(log_e) < ALARM_P / tests
    return {"counts": seen, "expected": expected, "p": p, "log_e": log_e, "is_alarm": is_alarm}


def p_of(log_e: float) -> float:
    from math import exp

    return exp(-max(log_e, 0.0))


def _expected(counts: Counts, weights: Weights, arm: str) -> float:
    return sum(
        sum(cell[0] for cell in epoch.values()) * weights.get(number, {}).get(arm, 0.0)
        for number, epoch in counts.items()
    )


def _epoch_log_e(counts: dict[str, list[int]], weights: dict[str, float]) -> float:
    from experiments.stats import srm

    arms = [arm for arm, weight in weights.items() if weight > 0]
    seen = [counts.get(arm, [0])[0] for arm in arms]
    return srm.check_ratio(seen, [weights[arm] for arm in arms]).log_e if any(seen) else 0.0


def _counts(cells: Iterable[list[Any]]) -> Counts:
    return by_epoch((cell[0], cell[1], cell[5], cell[6]) for cell in cells)


def _by(
    cells: list[list[Any]], weights: Weights, arms: list[str], name: Callable[[list[Any]], str]
) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[list[Any]]] = defaultdict(list)
    for cell in cells:
        groups[name(cell)].append(cell)
    return _parts({key: _counts(rows) for key, rows in groups.items()}, weights, arms)


def _device_counts(data: dict[str, Any]) -> dict[str, Counts]:
    groups: dict[str, list[tuple[int, str, int, int]]] = defaultdict(list)
    for device, epoch, arm, units, hits in data["devices"]:
        groups[device].append((epoch, arm, units, hits))
    return {device: by_epoch(rows) for device, rows in groups.items()}


def _parts(groups: dict[str, Counts], weights: Weights, arms: list[str]) -> dict[str, dict[str, Any]]:
    return {name: check(counts, weights, arms, max(len(groups), 1)) for name, counts in sorted(groups.items())}
