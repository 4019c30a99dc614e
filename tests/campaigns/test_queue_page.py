from datetime import UTC, datetime, time

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from campaigns.deliveries import add_to_next_slot, schedule_delivery
from campaigns.models import Delivery
from campaigns.slots import add_slot
from lib.clock import now, shifted
from tests.campaigns.cast import add_connection, add_post, set_state

State = Delivery.State


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(datetime(2026, 12, 7, 12, tzinfo=UTC) - now()):
        yield


@pytest.fixture
def url(roastery) -> str:
    return f"/queue/{roastery.pk}"


@pytest.fixture
def make(roastery, bob_actor):
    return lambda text: Delivery.objects.get(post=add_post(bob_actor, roastery, text=text))


@pytest.fixture
def rows(roastery, bob_actor, make) -> list[Delivery]:
    add_slot(roastery, by=bob_actor, weekdays=list(range(7)), at=time(9), time_zone="Europe/Berlin")
    return [add_to_next_slot(make(text), by=bob_actor) for text in "ABC"]


def act(client: Client, url: str, row: Delivery, action: str, **fields: object):
    return client.post(f"{url}/act", {"delivery": str(row.pk), "action": action} | fields)


def order(client: Client, url: str) -> list[str]:
    """Texts in the order of their times; a dash is a free slot."""
    return [str(entry.row.post) if entry.row else "-" for entry in client.get(url).context["entries"]]


def test_the_queue_shows_posts_in_their_slots_and_the_free_ones_after(bob_client: Client, url: str, rows) -> None:
    assert order(bob_client, url)[:5] == ["A", "B", "C", "-", "-"]


def test_a_time_set_by_hand_stands_between_and_is_locked(bob_client: Client, url: str, rows, make, bob_actor) -> None:
    schedule_delivery(make("hand"), datetime(2026, 12, 8, 12, tzinfo=UTC), by=bob_actor)
    response = bob_client.get(url)
    assert order(bob_client, url)[:3] == ["A", "hand", "B"]
    assert [entry.place for entry in response.context["entries"]][:4] == [0, None, 1, 2]
    assert "Time set by hand" in response.content.decode()


def test_a_post_moves_later_and_earlier(bob_client: Client, url: str, rows) -> None:
    assert act(bob_client, url, rows[0], "move", place="1").headers["Location"] == f"{url}?moved={rows[0].pk}"
    assert order(bob_client, url)[:3] == ["B", "A", "C"]
    act(bob_client, url, rows[2], "move", place="0")
    assert order(bob_client, url)[:3] == ["C", "B", "A"]


def test_the_keyboard_goes_on_at_the_moved_post(bob_client: Client, url: str, rows) -> None:
    response = bob_client.get(f"{url}?moved={rows[0].pk}")
    assert f"queue-{rows[0].pk}" in response.headers["HX-Trigger-After-Settle"]
    assert f'id="queue-{rows[0].pk}"' in response.content.decode()


def test_a_post_is_put_first(bob_client: Client, url: str, rows) -> None:
    act(bob_client, url, rows[2], "first")
    assert order(bob_client, url)[:3] == ["C", "A", "B"]


def test_a_draft_is_added_to_the_end_or_put_first(bob_client: Client, url: str, rows, make) -> None:
    one, two = make("one"), make("two")
    assert "one" in bob_client.get(url).content.decode()
    act(bob_client, url, one, "add")
    act(bob_client, url, two, "first")
    assert order(bob_client, url)[:5] == ["two", "A", "B", "C", "one"]


def test_a_post_leaves_the_queue_and_waits_without_a_time(bob_client: Client, url: str, rows) -> None:
    act(bob_client, url, rows[1], "out")
    response = bob_client.get(url)
    assert order(bob_client, url)[:3] == ["A", "-", "C"]
    assert [str(row.post) for row in response.context["waiting"]] == ["B"]


@pytest.mark.parametrize("state", [State.PUBLISHED, State.CANCELED, State.FAILED, State.MISSED])
def test_what_is_over_is_not_shown(bob_client: Client, url: str, rows, state: str) -> None:
    set_state(rows[0].post, state)
    assert "A" not in order(bob_client, url)


@pytest.mark.parametrize(
    ("action", "place", "status"),
    [("move", "", 422), ("move", "-1", 422), ("move", "x", 422), ("burn", "0", 422), ("", "0", 422)],
)
def test_an_act_that_makes_no_sense_changes_nothing(bob_client, url, rows, action, place, status) -> None:
    assert act(bob_client, url, rows[0], action, place=place).status_code == status
    assert order(bob_client, url)[:3] == ["A", "B", "C"]


def test_what_left_the_queue_meanwhile_is_told(bob_client: Client, url: str, rows) -> None:
    set_state(rows[0].post, State.PUBLISHED)
    response = act(bob_client, url, rows[0], "move", place="1")
    assert response.status_code == 409
    assert "It is not in the queue any more." in response.content.decode()


def test_a_post_of_another_account_has_no_place_here(bob_client: Client, in_workspace, rows) -> None:
    other = add_connection(in_workspace, "cafe")
    response = act(bob_client, f"/queue/{other.pk}", rows[0], "first")
    assert response.status_code == 422
    assert "another account" in response.content.decode()


@pytest.mark.parametrize("delivery_id", ["", "x", "018f0000-0000-7000-8000-000000000000"])
def test_a_post_that_is_not_there_is_a_missing_page(bob_client: Client, url: str, delivery_id: str) -> None:
    assert bob_client.post(f"{url}/act", {"delivery": delivery_id, "action": "first"}).status_code == 404


def test_an_empty_queue_leads_to_the_slots(bob_client: Client, url: str, roastery) -> None:
    assert f"/connections/{roastery.pk}/slots" in bob_client.get(url).content.decode()


def test_the_zone_stands_beside_every_time(bob_client: Client, bob: User, url: str, rows) -> None:
    User.objects.filter(pk=bob.pk).update(time_zone="Asia/Kathmandu")
    html = bob_client.get(url).content.decode()
    assert "Tue 8 Dec, 09:00" in html
    assert "Berlin, 13:45 for you" in html


def test_a_slot_that_the_clocks_move_says_so(bob_client: Client, bob_actor, roastery, url: str) -> None:
    add_slot(roastery, by=bob_actor, weekdays=[6], at=time(2, 30), time_zone="Europe/Berlin")
    with shifted(datetime(2027, 3, 22, 12, tzinfo=UTC) - now()):
        assert "so it goes out at 03:30" in bob_client.get(url).content.decode()


@pytest.mark.parametrize("who", ["vic_client", "rita_client"])
def test_others_look_and_change_nothing(request, url: str, rows, who: str) -> None:
    client = request.getfixturevalue(who)
    assert order(client, url)[:3] == ["A", "B", "C"]
    assert "queue-form" not in client.get(url).content.decode()
    assert act(client, url, rows[2], "first").status_code == 403
    assert order(client, url)[:3] == ["A", "B", "C"]


def test_guests_and_strangers_see_no_queue(gwen_client: Client, charlie_client: Client, url: str, rows) -> None:
    assert gwen_client.get(url).status_code == 403
    assert charlie_client.get(url).status_code == 404
    assert act(charlie_client, url, rows[0], "first").status_code == 404


def test_more_posts_cost_no_more_queries(bob_client: Client, url: str, rows, make, bob_actor) -> None:
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            bob_client.get(url)
        return len(queries)

    before = count()
    for number in range(5):
        add_to_next_slot(make(f"queued {number}"), by=bob_actor)
        make(f"waiting {number}")
    assert count() <= before + 1
