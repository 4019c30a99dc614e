"""A1: who gets which arm."""

from itertools import combinations, pairwise

import numpy as np
from scipy import stats

from experiments.simulations.measures import Measure, at_least, at_most
from experiments.stats.hashing import gb_hash
from experiments.stats.splitter import Split, assign, score

# Published with GrowthBook's SDK; the tests read all of its cases.
PUBLISHED_HASHES = [
    ("", "a", 1, 0.22),
    ("b", "a", 1, 0.946),
    ("seed", "a", 2, 0.0505),
    ("foo", "def", 2, 0.2019),
    ("()**(%$##$%#$#", '___)((*":&', 2, 0.0128),
    ("abc", "def", 99, None),
]
RAMP = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0)
WEIGHTS = (0.5, 0.3, 0.2)


def splits(ids: int = 1_000_000, salts: int = 20) -> list[Measure]:
    units = [str(number) for number in range(ids)]
    arms, chances = [], []
    for number in range(salts):
        split = Split(f"experiment {number}", WEIGHTS)
        scores = np.array([score(f"{split.salt}/arms", unit) for unit in units])
        arms.append(np.searchsorted(split.bounds, scores, side="right"))
        chances.append(stats.chisquare(np.bincount(arms[-1], minlength=3), np.array(split.propensities) * ids).pvalue)
    pairs = [_independence(*pair) for pair in combinations(arms[:10], 2)]
    return [
        at_least(f"uneven split, least p of {salts} salts", min(chances), 0.001),
        at_least("independence, least p of the pairs of 10", min(pairs), 0.001),
        at_most("SDK's published hashes that differ", _wrong_hashes(), 0),
    ]


def _independence(one: np.ndarray, other: np.ndarray) -> float:
    table = np.bincount(one * 3 + other, minlength=9).reshape(3, 3)
    return float(stats.chi2_contingency(table).pvalue)


def _wrong_hashes() -> int:
    return sum(gb_hash(seed, value, version) != expected for seed, value, version, expected in PUBLISHED_HASHES)


def ramp(units: int = 20_000) -> list[Measure]:
    """Enrolled units that lose their place or arm while the share goes from 1 to 100 %, with nothing stored."""
    found = [
        {unit: assign(Split("ramp", WEIGHTS, share=share), unit) for unit in map(str, range(units))} for share in RAMP
    ]
    moved = sum(
        given is not None and after[unit] != given
        for before, after in pairwise(found)
        for unit, given in before.items()
    )
    return [at_most("units moved by a ramp from 1 to 100 %", moved, 0)]
