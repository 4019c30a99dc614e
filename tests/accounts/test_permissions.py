"""Every role at every door of accounts: pages and API ask the same table."""

import pytest
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
@pytest.mark.parametrize(("name", "allowed"), PAGES, ids=[name for name, _allowed in PAGES])
def test_page_opens_for_the_roles_of_the_table(name, allowed, role, person, client_of, workspace):
    response = client_of(person(role)).get(reverse(f"accounts:{name}"))
    assert response.status_code == (200 if role in allowed else 403)


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize(("name", "data", "allowed"), FORMS, ids=[name for name, _data, _allowed in FORMS])
def test_form_is_taken_from_the_roles_of_the_table(name, data, allowed, role, person, client_of, targets):
    response = client_of(person(role)).post(reverse(f"accounts:{name}", args=targets.get(name, [])), data)
    assert (response.status_code == 403) == (role not in allowed)


@pytest.mark.parametrize(("name", "data", "allowed"), FORMS, ids=[name for name, _data, _allowed in FORMS])
def test_form_is_taken_from_no_stranger(name, data, allowed, client, charlie_client, targets):
    address = reverse(f"accounts:{name}", args=targets.get(name, []))
    assert client.post(address, data).url.startswith("/accounts/login/")
    assert charlie_client.post(f"/w/roastery{address}", data).status_code == 404


@pytest.mark.parametrize(("name", "data", "allowed"), FORMS, ids=[name for name, _data, _allowed in FORMS])
def test_form_needs_the_csrf_token(name, data, allowed, alice, targets, csrf_client):
    response = csrf_client(alice).post(reverse(f"accounts:{name}", args=targets.get(name, [])), data)
    assert response.status_code == 403


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


@pytest.mark.parametrize("name", [name for name, _data, _allowed in FORMS if name not in {"settings", "keys"}])
def test_act_is_done_by_no_link(name, alice_client, targets):
    assert alice_client.get(reverse(f"accounts:{name}", args=targets.get(name, []))).status_code == 405


@pytest.mark.parametrize("name", ["settings", "members", "keys", "audit", "notifications"])
def test_suspended_workspace_is_closed_and_says_why(name, alice_client, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    assert alice_client.get(reverse(f"accounts:{name}")).status_code == 403


def test_person_of_a_suspended_workspace_may_enter_another(alice, alice_client, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    response = alice_client.post(reverse("accounts:workspace-new"), {"name": "Second", "time_zone": "UTC"})
    assert alice_client.get(f"{response.url}settings").status_code == 200
