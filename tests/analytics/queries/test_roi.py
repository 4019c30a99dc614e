"""Against R and against simulation; never a guess."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from analytics.definitions import add_media_cost, set_target
from analytics.models import Conversion, Funnel
from analytics.queries.funnels import funnel_counts
from analytics.queries.goals import lifetime, targets
from analytics.queries.measured import NO_CONVERSIONS, NO_VALUES
from analytics.queries.roi import NO_COSTS, NO_MEDIA, NOTHING_SOLD, Roi, Sums, chance_above, interval, roi
from tests.analytics.results_cast import (
    DAY,
    NOON,
    TODAY,
    add_clicks,
    add_conversion,
    add_cost,
    add_followers,
    add_link,
    add_measured,
    set_tracking,
)
from tests.campaigns.cast import add_post

DOLLAR = 1_000_000


def sums_of(values: list[float], highest: float | None = None) -> Sums:
    return Sums(len(values), sum(values), sum(value**2 for value in values), highest or max(values), min(values))


@pytest.mark.parametrize(
    ("number", "low", "high"),
    # R: poisson.test(n, conf.level = .9)$conf.int
    [(1, 0.05129, 4.74386), (3, 0.81769, 7.75366), (10, 5.42541, 16.96222), (100, 84.13937, 118.0786)],
)
def test_of_equal_values_the_interval_is_the_exact_one(number: int, low: float, high: float) -> None:
    assert interval(sums_of([7.0] * number)) == pytest.approx((7 * low, 7 * high), rel=1e-4)


def test_of_many_conversions_it_is_the_normal_one() -> None:
    values = [float(10 + number % 7) for number in range(20_000)]
    sums = sums_of(values)
    half = 1.644854 * sums.squares**0.5
    assert interval(sums) == pytest.approx((sums.total - half, sums.total + half), rel=1e-3)


def test_refunds_are_taken_into_the_interval() -> None:
    sums = sums_of([30.0, 30.0, -30.0])
    low, high = interval(sums)
    assert low < 0
    assert high - 30 == pytest.approx(30 - low)


def test_the_interval_holds_what_it_promises() -> None:
    """Few conversions of very unequal value, often without one of the dear ones among them."""
    rng = random.Random(7)
    expected, hits, runs = 6 * (0.8 * 10 + 0.2 * 100), 0, 600
    for _ in range(runs):
        number = sum(rng.random() < 0.006 for _ in range(1000))
        values = [100.0 if rng.random() < 0.2 else 10.0 for _ in range(number)]
        low, high = interval(sums_of(values, 100.0)) if values else (0.0, float("inf"))
        hits += low <= expected <= high
    assert hits / runs >= 0.88


def test_the_chance_falls_with_the_cost_and_agrees_with_the_interval() -> None:
    sums = sums_of([20.0] * 12)
    chances = [chance_above(sums, cost) for cost in (1, 100, 240, 400, 2000)]
    assert chances == sorted(chances, reverse=True)
    low, high = interval(sums)
    assert chance_above(sums, low) > 0.94
    assert chance_above(sums, high) < 0.06


# --- of a campaign ----------------------------------------------------------------------------------------


def test_without_values_there_is_no_return(in_workspace, week, spring) -> None:
    add_cost(in_workspace, "llm", DOLLAR, NOON, campaign_id=spring.pk)
    found = roi(in_workspace, week, spring)
    assert (found.ratio, found.revenue_micro, found.profit_micro, found.chance_positive) == (None, None, None, None)
    assert found.missing == [NO_CONVERSIONS, NO_MEDIA]
    add_conversion(in_workspace, NOON, 0, spring)
    assert roi(in_workspace, week, spring).missing == [NO_VALUES, NO_MEDIA]


def test_without_costs_there_is_no_return_on_them(in_workspace, week, spring) -> None:
    add_conversion(in_workspace, NOON, 5 * DOLLAR, spring)
    found = roi(in_workspace, week, spring)
    assert (found.ratio, found.revenue_micro, found.chance_positive) == (None, 5 * DOLLAR, None)
    assert NO_COSTS in found.missing


def test_nothing_sold_in_these_days_is_no_revenue_and_no_interval(in_workspace, week, spring) -> None:
    add_conversion(in_workspace, NOON - 20 * DAY, 5 * DOLLAR, spring)
    add_cost(in_workspace, "llm", 2 * DOLLAR, NOON, campaign_id=spring.pk)
    found = roi(in_workspace, week, spring)
    assert (found.ratio, found.revenue_micro, found.ratio_low) == (-1, 0, None)
    assert found.missing[0] == NOTHING_SOLD


def test_revenue_minus_all_costs(in_workspace, week, spring, alice_actor) -> None:
    for _ in range(4):
        add_conversion(in_workspace, NOON, 30 * DOLLAR, spring)
    add_conversion(in_workspace, NOON, 500 * DOLLAR)
    add_cost(in_workspace, "llm", 3 * DOLLAR, NOON, campaign_id=spring.pk)
    add_cost(in_workspace, "x.post", 7 * DOLLAR, NOON, campaign_id=spring.pk)
    add_media_cost(spring, TODAY, 30 * DOLLAR, "Film", by=alice_actor)
    found = roi(in_workspace, week, spring)
    assert (found.revenue_micro, found.costs_micro, found.profit_micro) == (120 * DOLLAR, 40 * DOLLAR, 80 * DOLLAR)
    assert (found.ratio, found.conversions, found.missing) == (2, 4, [])
    assert found.ratio_low < found.ratio < found.ratio_high
    assert 0.9 < found.chance_positive < 1


def test_revenue_is_turned_into_dollars(in_workspace, week, spring) -> None:
    set_tracking(in_workspace, currency="EUR", dollars_per_unit=Decimal("1.5"))
    add_conversion(in_workspace, NOON, 10 * DOLLAR, spring)
    add_cost(in_workspace, "llm", 5 * DOLLAR, NOON, campaign_id=spring.pk)
    found = roi(in_workspace, week, spring)
    assert (found.revenue_micro, found.ratio) == (15 * DOLLAR, 2)


def test_a_value_seen_elsewhere_may_come_here_too(in_workspace, week, spring) -> None:
    add_conversion(in_workspace, NOON, 10 * DOLLAR, spring)
    add_cost(in_workspace, "llm", 5 * DOLLAR, NOON, campaign_id=spring.pk)
    narrow = roi(in_workspace, week, spring)
    add_conversion(in_workspace, NOON - 100 * DAY, 900 * DOLLAR)
    wide = roi(in_workspace, week, spring)
    assert wide.revenue_micro == narrow.revenue_micro
    assert wide.revenue_high_micro > 5 * narrow.revenue_high_micro


def test_a_refund_lowers_what_was_earned(in_workspace, week, spring) -> None:
    add_conversion(in_workspace, NOON, 10 * DOLLAR, spring)
    add_conversion(in_workspace, NOON, -10 * DOLLAR, spring)
    add_cost(in_workspace, "llm", 5 * DOLLAR, NOON, campaign_id=spring.pk)
    found = roi(in_workspace, week, spring)
    assert (found.revenue_micro, found.ratio) == (0, -1)
    assert found.revenue_low_micro < 0 < found.revenue_high_micro


@pytest.mark.parametrize(
    ("chance", "words"), [(None, ""), (0.999, "above 99 %"), (0.001, "below 1 %"), (0.5, "50 %"), (0.876, "88 %")]
)
def test_nothing_is_called_certain(chance, words) -> None:
    assert Roi(1, 0, 0, 0, chance_positive=chance).chance_text == words


# --- goals ------------------------------------------------------------------------------------------------


def test_goals_are_held_against_the_whole_campaign(roastery, in_workspace, spring, alice_actor) -> None:
    type(spring).objects.filter(pk=spring.pk).update(created_at=NOON - 40 * DAY)
    spring.refresh_from_db()
    add_measured(roastery, NOON - 39 * DAY, campaign=spring, impressions=250)
    add_conversion(in_workspace, NOON - 30 * DAY, 30 * DOLLAR, spring)
    set_target(spring, "impressions", 1000, by=alice_actor)
    set_target(spring, "revenue", 20 * DOLLAR, by=alice_actor)
    set_target(spring, "clicks", 10, by=alice_actor)
    found = {goal.target.metric: goal for goal in targets(spring)}
    assert (found["impressions"].reached, found["impressions"].percent) == (250, 25)
    assert (found["revenue"].percent, found["revenue"].bar, found["revenue"].reached_text) == (150, 100, "$30.00")
    assert (found["clicks"].reached, found["clicks"].percent) == (None, None)
    assert found["clicks"].note


def test_a_goal_counts_from_the_day_on_the_clock_of_the_workspace(in_workspace, spring) -> None:
    in_workspace.time_zone = "America/Los_Angeles"
    spring.starts_on, spring.created_at = None, datetime(2026, 3, 6, 3, tzinfo=UTC)
    assert lifetime(spring, in_workspace).start == date(2026, 3, 5)


def test_followers_of_a_goal_come_from_two_readings(roastery, in_workspace, spring, bob_actor, alice_actor) -> None:
    add_post(bob_actor, roastery, campaign=spring)
    set_target(spring, "followers", 10, by=alice_actor)
    add_followers(roastery, TODAY, 100)
    assert targets(spring)[0].reached is None
    type(spring).objects.filter(pk=spring.pk).update(created_at=NOON - 5 * DAY)
    spring.refresh_from_db()
    add_followers(roastery, TODAY - 3 * DAY, 93)
    assert targets(spring)[0].reached == 7


# --- funnels ----------------------------------------------------------------------------------------------


def test_shares_of_a_funnel_are_of_the_step_before(roastery, in_workspace, week) -> None:
    add_link(in_workspace)
    add_measured(roastery, NOON - DAY, impressions=1000, likes=50)
    add_clicks(in_workspace, NOON, 20)
    add_clicks(in_workspace, NOON, 99, is_bot=True)
    add_conversion(in_workspace, NOON, DOLLAR)
    found = funnel_counts(in_workspace, None, week)
    assert [(step.label, step.value) for step in found] == [
        ("Seen", 1000),
        ("Engaged", 50),
        ("Clicked", 20),
        ("Converted", 1),
    ]
    assert [step.share for step in found] == [None, 0.05, 0.4, 0.05]
    assert [step.bar for step in found] == [100, 5, 2, 0]


def test_a_step_that_is_not_measured_says_so_and_breaks_the_share(in_workspace, week) -> None:
    add_link(in_workspace)
    add_clicks(in_workspace, NOON, 20)
    seen, engaged, clicked, converted = funnel_counts(in_workspace, None, week)
    assert (seen.value, engaged.value, clicked.value, converted.value) == (None, None, 20, None)
    assert (clicked.share, clicked.of_first) == (None, 1)
    assert seen.note
    assert converted.note


def test_a_named_step_counts_what_has_the_name(in_workspace, week) -> None:
    add_clicks(in_workspace, NOON, 3, kind="view", name="basket")
    add_clicks(in_workspace, NOON, 2, kind="view", name="start")
    add_clicks(in_workspace, NOON, 1, kind="custom", name="called")
    steps = [{"kind": "view", "name": ""}, {"kind": "view", "name": "basket"}, {"kind": "custom", "name": "called"}]
    found = funnel_counts(in_workspace, Funnel(name="Shop", steps=steps), week)
    assert [(step.label, step.value) for step in found] == [
        ("Viewed a page", 5),
        ("Viewed a page: basket", 3),
        ("Event: called", 1),
    ]
    assert not Conversion.objects.exists()
