"""Only what is alike is held against each other."""

from datetime import timedelta

import pytest

from accounts.models import Workspace
from analytics.queries.aged import engagements_of, posts_at_age
from analytics.queries.deltas import Delta, deltas
from analytics.queries.period import Choice, Period, read_choice
from analytics.queries.ranking import FEWEST, best_posts, rank_posts, wilson, worst_posts
from tests.analytics.results_cast import DAY, NOON, add_clicks, add_link, add_measured, add_snapshot

HOUR = timedelta(hours=1)


@pytest.fixture
def choice(in_workspace: Workspace) -> Choice:
    return read_choice(in_workspace, {"days": "7"})


def test_a_day_that_is_not_over_is_left_out_on_both_sides(in_workspace, choice) -> None:
    link = add_link(in_workspace)
    for days in range(14):
        add_clicks(in_workspace, NOON - days * DAY, 10, link_id=link.pk)
    found = deltas(in_workspace, choice)["clicks"]
    assert (found.now, found.before, found.percent, found.change) == (60, 60, 0, 0)


def test_whole_days_of_the_past_are_compared_whole(in_workspace) -> None:
    add_link(in_workspace)
    for days in range(1, 15):
        add_clicks(in_workspace, NOON - days * DAY, 1)
    given = {"from": str((NOON - 7 * DAY).date()), "to": str((NOON - DAY).date())}
    found = deltas(in_workspace, read_choice(in_workspace, given))["clicks"]
    assert (found.now, found.before) == (7, 7)


def test_today_alone_cannot_be_compared(in_workspace) -> None:
    today = str(NOON.date())
    found = deltas(in_workspace, read_choice(in_workspace, {"from": today, "to": today}))
    assert "clicks" not in found


def test_posts_are_compared_at_one_age_and_not_by_what_they_gathered_since(roastery, in_workspace, choice) -> None:
    """Old posts went on gathering: by their newest numbers the last week would look like a collapse."""
    for days in range(2, 14):
        post = add_measured(roastery, NOON - days * DAY)
        post.impressions = 100 * days
        post.save(update_fields=["impressions"])
        post.snapshots.update(metrics={"impressions": 100})
    found = deltas(in_workspace, choice)["impressions"]
    assert (found.now, found.before) == (500, 500)


def test_hours_that_have_not_ripened_are_left_out_on_both_sides(roastery, in_workspace, choice) -> None:
    for days in (1, 8):
        # A day old but measured just now; its twin, the week before, is as young as it.
        post = add_measured(roastery, NOON - days * DAY + HOUR, impressions=9)
        if days == 1:
            add_snapshot(post, 86_400, {"impressions": 9})
        add_measured(roastery, NOON - days * DAY - 2 * HOUR, impressions=50)
    found = deltas(in_workspace, choice)["impressions"]
    assert (found.now, found.before) == (50, 50)


@pytest.mark.parametrize(
    ("now", "before", "percent", "change"),
    [(3, 2, 50, 1), (0, 4, -100, -4), (4, 0, None, 4), (None, 4, None, None), (4, None, None, None), (0, 0, None, 0)],
)
def test_percent_and_change(now, before, percent, change) -> None:
    assert (Delta(now, before).percent, Delta(now, before).change) == (percent, change)


# --- posts at their age -----------------------------------------------------------------------------------


def test_every_network_has_its_own_age(roastery, channel, in_workspace, week: Period) -> None:
    x_post = add_measured(roastery, NOON - 3 * DAY, impressions=5, likes=1)
    add_snapshot(x_post, 259_200, {"impressions": 500, "likes": 100})
    young = add_measured(channel, NOON - 2 * DAY, reactions=3)
    add_snapshot(young, 86_400, {"reactions": 3}, source="telegram.updates")
    found = posts_at_age(in_workspace, week.starts_at, week.ends_at)
    assert [(post.network, post.impressions, post.engagements) for post in found] == [("x", 5, 1)]


def test_two_sources_of_one_age_are_one_post(channel, in_workspace, week: Period) -> None:
    post = add_measured(channel, NOON - 4 * DAY, reactions=3)
    add_snapshot(post, 259_200, {"impressions": 90}, source="telegram.session")
    (found,) = posts_at_age(in_workspace, week.starts_at, week.ends_at)
    assert (found.impressions, found.engagements) == (90, 3)
    assert found.rate == pytest.approx(1 / 30)


@pytest.mark.parametrize(
    ("metrics", "number"),
    [({}, None), ({"impressions": 4}, None), ({"likes": 0}, 0), ({"likes": 2, "quotes": 1, "link_clicks": 9}, 3)],
)
def test_engagements_are_what_is_known_of_them(metrics, number) -> None:
    assert engagements_of(metrics) == number


# --- best and worst ---------------------------------------------------------------------------------------


def test_a_post_that_hardly_anybody_saw_does_not_lead(roastery, in_workspace, week: Period) -> None:
    for number, (seen, liked) in enumerate([(5, 2), (2000, 120), (2000, 90), (2000, 20), (2000, 10), (4, 0)]):
        add_measured(roastery, NOON - 2 * DAY - number * HOUR, impressions=seen, likes=liked)
    best = best_posts(in_workspace, week)
    worst = worst_posts(in_workspace, week)
    assert best[0].post.engagements == 120
    assert worst[0].post.engagements == 10
    assert not {row.post.pk for row in best} & {row.post.pk for row in worst}


def test_below_a_few_posts_there_are_no_best_ones(roastery, in_workspace, week: Period) -> None:
    for number in range(FEWEST - 1):
        add_measured(roastery, NOON - 2 * DAY - number * HOUR, impressions=100, likes=number)
    assert best_posts(in_workspace, week) == []
    add_measured(roastery, NOON - 2 * DAY - 9 * HOUR, impressions=100, likes=9)
    assert len(best_posts(in_workspace, week)) == FEWEST // 2


def test_posts_without_impressions_are_in_the_order_of_their_engagements(channel, in_workspace, week) -> None:
    for number in range(6):
        add_measured(channel, NOON - 4 * DAY - number * HOUR, reactions=number)
    best = best_posts(in_workspace, week, limit=2)
    assert [row.post.engagements for row in best] == [5, 4]
    assert (best[0].rate, best[0].figure) == (None, "5 engagements")


def test_networks_are_never_in_one_list(roastery, channel, in_workspace, week: Period) -> None:
    for number in range(4):
        add_measured(roastery, NOON - 2 * DAY - number * HOUR, impressions=100, likes=number)
        add_measured(channel, NOON - 4 * DAY - number * HOUR, reactions=50 + number)
    posts = posts_at_age(in_workspace, week.starts_at, week.ends_at)
    rankings = rank_posts(posts, week.zone)
    told = [(row.network_name, row.compared, row.age) for row in rankings]
    assert told == [("Telegram", 4, "72 hours"), ("X", 4, "24 hours")]
    assert [row.post.network for row in best_posts(in_workspace, week)] == ["telegram", "x", "telegram", "x"]


def test_a_young_post_is_in_no_list(roastery, in_workspace, week: Period) -> None:
    for number in range(4):
        add_measured(roastery, NOON - 2 * DAY - number * HOUR, impressions=100, likes=1)
    add_measured(roastery, NOON - HOUR, impressions=100, likes=99)
    assert {row.post.engagements for row in best_posts(in_workspace, week)} == {1}


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # R: binom::binom.confint(methods = "wilson", conf.level = .9)
    [(0, 10, 0.0, 0.2129), (5, 10, 0.2693, 0.7307), (10, 10, 0.7871, 1.0), (3, 1000, 0.00120, 0.00747)],
)
def test_the_interval_of_a_rate(successes, trials, low, high) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=2e-4)


def test_more_engagements_than_impressions_make_no_rate_above_one(roastery, in_workspace, week: Period) -> None:
    for number in range(4):
        add_measured(roastery, NOON - 2 * DAY - number * HOUR, impressions=3, likes=9)
    assert {(row.rate, row.figure) for row in best_posts(in_workspace, week)} == {(1.0, "100 % of 3 seen")}
