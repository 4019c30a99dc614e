from datetime import UTC, datetime, time

import pytest
from django.test import Client

from campaigns import recurrences as services
from campaigns.models import Post, Recurrence
from lib.clock import now, shifted
from tests.campaigns.cast import add_post

WEEKLY = {"kind": "weekly", "weekdays": ["2"], "at": "09:00", "time_zone": "Europe/Berlin", "cooldown_days": "30"}


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(datetime(2026, 12, 7, 12, tzinfo=UTC) - now()):
        yield


@pytest.fixture
def url(post: Post) -> str:
    return f"/posts/{post.pk}/repeat"


@pytest.fixture
def row(post: Post, bob_actor) -> Recurrence:
    return services.repeat_post(post, by=bob_actor, kind="weekly", time_zone="Europe/Berlin", weekdays=[2], at=time(9))


def test_a_post_leads_to_its_repetition(bob_client: Client, post: Post, url: str) -> None:
    assert f'href="{url}"' in bob_client.get(post.get_absolute_url()).content.decode()


def test_an_editor_repeats_a_post_on_set_days(bob_client: Client, url: str, post: Post) -> None:
    assert bob_client.post(url, WEEKLY).headers["Location"] == "/recurrences"
    row = Recurrence.objects.get()
    assert (row.post_id, row.weekdays, row.time) == (post.pk, [2], time(9))
    html = bob_client.get("/recurrences").content.decode()
    assert "Wednesday at 09:00 Europe/Berlin" in html
    assert "Next to be made: Wed 9 Dec, 09:00" in html


def test_an_editor_makes_a_post_evergreen(bob_client: Client, url: str) -> None:
    bob_client.post(url, WEEKLY | {"kind": "evergreen", "cooldown_days": "14", "ends_on": "2027-12-31"})
    html = bob_client.get("/recurrences").content.decode()
    assert "Evergreen, 14 days of rest, until 31 Dec 2027" in html


def test_no_rest_given_is_the_usual_one(bob_client: Client, url: str) -> None:
    bob_client.post(url, WEEKLY | {"kind": "evergreen", "cooldown_days": ""})
    assert Recurrence.objects.get().cooldown_days == 30


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "hourly"),
        ("weekdays", []),
        ("weekdays", ["7"]),
        ("at", ""),
        ("at", "25:00"),
        ("time_zone", "Mars"),
        ("cooldown_days", "0"),
        ("ends_on", "2026-12-01"),
    ],
)
def test_a_wrong_field_is_told_beside_it(bob_client: Client, url: str, field: str, value: object) -> None:
    response = bob_client.post(url, WEEKLY | {field: value})
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Recurrence.objects.exists()


def test_a_post_without_an_account_says_what_to_do(bob_client: Client, bob_actor, in_workspace) -> None:
    response = bob_client.post(f"/posts/{add_post(bob_actor).pk}/repeat", WEEKLY)
    assert response.status_code == 422
    assert "Choose at least one account for the post first" in response.content.decode()


def test_it_is_paused_and_goes_on(bob_client: Client, row: Recurrence) -> None:
    bob_client.post(f"/recurrences/{row.pk}/pause")
    assert "Paused" in bob_client.get("/recurrences").content.decode()
    bob_client.post(f"/recurrences/{row.pk}/resume")
    assert Recurrence.objects.get().is_active


def test_a_date_is_skipped(bob_client: Client, row: Recurrence) -> None:
    assert "Skip 9 Dec" in bob_client.get("/recurrences").content.decode()
    bob_client.post(f"/recurrences/{row.pk}/skip")
    assert "Skip 16 Dec" in bob_client.get("/recurrences").content.decode()


def test_it_ends_and_is_deleted(bob_client: Client, row: Recurrence) -> None:
    bob_client.post(f"/recurrences/{row.pk}/end")
    assert "Ended" in bob_client.get("/recurrences").content.decode()
    bob_client.post(f"/recurrences/{row.pk}/delete")
    assert "No post repeats yet" in bob_client.get("/recurrences").content.decode()


def test_what_is_not_possible_now_is_told_on_the_list(bob_client: Client, row: Recurrence) -> None:
    bob_client.post(f"/recurrences/{row.pk}/end")
    response = bob_client.post(f"/recurrences/{row.pk}/resume")
    assert response.status_code == 409
    assert services.OVER in response.content.decode()


def test_the_reason_of_a_refusal_stands_beside_it(bob_client: Client, row: Recurrence) -> None:
    Recurrence.objects.update(problem_text="@roastery: The text is too long.")
    assert "@roastery: The text is too long." in bob_client.get("/recurrences").content.decode()


def test_an_unknown_act_is_a_missing_page(bob_client: Client, row: Recurrence) -> None:
    assert bob_client.post(f"/recurrences/{row.pk}/explode").status_code == 404
    assert bob_client.get(f"/recurrences/{row.pk}/pause").status_code == 405


@pytest.mark.parametrize("who", ["vic_client", "rita_client"])
def test_others_look_and_change_nothing(request, row: Recurrence, url: str, who: str) -> None:
    client = request.getfixturevalue(who)
    html = client.get("/recurrences").content.decode()
    assert "Fresh beans." in html
    assert "Pause" not in html
    assert client.post(url, WEEKLY).status_code == 403
    assert client.post(f"/recurrences/{row.pk}/delete").status_code == 403
    assert Recurrence.objects.count() == 1


def test_guests_and_strangers_see_nothing(gwen_client: Client, charlie_client: Client, row: Recurrence) -> None:
    assert gwen_client.get("/recurrences").status_code == 403
    assert "Fresh beans." not in charlie_client.get("/recurrences").content.decode()
    assert charlie_client.post(f"/recurrences/{row.pk}/delete").status_code == 404
