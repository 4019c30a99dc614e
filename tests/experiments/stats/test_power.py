import math

import numpy as np
import pytest
from scipy import stats

from experiments.stats.errors import StatsError
from experiments.stats.power import (
    Design,
    detectable_log_lift,
    detectable_rate,
    pairs_needed,
    plan_pairs,
    plan_rates,
    power_of_proportions,
    sample_sizes,
    size_of_means,
)
from tests.experiments.stats.oracles import needs_vectors, trials, vectors


def designs(count: int):
    rng = np.random.default_rng(61)
    for _ in range(count):
        p1 = float(10 ** rng.uniform(-3, -0.4))
        p2 = min(p1 * float(rng.uniform(1.05, 2)), 0.98)
        yield p1, p2, Design(float(rng.uniform(0.01, 0.2)), float(rng.uniform(0.6, 0.95)), float(rng.uniform(0.3, 3)))


def test_arcsine_size_is_that_of_statsmodels() -> None:
    # Loading it takes seconds.
    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import proportion_effectsize

    for p1, p2, design in designs(trials(40)):
        # One-sided, as the formula leaves the other tail out.
        expected = NormalIndPower().solve_power(
            proportion_effectsize(p2, p1),
            alpha=design.alpha / 2,
            power=design.power,
            ratio=design.ratio,
            alternative="larger",
        )
        assert sample_sizes(p1, p2, design).arcsine == pytest.approx(expected, rel=1e-5)


def test_pooled_size_of_even_arms_is_that_of_statsmodels() -> None:
    # Loading it takes seconds.
    from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

    for p1, p2, design in designs(trials(60)):
        even = Design(design.alpha, design.power)
        expected = samplesize_proportions_2indep_onetail(p2 - p1, p1, even.power, ratio=1, alpha=even.alpha)
        assert sample_sizes(p1, p2, even).pooled == pytest.approx(expected, rel=1e-8)


def test_power_at_the_size_is_the_power_asked_for() -> None:
    for p1, p2, design in designs(trials(60)):
        n = sample_sizes(p1, p2, design).pooled
        assert power_of_proportions(p1, p2, n, design) == pytest.approx(design.power, rel=1e-9)


def test_detectable_rate_is_the_inverse_of_the_size() -> None:
    for p1, p2, design in designs(trials(60)):
        n = sample_sizes(p1, p2, design).pooled
        assert detectable_rate(p1, n, design) == pytest.approx(p2, rel=1e-9)


def test_conventions_are_told_apart() -> None:
    found = sample_sizes(0.2, 0.25)
    assert (found.needed, round(found.unpooled), round(found.evan_miller), round(found.arcsine)) == (
        1094,
        1091,
        1030,
        1092,
    )


def test_a_fall_needs_as_many_as_its_mirrored_rise() -> None:
    assert sample_sizes(0.2, 0.15).pooled == pytest.approx(sample_sizes(0.8, 0.85).pooled)


def test_design_effect_multiplies_the_units() -> None:
    plain, clustered = sample_sizes(0.015, 0.018), sample_sizes(0.015, 0.018, design_effect=1.8)
    assert clustered.designed == pytest.approx(1.8 * plain.pooled)
    assert clustered.pooled == plain.pooled


def test_simulated_power_is_near_the_one_planned() -> None:
    rng = np.random.default_rng(62)
    n = sample_sizes(0.1, 0.15).needed
    first, second = rng.binomial(n, 0.1, 4000), rng.binomial(n, 0.15, 4000)
    pooled = (first + second) / (2 * n)
    z = (second - first) / n / np.sqrt(pooled * (1 - pooled) * 2 / n)
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.025)


def test_nothing_is_found_with_too_few_units() -> None:
    assert detectable_rate(0.9, 3) is None
    assert detectable_rate(0.02, 5000) == pytest.approx(0.0286292, abs=1e-6)


def test_mean_sizes_are_those_of_the_normal_distribution() -> None:
    design = Design(0.05, 0.85, 2.0)
    n = size_of_means(100, 0.3, design)
    error = math.sqrt(100 / n + 100 / (2 * n))
    assert stats.norm.cdf(0.3 / error - stats.norm.ppf(0.975)) == pytest.approx(0.85, rel=1e-6)


def test_pairs_reach_their_power_in_simulation() -> None:
    rng = np.random.default_rng(63)
    pairs = pairs_needed(math.log(1.35), 0.35)
    d = rng.normal(math.log(1.35), 0.35, (4000, pairs))
    p = stats.ttest_1samp(d, 0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.06)
    assert (p < 0.05).mean() > 0.78


def test_never_fewer_pairs_than_could_be_significant() -> None:
    assert pairs_needed(5.0, 0.1) == 6
    assert pairs_needed(5.0, 0.1, Design(alpha=0.01)) == 8


def test_detectable_lift_is_the_inverse_of_the_pairs() -> None:
    for pairs in (8, 20, 100):
        assert pairs_needed(detectable_log_lift(pairs, 0.4) * 1.0001, 0.4) <= pairs
        assert pairs_needed(detectable_log_lift(pairs, 0.4) * 0.97, 0.4) > pairs
    assert detectable_log_lift(1, 0.4) == math.inf


def test_plan_says_how_many_days_it_takes() -> None:
    plan = plan_rates(0.02, 0.2, 5000)
    assert plan.units == pytest.approx(2 * sample_sizes(0.02, 0.024).pooled)
    assert plan.days == math.ceil(plan.units / 5000)
    assert plan.is_feasible


def test_plan_that_takes_too_long_names_what_could_be_found() -> None:
    plan = plan_rates(0.02, 0.05, 200)
    assert not plan.is_feasible
    again = plan_rates(0.02, plan.smallest_lift * 1.0001, 200)
    assert again.is_feasible
    assert again.days == 90
    assert not plan_rates(0.02, plan.smallest_lift * 0.97, 200).is_feasible


def test_paired_plan_names_what_could_be_found() -> None:
    assert plan_pairs(0.35, 0.3, 0.5).days == 2 * pairs_needed(math.log(1.35), 0.3)
    plan = plan_pairs(0.05, 0.5, 0.25)
    assert not plan.is_feasible
    assert plan_pairs(plan.smallest_lift * 1.01, 0.5, 0.25).is_feasible
    assert plan_pairs(0.2, 0.3, 0.01).smallest_lift is None


@needs_vectors
def test_published_sizes() -> None:
    published = vectors("sample_size.json")
    for row in published["gpower"]["cases"]:
        given = row["in"]
        total = (
            2 * sample_sizes(given["p1"], given["p1"] + given["delta"], Design(given["alpha"], given["power"])).pooled
        )
        if "total" in row:
            assert total == pytest.approx(row["total"], rel=0.005)
        else:
            assert row["total_between"][0] * 0.985 <= total <= row["total_between"][1] * 1.015
    means = published["gpower_means"][0]
    found = 2 * size_of_means(means["variance"], means["delta"], Design(means["alpha"], means["power"]))
    assert found == pytest.approx(means["total"], rel=means["tol"])
    miller = published["evan_miller"]
    assert round(sample_sizes(miller["p1"], miller["p2"]).evan_miller) == miller["n"]


def test_r_examples() -> None:
    assert power_of_proportions(0.5, 0.75, 50) == pytest.approx(0.74, abs=0.005)
    assert sample_sizes(0.5, 0.75, Design(power=0.9)).pooled == pytest.approx(76.7, abs=0.05)
    assert detectable_rate(0.5, 50, Design(power=0.9)) == pytest.approx(0.8026, abs=1e-4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_sizes(0.2, 0.2),
        lambda: sample_sizes(0, 0.2),
        lambda: sample_sizes(0.2, 1.2),
        lambda: sample_sizes(0.2, 0.3, design_effect=0),
        lambda: Design(alpha=0),
        lambda: Design(power=1),
        lambda: Design(ratio=-1),
        lambda: detectable_rate(0.2, 0),
        lambda: size_of_means(1, 0),
        lambda: pairs_needed(0, 0.3),
        lambda: pairs_needed(0.3, 0),
        lambda: plan_rates(0.02, 0.2, 0),
        lambda: plan_pairs(-1, 0.2, 1),
    ],
)
def test_impossible_input_is_refused(call) -> None:
    with pytest.raises(StatsError):
        call()
