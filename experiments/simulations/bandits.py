"""A7 and A8: what bandits earn, late conversions included, and their shares of few conversions."""

import numpy as np

from experiments.simulations.measures import Measure, at_least, at_most, near
from experiments.stats.bandits import BetaArms, allocate, beta_arms, with_floor
from experiments.stats.maturity import weibull_curve

HOURS = 14 * 24
VISITORS = 28
RATES = np.array([0.02, 0.025, 0.03, 0.04])
MEAN_DELAY_H = 24.0
DELAY = weibull_curve(MEAN_DELAY_H * np.log(2), 1.0)
# What Chapelle & Li 2011 give in Table 1 for Thompson sampling, by delay.
PUBLISHED_REGRET = {1: 9_105, 10: 9_049, 100: 11_550}
STEPS = 1_000_000


def delayed(runs: int = 40) -> list[Measure]:
    """Regret in conversions over two weeks when they come a day late; in the second world the best arm opens late."""
    early = {policy: _mean_regret(policy, 0, runs) for policy in ("uniform", "naive", "corrected")}
    late = {policy: _mean_regret(policy, 4 * 24, runs) for policy in ("uniform", "naive", "corrected")}
    return [
        at_most(
            f"late conversions: regret (uniform {early['uniform']:.0f}, naive {early['naive']:.0f})",
            early["corrected"],
            52,
        ),
        at_most(
            f"best arm on day 4: regret (uniform {late['uniform']:.0f}, naive {late['naive']:.0f})",
            late["corrected"],
            30,
        ),
    ]


def _mean_regret(policy: str, opens_at: int, runs: int) -> float:
    return float(np.mean([_regret(policy, opens_at, np.random.default_rng([7, run])) for run in range(runs)]))


def _regret(policy: str, opens_at: int, rng: np.random.Generator) -> float:
    shown = np.zeros((HOURS, len(RATES)))
    # By the hour at which they are seen; what comes after the end is never seen.
    seen = np.zeros((HOURS, len(RATES)))
    lost = 0.0
    for hour in range(HOURS):
        open_arms = np.arange(len(RATES)) if hour >= opens_at else np.arange(len(RATES) - 1)
        shares = np.zeros(len(RATES))
        shares[open_arms] = _shares(policy, shown[:hour][:, open_arms], seen[:hour][:, open_arms], hour)
        shown[hour] = rng.multinomial(VISITORS, shares)
        for arm, won in enumerate(rng.binomial(shown[hour].astype(int), RATES)):
            late = hour + rng.exponential(MEAN_DELAY_H, won).astype(int)
            np.add.at(seen[:, arm], late[late < HOURS], 1)
        lost += float(shown[hour] @ (RATES[open_arms].max() - RATES))
    return lost


def _shares(policy: str, shown: np.ndarray, seen: np.ndarray, hour: int) -> np.ndarray:
    if policy == "uniform" or not hour:
        return np.full(shown.shape[1], 1 / shown.shape[1])
    ages = hour - np.arange(hour) - 0.5
    arms = beta_arms(shown, seen, ages, curve=DELAY if policy == "corrected" else None)
    return allocate(arms)


def published_regret(delay: int, runs: int = 3, steps: int = STEPS) -> list[Measure]:
    """Thompson sampling over 10 items, one replaced every thousand steps, told of clicks every `delay` steps."""
    found = np.mean([_items_regret(delay, steps, np.random.default_rng([8, delay, run])) for run in range(runs)])
    expected = PUBLISHED_REGRET[delay] * steps / STEPS
    return [near(f"Chapelle & Li, delay {delay}: regret", float(found), expected, 0.15 * expected)]


def _items_regret(delay: int, steps: int, rng: np.random.Generator) -> float:
    rates, successes, failures = rng.beta(4, 4, 10), np.ones(10), np.ones(10)
    # An item that leaves takes what was not yet told of it along.
    waiting = np.zeros((2, 10))
    regret = 0.0
    ends = np.union1d(np.flatnonzero(rng.random(steps) < 1e-3) + 1, np.arange(delay, steps + 1, delay))
    replaced_at = set(ends[ends % delay != 0].tolist()) | _also_replaced(ends, delay, rng)
    start = 0
    for end in ends.tolist():
        chosen = rng.beta(successes, failures, (end - start, 10)).argmax(axis=1)
        regret += float((rates.max() - rates[chosen]).sum())
        won = rng.random(end - start) < rates[chosen]
        waiting[0] += np.bincount(chosen[won], minlength=10)
        waiting[1] += np.bincount(chosen[~won], minlength=10)
        if end % delay == 0:
            successes, failures = successes + waiting[0], failures + waiting[1]
            waiting[:] = 0
        if end in replaced_at:
            item = int(rng.integers(10))
            rates[item], successes[item], failures[item], waiting[:, item] = rng.beta(4, 4), 1, 1, 0
        start = end
    return regret


def _also_replaced(ends: np.ndarray, delay: int, rng: np.random.Generator) -> set[int]:
    """Steps at which an item is replaced just when clicks are told."""
    told = ends[ends % delay == 0]
    return set(told[rng.random(len(told)) < 1e-3].tolist())


def few_conversions() -> list[Measure]:
    standing = BetaArms(np.array([1.0, 0, 3]), np.array([99.0, 100, 97])).standing()
    floor = np.abs(with_floor([0, 0, 0.1, 0.9], 0.1) - [0.1, 0.1, 0.16, 0.64]).max()
    lowest = allocate(BetaArms(np.array([10.0, 60]), np.array([990.0, 940])), "top_two", lower_is_better=True)
    least = BetaArms(np.array([10.0, 60]), np.array([990.0, 940])).standing(lower_is_better=True).p_best
    return [
        *(
            near(f"P(best) of {won}/100", chance, expected, 0.001)
            for won, chance, expected in zip((1, 0, 3), standing.p_best, (0.173, 0.044, 0.783), strict=True)
        ),
        at_most("floor identity, largest gap", float(floor), 1e-12),
        at_least("two arms, lower is better: P(best) of the lower", float(least[0]), 0.99),
        near("two arms, lower is better: sum of top-two shares", float(lowest.sum()), 1, 1e-9),
    ]
