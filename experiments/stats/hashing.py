"""GrowthBook-compatible hashing, so that a page that runs GrowthBook's SDK sees the arms that we do.

Source: GrowthBook SDK specification 0.8 (build your own SDK), checked against its published cases.
"""

from collections.abc import Sequence
from typing import Any

Range = tuple[float, float]

FNV_OFFSET = 0x811C9DC5
FNV_PRIME = 0x01000193
NO_VARIATION = -1


def fnv1a32(text: str) -> int:
    """FNV-1a of 32 bits over UTF-16 code units, as JavaScript's `charCodeAt` reads a string."""
    units = text.encode("utf-16-le", "surrogatepass")
    value = FNV_OFFSET
    for low, high in zip(units[::2], units[1::2], strict=True):
        value = ((value ^ (low | high << 8)) * FNV_PRIME) & 0xFFFFFFFF
    return value


def gb_hash(seed: str, value: str, version: int) -> float | None:
    """A number in [0, 1) in steps of .001 (version 1) or .0001 (version 2); None for any other version."""
    if version == 2:
        return fnv1a32(str(fnv1a32(seed + value))) % 10_000 / 10_000
    if version == 1:
        return fnv1a32(value + seed) % 1_000 / 1_000
    return None


def equal_weights(count: int) -> list[float]:
    return [1 / count] * count if count > 0 else []


def bucket_ranges(count: int, coverage: float = 1.0, weights: Sequence[float] | None = None) -> list[Range]:
    """One [start, end) per variation.

    Less coverage shortens each range and moves none. Weights that do not fit the count, or whose sum is more than 1 %
    off 1, give equal ranges.
    """
    coverage = min(max(coverage, 0.0), 1.0)
    if weights is None or len(weights) != count or not 0.99 <= sum(weights) <= 1.01:
        weights = equal_weights(count)
    ranges, start = [], 0.0
    for weight in weights:
        ranges.append((start, start + coverage * weight))
        start += weight
    return ranges


def choose_variation(number: float, ranges: Sequence[Range]) -> int:
    """The index of the range that holds the number; `NO_VARIATION` where none does."""
    inside = (index for index, (start, end) in enumerate(ranges) if start <= number < end)
    return next(inside, NO_VARIATION)


def bucket_of(seed: str, value: str, version: int, ranges: Sequence[Range]) -> int:
    number = gb_hash(seed, value, version)
    return NO_VARIATION if number is None else choose_variation(number, ranges)


def in_namespace(value: str, namespace: tuple[str, float, float]) -> bool:
    """Whether the unit is in the share [start, end) of a namespace of mutually exclusive experiments."""
    name, start, end = namespace
    return bucket_of("__" + name, value, 1, [(start, end)]) == 0


def passes_filters(attributes: dict[str, Any], filters: Sequence[dict[str, Any]]) -> bool:
    """Whether the unit is in a range of every filter; a filter whose attribute is missing keeps it out."""
    return all(_passes(attributes, rule) for rule in filters)


def _passes(attributes: dict[str, Any], rule: dict[str, Any]) -> bool:
    value = _text(attributes.get(rule.get("attribute") or "id"))
    return value != "" and bucket_of(rule["seed"], value, rule.get("hashVersion") or 2, rule["ranges"]) != NO_VARIATION


def assign(experiment: dict[str, Any], attributes: dict[str, Any]) -> int:
    """The variation of GrowthBook's inline experiment for these attributes, or `NO_VARIATION`.

    Read are key, active, seed, hashVersion, hashAttribute, variations, weights, coverage, filters and namespace. Whom
    conditions, prerequisites and forced variations let in is for the caller to decide.
    """
    if experiment.get("active") is False:
        return NO_VARIATION
    count = len(experiment["variations"])
    value = _text(attributes.get(experiment.get("hashAttribute") or "id"))
    if count < 2 or value == "" or not _is_admitted(experiment, attributes, value):
        return NO_VARIATION
    ranges = bucket_ranges(count, experiment.get("coverage", 1.0), experiment.get("weights"))
    seed = experiment.get("seed") or experiment["key"]
    return bucket_of(seed, value, experiment.get("hashVersion") or 1, ranges)


def _is_admitted(experiment: dict[str, Any], attributes: dict[str, Any], value: str) -> bool:
    # Filters replace the namespace: the older of the two is then ignored.
    if experiment.get("filters"):
        return passes_filters(attributes, experiment["filters"])
    namespace = experiment.get("namespace")
    return namespace is None or in_namespace(value, tuple(namespace))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
