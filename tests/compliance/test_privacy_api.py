"""The API: the same services, the same rules."""

import pytest

from accounts.models import Role, User, Workspace
from accounts.scope import workspace_scope
from compliance.models import Contact
from compliance.privacy import requests, run
from tests.compliance.privacy_cast import add_contact, again
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
ADMINS = {Role.OWNER, Role.ADMIN}
# method, address, body
ADMIN_ROUTES = [
    ("get", "/api/privacy/requests", None),
    ("post", "/api/privacy/requests", {"contact": "018f0000-0000-7000-8000-000000000000", "kind": "erase"}),
    ("post", "/api/privacy/export", {}),
    ("get", "/api/privacy/holds", None),
    ("post", "/api/privacy/holds", {"reason": "Case"}),
]


@pytest.fixture
def anna(workspace) -> Contact:
    with workspace_scope(workspace.pk):
        return add_contact(workspace)


@pytest.fixture
def alice_api(api, alice, workspace):
    return api(alice, workspace=workspace)


def note(client, contact: Contact, kind: str = "export", **facts):
    return client.post(
        "/api/privacy/requests", {"contact": str(contact.pk), "kind": kind, **facts}, format="json"
    ).json()


@pytest.mark.parametrize("role", Role.values)
def test_only_admins_get_in(role, join, api, workspace):
    client = api(join("Somebody", role), workspace=workspace)
    for method, address, body in ADMIN_ROUTES:
        status = getattr(client, method)(address, body, format="json").status_code
        assert (status != 403) == (role in ADMINS), (role, address, status)


def test_a_request_from_note_to_copy(alice_api, anna, workspace):
    row = note(alice_api, anna)
    assert (row["status"], row["subject_label"], row["has_file"]) == ("verifying", "Anna Berg", False)
    base = f"/api/privacy/requests/{row['id']}"
    assert alice_api.post(f"{base}/start").status_code == 400
    assert alice_api.post(f"{base}/verify").json()["identity_method"] == "document seen"
    assert alice_api.post(f"{base}/verify").status_code == 409
    assert alice_api.post(f"{base}/start").json()["status"] == "running"
    assert alice_api.get(f"{base}/file").status_code == 404
    run.run(row["id"])
    answer = alice_api.get(base).json()
    assert answer["status"] == "done"
    assert answer["manifest"]["models"]["compliance.Contact"]["rows"] == 1
    response = alice_api.get(f"{base}/file")
    assert b"".join(response)[:2] == b"PK"
    assert [item["id"] for item in alice_api.get("/api/privacy/requests").json()["results"]] == [row["id"]]


@pytest.mark.parametrize("act", ["refuse", "extend"])
def test_reasons_are_needed_and_kept(alice_api, anna, act):
    base = f"/api/privacy/requests/{note(alice_api, anna)['id']}"
    assert alice_api.post(f"{base}/{act}", {}, format="json").status_code == 400
    answer = alice_api.post(f"{base}/{act}", {"reason": "Because."}, format="json").json()
    assert "Because." in {answer["refusal"], answer["extended_because"]}
    assert alice_api.post(f"{base}/{act}", {"reason": "Again."}, format="json").status_code == 409


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("rectify", {}),
        ("rectify", {"corrections": {"id": "x"}}),
        ("steal", {}),
        ("erase", {"law": "none"}),
        ("erase", {"contact": "018f0000-0000-7000-8000-000000000000"}),
    ],
)
def test_bad_requests_are_problems(alice_api, anna, kind, facts):
    body = {"contact": str(anna.pk), "kind": kind, **facts}
    response = alice_api.post("/api/privacy/requests", body, format="json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_a_stranger_gets_what_a_missing_id_gets(api, charlie, other_workspace, alice_api, anna):
    row = note(alice_api, anna)
    stranger = api(charlie, workspace=other_workspace)
    for act in ("", "/file"):
        assert stranger.get(f"/api/privacy/requests/{row['id']}{act}").status_code == 404
    for act in ("verify", "start", "refuse", "extend"):
        assert stranger.post(f"/api/privacy/requests/{row['id']}/{act}").status_code == 404
    body = {"contact": str(anna.pk), "kind": "erase"}
    assert stranger.post("/api/privacy/requests", body, format="json").status_code == 400
    assert stranger.get("/api/privacy/requests").json()["results"] == []


def test_holds(alice_api, anna, api, charlie, other_workspace):
    hold = alice_api.post("/api/privacy/holds", {"contact": str(anna.pk), "reason": "Case"}, format="json").json()
    assert (hold["subject_kind"], hold["subject_id"]) == ("contact", str(anna.pk))
    whole = alice_api.post("/api/privacy/holds", {"reason": "Case"}, format="json").json()
    assert whole["subject_kind"] == "workspace"
    release = f"/api/privacy/holds/{hold['id']}/release"
    assert api(charlie, workspace=other_workspace).post(release).status_code == 404
    assert alice_api.post(release).json()["released_at"]
    missing = {"contact": "018f0000-0000-7000-8000-000000000000", "reason": "Case"}
    assert alice_api.post("/api/privacy/holds", missing, format="json").status_code == 404
    assert len(alice_api.get("/api/privacy/holds").json()["results"]) == 2


def test_the_inventory_is_open_to_members(api, vic, workspace):
    rows = api(vic, workspace=workspace).get("/api/privacy/inventory").json()
    notification = next(row for row in rows if row["model"] == "accounts.Notification")
    assert (notification["days"], notification["keep"]) == (180, "180 days")
    assert "text" in notification["personal"]


def test_the_end_of_the_workspace(alice_api, api, join, workspace):
    admin = api(join("Adam", Role.ADMIN), workspace=workspace)
    assert admin.post("/api/workspace/deletion", {"name": "Roastery"}, format="json").status_code == 403
    assert alice_api.post("/api/workspace/deletion", {"name": "Bakery"}, format="json").status_code == 400
    answer = alice_api.post("/api/workspace/deletion", {"name": "Roastery"}, format="json")
    assert answer.status_code == 202
    assert answer.json()["deletes_at"]
    assert Workspace.objects.get(pk=workspace.pk).is_stopped
    assert alice_api.delete("/api/workspace/deletion").json() == {"deletes_at": None}


# --- one's own --------------------------------------------------------------------------------------------------


def test_a_person_asks_with_their_password(api, bob):
    client = api(bob)
    wrong = client.post("/api/account/privacy", {"kind": "export", "password": "no"}, format="json")
    assert wrong.status_code == 400
    assert "password" in wrong.json()["errors"]
    row = client.post("/api/account/privacy", {"kind": "export", "password": PASSWORD}, format="json")
    assert row.status_code == 202
    run.run(row.json()["id"])
    assert [item["has_file"] for item in client.get("/api/account/privacy").json()] == [True]
    file = client.get(f"/api/account/privacy/{row.json()['id']}/file")
    assert b"".join(file)[:2] == b"PK"


def test_nobody_sees_what_others_asked(api, bob, alice):
    row = requests.open_own_request("export", user=bob)
    run.run(row.pk)
    assert api(alice).get("/api/account/privacy").json() == []
    assert api(alice).get(f"/api/account/privacy/{row.pk}/file").status_code == 404


def test_a_key_cannot_touch_the_account_of_its_maker(api, api_key, alice):
    client = api(api_key())
    body = {"kind": "erase", "password": PASSWORD}
    assert client.get("/api/account/privacy").status_code == 403
    assert client.post("/api/account/privacy", body, format="json").status_code == 403
    assert requests.own_requests(alice) == []


def test_an_account_ends_by_the_api(api, bob):
    body = {"kind": "erase", "password": PASSWORD}
    row = api(bob).post("/api/account/privacy", body, format="json").json()
    run.run(row["id"])
    assert not User.objects.filter(pk=bob.pk).exists()


def test_a_sole_owner_is_told_what_to_do(api, alice, workspace):
    body = {"kind": "erase", "password": PASSWORD}
    response = api(alice).post("/api/account/privacy", body, format="json")
    assert response.status_code == 400
    assert "only owner of Roastery" in response.content.decode()


def test_corrections_by_the_api(api, bob):
    body = {"kind": "rectify", "password": PASSWORD, "corrections": {"name": "Robert"}}
    row = api(bob).post("/api/account/privacy", body, format="json").json()
    run.run(row["id"])
    assert User.objects.get(pk=bob.pk).name == "Robert"
    assert again(requests.own_requests(User.objects.get(pk=bob.pk))[0]).manifest == {"corrected": ["name"]}
