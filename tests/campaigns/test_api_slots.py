from datetime import time

import pytest

from campaigns.models import Slot
from campaigns.slots import add_slot
from tests.campaigns.cast import add_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def roastery(in_workspace):
    return add_connection(in_workspace)


@pytest.fixture
def url(roastery) -> str:
    return f"/api/connections/{roastery.pk}/slots"


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


def test_slot_is_added_on_every_named_day(bob_api, url):
    answer = bob_api.post(url, {"weekdays": [0, 4], "time": "09:30", "time_zone": "Asia/Shanghai"}, format="json")
    assert answer.status_code == 201
    assert [(s["weekday"], s["time"], s["time_zone"]) for s in answer.json()] == [
        (0, "09:30:00", "Asia/Shanghai"),
        (4, "09:30:00", "Asia/Shanghai"),
    ]


def test_time_may_be_sent_as_it_was_answered(bob_api, url):
    (slot,) = bob_api.post(url, {"weekdays": [0], "time": "09:30"}, format="json").json()
    assert bob_api.patch(f"{url}/{slot['id']}", {"time": slot["time"]}, format="json").json() == slot


def test_zone_is_the_workspaces_own_by_default(bob_api, url):
    (slot,) = bob_api.post(url, {"weekdays": [0], "time": "09:30"}, format="json").json()
    assert slot["time_zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("weekdays", value) for value in ([], [7], "0")],
        # Neither seconds nor an offset: they would be dropped, or never met.
        *[("time", value) for value in ("25:00", "09:30:15", "09:30:00.5", "09:30+16:25", "09:30Z", None)],
        ("time_zone", "Mars/Olympus"),
    ],
)
def test_wrong_field_is_named(bob_api, url, field, value):
    answer = bob_api.post(url, {"weekdays": [0], "time": "09:30", field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Slot.objects.exists()


def test_list_holds_the_slots_of_this_account_only(bob_api, url, bob_actor, in_workspace, roastery):
    add_slot(add_connection(in_workspace, "bakery"), by=bob_actor, weekdays=[1], at=time(9), time_zone="UTC")
    add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="UTC")
    assert [slot["weekday"] for slot in bob_api.get(url).json()["results"]] == [2]


def test_slot_is_removed(bob_api, url, bob_actor, roastery):
    (slot,) = add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="UTC")
    assert bob_api.delete(f"{url}/{slot.pk}").status_code == 204
    assert not Slot.objects.exists()


def test_slot_is_not_removed_through_another_account(bob_api, url, bob_actor, in_workspace):
    bakery = add_connection(in_workspace, "bakery")
    (slot,) = add_slot(bakery, by=bob_actor, weekdays=[2], at=time(9), time_zone="UTC")
    assert bob_api.delete(f"{url}/{slot.pk}").status_code == 404
    assert Slot.objects.exists()


def test_slot_is_changed_in_part(bob_api, url, bob_actor, roastery):
    (slot,) = add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="UTC")
    answer = bob_api.patch(f"{url}/{slot.pk}", {"time": "10:15"}, format="json")
    assert (answer.status_code, answer.json()["weekday"], answer.json()["time"]) == (200, 2, "10:15:00")


@pytest.mark.parametrize(("field", "value"), [("weekday", 7), ("time", "25:00"), ("time_zone", "Mars")])
def test_wrong_field_of_a_change_is_named(bob_api, url, bob_actor, roastery, field, value):
    (slot,) = add_slot(roastery, by=bob_actor, weekdays=[2], at=time(9), time_zone="UTC")
    answer = bob_api.patch(f"{url}/{slot.pk}", {field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
