"""A6: tests whose unit is the post, in a world where posts differ more than wordings do."""

import numpy as np
from scipy.special import expit, logit

from experiments.simulations.measures import Measure, at_least, at_most
from experiments.stats.frequentist import means_of_sums, welch_test
from experiments.stats.paired import sign_flip_test
from experiments.stats.posts import log_odds

IMPRESSIONS = 3_000
RATE = 0.015
# In log-odds: between stories and between wordings of one story, as published for headlines, and between two slots.
STORY_SD = 0.70
WORDING_SD = 0.215
SLOT_SD = 0.18
POST_SD = float(np.hypot(WORDING_SD, SLOT_SD))


def unpaired_false_positives(runs: int = 4_000, posts: int = 10) -> list[Measure]:
    rng = np.random.default_rng(6)
    found = np.mean([_unpaired_p(rng, posts) <= 0.05 for _ in range(runs)])
    return [at_most(f"A/A, {posts} posts an arm: false positives", float(found), 0.07)]


def paired_power(runs: int = 300, pairs: int = 20, lift: float = 0.35) -> list[Measure]:
    rng = np.random.default_rng(7)
    found = np.mean([_paired_p(rng, pairs, np.log1p(lift)) <= 0.05 for _ in range(runs)])
    none = np.mean([_paired_p(rng, 12, 0.0) <= 0.05 for _ in range(4 * runs)])
    return [
        at_least(f"power, {pairs} pairs, +{lift:.0%}", float(found), 0.70),
        at_most("A/A, 12 pairs: false positives", float(none), 0.07),
    ]


def _measured(rng: np.random.Generator, effects: np.ndarray) -> np.ndarray:
    events = rng.binomial(IMPRESSIONS, expit(logit(RATE) + effects))
    return log_odds(events, np.full(effects.shape, IMPRESSIONS))[0]


def _unpaired_p(rng: np.random.Generator, posts: int) -> float:
    spread = np.hypot(STORY_SD, POST_SD)
    arms = _measured(rng, rng.normal(0, spread, (2, posts)))
    control, variant = (means_of_sums(posts, arm.sum(), (arm**2).sum()) for arm in arms)
    return welch_test(control, variant).p


def _paired_p(rng: np.random.Generator, pairs: int, effect: float) -> float:
    stories = rng.normal(0, STORY_SD, pairs)
    control, variant = _measured(rng, stories + rng.normal(0, POST_SD, (2, pairs)) + np.array([[0.0], [effect]]))
    return sign_flip_test(variant - control).p
