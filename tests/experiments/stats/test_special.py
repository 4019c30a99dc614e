import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from experiments.stats.special import (
    binomial_pmf,
    deviance,
    find_root,
    gauss_legendre,
    running_integrals,
    scalar_deviance,
    stirling_error,
)


@given(st.floats(-50, 50), st.floats(0.01, 40), st.floats(0.01, 40), st.integers(1, 7))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_root_is_found_whatever_the_shape(root, left, right, power) -> None:
    found = find_root(lambda x: math.copysign(abs(x - root) ** power, x - root), root - left, root + right)
    # High powers are flat: their values underflow near the root.
    assert found == pytest.approx(root, abs=1e-8, rel=1e-12)


def test_root_of_a_step_is_where_it_jumps() -> None:
    assert find_root(lambda x: 1.0 if x > 0.3 else -1.0, -1, 1) == pytest.approx(0.3, abs=1e-14)


def test_without_a_change_of_sign_the_nearer_end_is_returned() -> None:
    assert find_root(lambda x: x + 2, -1, 1) == -1
    assert find_root(lambda x: 2 - x, -1, 1) == 1
    assert find_root(lambda x: x, 0, 1) == 0


def test_tiny_root_keeps_its_digits() -> None:
    assert find_root(lambda x: x - 1e-13, -1, 1, 1e-25) == pytest.approx(1e-13, rel=1e-11)


def test_stirling_error_is_what_the_formula_lacks() -> None:
    n = np.array([0.01, 0.5, 1, 3.3, 15, 15.9, 16.1, 40, 1e3])
    formula = (n - 0.5) * np.log(n) - n + 0.5 * math.log(2 * math.pi)
    assert stirling_error(n) == pytest.approx(special.gammaln(n) - formula, rel=1e-9, abs=2e-12)
    assert float(stirling_error(1e12)) == pytest.approx(1 / 12e12, rel=1e-12)


@pytest.mark.parametrize("x", [0, 1e-3, 7, 9.4, 9.51, 9.99, 10, 10.001, 10.6, 200])
def test_deviance_is_x_log_x_over_m_plus_m_less_x(x) -> None:
    from fractions import Fraction

    expected = float(special.xlogy(x, x / 10)) + float(Fraction(10) - Fraction(x))
    assert float(deviance(x, 10.0)) == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert scalar_deviance(x, 10.0) == pytest.approx(float(deviance(x, 10.0)), rel=1e-13)


def test_deviance_does_not_cancel() -> None:
    # x log(x/m) + m - x is about (x - m)² / 2m.
    assert float(deviance(1e12 + 1e3, 1e12)) == pytest.approx(5e-7, rel=1e-8)


def test_binomial_probabilities_are_those_of_scipy() -> None:
    rng = np.random.default_rng(5)
    for n in (1, 2, 30, 5000):
        rates = rng.random(5)[:, None]
        k = np.arange(0, n + 1, max(n // 20, 1))
        assert binomial_pmf(k, n, rates) == pytest.approx(stats.binom.pmf(k, n, rates), rel=1e-10, abs=1e-300)
    assert binomial_pmf([0, 3, 9], 9, np.array([[0.0], [1.0]])).tolist() == [[1, 0, 0], [0, 0, 1]]


def test_running_integrals_are_exact_for_polynomials() -> None:
    nodes, weights = gauss_legendre(6)
    for power in range(6):
        assert running_integrals(6) @ nodes**power == pytest.approx(nodes ** (power + 1) / (power + 1), abs=1e-14)
        assert weights @ nodes**power == pytest.approx(1 / (power + 1), rel=1e-14)
