import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.roi import Effect, campaign_return, rollout_gain, value_of_waiting

EFFECTS = [
    (Effect(101, 4901, 0.20, 0.10), 50_000, 12.0, 900.0),
    (Effect(3, 200, 0.05, 0.30), 10_000, 3.5, 0.0),
    (Effect(901, 101, -0.10, 0.05), 2_000, 80.0, 100.0),
]


def simulated(effect, exposures, value, cost, draws=400_000):
    rng = np.random.default_rng(1)
    control = rng.beta(effect.a, effect.b, draws)
    odds = control / (1 - control) * np.exp(rng.normal(effect.mean, effect.sd, draws))
    return exposures * value * (odds / (1 + odds) - control) - cost


@pytest.mark.parametrize(("effect", "exposures", "value", "cost"), EFFECTS)
def test_the_posterior_is_that_of_draws(effect, exposures, value, cost):
    gain = rollout_gain(effect, exposures=exposures, value=value, cost=cost)
    drawn = simulated(effect, exposures, value, cost)
    spread = drawn.std()
    assert gain.mean == pytest.approx(drawn.mean(), abs=0.01 * spread)
    assert gain.interval == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])), abs=0.03 * spread)
    assert gain.p_positive == pytest.approx((drawn > 0).mean(), abs=0.004)
    assert gain.expected_loss == pytest.approx(np.maximum(-drawn, 0).mean(), abs=0.01 * spread)


def test_a_cost_shifts_the_gain_and_nothing_else():
    effect = EFFECTS[0][0]
    free, paid = (rollout_gain(effect, exposures=1000, value=5, cost=cost) for cost in (0, 70))
    assert paid.mean == pytest.approx(free.mean - 70)
    assert paid.interval == pytest.approx([end - 70 for end in free.interval])
    assert paid.p_positive < free.p_positive


def test_no_effect_gains_nothing_on_average_but_may_lose():
    gain = rollout_gain(Effect(5000, 5000, 0.0, 0.1), exposures=1000, value=1)
    assert gain.mean == pytest.approx(0, abs=1e-3)
    assert gain.p_positive == pytest.approx(0.5, abs=1e-3)
    assert gain.interval[0] < 0 < gain.interval[1]
    assert gain.expected_loss > 1


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.5, 1e6),
    st.floats(0.5, 1e6),
    st.floats(-3, 3),
    st.floats(0.001, 2),
    st.floats(1, 1e9),
    st.floats(0.01, 1e4),
)
def test_the_gain_is_coherent_whatever_the_input(a, b, mean, sd, exposures, value):
    gain = rollout_gain(Effect(a, b, mean, sd), exposures=exposures, value=value)
    assert gain.interval[0] <= gain.interval[1]
    assert 0 <= gain.p_positive <= 1
    assert gain.expected_loss >= 0
    won = rollout_gain(Effect(b, a, -mean, sd), exposures=exposures, value=value)
    # With the roles of success and failure swapped, what was gained is lost.
    assert won.mean == pytest.approx(-gain.mean, abs=1e-6 * exposures * value)
    assert gain.mean + gain.expected_loss == pytest.approx(won.expected_loss, abs=1e-3 * exposures * value)


@pytest.mark.parametrize(
    "wrong",
    [{"exposures": 0, "value": 1}, {"exposures": 10, "value": -1}, {"exposures": float("nan"), "value": 1}],
)
def test_what_is_no_decision_is_refused(wrong):
    with pytest.raises(ValueError, match="above 0"):
        rollout_gain(EFFECTS[0][0], **wrong)


@pytest.mark.parametrize("effect", [Effect(0, 1, 0, 1), Effect(1, 1, 0, 0), Effect(1, -1, 0, 1)])
def test_what_is_no_distribution_is_refused(effect):
    with pytest.raises(ValueError, match="above 0"):
        rollout_gain(effect, exposures=1, value=1)


def test_waiting_is_worth_what_deciding_now_would_lose():
    assert value_of_waiting(0.0005, value=20, exposures_per_day=4000, test_cost_per_day=15) == pytest.approx(25)
    assert value_of_waiting(0.0, value=20, exposures_per_day=4000, test_cost_per_day=15) == -15


def test_a_campaign_of_many_like_sales_is_nearly_certain():
    found = campaign_return(revenue=400 * 25.0, revenue_squares=400 * 625.0, cost=4000)
    assert found.roi == pytest.approx(1.5)
    assert found.profit.mean == 6000
    assert found.profit.p_positive > 0.9999
    assert found.roi_interval == pytest.approx((1.5 - 1.645 * 0.125, 1.5 + 1.645 * 0.125), abs=0.02)


def test_one_large_sale_says_little():
    found = campaign_return(revenue=900.0, revenue_squares=900.0**2, cost=500)
    assert found.roi_interval[0] < -0.8
    assert found.roi_interval[1] > 3
    assert found.profit.p_positive == pytest.approx(np.exp(-500 / 900))


def test_the_interval_covers_the_true_return():
    rng = np.random.default_rng(3)
    values = [rng.lognormal(3, 0.8, rng.poisson(60)) for _ in range(600)]
    truth = 60 * np.exp(3 + 0.32)
    found = [campaign_return(v.sum(), (v**2).sum(), 1000).profit.interval for v in values]
    covered = np.mean([low <= truth - 1000 <= high for low, high in found])
    assert 0.85 <= covered <= 0.95


def test_expected_loss_of_a_campaign_is_that_of_draws():
    found = campaign_return(revenue=900.0, revenue_squares=180_000.0, cost=1000)
    drawn = np.random.default_rng(1).gamma(4.5, 200, 400_000)
    assert found.profit.expected_loss == pytest.approx(np.maximum(1000 - drawn, 0).mean(), rel=0.01)


def test_a_campaign_without_sales_lost_its_cost():
    found = campaign_return(0, 0, 300)
    assert (found.profit.mean, found.roi, found.profit.p_positive) == (-300, -1, 0)


def test_without_cost_there_is_no_return_on_it():
    assert campaign_return(0, 0, 0).roi is None
    free = campaign_return(50, 2500, 0)
    assert (free.roi, free.roi_interval, free.profit.mean) == (None, None, 50)


@pytest.mark.parametrize("wrong", [(-1, 1, 1), (1, 1, -1), (5, 0, 1), (0, 5, 1), (float("nan"), 1, 1)])
def test_sums_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 0"):
        campaign_return(*wrong)
