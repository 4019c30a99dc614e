"""Every role at every door of accounts: pages and API ask the same table."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key, invite_member

pytestmark = pytest.mark.django_db
OWNER, ADMIN, EDITOR, REVIEWER, VIEWER, GUEST = Role.values
EVERYBODY = set(Role.values)
MEMBERS = EVERYBODY - {GUEST}
ADMINS = {OWNER, ADMIN}
WORKSPACE = {"name": "Renamed", "time_zone": "UTC", "late_minutes": "5", "late_policy": "ask"}
KEY = {"name": "Key", "scopes": ["read"], "days": "30"}

# name of the page, who may open it
PAGES = [
    ("settings", MEMBERS),
    ("members", MEMBERS),
    ("keys", ADMINS),
    ("audit", ADMINS),
    ("notifications", EVERYBODY),
    ("profile", EVERYBODY),
    ("workspace-new", EVERYBODY),
]
# name of the form, what is posted, who may post it
FORMS = [
    ("settings", WORKSPACE, ADMINS),
    ("member-invite", {"email": "new@example.org", "role": "viewer"}, ADMINS),
    ("member-role", {"role": "reviewer"}, ADMINS),
    ("member-remove", {}, ADMINS),
    ("invitation-withdraw", {}, ADMINS),
    ("keys", KEY, ADMINS),
    ("key-revoke", {}, ADMINS),
    ("notifications-read", {}, EVERYBODY),
]


@pytest.fixture
def colleague(join) -> User:
    return join("Colleague", Role.VIEWER)


@pytest.fixture
def targets(workspace, alice_actor, colleague) -> dict[str, list]:
    """What a form acts on, by its name."""
    with workspace_scope(workspace.pk):
        key, _secret = create_api_key("Key", ["read"], by=alice_actor)
        invitation = invite_member("invited@example.org", Role.VIEWER, by=alice_actor)
    member = Membership.objects.get(user=colleague)
    return {
        "member-role": [member.pk],
        "member-remove": [member.pk],
        "invitation-withdraw": [invitation.pk],
        "key-revoke": [key.pk],
    }


@pytest.fixture
def person(alice, join):
    return lambda role: alice if role == OWNER else join(role.title(), role)


@pytest.mark.parametrize("role", Role.values)
def test_page_opens_for_the_roles_of_the_table(role, person, client_of, workspace):
    client = client_of(person(role))
    found = {name: client.get(reverse(f"accounts:{name}")).status_code for name, _allowed in PAGES}
    assert found == {name: 200 if role in allowed else 403 for name, allowed in PAGES}


@pytest.mark.parametrize("role", Role.values)
def test_form_is_taken_from_the_roles_of_the_table(role, person, client_of, targets):
    client, found = client_of(person(role)), {}
    for name, data, _allowed in FORMS:
        before = transaction.savepoint()
        found[name] = client.post(reverse(f"accounts:{name}", args=targets.get(name, [])), data).status_code != 403
        transaction.savepoint_rollback(before)
    assert found == {name: role in allowed for name, _data, allowed in FORMS}


def test_form_is_taken_from_no_stranger(client, charlie_client, targets):
    for name, data, _allowed in FORMS:
        address = reverse(f"accounts:{name}", args=targets.get(name, []))
        assert client.post(address, data).url.startswith("/accounts/login/"), name
        assert charlie_client.post(f"/w/roastery{address}", data).status_code == 404, name


def test_form_needs_the_csrf_token(alice, targets, csrf_client):
    client = csrf_client(alice)
    for name, data, _allowed in FORMS:
        response = client.post(reverse(f"accounts:{name}", args=targets.get(name, [])), data)
        assert response.status_code == 403, name


@pytest.fixture
def csrf_client():
    def log_in(user: User) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.mark.parametrize("role", Role.values)
def test_api_keys_are_for_the_same_roles_at_the_api(role, person, api, workspace):
    client = api(person(role))
    expected = (200, 201) if role in ADMINS else (403, 403)
    body = {"name": "Key", "scopes": ["read"]}
    assert (client.get("/api/keys").status_code, client.post("/api/keys", body, format="json").status_code) == expected


def test_act_is_done_by_no_link(alice_client, targets):
    for name in (name for name, _data, _allowed in FORMS if name not in {"settings", "keys"}):
        assert alice_client.get(reverse(f"accounts:{name}", args=targets.get(name, []))).status_code == 405, name


def test_suspended_workspace_is_closed_and_says_why(alice_client, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    for name in ("settings", "members", "keys", "audit", "notifications"):
        assert alice_client.get(reverse(f"accounts:{name}")).status_code == 403, name


def test_person_of_a_suspended_workspace_may_enter_another(alice, alice_client, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    response = alice_client.post(reverse("accounts:workspace-new"), {"name": "Second", "time_zone": "UTC"})
    assert alice_client.get(f"{response.url}settings").status_code == 200
