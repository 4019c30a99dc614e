"""/outage/: what was missed at once, and one decision for many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from accounts.access import Actor
from campaigns.models import Delivery
from campaigns.rendering import render
from lib.clock import now, shifted
from social.models import Connection
from tests.campaigns.cast import add_post

State = Delivery.State


@pytest.fixture
def missed(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    def make(hours_ago: float = 3) -> Delivery:
        row = Delivery.objects.get(post=add_post(bob_actor, roastery, text=f"{now()}"))
        at = now() - timedelta(hours=hours_ago)
        approved = render(row).content_hash
        Delivery.objects.filter(pk=row.pk).update(
            state=State.MISSED, scheduled_at=at, approved_hash=approved, updated_at=now()
        )
        return Delivery.objects.get(pk=row.pk)

    return make


def send(client: Client, *rows: Delivery, action: str, **data: str):
    return client.post("/outage/", {"delivery": [row.pk for row in rows], "action": action, **data})


def states() -> set[str]:
    return set(Delivery.objects.values_list("state", flat=True))


def test_the_page_names_the_time_of_the_outage_in_the_zone_of_the_workspace(missed, bob_client: Client) -> None:
    with shifted(datetime(2026, 12, 30, 12, tzinfo=UTC) - now()):
        for hours_ago in (4, 3, 1.5):
            missed(hours_ago)
        html = bob_client.get("/outage/").content.decode()
    assert "3 posts were due while nothing went out" in html
    assert "30 Dec, 09:00–11:30 Europe/Berlin" in html


@pytest.mark.parametrize("address", ["/", "/attention/"])
def test_a_banner_leads_to_the_page(missed, bob_client: Client, address: str) -> None:
    for _ in range(3):
        missed()
    html = bob_client.get(address).content.decode()
    assert "3 posts were due while nothing went out" in html
    assert 'href="/outage/"' in html


def test_no_banner_for_a_single_mishap(missed, bob_client: Client) -> None:
    missed()
    assert "while nothing went out" not in bob_client.get("/").content.decode()


def test_the_chosen_are_sent_and_the_others_wait(missed, bob_client: Client) -> None:
    rows = [missed() for _ in range(4)]
    html = send(bob_client, rows[0], action="send").content.decode()
    assert "1 post is settled." in html
    assert "3 posts were due while nothing went out" in html
    assert Delivery.objects.get(state=State.SCHEDULED).pk == rows[0].pk


def test_the_chosen_are_moved_by_days_and_hours(missed, bob_client: Client) -> None:
    row = missed()
    send(bob_client, row, action="move", days="1", hours="2")
    moved = Delivery.objects.get()
    assert (moved.state, moved.scheduled_at - row.scheduled_at) == (State.SCHEDULED, timedelta(days=1, hours=2))


def test_the_chosen_are_dropped(missed, bob_client: Client) -> None:
    rows = [missed() for _ in range(3)]
    html = send(bob_client, *rows, action="drop").content.decode()
    assert states() == {State.CANCELED}
    assert "Nothing is left to decide" in html


def test_what_could_not_be_done_says_why(missed, bob_client: Client) -> None:
    row = missed()
    html = send(bob_client, row, action="slot").content.decode()
    assert "This connection has no posting slots yet." in html
    assert states() == {State.MISSED}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"action": "explode"}, "Choose one of"),
        ({"action": "move", "days": "0"}, "Say by how many days"),
        ({"action": "move", "days": "-1"}, "Give whole days and hours."),
        ({"action": "move", "days": "1e9"}, "Give whole days and hours."),
        ({"action": "move", "days": "9999"}, "Move by at most 60 days."),
    ],
)
def test_an_act_that_makes_no_sense_is_explained(missed, bob_client: Client, data: dict[str, str], said: str) -> None:
    response = send(bob_client, missed(), **data)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert states() == {State.MISSED}


def test_nothing_chosen_is_explained(missed, bob_client: Client) -> None:
    missed()
    response = send(bob_client, action="drop")
    assert "Choose at least one post." in response.content.decode()


def test_an_id_of_nonsense_is_refused(bob_client: Client, in_workspace) -> None:
    assert bob_client.post("/outage/", {"delivery": "nonsense", "action": "drop"}).status_code == 422


def test_a_viewer_looks_and_decides_nothing(missed, vic_client: Client) -> None:
    rows = [missed() for _ in range(3)]
    assert "Send now" not in vic_client.get("/outage/").content.decode()
    assert send(vic_client, *rows, action="drop").status_code == 403
    assert states() == {State.MISSED}


def test_guests_do_not_see_it(gwen_client: Client, in_workspace) -> None:
    assert gwen_client.get("/outage/").status_code == 403


def test_a_post_of_another_workspace_cannot_be_settled(missed, charlie_client: Client) -> None:
    response = send(charlie_client, missed(), action="drop")
    assert response.status_code == 422
    assert states() == {State.MISSED}
