import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from experiments.stats.errors import StatsError
from experiments.stats.sequential import (
    asymptotic_interval,
    margin_evidence,
    ratio_evidence,
    share_evidence,
)
from tests.experiments.stats.oracles import needs_vectors, trials, vectors

LOG20 = math.log(20)


def random_epochs(rng, largest: int = 60) -> list[list[float]]:
    count = int(rng.integers(1, 9))
    return [[float(rng.uniform(0.05, 0.95)), *(int(x) for x in rng.integers(0, largest, 2))] for _ in range(count)]


def log_likelihood(rows, log_ratio):
    total = 0.0
    for share, control, variant in rows:
        chance = share * math.exp(log_ratio) / (1 - share + share * math.exp(log_ratio))
        total += special.xlogy(variant, chance) + special.xlog1py(control, -chance)
    return total


def log_average(rows, tau, boundary=None):
    """By adaptive quadrature; above a boundary the half of a normal distribution centred there."""
    centre = boundary or 0.0
    top = max(log_likelihood(rows, centre + x) for x in np.linspace(-12 * tau, 12 * tau, 481))

    def density(x):
        return math.exp(log_likelihood(rows, x) - top) * stats.norm.pdf(x, centre, tau)

    span = (centre - 20 * tau, centre + 20 * tau) if boundary is None else (boundary, boundary + 20 * tau)
    points = list(np.linspace(*span, 80)[1:-1])
    value = integrate.quad(density, *span, points=points, limit=2000, epsabs=0, epsrel=1e-10)[0]
    value *= 1 if boundary is None else 2
    return math.log(value) + top - log_likelihood(rows, centre)


def test_evidence_of_epochs_is_that_of_adaptive_quadrature() -> None:
    rng = np.random.default_rng(41)
    for _ in range(trials(5)):
        rows, tau = random_epochs(rng), float(rng.uniform(0.1, 1))
        assert ratio_evidence(rows, tau).log_e == pytest.approx(log_average(rows, tau), rel=1e-7, abs=1e-9)


def test_interval_ends_where_the_evidence_reaches_its_limit() -> None:
    rng = np.random.default_rng(42)
    for _ in range(trials(20)):
        rows, tau = random_epochs(rng), float(rng.uniform(0.1, 1))
        found = ratio_evidence(rows, tau)
        for end in found.ratio_interval:
            if 0 < end < math.inf:
                against = found.log_e + log_likelihood(rows, 0.0) - log_likelihood(rows, math.log(end))
                assert against == pytest.approx(LOG20, abs=1e-6)
        low, high = found.ratio_interval
        assert found.is_rejected == (not low <= 1 <= high)


def test_evidence_of_one_share_is_the_ratio_of_beta_functions() -> None:
    rng = np.random.default_rng(43)
    for _ in range(trials(200)):
        xa, xb = (int(x) for x in rng.integers(0, 500, 2))
        wb, c = float(rng.uniform(0.02, 0.98)), float(rng.uniform(1, 200))
        a, b = c * wb, c * (1 - wb)
        average = special.betaln(a + xb, b + xa) - special.betaln(a, b)
        found = share_evidence(xa, xb, wb, c)
        assert found.log_e == pytest.approx(average - xb * math.log(wb) - xa * math.log1p(-wb), rel=1e-7, abs=1e-9)
        assert found.p == pytest.approx(min(1, math.exp(-found.log_e)), rel=1e-6)
        for end in found.share_interval:
            # Nearer to 1 a share has too few digits of what is left.
            if 0 < end < 1 - 1e-6:
                against = average - special.xlogy(xb, end) - special.xlog1py(xa, -end)
                assert against == pytest.approx(LOG20, abs=1e-6)
        for end, ratio in zip(found.share_interval, found.ratio_interval, strict=True):
            if end < 1 - 1e-6:
                assert ratio == pytest.approx(end / (1 - end) * (1 - wb) / wb, rel=1e-6)
            else:
                assert ratio > 1e6 * (1 - wb) / wb * 0.99


def test_points_of_the_contract_are_a_distribution_of_their_own() -> None:
    """They agree with the normal one while the data are blunt, and part from it where the data are sharper."""
    blunt, sharp = [[0.5, 20, 30], [0.7, 12, 44]], [[0.5, 20_000, 21_000]]
    assert ratio_evidence(blunt, 0.4, points=150).log_e == pytest.approx(ratio_evidence(blunt, 0.4).log_e, rel=1e-9)
    assert ratio_evidence(sharp, 0.4, points=150).log_e != pytest.approx(ratio_evidence(sharp, 0.4).log_e, abs=0.01)
    assert ratio_evidence(sharp, 0.4).log_e == pytest.approx(log_average(sharp, 0.4), rel=1e-6)


def test_average_of_the_evidence_under_the_null_is_one() -> None:
    """What makes it a test that may be looked at: summed over all outcomes, e has mean 1 at the null."""
    for share in (0.3, 0.5):
        outcomes = np.arange(31)
        chances = stats.binom.pmf(outcomes, 30, share)
        whole = [math.exp(share_evidence(30 - int(x), int(x), share, 10).log_e) for x in outcomes]
        epochs = [math.exp(ratio_evidence([[share, 30 - int(x), int(x)]], 0.5).log_e) for x in outcomes]
        points = [math.exp(ratio_evidence([[share, 30 - int(x), int(x)]], 0.5, points=150).log_e) for x in outcomes]
        for values in (whole, epochs, points):
            assert float(chances @ values) == pytest.approx(1, rel=1e-8)


def test_average_of_the_evidence_for_a_margin_is_one_at_it_and_below_one_beyond() -> None:
    outcomes = np.arange(25)
    values = np.array([math.exp(margin_evidence([[0.5, 24 - int(x), int(x)]], 0.25).log_e) for x in outcomes])
    for ratio, expected in ((1.25, 1), (1.0, None), (0.5, None)):
        mean = float(stats.binom.pmf(outcomes, 24, ratio / (1 + ratio)) @ values)
        assert mean == pytest.approx(1, rel=1e-8) if expected else mean < 1


def test_margin_is_that_of_adaptive_quadrature() -> None:
    rng = np.random.default_rng(44)
    for _ in range(trials(4)):
        rows, tau, margin = random_epochs(rng), float(rng.uniform(0.2, 0.8)), float(rng.uniform(-0.3, 0.5))
        found = margin_evidence(rows, margin, tau)
        assert found.log_e == pytest.approx(log_average(rows, tau, math.log1p(margin)), rel=1e-6, abs=1e-8)


def test_margins_above_and_below_mirror_each_other() -> None:
    rows = [[0.5, 100, 150], [0.7, 20, 60]]
    swapped = [[1 - share, variant, control] for share, control, variant in rows]
    above, below = margin_evidence(rows, 0.1), margin_evidence(swapped, 1 / 1.1 - 1, direction="below")
    assert above.log_e == pytest.approx(below.log_e, rel=1e-9)
    assert above.ratio_interval[0] == pytest.approx(1 / below.ratio_interval[1], rel=1e-6)
    assert above.ratio_interval[1] == math.inf
    assert below.ratio_interval[0] == 0


def test_margin_is_exceeded_only_by_a_clear_excess() -> None:
    assert margin_evidence([[0.5, 100, 200]], 0.1).is_rejected
    assert not margin_evidence([[0.5, 100, 112]], 0.1).is_rejected
    assert margin_evidence([[0.5, 100, 90]], 0.1).p == 1
    low = margin_evidence([[0.5, 100, 200]], 0.1).ratio_interval[0]
    assert margin_evidence([[0.5, 100, 200]], low - 1).log_e == pytest.approx(LOG20, abs=1e-6)


def test_nothing_seen_is_no_evidence() -> None:
    for found in (share_evidence(0, 0, 0.3), ratio_evidence([[0.3, 0, 0]]), margin_evidence([[0.3, 0, 0]], 0.1)):
        assert found.log_e == pytest.approx(0, abs=1e-12)
        assert found.p == pytest.approx(1)
        assert found.ratio_interval == (0, math.inf)
        assert not found.is_rejected


COUNTS = st.integers(0, 10**12)


@given(COUNTS, COUNTS, st.floats(1e-6, 1 - 1e-6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_count_has_an_interval_that_holds_the_estimate(xa, xb, wb) -> None:
    for found in (share_evidence(xa, xb, wb), ratio_evidence([[wb, xa, xb]])):
        low, high = found.ratio_interval
        assert 0 <= low <= high
        assert 0 <= found.p <= 1
        if xa and xb:
            estimate = xb / xa * (1 - wb) / wb
            assert low * (1 - 1e-9) <= estimate <= high * (1 + 1e-9)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.05, 0.95))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_swapping_the_arms_mirrors_the_evidence(xa, xb, wb) -> None:
    found, other = ratio_evidence([[wb, xa, xb]]), ratio_evidence([[1 - wb, xb, xa]])
    assert found.log_e == pytest.approx(other.log_e, rel=1e-7, abs=1e-9)
    assert found.ratio_interval[0] == pytest.approx(1 / other.ratio_interval[1], rel=1e-7)


def test_looking_every_day_keeps_the_level() -> None:
    """A/A with 30 looks: the chance that any look rejects stays below alpha."""
    rng = np.random.default_rng(45)
    rejected = 0
    for _ in range(100):
        variant = rng.binomial(12, 0.5, 30).cumsum()
        seen = 12 * np.arange(1, 31)
        rejected += any(
            share_evidence(int(n - b), int(b), 0.5).is_rejected for n, b in zip(seen[::3], variant[::3], strict=True)
        )
    assert rejected / 100 <= 0.09


def test_looking_inside_a_bandit_with_a_drifting_base_rate_keeps_the_level() -> None:
    rng = np.random.default_rng(46)
    rejected = 0
    for _ in range(60):
        rows, share = [], 0.5
        for day in range(12):
            conversions = int(rng.poisson(10 * (1 + day)))
            variant = int(rng.binomial(conversions, share))
            rows.append([share, conversions - variant, variant])
            # The allocation follows what was seen, as a bandit's does.
            share = min(max(0.5 + (variant / max(conversions, 1) - share), 0.1), 0.9)
        rejected += ratio_evidence(rows).is_rejected
    assert rejected / 60 <= 0.1


def test_a_real_difference_is_found() -> None:
    assert share_evidence(100, 190, 0.5).is_rejected
    assert ratio_evidence([[0.5, 60, 100], [0.8, 20, 150]]).is_rejected


@pytest.mark.parametrize(
    "call",
    [
        lambda: share_evidence(1, 2, 0),
        lambda: share_evidence(1, 2, 1),
        lambda: share_evidence(-1, 2, 0.5),
        lambda: share_evidence(1, 2, 0.5, concentration=0),
        lambda: share_evidence(1, 2, 0.5, alpha=2),
        lambda: ratio_evidence([]),
        lambda: ratio_evidence([[0.5, 1]]),
        lambda: ratio_evidence([[0.5, 1, 2]], tau=0),
        lambda: ratio_evidence([[0.5, 1.5, 2]]),
        lambda: margin_evidence([[0.5, 1, 2]], -1),
        lambda: margin_evidence([[0.5, 1, 2]], math.nan),
        lambda: margin_evidence([[0.5, 1, 2]], 0.1, direction="sideways"),
        lambda: asymptotic_interval(0.1, 0, 100),
        lambda: asymptotic_interval(0.1, 0.1, 0),
    ],
)
def test_impossible_input_is_refused(call) -> None:
    with pytest.raises(StatsError):
        call()


@needs_vectors
def test_asymptotic_interval_is_that_of_growthbook() -> None:
    row = vectors("sequential.json")["oracle_asym"][0]
    interval, p = asymptotic_interval(row["in"]["estimate"], row["in"]["se"], row["in"]["n"])
    assert interval == pytest.approx(row["out"]["ci"], rel=1e-9)
    assert p == pytest.approx(row["out"]["p"], rel=1e-9)
    published = vectors("sequential.json")["growthbook_asymptotic"][1]
    interval, _ = asymptotic_interval(
        published["expected"], published["se"], published["control"]["n"] + published["variant"]["n"]
    )
    assert interval == pytest.approx(published["ci"], abs=2e-4)
