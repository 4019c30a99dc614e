import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import Workspace
from campaigns.models import Delivery, Post
from campaigns.services import create_campaign, share_campaign
from campaigns.slots import add_slot
from lib.clock import now, shifted
from social.models import Connection
from tests.campaigns.cast import add_post, set_state

State = Delivery.State
URL = "/calendar"
NEW_YEARS_EVE = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def december():
    with shifted(datetime(2026, 12, 15, 12, tzinfo=UTC) - now()):
        yield


def planned(by: Actor, *connections: Connection, at: datetime, state: str = State.SCHEDULED, **fields: object) -> Post:
    post = add_post(by, *connections, **fields)
    set_state(post, state, scheduled_at=at)
    return post


def placed(client: Client, **query: object) -> dict[date, list[str]]:
    days = client.get(URL, query).context["days"]
    return {day.date: [str(chip.delivery.post) for chip in day.chips] for day in days if day.chips}


def free(client: Client, **query: object) -> list[tuple[int, str]]:
    days = client.get(URL, query).context["days"]
    return [(day.date.day, str(slot.connection)) for day in days for slot in day.slots if not day.is_out]


# --- where things stand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "month", "expected"),
    [
        ("Europe/Berlin", "2027-01", date(2027, 1, 1)),
        ("America/New_York", "2026-12", date(2026, 12, 31)),
        ("Asia/Shanghai", "2027-01", date(2027, 1, 1)),
    ],
)
def test_a_post_at_the_turn_of_the_year_stands_on_the_day_of_the_workspace(
    bob_client: Client, bob_actor, roastery, workspace: Workspace, zone: str, month: str, expected: date
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(time_zone=zone)
    planned(bob_actor, roastery, at=NEW_YEARS_EVE, text="Happy new year")
    assert placed(bob_client, month=month) == {expected: ["Happy new year"]}


def test_the_time_on_the_chip_is_that_of_the_workspace(bob_client: Client, bob_actor, roastery) -> None:
    planned(bob_actor, roastery, at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC))
    html = bob_client.get(URL, {"month": "2026-07"}).content.decode()
    assert re.search(r'class="cal-chip status-scheduled".*?<time [^>]*>10:00</time>', html, re.DOTALL)
    assert "Europe/Berlin" in html


def test_a_post_of_the_next_month_shows_in_the_last_week(bob_client: Client, bob_actor, roastery) -> None:
    planned(bob_actor, roastery, at=datetime(2026, 12, 2, 9, tzinfo=UTC), text="Next month")
    assert placed(bob_client, month="2026-11") == {date(2026, 12, 2): ["Next month"]}
    assert placed(bob_client, month="2026-10") == {}


def test_what_is_published_stands_when_it_went_out(bob_client: Client, bob_actor, roastery) -> None:
    planned_at = datetime(2026, 11, 30, 9, tzinfo=UTC)
    post = planned(bob_actor, roastery, at=planned_at, text="Late", state=State.PUBLISHED)
    Delivery.objects.filter(post=post).update(published_at=datetime(2026, 12, 10, 9, tzinfo=UTC))
    assert placed(bob_client, month="2026-12") == {date(2026, 12, 10): ["Late"]}


def test_without_a_month_it_is_this_one(bob_client: Client, december, in_workspace) -> None:
    assert str(bob_client.get(URL).context["span"]) == "2026-12"


def test_a_chip_leads_to_its_post_and_tells_its_state_in_words(bob_client: Client, bob_actor, roastery) -> None:
    post = planned(bob_actor, roastery, at=NEW_YEARS_EVE, text="Cheers", state=State.UNCONFIRMED)
    html = bob_client.get(URL, {"month": "2027-01"}).content.decode()
    assert f'href="{post.get_absolute_url()}" draggable="false" title="Unconfirmed: Cheers, 00:30 Berlin' in html


@pytest.mark.parametrize(("view", "warned"), [("month", 2), ("week", 3), ("list", 1)])
def test_words_of_people_stay_words(bob_client: Client, bob_actor, roastery, december, view: str, warned: int) -> None:
    for minute in (0, 5):
        planned(bob_actor, roastery, at=datetime(2026, 12, 15, 14, minute, tzinfo=UTC), text='<b title="x">')
    html = bob_client.get(URL, {"view": view}).content.decode()
    assert "<b title" not in html
    assert 'data-title="&lt;b title=&quot;x&quot;&gt;"' in html
    assert html.count("before “&lt;b title=&quot;x&quot;&gt;”") == warned


# --- going around -----------------------------------------------------------------------------------------


def test_the_rest_of_a_full_day_comes_when_it_is_opened(
    bob_client: Client, vic_client: Client, charlie_client: Client, bob_actor, roastery
) -> None:
    for hour in range(8, 14):
        planned(bob_actor, roastery, at=datetime(2026, 12, 3, hour, tzinfo=UTC), text=f"Post at {hour}")
    month = bob_client.get(URL, {"month": "2026-12"}).content.decode()
    assert "+3 more" in month
    assert [hour for hour in range(8, 14) if f"Post at {hour}" in month] == [8, 9, 10]
    (address,) = re.findall(r'hx-get="([^"]*rest=2026-12-03)"', month)
    rest = bob_client.get(address.replace("&amp;", "&")).content.decode()
    assert [hour for hour in range(8, 14) if f"Post at {hour}" in rest] == [11, 12, 13]
    assert rest.count('class="cal-select"') == 3
    # What is done without a script leads back to the month, not to this piece of it.
    assert re.search(r'href="[^"]*calendar/move\?month=2026-12&amp;delivery=[0-9a-f-]{36}"', rest)
    assert "cal-select" not in vic_client.get(URL, {"month": "2026-12", "rest": "2026-12-03"}).content.decode()
    for client, day in ((charlie_client, "2026-12-03"), (bob_client, "2026-12-04"), (bob_client, "nonsense")):
        assert "cal-chip" not in client.get(URL, {"month": "2026-12", "rest": day}).content.decode()


def test_a_date_leads_to_its_day_with_the_filters_kept(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(URL, {"month": "2026-12", "state": "failed"}).content.decode()
    address = "/calendar?state=failed&amp;view=day&amp;day=2026-12-03"
    assert f'<a href="{address}" hx-get="{address}">' in html


@pytest.mark.parametrize("address", [URL, "/posts", "/reviews"])
def test_the_campaign_looked_for_stays_chosen(bob_client: Client, bob_actor, in_workspace, address: str) -> None:
    spring, autumn = (create_campaign(by=bob_actor, name=name) for name in ("Spring <1>", "Autumn"))
    html = bob_client.get(address, {"campaign": spring.pk}).content.decode()
    assert f'<option value="{spring.pk}" selected>Spring &lt;1&gt;</option>' in html
    assert f'<option value="{autumn.pk}">Autumn</option>' in html


def test_previous_and_next_keep_the_filters(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(URL, {"month": "2026-12", "state": "failed"}).content.decode()
    assert 'href="/calendar?month=2026-11&amp;state=failed"' in html
    assert 'href="/calendar?month=2027-01&amp;state=failed"' in html
    assert 'href="/calendar?state=failed"' in html


def test_links_work_with_and_without_htmx(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(URL, {"month": "2026-12"}).content.decode()
    assert 'hx-get="/calendar?month=2027-01"' in html


@pytest.mark.parametrize(
    "query", [{"connection": "x"}, {"campaign": "1"}, {"state": "x"}, {"month": "x"}, {"view": "x"}]
)
def test_nonsense_in_the_address_is_ignored(bob_client: Client, in_workspace, query: dict) -> None:
    assert bob_client.get(URL, query).status_code == 200


# --- filters ----------------------------------------------------------------------------------------------


def test_filters_narrow_by_account_campaign_and_state(bob_client: Client, bob_actor, roastery, cafe) -> None:
    spring = create_campaign(by=bob_actor, name="Spring")
    planned(bob_actor, roastery, at=NEW_YEARS_EVE, text="one", campaign=spring)
    planned(bob_actor, cafe, at=NEW_YEARS_EVE, text="two")
    planned(bob_actor, cafe, at=NEW_YEARS_EVE, text="three", state=State.FAILED)
    day = date(2027, 1, 1)
    assert placed(bob_client, month="2027-01", campaign=spring.pk) == {day: ["one"]}
    assert placed(bob_client, month="2027-01", connection=cafe.pk) == {day: ["two", "three"]}
    assert placed(bob_client, month="2027-01", connection=cafe.pk, state="failed") == {day: ["three"]}


def test_an_empty_filter_offers_everything(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(URL, {"month": "2026-12", "state": "failed"}).content.decode()
    assert "Nothing in these days matches the filter." in html


def test_an_empty_month_says_what_to_do(bob_client: Client, vic_client: Client, in_workspace) -> None:
    assert "Write a post" in bob_client.get(URL, {"month": "2026-12"}).content.decode()
    html = vic_client.get(URL, {"month": "2026-12"}).content.decode()
    assert "Nothing is planned here: December 2026." in html
    assert "Write a post" not in html


# --- free slots -------------------------------------------------------------------------------------------


@pytest.fixture
def thursdays(december, bob_actor: Actor, roastery: Connection) -> None:
    add_slot(roastery, by=bob_actor, weekdays=[3], at=time(9), time_zone="Europe/Berlin")


def test_free_slots_ahead_invite_to_fill_them(bob_client: Client, roastery: Connection, thursdays) -> None:
    assert free(bob_client) == [(17, "@roastery"), (24, "@roastery"), (31, "@roastery")]
    html = bob_client.get(URL).content.decode()
    assert f"/posts/new?connections={roastery.pk}&amp;at=2026-12-17T09:00" in html


def test_a_planned_post_takes_its_slot(bob_client: Client, bob_actor, roastery, thursdays) -> None:
    planned(bob_actor, roastery, at=datetime(2026, 12, 17, 8, tzinfo=UTC))
    assert [day for day, _ in free(bob_client)] == [24, 31]


@pytest.mark.parametrize("state", [State.CANCELED, State.FAILED, State.MISSED])
def test_a_post_that_will_not_go_out_gives_its_slot_back(bob_client, bob_actor, roastery, thursdays, state) -> None:
    planned(bob_actor, roastery, at=datetime(2026, 12, 17, 8, tzinfo=UTC), state=state)
    assert [day for day, _ in free(bob_client)] == [17, 24, 31]


def test_a_taken_slot_stays_taken_under_a_filter(bob_client: Client, bob_actor, roastery, cafe, thursdays) -> None:
    planned(bob_actor, roastery, at=datetime(2026, 12, 17, 8, tzinfo=UTC))
    assert free(bob_client, connection=cafe.pk) == []
    assert [day for day, _ in free(bob_client, connection=roastery.pk)] == [24, 31]


@pytest.mark.parametrize("status", ["paused", "reconnect", "disconnected"])
def test_an_account_that_cannot_post_has_no_free_slots(bob_client: Client, thursdays, status: str) -> None:
    Connection.objects.update(status=status)
    assert free(bob_client) == []


def test_who_looks_for_a_state_is_not_shown_slots(bob_client: Client, thursdays) -> None:
    assert free(bob_client, state="failed") == []


def test_viewers_are_not_invited(vic_client: Client, thursdays) -> None:
    assert free(vic_client) == []
    assert "/posts/new?at=" not in vic_client.get(URL).content.decode()


def test_a_day_that_is_over_takes_no_new_post(bob_client: Client, thursdays) -> None:
    html = bob_client.get(URL).content.decode()
    assert "/posts/new?at=2026-12-16T09:00" in html
    assert "/posts/new?at=2026-12-14T09:00" not in html


# --- tray and list ----------------------------------------------------------------------------------------


def test_posts_without_a_time_wait_in_the_tray(bob_client: Client, bob_actor, roastery) -> None:
    add_post(bob_actor, roastery, text="someday")
    add_post(bob_actor, text="nowhere")
    planned(bob_actor, roastery, at=NEW_YEARS_EVE, text="planned")
    set_state(add_post(bob_actor, roastery, text="canceled"), State.CANCELED)
    assert [str(post) for post in bob_client.get(URL).context["tray"]] == ["nowhere", "someday"]


def test_the_tray_follows_the_filters(bob_client: Client, bob_actor, roastery, cafe, campaign) -> None:
    add_post(bob_actor, roastery, text="of spring", campaign=campaign)
    add_post(bob_actor, cafe, text="of the cafe")
    assert [str(post) for post in bob_client.get(URL, {"campaign": campaign.pk}).context["tray"]] == ["of spring"]
    assert [str(post) for post in bob_client.get(URL, {"connection": cafe.pk}).context["tray"]] == ["of the cafe"]
    assert bob_client.get(URL, {"state": "failed"}).context["tray"] == []


def test_a_full_tray_leads_to_all_drafts(bob_client: Client, bob_actor, in_workspace) -> None:
    for _ in range(13):
        add_post(bob_actor)
    response = bob_client.get(URL)
    assert len(response.context["tray"]) == 12
    assert "All drafts" in response.content.decode()


def test_the_list_holds_the_days_of_the_month_only(bob_client: Client, bob_actor, roastery) -> None:
    planned(bob_actor, roastery, at=datetime(2026, 11, 10, 9, tzinfo=UTC), text="in november")
    planned(bob_actor, roastery, at=datetime(2026, 12, 2, 9, tzinfo=UTC), text="in december")
    html = bob_client.get(URL, {"month": "2026-11", "view": "list"}).content.decode()
    assert "Tuesday, 10 November" in html
    assert "in december" not in html
    assert 'class="cal-grid"' not in html


# --- who sees what ----------------------------------------------------------------------------------------


def test_a_guest_sees_only_the_shared_campaign(
    gwen_client: Client, gwen, alice_actor, roastery, cafe, campaign
) -> None:
    planned(alice_actor, roastery, at=NEW_YEARS_EVE, text="shared", campaign=campaign)
    planned(alice_actor, cafe, at=NEW_YEARS_EVE, text="private")
    add_post(alice_actor, text="draft in private")
    assert placed(gwen_client, month="2027-01") == {}
    share_campaign(campaign, gwen, by=alice_actor)
    response = gwen_client.get(URL, {"month": "2027-01"})
    assert placed(gwen_client, month="2027-01") == {date(2027, 1, 1): ["shared"]}
    assert response.context["tray"] == []
    assert response.context["connections"] == [roastery]


def test_another_workspace_sees_nothing(charlie_client: Client, bob_actor, roastery) -> None:
    planned(bob_actor, roastery, at=NEW_YEARS_EVE)
    assert placed(charlie_client, month="2027-01", connection=roastery.pk) == {}


def test_more_posts_cost_no_more_queries(bob_client: Client, bob_actor, roastery, cafe, thursdays) -> None:
    def add_rows(number: int) -> None:
        for n in range(number):
            planned(bob_actor, roastery, cafe, at=now() + timedelta(hours=n))
            add_post(bob_actor, roastery)

    def count(**query: str) -> int:
        with CaptureQueriesContext(database) as queries:
            assert bob_client.get(URL, query).status_code == 200
        return len(queries)

    add_rows(2)
    grid, listed = count(), count(view="list")
    add_rows(8)
    assert (count(), count(view="list")) == (grid, listed)
