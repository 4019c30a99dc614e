"""A9 and A10: winners that shrink and splits that broke, on an archive of headline tests.

Of our own making with the spread that was published for the Upworthy archive, or that archive itself (its columns
clickability_test_id, impressions, clicks).
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from experiments.simulations.measures import Measure, at_least, near
from experiments.stats.posts import log_odds
from experiments.stats.shrinkage import effect_spread, random_effects, shrink
from experiments.stats.srm import ALARM_P, check_ratio

# A test: impressions and clicks of its arms, (2, arms).
Archive = list[np.ndarray]

TESTS = 4_873
RATE = 0.015
STORY_SD = 0.70
HEADLINE_SD = 0.215
BROKEN_SHARE = 0.155
MEAN_IMPRESSIONS = 3_570

# Efron & Morris 1975, Table 1: batting averages of 18 players after 45 at bats, and over the rest of the season.
AT_BATS = 45
HITS = (18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7)
REST = (
    *(0.346, 0.298, 0.276, 0.222, 0.273, 0.270, 0.263, 0.210, 0.269),
    *(0.230, 0.264, 0.256, 0.303, 0.264, 0.226, 0.286, 0.316, 0.200),
)


def make_archive(tests: int = TESTS, seed: int = 9) -> tuple[Archive, float]:
    """Tests with the published spread, and the share of them whose split was broken on purpose."""
    rng = np.random.default_rng(seed)
    broken = rng.random(tests) < BROKEN_SHARE
    return [_make_test(rng, is_broken) for is_broken in broken], float(broken.mean())


def _make_test(rng: np.random.Generator, is_broken: bool) -> np.ndarray:
    arms = int(rng.choice([2, 3, 4, 5, 6, 7], p=[0.1, 0.15, 0.35, 0.2, 0.15, 0.05]))
    shares = np.ones(arms)
    if is_broken:
        # One arm loses a fifth to a half of its visitors.
        shares[rng.integers(arms)] = rng.uniform(0.5, 0.8)
    impressions = rng.multinomial(rng.poisson(MEAN_IMPRESSIONS * arms), shares / shares.sum())
    chance = expit(logit(RATE) + rng.normal(0, STORY_SD) + rng.normal(0, HEADLINE_SD, arms))
    return np.array([impressions, rng.binomial(impressions, chance)])


def read_archive(path: Path) -> Archive:
    """Tests of two arms or more, from rows with clickability_test_id, impressions and clicks."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            found[row["clickability_test_id"]].append((int(float(row["impressions"])), int(float(row["clicks"]))))
    return [np.array(arms).T for arms in found.values() if len(arms) > 1]


def winners_curse(archive: Archive, seed: int = 10) -> list[Measure]:
    """The apparent winner's lead over its test's mean in half of the visitors: as shrunk, and as in the other half."""
    rng = np.random.default_rng(seed)
    halves = [_halves(test, rng) for test in archive]
    usable = [half for half in halves if half[0][0].min() > 0 and half[1][0].min() > 0]
    tau = _headline_spread(usable)
    apparent, predicted, repeated = np.mean([_leads(*half, tau) for half in usable], axis=0)
    return [
        near("half-split, predicted by replicated lead", predicted / repeated, 1.0, 0.15),
        at_least("half-split, apparent by replicated lead", apparent / repeated, 1.0),
    ]


def _halves(test: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Visitors by a fair coin: converts and others apart."""
    impressions, clicks = test
    won = rng.binomial(clicks, 0.5)
    lost = rng.binomial(impressions - clicks, 0.5)
    first = np.array([won + lost, won])
    return first, test - first


def _headline_spread(halves: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """tau of one headline, from the difference of two arms of each test, in the first half alone."""
    y, v = (np.array(part) for part in zip(*(log_odds(half[1][:2], half[0][:2]) for half, _ in halves), strict=True))
    return effect_spread((y[:, 1] - y[:, 0]).tolist(), v.sum(axis=1).tolist()) / np.sqrt(2)


def _leads(first: np.ndarray, second: np.ndarray, tau: float) -> tuple[float, float, float]:
    y, v = log_odds(first[1], first[0])
    again, _ = log_odds(second[1], second[0])
    winner = int(y.argmax())
    means, _ = shrink(y, v, float(y.mean()), tau)
    return y[winner] - y.mean(), means[winner] - means.mean(), again[winner] - again.mean()


def batting_averages() -> list[Measure]:
    y = np.array(HITS) / AT_BATS
    pooled = float(y.mean())
    shrunk = random_effects(y.tolist(), [pooled * (1 - pooled) / AT_BATS] * len(y)).means
    cut = ((y - REST) ** 2).sum() / ((shrunk - REST) ** 2).sum()
    return [at_least("Efron & Morris, error cut", float(cut), 3.0)]


def broken_splits(archive: Archive, expected: float, tolerance: float) -> list[Measure]:
    """Share of tests whose impressions have p < .001 against equal shares."""
    found = np.mean([check_ratio(test[0].tolist(), [1.0] * test.shape[1]).p_chi2 < ALARM_P for test in archive])
    return [near("tests whose split is broken, p < .001", float(found), expected, tolerance)]


def split_behaviours() -> list[Measure]:
    """Six cases in which others raised false alarms, stayed silent or crashed."""
    silent = check_ratio([500, 560, 0], [0.5, 0.5, 0])
    unexpected = check_ratio([500, 500, 3], [0.5, 0.5, 0])
    empty = check_ratio([45, 45, 0], [0.45, 0.45, 0.1])
    nothing = check_ratio([0, 0], [0.5, 0.5])
    return [
        near("closed arm without traffic, p", silent.p_chi2, 0.06534565, 1e-6),
        near("closed arm with traffic, alarm", float(unexpected.unexpected_traffic and unexpected.is_alarm), 1, 0),
        near("arm that got nothing, p", empty.p_chi2, 0.006738, 1e-6),
        near("holdout left out, p", check_ratio([450, 450], [0.45, 0.45]).p_chi2, 1, 1e-9),
        near("weights that do not sum to 1, p", check_ratio([100, 100], [50, 50]).p_chi2, 1, 1e-9),
        near("no data: p, and not enough", nothing.p_chi2 - float(nothing.enough_data), 1, 1e-9),
    ]
