"""Every route of this app, asked by every role, by keys of every scope, by strangers and by nobody."""

from uuid import uuid4

import pytest

from accounts.models import ApiKey, Role, Workspace
from accounts.stops import stop_workspace
from tests.api_walk import Route, ask, expected, label, statuses, wired_names

pytestmark = pytest.mark.django_db
READ, PUBLISH, ADMIN, SELF = "read", "publish", "admin", "self"
ADMINS = {READ, PUBLISH, ADMIN, SELF}
MAY = {
    "alice": ADMINS,
    "ada": ADMINS,
    "bob": {READ, PUBLISH, SELF},
    "rita": {READ, SELF},
    "vic": {READ, SELF},
    "gwen": {SELF},
}
SCOPES = {"read": {READ, SELF}, "write": {READ, SELF}, "publish": {READ, PUBLISH, SELF}, "connections": {READ, SELF}}
KEY = {"name": "Importer", "scopes": ["read"]}

ROUTES = [
    Route("workspaces", "get", "workspaces", SELF),
    Route("workspace", "get", "workspace", READ),
    Route("workspace", "patch", "workspace", ADMIN, {"late_minutes": "7"}),
    Route("workspace-stop", "post", "workspace/stop", PUBLISH, {"reason": "Wait"}),
    Route("workspace-release", "post", "workspace/release", PUBLISH),
    Route("plan", "get", "plan", READ),
    Route("keys", "get", "keys", ADMIN),
    Route("keys", "post", "keys", ADMIN, KEY, success=201),
    Route("key", "get", "keys/{key}", ADMIN),
    Route("key", "delete", "keys/{key}", ADMIN, success=204),
    Route("audit", "get", "audit", ADMIN),
    Route("audit-export", "get", "audit/export", ADMIN),
    Route("audit-verify", "get", "audit/verify", ADMIN),
    Route("me", "get", "auth/me", SELF),
]
# Before anybody is known: test_auth_api; the document is open: test_api.
ELSEWHERE = {"register", "login", "refresh", "schema"}


@pytest.fixture
def ada(join):
    return join("Ada", Role.ADMIN)


@pytest.fixture
def ids(in_workspace, alice_actor, api_key) -> dict[str, str]:
    api_key("read")
    stop_workspace("Wait", by=alice_actor)
    return {"key": str(ApiKey.objects.get().pk)}


def test_every_route_of_this_app_is_walked():
    assert wired_names("accounts-api") == {route.name for route in ROUTES} | ELSEWHERE


@pytest.mark.parametrize("who", MAY)
def test_members_may_do_what_their_role_says(request, api, ids, who):
    assert statuses(api(request.getfixturevalue(who)), ids, ROUTES) == expected(MAY[who], ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
def test_keys_may_do_what_their_scope_says(api, api_key, ids, scope):
    assert statuses(api(api_key(scope)), ids, ROUTES) == expected(SCOPES[scope], ROUTES)


def test_nobody_is_let_in(api, ids):
    assert set(statuses(api(), ids, ROUTES).values()) == {401}


def test_foreign_ids_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    for route in ROUTES:
        if "{" in route.path:
            foreign, absent = (ask(api(charlie), route, known) for known in (ids, {"key": str(uuid4())}))
            assert (foreign.status_code, foreign.content) == (404, absent.content), label(route)


def test_a_suspended_workspace_is_closed(api, alice, ids, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    inside = [route for route in ROUTES if route.needs != SELF]
    assert set(statuses(api(alice), ids, inside).values()) == {403}
