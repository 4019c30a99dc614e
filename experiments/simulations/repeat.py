"""A14: the same data give the same numbers, in another process too."""

from multiprocessing import get_context

import numpy as np

from experiments.simulations.measures import Measure, at_most
from experiments.simulations.search import WEEK
from experiments.stats.bandits import BetaArms, NormalArms, allocate
from experiments.stats.bayes import compare, posterior_of
from experiments.stats.frequentist import score_interval_of_difference, score_interval_of_ratio, table_of
from experiments.stats.optimiser import Observation, recommend, suggest
from experiments.stats.paired import sign_flip_test
from experiments.stats.roi import Effect, campaign_return, rollout_gain
from experiments.stats.sequential import ratio_evidence, share_evidence
from experiments.stats.shrinkage import random_effects
from experiments.stats.splitter import Split, assign
from experiments.stats.srm import check_ratio


def same_numbers() -> list[Measure]:
    """The largest relative gap between one computation and another, here and in a fresh process."""
    here, again = numbers(), numbers()
    with get_context("spawn").Pool(1) as pool:
        elsewhere = pool.apply(numbers)
    gap = max(_gap(here, again), _gap(here, elsewhere))
    return [at_most(f"same data, {len(here)} numbers: largest relative gap", gap, 1e-12)]


def _gap(one: list[float], other: list[float]) -> float:
    left, right = np.array(one), np.array(other)
    return float((np.abs(left - right) / np.maximum(np.abs(left), 1e-300)).max())


def numbers() -> list[float]:
    """Something of every method, those with seeds included."""
    rng = np.random.default_rng(14)
    table = table_of(31, 1_000, 52, 1_100)
    control, variant = posterior_of(31, 1_000), posterior_of(52, 1_100)
    compared = compare(control, variant)
    pairs = sign_flip_test(rng.normal(0.2, 0.4, 25).tolist())
    effects = random_effects(rng.normal(-4, 0.5, 12).tolist(), [0.1] * 12)
    arms = BetaArms(np.array([3.0, 5, 9]), np.array([97.0, 95, 91]))
    amounts = NormalArms(np.array([30.0, 40]), np.array([5.0, 5.5]), np.array([90.0, 120]))
    gain = rollout_gain(Effect(101, 4_901, 0.2, 0.1), exposures=50_000, value=12, cost=900)
    earned = campaign_return(5_000, 90_000, 3_000)
    seen = [Observation(WEEK.decode(row), float(rng.normal()), 0.5) for row in WEEK.sobol(40, 14)]
    slots = [suggest(WEEK, seen, seed=14, method=method)[0] for method in ("thompson", "noisy_ei")]
    return [
        *score_interval_of_difference(table),
        *score_interval_of_ratio(table),
        compared.chance_to_win,
        *compared.lift_interval,
        pairs.p,
        *(pairs.interval or ()),
        effects.tau,
        *effects.means,
        share_evidence(31, 52, 0.52).log_e,
        ratio_evidence([[0.5, 20, 25], [0.8, 11, 27]]).log_e,
        check_ratio([500, 560, 30], [0.46, 0.5, 0.04]).p_chi2,
        *(share for rule in ("thompson", "top_two", "kl_ucb", "epsilon") for share in allocate(arms, rule)),
        *allocate(amounts),
        gain.mean,
        *gain.interval,
        gain.expected_loss,
        *earned.profit.interval,
        *(float(value) for slot in slots for value in slot.values()),
        *recommend(WEEK, seen).lead_interval,
        *(float(given.arm) for unit in map(str, range(50)) if (given := assign(Split("same", (1, 2)), unit))),
    ]
