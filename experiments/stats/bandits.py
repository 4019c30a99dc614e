"""Shares of traffic by what the arms have earned, computed in batches and never by chance.

Thompson sampling (Thompson 1933; Chapelle & Li 2011) gives an arm the chance that it is best; that chance is integrated
and not drawn, so the same data give the same shares. Top-two (Russo 2016) finds the best arm sooner, KL-UCB (Garivier &
Cappé 2011) and epsilon-greedy are there to compare with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.stats.bayes import Beta, best_arm
from experiments.stats.errors import StatsError
from experiments.stats.maturity import MaturityCurve

Floats = NDArray[np.float64]

DEFAULT_FLOOR = 0.01
DEFAULT_HOLDOUT = 0.10
# “Threshold of caring”, as a share of the leader's rate.
DEFAULT_CARING = 0.02
WEEK_H = 168.0
EPSILON = 0.10
TOP_TWO_SHARE = 0.5
QUANTILE_NODES = 400


@dataclass(frozen=True)
class Standing:
    """Per arm, shape (K,): P(best), expected loss of choosing it, and posterior mean."""

    p_best: Floats
    expected_loss: Floats
    mean: Floats

    @property
    def leader(self) -> int:
        """The arm that loses least on average, the first of equals."""
        return int(self.expected_loss.argmin())


@dataclass(frozen=True)
class BetaArms:
    """Rates. Successes and failures (K,), in whole or in part; prior Beta(prior_a, prior_b) for every arm."""

    successes: Floats
    failures: Floats
    prior_a: float = 1.0
    prior_b: float = 1.0

    def __post_init__(self) -> None:
        if len(self.successes) != len(self.failures) or not len(self.successes):
            raise StatsError("Each arm needs successes and failures.")
        if not all(np.isfinite(part).all() and (part >= 0).all() for part in (self.successes, self.failures)):
            raise StatsError("Successes and failures must be at least 0.")

    @property
    def trials(self) -> Floats:
        return self.successes + self.failures

    @property
    def posteriors(self) -> list[Beta]:
        a, b = self.prior_a + self.successes, self.prior_b + self.failures
        return [Beta(float(x), float(y)) for x, y in zip(a, b, strict=True)]

    def standing(self, lower_is_better: bool = False) -> Standing:
        posteriors = self.posteriors
        best = best_arm(posteriors, lower_is_better)
        return Standing(best.p_best, best.expected_loss, np.array([posterior.mean for posterior in posteriors]))

    def bounds(self, level: float) -> tuple[Floats, Floats]:
        """The lowest and highest rate q with trials × KL(rate, q) <= level; 0 and 1 for an arm without trials."""
        rate = self.successes / np.maximum(self.trials, 1e-9)
        return _kl_bound(rate, self.trials, level, 0.0), _kl_bound(rate, self.trials, level, 1.0)


@dataclass(frozen=True)
class NormalArms:
    """Means of amounts such as revenue. Count, mean and sum of squared deviations (K,).

    prior: Normal-inverse-gamma with mean, strength (in observations), shape and rate, the same for every arm.
    """

    count: Floats
    average: Floats
    squares: Floats
    prior: tuple[float, float, float, float] = (0.0, 0.01, 1.5, 1.0)

    @property
    def trials(self) -> Floats:
        return self.count

    def posterior(self) -> tuple[Floats, Floats, Floats]:
        """Location, scale and degrees of freedom of each mean's Student t (Murphy 2007, section 6)."""
        middle, strength, shape, rate = self.prior
        total = strength + self.count
        location = (strength * middle + self.count * self.average) / total
        a = shape + self.count / 2
        b = rate + self.squares / 2 + strength * self.count * (self.average - middle) ** 2 / (2 * total)
        return location, np.sqrt(b / (a * total)), 2 * a

    def standing(self, lower_is_better: bool = False) -> Standing:
        location, scale, freedom = self.posterior()
        sign = -1.0 if lower_is_better else 1.0
        p_best, loss = _best_of_students(sign * location, scale, freedom)
        return Standing(p_best, loss, location)

    def bounds(self, level: float) -> tuple[Floats, Floats]:
        location, scale, _ = self.posterior()
        half = np.sqrt(2 * level) * scale
        return location - half, location + half


Arms = BetaArms | NormalArms


def _best_of_students(location: Floats, scale: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """P(largest) and E[largest − own], by Gauss–Legendre over each arm's own quantiles."""
    nodes, weights = np.polynomial.legendre.leggauss(QUANTILE_NODES)
    shares, weights = (nodes + 1) / 2, weights / 2
    values = location[:, None] + scale[:, None] * special.stdtrit(freedom[:, None], shares)
    standard = (values[:, :, None] - location) / scale
    below = special.stdtr(freedom, standard)
    below[np.arange(len(location)), :, np.arange(len(location))] = 1.0
    largest = below.prod(axis=2)
    p_best = largest @ weights
    expected = float((values * largest * weights).sum())
    return p_best / p_best.sum(), np.maximum(expected - location, 0.0)


def _kl_bound(rate: Floats, trials: Floats, level: float, end: float) -> Floats:
    """By bisection between the rate and the end, 0 or 1."""
    inside, outside = rate.copy(), np.full(len(rate), end)
    most = level / np.maximum(trials, 1e-9)
    for _ in range(60):
        middle = (inside + outside) / 2
        kl = special.rel_entr(rate, middle) + special.rel_entr(1 - rate, 1 - middle)
        fits = kl <= most
        inside, outside = np.where(fits, middle, inside), np.where(fits, outside, middle)
    return inside


def _thompson(arms: Arms, lower_is_better: bool) -> Floats:
    return arms.standing(lower_is_better).p_best


def _top_two(arms: Arms, lower_is_better: bool) -> Floats:
    """Half to the best, half to the best of the others: exact, where Russo draws again until another arm wins."""
    p = arms.standing(lower_is_better).p_best
    if len(p) == 1:
        return p
    # Summed without the arm itself: 1 − p would lose the digits of a near-certain winner.
    others = p @ (1 - np.eye(len(p)))
    if not others.all():
        challenged = (others > 0) / (len(p) - 1)
    else:
        odds = p / others
        challenged = p * (odds @ (1 - np.eye(len(p))))
    return TOP_TWO_SHARE * p + (1 - TOP_TWO_SHARE) * challenged


def _kl_ucb(arms: Arms, lower_is_better: bool) -> Floats:
    low, high = arms.bounds(float(np.log(max(arms.trials.sum(), 1.0))))
    return _all_to(-low if lower_is_better else high)


def _epsilon_greedy(arms: Arms, lower_is_better: bool) -> Floats:
    mean = arms.standing(lower_is_better).mean
    return (1 - EPSILON) * _all_to(-mean if lower_is_better else mean) + EPSILON / len(mean)


def _all_to(values: Floats) -> Floats:
    """Everything to the highest, in equal parts to equals."""
    best = (values >= values.max() - 1e-12).astype(float)
    return best / best.sum()


RULES: dict[str, Callable[[Arms, bool], Floats]] = {
    "thompson": _thompson,
    "top_two": _top_two,
    "kl_ucb": _kl_ucb,
    "epsilon": _epsilon_greedy,
}


def allocate(
    arms: Arms, rule: str = "thompson", *, floor: float = DEFAULT_FLOOR, lower_is_better: bool = False
) -> Floats:
    """Shares (K,) of the next batch. The same data give the same shares; no random number is involved.

    Raises StatsError for a rule that does not exist.
    """
    if rule not in RULES:
        raise StatsError(f"A rule is one of: {', '.join(RULES)}.")
    return with_floor(RULES[rule](arms, lower_is_better), floor)


def with_floor(weights: ArrayLike, floor: float) -> Floats:
    """p = f + (1 − K f) w: no arm falls below the floor. Equal shares where K f >= 1; a floor below 0 is none."""
    shares = np.asarray(weights, float)
    floor = max(floor, 0.0)
    if floor * len(shares) >= 1:
        return np.full(len(shares), 1 / len(shares))
    return floor + (1 - floor * len(shares)) * shares


def with_holdout(weights: ArrayLike, holdout: float = DEFAULT_HOLDOUT) -> Floats:
    """Chances of an arm over all units, of which a share stays at equal weights."""
    shares = np.asarray(weights, float)
    return holdout / len(shares) + (1 - holdout) * shares


def beta_arms(
    exposures: ArrayLike,
    successes: ArrayLike,
    ages_h: ArrayLike,
    *,
    curve: MaturityCurve | None = None,
    half_life_h: float | None = None,
    prior: tuple[float, float] = (1.0, 1.0),
) -> BetaArms:
    """Evidence from batches: exposures (T, K), the successes that came of them (T, K), and the age of each batch (T,).

    curve: conversions still to come are not held against an arm: failures are max(Σ exposures F(age) − successes, 0)
    (Chapelle 2014; Vernade, Cappé & Perchet 2017). half_life_h: a batch counts half after each half-life, for worlds
    that change.
    """
    shown, won, ages = (np.asarray(part, float) for part in (exposures, successes, ages_h))
    if shown.ndim != 2 or shown.shape != won.shape or len(ages) != len(shown):
        raise StatsError("Exposures and successes must have a row for each batch and a column for each arm.")
    weight = np.ones(len(ages)) if half_life_h is None else 0.5 ** (ages / half_life_h)
    matured = np.ones(len(ages)) if curve is None else curve.at(ages)
    kept = weight @ won
    return BetaArms(kept, np.maximum((weight * matured) @ shown - kept, 0.0), *prior)


def stop_reason(
    standing: Standing, *, hours_seen: float, is_budget_spent: bool = False, caring: float = DEFAULT_CARING
) -> str | None:
    """Why the bandit may end, or None to go on.

    "settled": the leader is expected to lose less than `caring` of its own rate, and each hour of a week was seen;
    "budget": nothing is left to spend.
    """
    leader = standing.leader
    loses = float(standing.expected_loss[leader])
    if loses < caring * abs(float(standing.mean[leader])) and hours_seen >= WEEK_H:
        return "settled"
    return "budget" if is_budget_spent else None


def draw_arm(posteriors: Sequence[Beta], rng: np.random.Generator) -> int:
    """One step of Thompson sampling as published: the arm whose drawn rate is the highest."""
    a, b = np.array(posteriors).T
    return int(rng.beta(a, b).argmax())
