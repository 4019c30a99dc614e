import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from experiments.stats.errors import StatsError
from experiments.stats.posts import log_odds
from experiments.stats.shrinkage import (
    PRIOR_TAU,
    beta_by_moments,
    effect_spread,
    fit_beta,
    random_effects,
    shrink,
    shrink_effect,
)
from tests.experiments.stats.oracles import needs_vectors, trials, vectors


def estimates(rng):
    count = int(rng.integers(3, 40))
    v = rng.uniform(0.01, 0.2, count)
    return rng.normal(-3, np.sqrt(v + rng.uniform(0, 0.5) ** 2)), v


def restricted_likelihood(tau2, y, v):
    """From the joint density of contrasts: determinants and quadratic form of the full covariance matrix."""
    covariance = np.diag(v + tau2)
    ones = np.ones((len(y), 1))
    inverse = np.linalg.inv(covariance)
    middle = ones.T @ inverse @ ones
    projection = inverse - inverse @ ones @ np.linalg.inv(middle) @ ones.T @ inverse
    return -0.5 * (np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(middle)[1] + y @ projection @ y)


def test_tau_has_the_largest_restricted_likelihood() -> None:
    rng = np.random.default_rng(91)
    inner = 0
    for _ in range(trials(25)):
        y, v = estimates(rng)
        found = random_effects(y, v)
        best = restricted_likelihood(found.tau**2, y, v)
        for tau2 in np.concatenate([[0], np.logspace(-5, 1, 40)]):
            assert restricted_likelihood(tau2, y, v) <= best + 1e-9
        if found.tau > 0.01:
            step = 1e-4 * found.tau**2
            left, right = (restricted_likelihood(found.tau**2 + shift, y, v) for shift in (-step, step))
            assert left == pytest.approx(right, abs=1e-7)
            inner += 1
    assert inner > 10


def test_each_unit_is_drawn_to_the_middle_by_its_own_noise() -> None:
    found = random_effects([-4.0, -3.0, -2.0, -3.5], [0.01, 0.01, 0.5, 0.1])
    kept = found.tau**2 / (found.tau**2 + np.array([0.01, 0.01, 0.5, 0.1]))
    assert found.means == pytest.approx(found.mu + kept * (np.array([-4, -3, -2, -3.5]) - found.mu))
    assert found.sds == pytest.approx(np.sqrt(kept * [0.01, 0.01, 0.5, 0.1]))


def test_units_that_agree_are_one() -> None:
    found = random_effects([1, 1.01, 0.99], [1, 1, 1])
    assert found.tau == 0
    assert found.means == pytest.approx([1, 1, 1])
    assert random_effects([2.0], [1.0]).mu == 2


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0.001, 100)), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_posterior_means_lie_between_the_estimate_and_the_middle(rows) -> None:
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    found = random_effects(y, v)
    assert found.tau >= 0
    low, high = np.minimum(y, found.mu), np.maximum(y, found.mu)
    assert (found.means >= low - 1e-9).all()
    assert (found.means <= high + 1e-9).all()
    shifted = random_effects(y + 3, v)
    assert shifted.tau == pytest.approx(found.tau, rel=1e-4, abs=1e-5)


def test_effects_are_shrunk_by_the_usual_spread_until_there_are_twenty_tests() -> None:
    assert effect_spread([5.0] * 19, [0.01] * 19) == PRIOR_TAU
    assert effect_spread([0.05, -0.05] * 10, [0.01] * 20) == 0
    wide = effect_spread([1.0, -1.0] * 10, [0.01] * 20)
    assert wide == pytest.approx(math.sqrt(1 - 0.01), rel=1e-6)


def test_one_effect_is_shrunk_by_bayes_rule() -> None:
    mean, sd = shrink_effect(0.4, 0.09)
    assert mean == pytest.approx(0.4 * 0.09 / (0.09 + 0.09))
    assert sd == pytest.approx(math.sqrt(0.09 / 2))
    assert shrink_effect(0.4, 0.09, tau=0) == (0, 0)


def test_shrunk_effects_predict_the_replication_where_raw_ones_exaggerate() -> None:
    """The winner's curse: of many pairs the apparent winner's lead, against its lead in fresh data."""
    rng = np.random.default_rng(92)
    truth = rng.normal(0, 0.3, 20_000)
    seen, again = rng.normal(truth, 0.3), rng.normal(truth, 0.3)
    shrunk, _ = shrink(np.abs(seen), np.full(20_000, 0.09), 0.0, effect_spread(seen.tolist(), [0.09] * 20_000))
    replicated = np.sign(seen) * again
    assert np.abs(seen).mean() / replicated.mean() > 1.7
    assert shrunk.mean() / replicated.mean() == pytest.approx(1, abs=0.08)


def arms(rng):
    n = rng.integers(20, 3000, rng.integers(5, 30))
    return rng.binomial(n, rng.beta(4, 90, len(n))), n


def test_beta_fit_has_the_largest_likelihood() -> None:
    rng = np.random.default_rng(93)
    for _ in range(trials(12)):
        x, n = arms(rng)
        found = fit_beta(x, n)
        if not math.isfinite(found.a):
            continue

        def loss(point, x=x, n=n):
            return -stats.betabinom.logpmf(x, n, *np.exp(point)).sum()

        best = optimize.minimize(loss, np.log([4, 90]), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
        assert found.log_likelihood >= -best.fun - 1e-7
        assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-5)
        assert found.a == pytest.approx(np.exp(best.x[0]), rel=1e-3)
        assert found.mu == pytest.approx(found.a / (found.a + found.b))
        assert found.rho == pytest.approx(1 / (found.a + found.b + 1))


def test_arms_that_scatter_no_more_than_chance_have_no_correlation() -> None:
    for x, n in (([10, 10, 10], [100, 100, 100]), ([3], [9]), ([1, 1], [5, 5])):
        found = fit_beta(x, n)
        assert (found.a, found.b, found.rho) == (math.inf, math.inf, 0)
        assert found.log_likelihood == pytest.approx(stats.binom.logpmf(x, n, found.mu).sum())


def test_arms_without_success_or_failure_say_nothing_of_the_spread() -> None:
    for x, mu in (([0, 0], 0), ([9, 9], 1)):
        found = fit_beta(x, [9, 9])
        assert math.isnan(found.a)
        assert found.mu == mu


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_any_arms_have_a_prior(pairs) -> None:
    x, n = [min(pair) for pair in pairs], [max(pair) for pair in pairs]
    prior = beta_by_moments(x, n)
    assert prior.a > 0
    assert prior.b > 0
    if sum(n):
        assert 0 <= fit_beta(x, n).mu <= 1


def test_prior_by_moments_is_near_the_truth() -> None:
    rng = np.random.default_rng(94)
    n = rng.integers(500, 5000, 4000)
    prior = beta_by_moments(rng.binomial(n, rng.beta(4, 90, 4000)), n)
    assert prior.a == pytest.approx(4, rel=0.1)
    assert prior.mean == pytest.approx(4 / 94, rel=0.03)
    assert beta_by_moments([0, 0], [10, 10]).mean == pytest.approx(0.5 / 21)


@needs_vectors
def test_shrinkage_cuts_the_error_of_the_baseball_season_threefold() -> None:
    published = vectors("bayes.json")["james_stein"]
    hits, rest = np.array(published["hits"]), np.array(published["season_rest"])
    raw = ((hits / 45 - rest) ** 2).sum()
    assert raw == pytest.approx(published["james_stein"]["sse_raw_published"], abs=0.002)
    y, v = log_odds(hits, np.full(18, 45))
    shrunk = 1 / (1 + np.exp(-random_effects(y, v).means))
    prior = beta_by_moments(hits, [45] * 18)
    by_beta = (hits + prior.a) / (45 + prior.a + prior.b)
    assert raw / ((shrunk - rest) ** 2).sum() >= 3
    assert raw / ((by_beta - rest) ** 2).sum() >= published["james_stein"]["ratio_at_least"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: random_effects([1], [0]),
        lambda: random_effects([1], [-1]),
        lambda: random_effects([1, 2], [1]),
        lambda: random_effects([], []),
        lambda: random_effects([math.nan], [1]),
        lambda: fit_beta([1], [0]),
        lambda: fit_beta([0], [0]),
        lambda: fit_beta([1, 2], [3]),
        lambda: shrink_effect(math.inf, 1),
        lambda: shrink_effect(1, 0),
    ],
)
def test_impossible_input_is_refused(call) -> None:
    with pytest.raises(StatsError):
        call()
