import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from experiments.stats.errors import StatsError
from experiments.stats.srm import check_ratio, exact_binomial_p, log_bayes_factor, simulated_p
from tests.experiments.stats.oracles import needs_vectors, trials, vectors


def test_exact_p_is_that_of_scipy() -> None:
    rng = np.random.default_rng(51)
    for _ in range(trials(150)):
        n, share = int(rng.integers(1, 600)), float(rng.uniform(0.01, 0.99))
        x = int(rng.binomial(n, rng.uniform(0, 1)))
        assert exact_binomial_p(x, n, share) == pytest.approx(stats.binomtest(x, n, share).pvalue, rel=1e-9, abs=1e-300)


def test_chi_square_is_that_of_scipy() -> None:
    rng = np.random.default_rng(52)
    for _ in range(trials(100)):
        arms = int(rng.integers(2, 6))
        weights = rng.dirichlet(np.full(arms, 5.0))
        counts = rng.multinomial(int(rng.integers(50, 10**5)), weights)
        expected = stats.chisquare(counts, counts.sum() * weights).pvalue
        found = check_ratio(counts.tolist(), weights.tolist())
        assert found.p_chi2 == pytest.approx(expected, rel=1e-9)
        assert found.df == arms - 1


def bayes_factor_by_gammas(counts, shares, concentration):
    prior = concentration * shares
    total = special.gammaln(prior.sum()) - special.gammaln(prior.sum() + counts.sum())
    return total + (special.gammaln(prior + counts) - special.gammaln(prior)).sum() - (counts * np.log(shares)).sum()


def test_sequential_evidence_is_the_dirichlet_multinomial() -> None:
    rng = np.random.default_rng(53)
    for _ in range(trials(100)):
        shares = rng.dirichlet(np.full(int(rng.integers(2, 6)), 3.0))
        counts = rng.multinomial(int(rng.integers(1, 5000)), rng.dirichlet(np.full(len(shares), 3.0))).astype(float)
        concentration = float(rng.uniform(1, 20_000))
        expected = bayes_factor_by_gammas(counts, shares, concentration)
        assert log_bayes_factor(counts, shares, concentration) == pytest.approx(expected, rel=1e-8, abs=1e-7)


def test_sequential_evidence_has_mean_one_under_the_set_shares() -> None:
    shares, n = np.array([0.2, 0.3, 0.5]), 12
    total = 0.0
    for first, second in product(range(n + 1), repeat=2):
        if first + second <= n:
            counts = np.array([first, second, n - first - second], dtype=float)
            total += stats.multinomial.pmf(counts, n, shares) * math.exp(log_bayes_factor(counts, shares, 20.0))
    assert total == pytest.approx(1, rel=1e-9)


def test_sequential_evidence_keeps_its_digits_at_a_trillion() -> None:
    even = np.array([0.5, 0.5])
    # Near the null: half the log of 1 + N/c, against (excess)² / 2N (1 - c/(c+N)).
    found = log_bayes_factor(np.array([5e11, 5e11]), even, 10_000.0)
    assert found == pytest.approx(-0.5 * math.log(1 + 1e8), abs=1e-3)


@needs_vectors
def test_published_tests() -> None:
    for row in vectors("srm.json")["published"]:
        if "counts" in row:
            assert check_ratio(row["counts"], row["weights"]).p_chi2 == pytest.approx(row["p_chi2"], rel=0.05)


@pytest.mark.parametrize(
    ("counts", "weights", "p", "unexpected", "alarm"),
    [
        pytest.param([500, 560, 0], [0.5, 0.5, 0], 0.06534575, False, False, id="weight 0, no traffic"),
        pytest.param([500, 500, 3], [0.5, 0.5, 0], 1.0, True, True, id="weight 0 with traffic"),
        pytest.param([45, 45, 0], [0.45, 0.45, 0.1], 0.006738, False, False, id="an arm received nothing"),
        pytest.param([450, 450], [0.45, 0.45], 1.0, False, False, id="a holdout does not count"),
        pytest.param([100, 100], [50, 50], 1.0, False, False, id="weights need not sum to 1"),
        pytest.param([0, 0], [0.5, 0.5], 1.0, False, False, id="no data"),
    ],
)
def test_six_behaviours(counts, weights, p, unexpected, alarm) -> None:
    found = check_ratio(counts, weights)
    assert found.p_chi2 == pytest.approx(p, rel=1e-4)
    assert found.unexpected_traffic == unexpected
    assert found.is_alarm == alarm
    assert found.enough_data == any(counts)


def test_alarm_comes_from_either_test() -> None:
    assert check_ratio([600, 400], [1, 1]).is_alarm
    assert not check_ratio([520, 480], [1, 1]).is_alarm
    assert check_ratio([52_000, 48_000], [1, 1]).log_e > math.log(1000)


def test_rare_arm_is_tested_exactly() -> None:
    """4 of 900 where .9 are expected: the chi-square says .001, the truth is .013."""
    counts, weights = [449, 447, 4], [0.4995, 0.4995, 0.001]
    found = check_ratio(counts, weights)
    assert found.p_exact is not None
    assert found.p_exact == pytest.approx(0.0135, abs=0.004)
    assert found.p_chi2 < 0.005


def test_simulated_p_is_near_that_of_full_enumeration() -> None:
    counts, shares = np.array([3.0, 1.0, 4.0]), np.array([0.2, 0.2, 0.6])
    expected = 8 * shares
    observed = ((counts - expected) ** 2 / expected).sum()
    exact = 0.0
    for first, second in product(range(9), repeat=2):
        outcome = np.array([first, second, 8 - first - second])
        if outcome[2] >= 0 and ((outcome - expected) ** 2 / expected).sum() >= observed - 1e-9:
            exact += stats.multinomial.pmf(outcome, 8, shares)
    assert simulated_p(counts, shares) == pytest.approx(exact, abs=0.012)
    assert simulated_p(counts, shares) == simulated_p(counts, shares)


def test_many_arms_of_a_trillion_fall_back_to_the_rarest() -> None:
    found = check_ratio([10**12, 10**12, 0], [1, 1, 4e-12])
    assert found.p_exact == pytest.approx(math.exp(-4) + stats.poisson.sf(8, 4), rel=1e-3)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_counts_have_a_p(counts, random) -> None:
    weights = [random.choice([0.0, 0.1, 1.0, 3.0]) for _ in counts]
    weights[0] = 1.0
    found = check_ratio(counts, weights)
    assert 0 <= found.p_chi2 <= 1
    assert 0 <= found.p_sequential <= 1
    assert found.p_exact is None or 0 <= found.p_exact <= 1
    doubled = check_ratio(counts, [2 * weight for weight in weights])
    assert doubled.p_chi2 == pytest.approx(found.p_chi2, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize(
    ("counts", "weights", "reason"),
    [
        ([1, 2], [1], "one number for each arm"),
        ([], [], "list of at least 1"),
        ([1, -2], [1, 1], "each count must be from 0"),
        ([1, 2.5], [1, 1], "each count must be a whole number"),
        ([1, 2], [1, -1], "must not be negative"),
        ([1, 2], [0, 0], "above 0"),
        ([1, 2], [1, 1e-20], "millionth of a millionth"),
        ([1, math.nan], [1, 1], "finite numbers"),
    ],
)
def test_impossible_input_is_refused(counts, weights, reason) -> None:
    with pytest.raises(StatsError, match=reason):
        check_ratio(counts, weights)


def test_p_is_uniform_when_the_split_is_as_set() -> None:
    rng = np.random.default_rng(54)
    drawn = rng.multinomial(3000, [0.2, 0.3, 0.5], 1500)
    p = np.array([check_ratio(counts.tolist(), [0.2, 0.3, 0.5]).p_chi2 for counts in drawn])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.018)
