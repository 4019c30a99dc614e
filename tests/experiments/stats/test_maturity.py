import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments.stats.maturity import AGES_H, PRIORS, MaturityCurve, expected_trials, fit_curve, weibull_curve

TRUTH = weibull_curve(6.0, 1.0)
FLAT = MaturityCurve(AGES_H, (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))


def snapshots(posts, seed, truth=TRUTH):
    """Cumulative counts of posts of very different reach, multinomial over the truth's steps."""
    rng = np.random.default_rng(seed)
    steps = np.diff(truth.shares, prepend=0.0)
    return np.cumsum([rng.multinomial(rng.lognormal(5, 1), steps) for _ in range(posts)], axis=1).astype(float)


def test_the_curve_is_found_from_many_posts():
    found = fit_curve(snapshots(400, 1), FLAT)
    assert found.shares == pytest.approx(TRUTH.shares, abs=0.03)


def test_young_posts_say_what_they_can():
    counts = snapshots(400, 2)
    # Only one post in forty is old enough for the last ages.
    counts[10:, 5:] = np.nan
    found = fit_curve(counts, TRUTH)
    assert found.shares[:5] == pytest.approx(TRUTH.shares[:5], abs=0.04)


def test_comparing_sums_of_unequal_sets_of_posts_would_be_wrong():
    counts = snapshots(200, 3)
    counts[20:, -1] = np.nan
    naive = np.nansum(counts, axis=0)[4] / np.nansum(counts, axis=0)[-1]
    assert naive > 5
    assert fit_curve(counts, TRUTH).shares[4] == pytest.approx(TRUTH.shares[4], abs=0.05)


@pytest.mark.parametrize("counts", [np.empty((0, 8)), np.full((5, 8), np.nan), np.zeros((5, 8))])
def test_without_evidence_the_curve_is_the_prior(counts):
    assert fit_curve(counts, FLAT).shares == pytest.approx(FLAT.shares)


def test_more_posts_move_the_curve_further_from_the_prior():
    gaps = [abs(fit_curve(snapshots(posts, 4), FLAT).shares[2] - FLAT.shares[2]) for posts in (2, 10, 50, 400)]
    assert gaps == sorted(gaps)


@settings(max_examples=60, deadline=None)
@given(arrays(float, (6, 8), elements=st.one_of(st.just(np.nan), st.integers(0, 10_000).map(float))))
def test_the_curve_rises_from_0_to_1_whatever_the_counts(counts):
    found = fit_curve(counts, TRUTH)
    assert found.shares[-1] == 1
    assert min(found.shares) >= 0
    assert np.diff(found.shares).min() >= 0


def test_between_ages_the_curve_rises():
    ages = np.linspace(0, 400, 4001)
    shares = TRUTH.at(ages)
    assert np.diff(shares).min() >= 0
    assert shares[0] == 0
    assert shares[-1] == 1
    assert TRUTH.at(AGES_H) == pytest.approx(TRUTH.shares)
    assert TRUTH.at(-5) == 0
    assert TRUTH.at(0.125) == pytest.approx(TRUTH.shares[0] / 2)


def test_expected_trials_count_each_exposure_by_its_age():
    assert expected_trials(TRUTH, [0, 1000, 1000]) == 2
    assert expected_trials(TRUTH, [3.0]) == pytest.approx(TRUTH.shares[2])
    assert expected_trials(TRUTH, []) == 0


def test_the_priors_are_what_is_published():
    assert PRIORS["x"].at(80 / 60) == pytest.approx(0.5, abs=0.02)
    assert PRIORS["x"].at(24) > 0.95
    assert 0.65 <= PRIORS["telegram"].at(24) <= 0.75
