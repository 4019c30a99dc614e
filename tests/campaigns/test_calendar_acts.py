"""What is done in the calendar, as a browser sends it."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from django.test import Client

from accounts.access import Actor
from accounts.models import AuditEntry, User
from campaigns.deliveries import schedule_delivery
from campaigns.models import Delivery
from campaigns.slots import add_slot
from lib.clock import now, shifted
from tests.campaigns.cast import add_post, set_state

State = Delivery.State
TUESDAY = datetime(2026, 12, 15, 8, tzinfo=UTC)
SEEN = TUESDAY.isoformat()


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(datetime(2026, 12, 14, 12, tzinfo=UTC) - now()):
        yield


@pytest.fixture
def row(delivery: Delivery, bob_actor: Actor) -> Delivery:
    return schedule_delivery(delivery, TUESDAY, by=bob_actor)


def time_of(delivery: Delivery) -> datetime | None:
    return Delivery.objects.get(pk=delivery.pk).scheduled_at


def move(client: Client, delivery: Delivery, query: str = "", **fields: str):
    data = {"delivery": str(delivery.pk), "seen": SEEN, "day": "2026-12-17"} | fields
    return client.post(f"/calendar/move{query}", data)


# --- one --------------------------------------------------------------------------------------------------


def test_a_drop_on_a_day_keeps_the_time(bob_client: Client, row: Delivery) -> None:
    move(bob_client, row)
    assert time_of(row) == TUESDAY + timedelta(days=2)


def test_a_drop_on_an_hour_takes_it(bob_client: Client, row: Delivery) -> None:
    move(bob_client, row, time="15:00")
    assert time_of(row) == datetime(2026, 12, 17, 14, tzinfo=UTC)


def test_the_answer_is_the_same_view_with_a_message_and_a_way_back(bob_client: Client, row: Delivery) -> None:
    response = move(bob_client, row, "?view=week&day=2026-12-14&state=draft")
    assert response.headers["Location"] == "/calendar?view=week&day=2026-12-14&state=draft"
    html = bob_client.get(response.headers["Location"]).content.decode()
    assert "“Fresh beans.” now stands on Thu 17 December, 09:00 Berlin." in html
    assert "Undo</button>" in html


def test_the_message_is_shown_once(bob_client: Client, row: Delivery) -> None:
    move(bob_client, row)
    bob_client.get("/calendar")
    assert "Undo" not in bob_client.get("/calendar").content.decode()


def test_the_focus_goes_to_the_message(bob_client: Client, row: Delivery) -> None:
    move(bob_client, row)
    assert "calendar-notice" in bob_client.get("/calendar").headers["HX-Trigger-After-Settle"]


def test_undo_moves_it_back(bob_client: Client, row: Delivery) -> None:
    html = bob_client.get(move(bob_client, row).headers["Location"]).content.decode()
    token = re.search(r'name="token"\s+value="([^"]+)"', html)[1]
    bob_client.post("/calendar/undo", {"token": token})
    assert time_of(row) == TUESDAY
    assert "Moved back: 1 post." in bob_client.get("/calendar").content.decode()


def test_what_moved_meanwhile_answers_409_in_plain_words(bob_client: Client, row: Delivery, bob_actor) -> None:
    schedule_delivery(row, TUESDAY + timedelta(hours=1), by=bob_actor)
    response = move(bob_client, row, "?view=week")
    assert response.status_code == 409
    assert "Somebody moved it meanwhile." in response.content.decode()
    assert response.context["span"].view == "week"


def test_the_past_is_refused_with_a_way_on(bob_client: Client, row: Delivery) -> None:
    response = move(bob_client, row, day="2026-12-01")
    assert response.status_code == 422
    html = response.content.decode()
    assert "This moment has passed." in html
    assert f"/calendar/move?delivery={row.pk}" in html


def test_who_was_asked_may_publish_at_once(bob_client: Client, row: Delivery) -> None:
    set_state(row.post, State.SCHEDULED, due_at=TUESDAY)
    move(bob_client, row, now="on")
    assert time_of(row) < now() + timedelta(seconds=1)
    assert "is on its way" in bob_client.get("/calendar").content.decode()


def test_a_time_that_the_clocks_skip_is_told(bob_client: Client, row: Delivery) -> None:
    move(bob_client, row, day="2027-03-28", time="02:30")
    assert "02:30 does not exist" in bob_client.get("/calendar").content.decode()
    assert time_of(row) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("state", [State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED])
def test_what_is_out_does_not_move(bob_client: Client, row: Delivery, state: str) -> None:
    set_state(row.post, state)
    assert move(bob_client, row).status_code == 409
    assert time_of(row) == TUESDAY


@pytest.mark.parametrize(
    "fields", [{"day": ""}, {"day": "tomorrow"}, {"time": "25:00"}, {"seen": "yesterday"}, {"day": "0001-01-01"}]
)
def test_nonsense_is_refused(bob_client: Client, row: Delivery, fields: dict) -> None:
    assert move(bob_client, row, **fields).status_code in {409, 422}
    assert time_of(row) == TUESDAY


@pytest.mark.parametrize("delivery_id", ["", "1", "018f0000-0000-7000-8000-000000000000"])
def test_a_post_that_is_not_there_is_a_missing_page(bob_client: Client, in_workspace, delivery_id: str) -> None:
    assert bob_client.post("/calendar/move", {"delivery": delivery_id}).status_code == 404


# --- without a pointer ------------------------------------------------------------------------------------


def test_the_form_begins_with_where_it_stands(bob_client: Client, row: Delivery) -> None:
    html = bob_client.get(f"/calendar/move?delivery={row.pk}&view=week").content.decode()
    assert 'value="2026-12-15"' in html
    assert 'value="09:00"' in html
    assert 'action="/calendar/move?view=week"' in html


def test_the_form_keeps_what_was_typed_beside_the_reason(bob_client: Client, row: Delivery) -> None:
    response = move(bob_client, row, page="form", day="2026-12-01", time="10:15")
    assert response.status_code == 422
    html = response.content.decode()
    assert "This moment has passed." in html
    assert 'value="10:15"' in html


def test_each_post_that_may_move_has_its_own_button(bob_client: Client, row: Delivery) -> None:
    html = bob_client.get("/calendar?view=week&day=2026-12-15").content.decode()
    assert 'aria-label="Move “Fresh beans.” on @roastery"' in html


def test_what_is_out_has_none_and_says_that_it_is_locked(bob_client: Client, row: Delivery) -> None:
    set_state(row.post, State.PUBLISHED)
    html = bob_client.get("/calendar?view=week&day=2026-12-15").content.decode()
    assert "data-drag" not in html
    assert "Cannot move." in html


# --- several ----------------------------------------------------------------------------------------------


@pytest.fixture
def rows(roastery, bob_actor, row) -> list[Delivery]:
    other = Delivery.objects.get(post=add_post(bob_actor, roastery, text="Second."))
    return [row, schedule_delivery(other, TUESDAY + timedelta(hours=2), by=bob_actor)]


def bulk(client: Client, rows: list[Delivery], action: str, **fields: str) -> str:
    response = client.post("/calendar/bulk", {"delivery": [row.pk for row in rows], "action": action} | fields)
    return client.get(response.headers["Location"]).content.decode()


def test_several_move_at_once_with_one_way_back(bob_client: Client, rows) -> None:
    html = bulk(bob_client, rows, "move", days="2")
    assert "Moved: 2 posts." in html
    token = re.search(r'name="token"\s+value="([^"]+)"', html)[1]
    assert [time_of(row).day for row in rows] == [17, 17]
    bob_client.post("/calendar/undo", {"token": token})
    assert [time_of(row).day for row in rows] == [15, 15]


def test_the_summary_names_what_was_refused_and_why(bob_client: Client, rows) -> None:
    set_state(rows[1].post, State.PUBLISHED)
    html = bulk(bob_client, rows, "cancel")
    assert "Canceled: 1 post." in html
    assert "<b>Second.</b>: It is published: too late to cancel." in html


def test_several_leave_the_calendar(bob_client: Client, rows) -> None:
    assert "Taken out of the calendar: 2 posts." in bulk(bob_client, rows, "unschedule")
    assert [time_of(row) for row in rows] == [None, None]


@pytest.mark.parametrize(
    ("action", "days"), [("move", ""), ("move", "x"), ("move", "0"), ("explode", "1"), ("", "1"), ("move", "9999")]
)
def test_an_act_that_makes_no_sense_changes_nothing(bob_client: Client, rows, action: str, days: str) -> None:
    data = {"delivery": [row.pk for row in rows], "action": action, "days": days}
    assert bob_client.post("/calendar/bulk", data).status_code == 422
    assert [time_of(row).day for row in rows] == [15, 15]


def test_without_a_selection_it_says_what_to_do(bob_client: Client, in_workspace) -> None:
    response = bob_client.post("/calendar/bulk", {"action": "cancel"})
    assert response.status_code == 422
    assert "Select at least one post first." in response.content.decode()


# --- who may ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["vic_client", "rita_client"])
def test_others_look_and_move_nothing(request, row: Delivery, who: str) -> None:
    client = request.getfixturevalue(who)
    html = client.get("/calendar?month=2026-12").content.decode()
    assert "Fresh beans." in html
    assert "data-drag" not in html
    assert 'id="bulk"' not in html
    assert move(client, row).status_code == 403
    assert client.get(f"/calendar/move?delivery={row.pk}").status_code == 403
    assert client.post("/calendar/bulk", {"delivery": [row.pk], "action": "cancel"}).status_code == 403
    assert time_of(row) == TUESDAY


def test_strangers_find_nothing_to_move(charlie_client: Client, row: Delivery) -> None:
    assert move(charlie_client, row).status_code == 404
    assert time_of(row) == TUESDAY


# --- what the views show ----------------------------------------------------------------------------------


def test_a_reader_elsewhere_sees_their_own_time_beside(bob_client: Client, bob: User, row: Delivery) -> None:
    User.objects.filter(pk=bob.pk).update(time_zone="Europe/London")
    for view in ("month", "week", "day", "list"):
        html = bob_client.get(f"/calendar?view={view}&day=2026-12-15&month=2026-12").content.decode()
        assert "08:00 for you" in html, view
        assert "Berlin" in html, view


def test_a_reader_in_the_same_zone_does_not(bob_client: Client, bob: User, row: Delivery) -> None:
    User.objects.filter(pk=bob.pk).update(time_zone="Europe/Paris")
    assert "for you" not in bob_client.get("/calendar?month=2026-12").content.decode()


def test_the_author_is_a_filter(bob_client: Client, bob: User, alice: User, alice_actor, roastery, row) -> None:
    hers = Delivery.objects.get(post=add_post(alice_actor, roastery, text="By Alice."))
    schedule_delivery(hers, TUESDAY, by=alice_actor)
    days = bob_client.get(f"/calendar?month=2026-12&author={alice.pk}").context["days"]
    assert [str(chip.delivery.post) for day in days for chip in day.chips] == ["By Alice."]


def test_filters_in_use_are_chips_that_take_them_away(bob_client: Client, roastery, row: Delivery) -> None:
    html = bob_client.get(f"/calendar?month=2026-12&connection={roastery.pk}&state=draft").content.decode()
    assert f'href="/calendar?month=2026-12&amp;connection={roastery.pk}"' in html
    assert 'href="/calendar?month=2026-12&amp;state=draft"' in html


def test_the_views_keep_the_filters(bob_client: Client, in_workspace) -> None:
    html = bob_client.get("/calendar?month=2026-12&state=failed").content.decode()
    assert "/calendar?state=failed&amp;view=week&amp;day=2026-12-14" in html


def test_a_clash_is_marked_in_words(bob_client: Client, bob_actor, roastery, row: Delivery) -> None:
    other = Delivery.objects.get(post=add_post(bob_actor, roastery, text="Too close."))
    schedule_delivery(other, TUESDAY + timedelta(minutes=5), by=bob_actor)
    html = bob_client.get("/calendar?view=day&day=2026-12-15").content.decode()
    assert "Less than 10 minutes after “Fresh beans.” (09:00) on @roastery." in html


def test_a_clash_shows_although_the_filter_hides_the_other(bob_client, bob_actor, roastery, row) -> None:
    other = Delivery.objects.get(post=add_post(bob_actor, roastery, text="Too close."))
    schedule_delivery(other, TUESDAY + timedelta(minutes=5), by=bob_actor)
    set_state(other.post, State.IN_REVIEW)
    days = bob_client.get("/calendar?month=2026-12&state=draft").context["days"]
    (chip,) = (chip for day in days for chip in day.chips)
    assert "Too close." in chip.warnings[0]


def test_a_clash_over_midnight_shows_on_either_day(bob_client: Client, bob_actor, roastery, row: Delivery) -> None:
    for minute in (57, 62):
        one = Delivery.objects.get(post=add_post(bob_actor, roastery, text=f"At {minute}"))
        schedule_delivery(one, datetime(2026, 12, 16, 22, tzinfo=UTC) + timedelta(minutes=minute), by=bob_actor)
    for day, other in (("2026-12-16", "At 62"), ("2026-12-17", "At 57")):
        assert other in bob_client.get(f"/calendar?view=day&day={day}").content.decode()


def test_a_day_and_a_week_with_a_clock_change_say_so(bob_client: Client, in_workspace) -> None:
    for view in ("day", "week"):
        html = bob_client.get(f"/calendar?view={view}&day=2027-03-28&hours=all").content.decode()
        assert "Clocks go forward: 02:00 to 03:00 does not exist." in html
        assert "02:00 does not exist" in html


def test_a_free_slot_in_a_gap_is_explained(bob_client: Client, bob_actor, roastery) -> None:
    add_slot(roastery, by=bob_actor, weekdays=[6], at=time(2, 30), time_zone="Europe/Berlin")
    html = bob_client.get("/calendar?view=day&day=2027-03-28").content.decode()
    assert "02:30 does not exist that day, so it goes out at 03:30." in html


# --- holidays ---------------------------------------------------------------------------------------------


def test_an_admin_chooses_the_countries_on_the_calendar(alice_client: Client, in_workspace) -> None:
    response = alice_client.post("/calendar/holidays?month=2026-12", {"countries": ["DE", "CN"]})
    assert response.headers["Location"] == "/calendar?month=2026-12"
    days = alice_client.get("/calendar?month=2026-12").context["days"]
    named = {day.date.day: day.holidays for day in days if day.holidays and not day.is_out}
    assert named == {25: ["Christmas Day (DE)"], 26: ["Second Day of Christmas (DE)"]}


def test_holidays_stand_on_their_day(alice_client: Client, in_workspace) -> None:
    alice_client.post("/calendar/holidays", {"countries": ["DE"]})
    for view in ("month", "week", "day"):
        html = alice_client.get(f"/calendar?view={view}&month=2026-12&day=2026-12-25").content.decode()
        assert "Christmas Day (DE)" in html, view


@pytest.mark.parametrize("who", ["bob_client", "vic_client", "rita_client"])
def test_only_those_who_change_settings_choose(request, in_workspace, who: str) -> None:
    client = request.getfixturevalue(who)
    assert "Choose countries" not in client.get("/calendar").content.decode()
    assert client.post("/calendar/holidays", {"countries": ["DE"]}).status_code == 403


def test_an_unknown_country_is_refused(alice_client: Client, in_workspace) -> None:
    response = alice_client.post("/calendar/holidays", {"countries": ["DE", "XX"]})
    assert response.status_code == 422
    assert "There is no calendar for XX." in response.content.decode()
    assert not AuditEntry.objects.filter(action="workspace.holidays").exists()
