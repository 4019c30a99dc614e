"""Days that are unlike the same weekday of the weeks before."""

from datetime import timedelta

import pytest

from accounts.models import Notification, Workspace
from accounts.scope import workspace_scope
from analytics.anomalies import FEWEST_WEEKS, LOOK_HOURS, expect, find_anomalies, look_at_yesterday
from analytics.models import Anomaly, Link
from analytics.rollups import roll_up
from analytics.tracking.ingest import EventRow, add_events
from campaigns.services import set_campaign_status
from lib.clock import shifted
from tests.analytics.pages.test_results import page, text_of
from tests.analytics.results_cast import DAY, NOON, add_conversion, add_link, set_tracking

YESTERDAY = NOON - DAY


def add_days(workspace: Workspace, numbers: dict[int, int], **fields) -> None:
    """So many clicks so many weeks before yesterday."""
    link = add_link(workspace, created_at=NOON - timedelta(weeks=20))
    rows = [
        EventRow(kind="click", at=YESTERDAY - timedelta(weeks=weeks), link_id=link.pk, **fields)
        for weeks, number in numbers.items()
        for _ in range(number)
    ]
    add_events(workspace.pk, rows)


def usual(last: int, week: int = 20) -> dict[int, int]:
    return dict.fromkeys(range(1, 9), week) | {0: last}


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([20] * 8, 20 - 3.5 * 20**0.5, 20 + 3.5 * 20**0.5),
        # One odd week moves nothing.
        ([20] * 7 + [5000], 20 - 3.5 * 20**0.5, 20 + 3.5 * 20**0.5),
        ([10, 90, 10, 90, 10, 90, 10, 90], 0, 50 + 3.5 * 1.4826 * 40),
        ([0] * 8, 0, 3.5),
    ],
)
def test_what_is_expected_is_hardly_moved_by_an_odd_day(values, low, high) -> None:
    found = expect(values)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_from_too_few_weeks_nothing_is_expected() -> None:
    assert expect([20] * (FEWEST_WEEKS - 1)) is None


@pytest.mark.parametrize(("last", "word"), [(80, "more than usual"), (0, "fewer than usual")])
def test_an_unusual_day_is_told_once(in_workspace, alice, last: int, word: str) -> None:
    add_days(in_workspace, usual(last))
    assert look_at_yesterday(in_workspace) == 1
    assert look_at_yesterday(in_workspace) == 0
    row = Anomaly.objects.get()
    assert (row.metric, row.day, row.value) == ("clicks", YESTERDAY.date(), last)
    assert row.text == f"Monday, 9 March: {last} clicks, {word} (about 20 on a Monday)."
    told = Notification.objects.filter(user=alice, kind="anomaly")
    assert [(note.text, note.path) for note in told] == [(row.text, "/results/unusual")]


@pytest.mark.parametrize("numbers", [usual(20), usual(32), usual(9, week=1)])
def test_chance_and_small_numbers_are_not_told(in_workspace, numbers) -> None:
    add_days(in_workspace, numbers)
    assert look_at_yesterday(in_workspace) == 0


def test_the_weeks_before_the_first_link_are_not_taken_for_zero(in_workspace) -> None:
    add_days(in_workspace, {0: 500, 1: 5, 2: 5})
    Link.objects.update(created_at=NOON - timedelta(weeks=3))
    assert look_at_yesterday(in_workspace) == 0


def test_bots_make_no_unusual_day(in_workspace) -> None:
    add_days(in_workspace, usual(20))
    add_days(in_workspace, {0: 500}, is_bot=True)
    assert look_at_yesterday(in_workspace) == 0


def test_today_is_not_judged_before_it_is_over(in_workspace) -> None:
    add_days(in_workspace, usual(20))
    link = add_link(in_workspace)
    add_events(in_workspace.pk, [EventRow(kind="click", at=NOON, link_id=link.pk)] * 200)
    assert look_at_yesterday(in_workspace) == 0


def test_a_running_campaign_is_looked_at_by_itself(in_workspace, spring, alice_actor) -> None:
    add_days(in_workspace, usual(90), campaign_id=spring.pk)
    assert look_at_yesterday(in_workspace) == 1
    set_campaign_status(spring, "running", by=alice_actor)
    assert look_at_yesterday(in_workspace) == 1
    assert "clicks in Spring, more" in Anomaly.objects.get(object_id=spring.pk).text


def test_revenue_has_a_spread_of_its_own(in_workspace) -> None:
    for weeks in range(1, 9):
        add_conversion(in_workspace, YESTERDAY - timedelta(weeks=weeks), 100_000_000)
    add_conversion(in_workspace, YESTERDAY, 130_000_000)
    assert look_at_yesterday(in_workspace) == 0
    add_conversion(in_workspace, YESTERDAY, 70_000_000)
    look_at_yesterday(in_workspace)
    assert [row.metric for row in Anomaly.objects.all()] == ["revenue_micro"]


def test_revenue_is_told_in_the_currency_of_the_workspace(in_workspace) -> None:
    set_tracking(in_workspace, currency="EUR")
    for weeks in range(1, 9):
        add_conversion(in_workspace, YESTERDAY - timedelta(weeks=weeks), 100_000_000)
    add_conversion(in_workspace, YESTERDAY, 200_000_000)
    look_at_yesterday(in_workspace)
    text = Anomaly.objects.get().text
    assert text.endswith(": 200.00 EUR revenue, more than usual (about 100.00 EUR on a Monday).")


def at_hour(hour: int) -> timedelta:
    """From noon in UTC, 13:00 in Berlin, to that hour of tomorrow in Berlin."""
    return timedelta(hours=24 - 13 + hour)


def test_all_workspaces_are_looked_at_in_their_own_night(in_workspace, other_workspace) -> None:
    add_days(in_workspace, {0: 0, **dict.fromkeys(range(1, 9), 20)})
    roll_up()
    with shifted(at_hour(1)):
        assert find_anomalies() == 0
    # The day that is over then is a Tuesday, of which nothing is known.
    with shifted(at_hour(LOOK_HOURS[0]) - DAY):
        assert find_anomalies() == 1
        assert find_anomalies() == 0


def test_a_deleted_or_suspended_workspace_is_left_alone(in_workspace) -> None:
    add_days(in_workspace, usual(90))
    roll_up()
    Workspace.objects.filter(pk=in_workspace.pk).update(is_suspended=True)
    with shifted(at_hour(LOOK_HOURS[0]) - DAY):
        assert find_anomalies() == 0


# --- the page ---------------------------------------------------------------------------------------------


def test_a_member_sees_it_on_the_overview_until_somebody_has_seen_it(workspace, vic, client_of) -> None:
    with workspace_scope(workspace.pk):
        add_days(workspace, usual(80))
        look_at_yesterday(workspace)
        row = Anomaly.objects.get()
    client = client_of(vic)
    assert row.text in text_of(page(client, workspace))
    assert row.text in text_of(page(client, workspace, "/unusual"))
    assert client.post(f"/w/{workspace.slug}/results/unusual/{row.pk}/seen").status_code == 302
    assert row.text not in text_of(page(client, workspace))
    assert "seen" in text_of(page(client, workspace, "/unusual"))
    assert "80.0" in page(client, workspace, "/unusual/export").content.decode()


def test_without_unusual_days_the_page_says_what_it_takes(workspace, alice_client) -> None:
    assert "It takes six weeks" in text_of(page(alice_client, workspace, "/unusual"))
