from datetime import timedelta

from analytics.queries.accounts import accounts
from analytics.queries.heat import heat_of_clicks, heat_of_posts
from analytics.queries.period import Period
from analytics.queries.series import METRICS, series, series_of
from tests.analytics.results_cast import (
    DAY,
    NOON,
    TODAY,
    add_clicks,
    add_conversion,
    add_followers,
    add_link,
    add_measured,
)


def values(points) -> list[int | None]:
    return [point.value for point in points]


def test_a_day_without_clicks_is_zero_and_one_before_the_first_link_a_gap(in_workspace, week: Period) -> None:
    link = add_link(in_workspace, created_at=NOON - 3 * DAY)
    add_clicks(in_workspace, NOON - 2 * DAY, 4, link_id=link.pk)
    add_clicks(in_workspace, NOON, 1, link_id=link.pk)
    assert values(series(in_workspace, week, "clicks")) == [None, None, None, 0, 4, 0, 1]


def test_clicks_of_a_link_that_is_gone_stay_in_the_line(in_workspace, week: Period) -> None:
    add_link(in_workspace, created_at=NOON)
    add_clicks(in_workspace, NOON - 2 * DAY, 4)
    assert values(series(in_workspace, week, "clicks")) == [None, None, None, None, 4, 0, 0]


def test_a_click_late_in_the_evening_stands_on_the_workspaces_day(in_workspace, week: Period) -> None:
    add_link(in_workspace)
    # 00:30 in Berlin.
    add_clicks(in_workspace, NOON.replace(hour=23, minute=30) - DAY)
    assert values(series(in_workspace, week, "clicks"))[-2:] == [0, 1]


def test_a_day_without_posts_is_a_gap(roastery, in_workspace, week: Period) -> None:
    add_measured(roastery, NOON - DAY, impressions=5)
    add_measured(roastery, NOON - DAY - timedelta(hours=2), impressions=6)
    assert values(series(in_workspace, week, "impressions")) == [None, None, None, None, None, 11, None]


def test_a_post_of_which_nothing_is_known_is_a_gap(channel, in_workspace, week: Period) -> None:
    add_measured(channel, NOON - DAY, reactions=2)
    found = series_of(in_workspace, week, ["impressions", "engagements"])
    assert values(found["impressions"])[-2] is None
    assert values(found["engagements"])[-2] == 2


def test_days_to_come_are_gaps(in_workspace) -> None:
    add_link(in_workspace)
    ahead = Period(TODAY, TODAY + DAY, "Europe/Berlin")
    assert values(series(in_workspace, ahead, "clicks")) == [0, None]


def test_by_account_clicks_are_not_known(roastery, in_workspace, week: Period) -> None:
    add_link(in_workspace)
    add_clicks(in_workspace, NOON)
    assert set(values(series(in_workspace, week, "clicks", connection=roastery))) == {None}


def test_all_metrics_at_once_are_what_each_is_by_itself(roastery, in_workspace, week: Period) -> None:
    add_link(in_workspace)
    add_clicks(in_workspace, NOON - DAY, 2)
    add_clicks(in_workspace, NOON - DAY, 3, is_bot=True)
    add_conversion(in_workspace, NOON - DAY, 7_000_000)
    add_measured(roastery, NOON - DAY, impressions=5, likes=1)
    found = series_of(in_workspace, week, METRICS)
    assert found == {name: series(in_workspace, week, name) for name in METRICS}
    assert values(found["bot_clicks"])[-2] == 3
    assert values(found["revenue_micro"])[-2] == 7_000_000


# --- hours ------------------------------------------------------------------------------------------------


class Post:
    def __init__(self, at, rate) -> None:
        self.published_at, self.rate = at, rate


def test_hours_are_those_of_the_workspaces_clock() -> None:
    grid = heat_of_posts([Post(NOON, 0.1)] * 3, "Europe/Berlin")
    cell = grid[1][13]
    assert (cell.number, cell.value, cell.level) == (3, 0.1, 5)
    assert sum(cell.number for row in grid for cell in row) == 3


def test_of_too_few_posts_the_map_says_nothing() -> None:
    grid = heat_of_posts([Post(NOON, 0.9)] * 2 + [Post(NOON - DAY, 0.1)] * 3, "UTC")
    assert (grid[1][12].is_too_few, grid[1][12].level) == (True, 0)
    assert (grid[0][12].is_too_few, grid[0][12].level) == (False, 5)
    assert "too few" in grid[1][12].words
    assert grid[0][12].words == "Mon 12:00: 3, 10 %"


def test_posts_without_impressions_are_counted_and_say_nothing() -> None:
    cell = heat_of_posts([Post(NOON, None)] * 9, "UTC")[1][12]
    assert (cell.number, cell.value, cell.is_too_few) == (9, None, True)


def test_one_odd_post_does_not_colour_its_hour() -> None:
    cell = heat_of_posts([Post(NOON, 0.01), Post(NOON, 0.01), Post(NOON, 0.9)], "UTC")[1][12]
    assert cell.value == 0.01


def test_clicks_of_people_by_hour(in_workspace, week: Period) -> None:
    add_clicks(in_workspace, NOON, 5)
    add_clicks(in_workspace, NOON, 50, is_bot=True)
    add_clicks(in_workspace, NOON - timedelta(hours=14), 1)
    grid = heat_of_clicks(in_workspace, week)
    assert (grid[1][13].number, grid[1][13].level) == (5, 5)
    assert (grid[0][23].number, grid[0][23].level) == (1, 2)
    assert grid[1][13].words == "Tue 13:00: 5"


def test_followers_are_as_they_were_read(roastery, channel, in_workspace, week: Period) -> None:
    add_followers(roastery, TODAY - 5 * DAY, 100)
    add_followers(roastery, TODAY - DAY, 93)
    add_followers(roastery, TODAY - 30 * DAY, 5)
    add_followers(channel, TODAY, 7)
    add_measured(roastery, NOON, impressions=4)
    found = {row.connection.network: row for row in accounts(in_workspace, week)}
    assert (found["x"].followers, found["x"].gained, found["x"].posts) == (93, -7, 1)
    assert (found["telegram"].followers, found["telegram"].gained) == (7, None)
    assert found["telegram"].impressions is None


def test_a_campaign_shows_only_the_accounts_it_posts_to(roastery, channel, in_workspace, week, spring) -> None:
    add_measured(roastery, NOON, campaign=spring, impressions=4)
    add_measured(roastery, NOON, impressions=100)
    add_measured(channel, NOON, reactions=4)
    found = accounts(in_workspace, week, campaign=spring)
    assert [(row.connection, row.impressions) for row in found] == [(roastery, 4)]
