import pytest

from campaigns.models import Recurrence

pytestmark = pytest.mark.django_db
URL = "/api/recurrences"


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


@pytest.fixture
def weekly(post) -> dict:
    return {"post": str(post.pk), "kind": "weekly", "weekdays": [2, 4], "time": "09:30", "time_zone": "Asia/Kolkata"}


@pytest.fixture
def row(bob_api, weekly) -> Recurrence:
    return Recurrence.objects.get(pk=bob_api.post(URL, weekly, format="json").json()["id"])


def test_a_post_is_repeated_on_set_days(bob_api, weekly):
    answer = bob_api.post(URL, weekly, format="json")
    assert answer.status_code == 201
    given = {"weekdays": [2, 4], "time": "09:30:00", "time_zone": "Asia/Kolkata", "is_active": True, "problem": ""}
    assert answer.json().items() >= given.items()
    assert answer.json()["next_at"].endswith("T04:00:00Z")


def test_an_evergreen_post_takes_the_workspaces_zone_and_the_usual_rest(bob_api, post):
    answer = bob_api.post(URL, {"post": str(post.pk), "kind": "evergreen"}, format="json").json()
    assert (answer["time_zone"], answer["cooldown_days"], answer["time"]) == ("Europe/Berlin", 30, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "hourly"),
        ("weekdays", [7]),
        ("time", "25:00"),
        ("time_zone", "Mars/Base"),
        ("cooldown_days", 0),
        ("ends_on", "soon"),
        ("ends_on", "2020-01-01"),
        ("post", "x"),
    ],
)
def test_wrong_field_is_named(bob_api, weekly, field, value):
    answer = bob_api.post(URL, weekly | {field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Recurrence.objects.exists()


def test_list_and_one(bob_api, row):
    assert [one["id"] for one in bob_api.get(URL).json()["results"]] == [str(row.pk)]
    assert bob_api.get(f"{URL}/{row.pk}").json()["id"] == str(row.pk)


def test_pause_resume_skip_and_end(bob_api, row):
    assert bob_api.post(f"{URL}/{row.pk}/pause").json()["is_active"] is False
    assert bob_api.post(f"{URL}/{row.pk}/resume").json()["is_active"] is True
    before = bob_api.get(f"{URL}/{row.pk}").json()["next_at"]
    assert bob_api.post(f"{URL}/{row.pk}/skip").json()["next_at"] > before
    assert bob_api.post(f"{URL}/{row.pk}/end").json()["next_at"] is None
    assert bob_api.post(f"{URL}/{row.pk}/resume").status_code == 409


def test_delete(bob_api, row):
    assert bob_api.delete(f"{URL}/{row.pk}").status_code == 204
    assert bob_api.get(f"{URL}/{row.pk}").status_code == 404


def test_a_key_that_only_writes_cannot_plan(api, api_key, weekly):
    assert api(api_key("write")).post(URL, weekly, format="json").status_code == 403
    assert not Recurrence.objects.exists()
