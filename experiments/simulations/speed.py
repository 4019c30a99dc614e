"""A13: seconds of one core, the best of some repeats.

What is measured runs on one thread, and its own processor time does not change with what else the machine does.
"""

from collections.abc import Callable
from time import thread_time

import numpy as np

from experiments.simulations.measures import Measure, at_least, at_most
from experiments.simulations.search import HARTMANN, hartmann
from experiments.stats.bandits import BetaArms, allocate
from experiments.stats.bayes import best_arm, compare, posterior_of
from experiments.stats.frequentist import (
    pooled_test,
    score_interval_of_difference,
    score_interval_of_ratio,
    table_of,
)
from experiments.stats.optimiser import Observation, suggest
from experiments.stats.sequential import share_evidence
from experiments.stats.splitter import Split, assign
from experiments.stats.srm import check_ratio

METRICS = 5


def speeds(bandits: int = 1_000, units: int = 20_000, repeats: int = 5) -> list[Measure]:
    ten = [posterior_of(100 + arm, 4_000) for arm in range(10)]
    split = Split("speed", (1, 1))
    names = [str(number) for number in range(units)]
    rate = units / _best(lambda: [assign(split, name) for name in names], 10 * repeats)
    return [
        at_most("P(best) and loss of 10 arms, ms", 1e3 * _best(lambda: best_arm(ten), 20 * repeats), 2),
        at_most("one experiment, 4 arms × 5 metrics, ms", 1e3 * _best(_one_experiment, repeats), 50),
        at_most(f"{bandits:,} bandits × 4 arms, s", _best(lambda: _bandits(bandits), min(repeats, 2)), 3),
        at_least("assignments per second", rate, 200_000),
        at_most("assignment, 99th percentile, ms", 1e3 * _p99(split, names), 1),
        at_most("suggestion at 200 points, s", _best(_suggestion(), min(repeats, 3)), 1),
    ]


def _best(act: Callable[[], object], repeats: int) -> float:
    return min(_seconds(act) for _ in range(repeats))


def _seconds(act: Callable[[], object]) -> float:
    start = thread_time()
    act()
    return thread_time() - start


def _p99(split: Split, names: list[str]) -> float:
    return float(np.quantile([_seconds(lambda name=name: assign(split, name)) for name in names], 0.99))  # type: ignore[misc]


def _one_experiment() -> None:
    """All that a result page shows of three variants against a control."""
    for metric in range(METRICS):
        arms = [(100 + metric + 7 * arm, 5_000) for arm in range(4)]
        posteriors = [posterior_of(*arm) for arm in arms]
        best_arm(posteriors)
        for variant in range(1, 4):
            table = table_of(*arms[0], *arms[variant])
            pooled_test(table)
            score_interval_of_difference(table)
            score_interval_of_ratio(table)
            compare(posteriors[0], posteriors[variant])
            share_evidence(arms[0][0], arms[variant][0], 0.5)
    check_ratio([5_000] * 4, [1.0] * 4)


def _bandits(count: int) -> None:
    rng = np.random.default_rng(13)
    for won in rng.binomial(2_000, [0.02, 0.025, 0.03, 0.022], (count, 4)).astype(float):
        allocate(BetaArms(won, 2_000 - won))


def _suggestion() -> Callable[[], object]:
    points = [HARTMANN.decode(row) for row in HARTMANN.sobol(200, 13)]
    seen = [Observation(point, hartmann(point), 0.01) for point in points]
    return lambda: suggest(HARTMANN, seen, seed=13, method="noisy_ei")
