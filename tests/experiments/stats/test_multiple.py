import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.errors import StatsError
from experiments.stats.multiple import e_benjamini_hochberg, holm


def holm_by_definition(p):
    """The i-th smallest times how many are left, never below the one before."""
    adjusted, least = {}, 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        least = max(least, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = least
    return [adjusted[index] for index in range(len(p))]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_holm_is_that_of_the_definition(p) -> None:
    assert holm(p) == pytest.approx(holm_by_definition(p))


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]).tolist() == []
    assert holm([0.03]).tolist() == [0.03]


def by_definition(e, alpha):
    """The largest k of which k values reach K / (k alpha)."""
    for k in range(len(e), 0, -1):
        if sum(value >= len(e) / (k * alpha) for value in e) >= k:
            return sorted(sorted(range(len(e)), key=lambda index: -e[index])[:k])
    return []


@given(st.lists(st.floats(0, 1000), min_size=0, max_size=8), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_rejected_are_those_of_the_definition(e, alpha) -> None:
    assert e_benjamini_hochberg(e, alpha) == by_definition(e, alpha)


def test_one_e_value_needs_one_over_alpha() -> None:
    assert e_benjamini_hochberg([20.0]) == [0]
    assert e_benjamini_hochberg([19.9]) == []
    assert e_benjamini_hochberg([math.inf, 0.0]) == [0]


def test_share_of_false_rejections_is_kept_under_dependence() -> None:
    rng = np.random.default_rng(101)
    shares = []
    for _ in range(800):
        shared = rng.normal()
        z = 0.7 * shared + math.sqrt(1 - 0.49) * rng.normal(size=10)
        z[:3] += 3.5
        # exp(λz - λ²/2) has mean 1 for a standard normal z.
        rejected = e_benjamini_hochberg(np.exp(2.5 * z - 2.5**2 / 2))
        shares.append(sum(index >= 3 for index in rejected) / max(len(rejected), 1))
    assert np.mean(shares) <= 0.05


@pytest.mark.parametrize("p", [[-0.1], [1.1], [math.nan], [[0.1]]])
def test_impossible_p_values_are_refused(p) -> None:
    with pytest.raises(StatsError):
        holm(p)


@pytest.mark.parametrize("e", [[-1.0], [math.nan]])
def test_impossible_e_values_are_refused(e) -> None:
    with pytest.raises(StatsError):
        e_benjamini_hochberg(e)
