from datetime import time
from uuid import uuid4

import pytest
from django.test import Client

from accounts.access import Actor
from campaigns.models import Slot
from campaigns.slots import add_slot
from social.models import Connection
from tests.campaigns.cast import add_connection

FORM = {"weekdays": ["0", "3"], "time": "09:00", "time_zone": "Europe/Berlin"}


@pytest.fixture
def address(roastery: Connection) -> str:
    return f"/connections/{roastery.pk}/slots"


@pytest.fixture
def monday(bob_actor: Actor, roastery: Connection) -> Slot:
    return add_slot(roastery, by=bob_actor, weekdays=[0], at=time(9), time_zone="Europe/Berlin")[0]


def test_without_slots_an_editor_is_told_what_to_do(bob_client: Client, address: str) -> None:
    assert "Choose the days and a time below." in bob_client.get(address).content.decode()


def test_an_editor_adds_a_slot_on_several_days(bob_client: Client, address: str) -> None:
    assert bob_client.post(address, FORM).headers["Location"] == address
    assert list(Slot.objects.values_list("weekday", "time")) == [(0, time(9)), (3, time(9))]


def test_the_week_shows_them_with_their_zone(bob_client: Client, address: str, monday: Slot) -> None:
    response = bob_client.get(address)
    assert [name for name, slots in response.context["week"] if slots] == ["Monday"]
    assert "Remove Monday 09:00" in response.content.decode()


def test_the_next_five_are_shown(bob_client: Client, address: str, monday: Slot) -> None:
    assert len(bob_client.get(address).context["next_times"]) == 5


def test_a_slot_in_another_zone_is_told_in_the_workspaces_own_too(bob_client: Client, address: str) -> None:
    bob_client.post(address, FORM | {"time_zone": "Asia/Shanghai"})
    html = bob_client.get(address).content.decode()
    assert "Asia/Shanghai" in html
    assert ">CST, Asia/Shanghai<" in html
    assert "Europe/Berlin</p>" in html


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weekdays", []),
        ("weekdays", ["7"]),
        ("time", ""),
        ("time", "25:00"),
        ("time_zone", "Berlin"),
        ("time_zone", ""),
    ],
)
def test_a_wrong_field_is_told_beside_it(bob_client: Client, address: str, field: str, value: object) -> None:
    response = bob_client.post(address, FORM | {field: value})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Slot.objects.exists()


def test_no_day_is_told_in_words_that_help(bob_client: Client, address: str) -> None:
    assert "Choose at least one day." in bob_client.post(address, FORM | {"weekdays": []}).content.decode()


def test_what_was_chosen_is_kept(bob_client: Client, address: str) -> None:
    html = bob_client.post(address, FORM | {"time": "25:00"}).content.decode()
    assert 'value="25:00"' in html
    assert html.count("checked") == 2


def test_the_same_slot_twice_is_one_slot(bob_client: Client, address: str, monday: Slot) -> None:
    bob_client.post(address, FORM | {"weekdays": ["0"]})
    assert Slot.objects.count() == 1


def test_an_editor_removes_a_slot(bob_client: Client, address: str, monday: Slot) -> None:
    assert bob_client.post(f"{address}/{monday.pk}/remove").headers["Location"] == address
    assert not Slot.objects.exists()


def test_a_slot_of_another_account_is_not_found_here(bob_client: Client, in_workspace, monday: Slot) -> None:
    other = add_connection(in_workspace, "cafe")
    assert bob_client.post(f"/connections/{other.pk}/slots/{monday.pk}/remove").status_code == 404
    assert Slot.objects.exists()


def test_a_slot_that_is_gone_is_a_missing_page(bob_client: Client, address: str) -> None:
    assert bob_client.post(f"{address}/{uuid4()}/remove").status_code == 404


@pytest.mark.parametrize("who", ["vic_client", "rita_client"])
def test_others_look_and_change_nothing(request: pytest.FixtureRequest, address: str, monday: Slot, who: str) -> None:
    client = request.getfixturevalue(who)
    html = client.get(address).content.decode()
    assert "09:00" in html
    assert "Add slots" not in html
    assert client.post(address, FORM).status_code == 403
    assert client.post(f"{address}/{monday.pk}/remove").status_code == 403
    assert Slot.objects.count() == 1


def test_guests_see_no_slots(gwen_client: Client, address: str) -> None:
    assert gwen_client.get(address).status_code == 403


def test_a_strangers_account_is_a_missing_page(charlie_client: Client, address: str, monday: Slot) -> None:
    assert charlie_client.get(address).status_code == 404
    assert charlie_client.post(f"{address}/{monday.pk}/remove").status_code == 404


def test_an_account_leads_to_its_slots(bob_client: Client, address: str) -> None:
    assert f'href="{address}"' in bob_client.get("/connections").content.decode()


# --- changing one -----------------------------------------------------------------------------------------


def test_an_editor_changes_a_slot(bob_client: Client, address: str, monday: Slot) -> None:
    html = bob_client.get(f"{address}/{monday.pk}").content.decode()
    assert 'value="09:00"' in html
    data = {"weekday": "4", "time": "10:30", "time_zone": "Asia/Kolkata"}
    assert bob_client.post(f"{address}/{monday.pk}", data).headers["Location"] == address
    assert Slot.objects.values_list("weekday", "time", "time_zone").get() == (4, time(10, 30), "Asia/Kolkata")


def test_a_slot_does_not_move_onto_another(bob_client: Client, address: str, monday: Slot) -> None:
    bob_client.post(address, FORM | {"weekdays": ["2"]})
    response = bob_client.post(
        f"{address}/{monday.pk}", {"weekday": "2", "time": "09:00", "time_zone": "Europe/Berlin"}
    )
    assert response.status_code == 422
    assert "There is a slot at this time already." in response.content.decode()


@pytest.mark.parametrize("field", ["weekday", "time", "time_zone"])
def test_a_wrong_field_of_a_change_is_told_beside_it(bob_client, address: str, monday: Slot, field: str) -> None:
    data = {"weekday": "4", "time": "10:30", "time_zone": "UTC"} | {field: "99"}
    response = bob_client.post(f"{address}/{monday.pk}", data)
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])


@pytest.mark.parametrize("who", ["vic_client", "rita_client"])
def test_others_change_no_slot(request: pytest.FixtureRequest, address: str, monday: Slot, who: str) -> None:
    client = request.getfixturevalue(who)
    data = {"weekday": "4", "time": "10:30", "time_zone": "UTC"}
    assert client.post(f"{address}/{monday.pk}", data).status_code == 403
    assert Slot.objects.get().weekday == 0
