from datetime import time

import pytest

from campaigns.deliveries import add_to_next_slot
from campaigns.models import Delivery
from campaigns.slots import add_slot
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(roastery, bob_actor) -> list[Delivery]:
    add_slot(roastery, by=bob_actor, weekdays=list(range(7)), at=time(9), time_zone="Europe/Berlin")
    found = [Delivery.objects.get(post=add_post(bob_actor, roastery, text=text)) for text in "ABC"]
    return [add_to_next_slot(row, by=bob_actor) for row in found]


@pytest.fixture
def url(roastery) -> str:
    return f"/api/connections/{roastery.pk}/queue"


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


def titles(answer) -> list[str]:
    return [entry["title"] for entry in answer.json()["entries"]]


def test_queue_is_in_order_with_its_places(bob_api, url, rows):
    answer = bob_api.get(url)
    assert titles(answer) == ["A", "B", "C"]
    assert [entry["place"] for entry in answer.json()["entries"]] == [0, 1, 2]


def test_move_answers_the_new_order(bob_api, url, rows):
    answer = bob_api.post(f"{url}/move", {"delivery": str(rows[2].pk), "place": 0}, format="json")
    assert (answer.status_code, titles(answer)) == (200, ["C", "A", "B"])


def test_prioritise_puts_first_and_answers_the_receipt(bob_api, url, rows):
    answer = bob_api.post(f"/api/deliveries/{rows[1].pk}/prioritise")
    assert answer.json()["id"] == str(rows[1].pk)
    assert titles(bob_api.get(url)) == ["B", "A", "C"]


@pytest.mark.parametrize(("field", "value"), [("place", -1), ("place", "x"), ("delivery", "x")])
def test_wrong_field_is_named(bob_api, url, rows, field, value):
    answer = bob_api.post(f"{url}/move", {"delivery": str(rows[0].pk), "place": 1, field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_what_is_not_queued_is_a_conflict(bob_api, url, rows, roastery, bob_actor):
    outside = Delivery.objects.get(post=add_post(bob_actor, roastery, text="outside"))
    answer = bob_api.post(f"{url}/move", {"delivery": str(outside.pk), "place": 0}, format="json")
    assert answer.status_code == 409


def test_a_delivery_of_another_account_is_a_conflict(bob_api, in_workspace, rows):
    other = add_connection(in_workspace, "cafe")
    data = {"delivery": str(rows[0].pk), "place": 0}
    assert bob_api.post(f"/api/connections/{other.pk}/queue/move", data, format="json").status_code == 409
