from datetime import timedelta

from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.definitions import add_media_cost
from analytics.queries import measured
from analytics.queries.overview import overview
from analytics.queries.period import Period, read_choice
from analytics.queries.totals import totals
from analytics.rollups import roll_up
from campaigns.models import Campaign
from social.models import Connection
from tests.analytics.results_cast import (
    DAY,
    NOON,
    TODAY,
    add_clicks,
    add_conversion,
    add_cost,
    add_link,
    add_measured,
    set_tracking,
)


def test_nothing_measured_is_no_zero_and_says_why(in_workspace: Workspace, week: Period) -> None:
    found = totals(in_workspace, week)
    for name in ("impressions", "engagements", "clicks", "visitors", "conversions", "revenue_micro", "joins"):
        assert getattr(found, name) is None, name
        assert found.notes[name], name
    assert (found.posts, found.ai_cost_micro, found.network_cost_micro) == (0, 0, 0)


def test_posts_are_added_up_by_the_day_they_went_out(roastery, in_workspace, week) -> None:
    add_measured(roastery, NOON - DAY, impressions=100, likes=3, replies=2)
    add_measured(roastery, week.starts_at, impressions=10, likes=1)
    add_measured(roastery, week.starts_at - timedelta(seconds=1), impressions=5000)
    found = totals(in_workspace, week)
    assert (found.posts, found.impressions, found.engagements) == (2, 110, 6)
    assert "impressions" not in found.notes


def test_what_a_network_does_not_say_stays_unknown(channel, in_workspace, week) -> None:
    add_measured(channel, NOON - DAY, reactions=4)
    found = totals(in_workspace, week)
    assert (found.impressions, found.engagements) == (None, 4)
    assert found.notes["impressions"] == measured.NO_IMPRESSIONS


def test_people_and_bots_are_counted_apart(in_workspace, week) -> None:
    link = add_link(in_workspace)
    add_clicks(in_workspace, NOON, 3, link_id=link.pk)
    add_clicks(in_workspace, NOON, 2, link_id=link.pk, is_bot=True)
    add_clicks(in_workspace, NOON, 2, link_id=link.pk, visitor="a" * 32)
    found = totals(in_workspace, week)
    assert (found.clicks, found.bot_clicks, found.visitors) == (5, 2, 4)


def test_no_click_on_a_link_that_exists_is_zero(in_workspace, week) -> None:
    add_link(in_workspace)
    found = totals(in_workspace, week)
    assert (found.clicks, found.visitors) == (0, 0)
    assert "clicks" not in found.notes


def test_numbers_are_the_same_before_and_after_the_rollup(in_workspace, week) -> None:
    link = add_link(in_workspace)
    add_clicks(in_workspace, NOON - DAY, 4, link_id=link.pk)
    add_conversion(in_workspace, NOON, 5_000_000)
    before = totals(in_workspace, week)
    roll_up()
    assert totals(in_workspace, week) == before
    assert (before.clicks, before.conversions, before.revenue_micro) == (4, 1, 5_000_000)


def test_conversions_without_a_value_are_counted_and_make_no_revenue(in_workspace, week) -> None:
    add_conversion(in_workspace, NOON)
    found = totals(in_workspace, week)
    assert (found.conversions, found.revenue_micro) == (1, None)
    assert found.notes["revenue_micro"] == measured.NO_VALUES


def test_a_campaign_has_its_own_numbers(roastery, in_workspace, week, spring: Campaign) -> None:
    link = add_link(in_workspace, spring)
    add_measured(roastery, NOON - DAY, campaign=spring, impressions=7)
    add_measured(roastery, NOON - DAY, impressions=100)
    add_clicks(in_workspace, NOON, link_id=link.pk, campaign_id=spring.pk)
    add_clicks(in_workspace, NOON, 5)
    found = totals(in_workspace, week, campaign=spring)
    assert (found.impressions, found.clicks, found.visitors) == (7, 1, 1)


def test_a_campaign_without_links_does_not_claim_that_nobody_clicked(in_workspace, week, spring) -> None:
    add_link(in_workspace)
    found = totals(in_workspace, week, campaign=spring)
    assert found.clicks is None
    assert found.notes["clicks"] == measured.NO_CAMPAIGN_LINKS


def test_clicks_are_not_told_by_account(roastery, channel, in_workspace, week) -> None:
    add_link(in_workspace)
    add_measured(roastery, NOON - DAY, impressions=7)
    add_measured(channel, NOON - DAY, reactions=9)
    found = totals(in_workspace, week, connection=roastery)
    assert (found.impressions, found.clicks, found.ai_cost_micro) == (7, None, None)
    assert found.notes["clicks"] == measured.NOT_BY_ACCOUNT


def test_costs_by_kind(in_workspace, week, spring, alice_actor) -> None:
    add_cost(in_workspace, "llm", 300, NOON, campaign_id=spring.pk)
    add_cost(in_workspace, "x.post", 15_000, NOON)
    add_cost(in_workspace, "x.read", 5_000, NOON, status="reserved")
    add_cost(in_workspace, "x.post", 99, NOON, status="released")
    add_cost(in_workspace, "x.post", 99, week.starts_at - timedelta(seconds=1))
    add_media_cost(spring, TODAY, 7_000_000, "Film", by=alice_actor)
    add_media_cost(spring, week.start - DAY, 1, "Before", by=alice_actor)
    found = totals(in_workspace, week)
    assert (found.ai_cost_micro, found.network_cost_micro, found.media_cost_micro) == (300, 20_000, 7_000_000)
    mine = totals(in_workspace, week, campaign=spring)
    assert (mine.ai_cost_micro, mine.network_cost_micro, mine.media_cost_micro) == (300, 0, 7_000_000)


def test_costs_of_the_first_hours_of_a_month_are_found_in_every_zone(in_workspace) -> None:
    # The ledger counts by months in UTC: there it is still February.
    first = Period(TODAY.replace(day=1), TODAY.replace(day=1), "Europe/Berlin")
    add_cost(in_workspace, "llm", 5, first.starts_at + timedelta(minutes=10))
    assert totals(in_workspace, first).ai_cost_micro == 5


def test_the_currency_is_the_workspaces(in_workspace, week) -> None:
    set_tracking(in_workspace, currency="EUR")
    assert totals(in_workspace, week).currency == "EUR"


def test_another_workspace_has_nothing(busy, other_workspace, week) -> None:
    with workspace_scope(other_workspace.pk):
        assert totals(other_workspace, week).posts == 0
        assert totals(other_workspace, week).clicks is None


def test_the_number_of_questions_does_not_grow_with_what_happened(busy, in_workspace) -> None:
    roastery = Connection.objects.get()
    choice = read_choice(in_workspace, {"days": "28"})
    with CaptureQueriesContext(database) as few:
        overview(in_workspace, choice)
    for number in range(30):
        add_measured(roastery, NOON - timedelta(hours=30 + number), impressions=50, likes=number)
        add_clicks(in_workspace, NOON - number * DAY, 2)
    with CaptureQueriesContext(database) as many:
        overview(in_workspace, choice)
    assert len(many) == len(few)
    assert len(few) < 80
