"""A4 and A5: what a test that is looked at 56 times claims, with and without a difference."""

import math
from functools import cache

import numpy as np

from experiments.simulations.measures import Measure, at_least, at_most
from experiments.stats.bandits import allocate, beta_arms, with_holdout
from experiments.stats.sequential import DEFAULT_CONCENTRATION, ratio_evidence
from experiments.stats.srm import log_bayes_factor

LOOKS = 56
VISITORS = 20_000
LIMIT = math.log(20)
EVEN = np.array([0.5, 0.5])
RATES = (0.01, 0.02, 0.05, 0.2)
# control, variant, and the least power that is asked for
POWERS = ((0.02, 0.026, 0.45), (0.02, 0.03, 0.92), (0.05, 0.0625, 0.76))


def false_positives(runs: int = 2_000) -> list[Measure]:
    """A/A at a fixed rate, and at one that drifts and follows the time of day."""
    found = [
        at_most(f"A/A, {rate:g} converts: false positives", _rejected(np.full((LOOKS, 2), rate), runs, seed), 0.06)
        for seed, rate in enumerate(RATES)
    ]
    day = np.arange(LOOKS) / 4
    drifting = 0.02 * (1 + day / 14) * (1 + 0.5 * np.sin(2 * np.pi * day))
    return [
        *found,
        at_most("A/A, drifting rate: false positives", _rejected(drifting[:, None] + [0, 0], runs, 9), 0.06),
    ]


def powers(runs: int = 2_000) -> list[Measure]:
    return [
        at_least(
            f"power, {control:g} against {variant:g}",
            _rejected(np.tile([control, variant], (LOOKS, 1)), runs, 20),
            least,
        )
        for control, variant, least in POWERS
    ]


def _rejected(rates: np.ndarray, runs: int, seed: int) -> float:
    """Share of runs that reject at any look; rates: (looks, 2)."""
    rng = np.random.default_rng([4, seed])
    trials = VISITORS // 2 // LOOKS
    won = rng.binomial(trials, rates, (runs, LOOKS, 2)).cumsum(axis=1).astype(float)
    return float(np.mean([_is_rejected(run) for run in won]))


def _is_rejected(won: np.ndarray) -> bool:
    return any(_log_e(*look) >= LIMIT for look in won.tolist())


@cache
def _log_e(control: float, variant: float) -> float:
    """Many runs pass through the same counts."""
    return log_bayes_factor(np.array([control, variant]), EVEN, DEFAULT_CONCENTRATION)


def bandit_false_positives(runs: int = 400, visitors: int = 300) -> list[Measure]:
    """A/A in which Thompson sampling sets the shares before every look while the base rate drifts."""
    found = np.mean([_bandit_rejects(np.random.default_rng([5, run]), visitors) for run in range(runs)])
    return [at_most("A/A in a bandit: false positives", float(found), 0.06)]


def _bandit_rejects(rng: np.random.Generator, visitors: int) -> bool:
    shown, won = np.zeros((1, 2)), np.zeros((1, 2))
    epochs: list[list[float]] = []
    for look in range(LOOKS):
        shares = with_holdout(allocate(beta_arms(shown, won, [0.0]), floor=0.05))
        rate = 0.01 + 0.03 * look / LOOKS
        seen = rng.multinomial(visitors, shares)
        converted = rng.binomial(seen, rate)
        shown, won = shown + seen, won + converted
        epochs.append([float(shares[1]), float(converted[0]), float(converted[1])])
        if ratio_evidence(epochs).is_rejected:
            return True
    return False
