"""The routes of assistants and prompts, asked by every role, by keys of every scope, by strangers and by nobody."""

from functools import partial
from uuid import uuid4

import pytest

from accounts.models import Role
from agents.prompts.assistants import archive_assistant, create_assistant, update_assistant
from agents.prompts.labels import set_label
from agents.prompts.templates import create_template
from agents.prompts.versions import PromptDraft
from tests.api_walk import Route, ask, expected, label, statuses, wired_names

pytestmark = pytest.mark.django_db
READ, EDIT, ADMIN = "read", "edit", "settings"
MAY = {
    "alice": {READ, EDIT, ADMIN},
    "ada": {READ, EDIT, ADMIN},
    "bob": {READ, EDIT},
    "rita": {READ},
    "vic": {READ},
    "gwen": set(),
}
SCOPES = {"read": {READ}, "write": {READ, EDIT}, "publish": {READ}, "connections": {READ}}
BODY = {"name": "Writer", "body": "Write."}
V1 = partial(Route, root="/v1/")
ONE, PROMPT = "assistants/{assistant}", "prompts/{assistant}"

ROUTES = [
    V1("assistants", "get", "assistants", READ),
    V1("assistants", "post", "assistants", EDIT, BODY, success=201),
    V1("assistant", "get", ONE, READ),
    V1("assistant", "put", ONE, EDIT, BODY),
    V1("assistant", "patch", ONE, EDIT, {"body": "Write well."}),
    V1("assistant", "delete", ONE, EDIT, success=204),
    V1("assistant-restore", "post", "assistants/{archived}/restore", EDIT),
    V1("assistant-reload", "post", f"{ONE}/reload", EDIT),
    V1("assistant-versions", "get", f"{ONE}/versions", READ),
    V1("assistant-version", "get", f"{ONE}/versions/1", READ),
    V1("assistant-version", "delete", f"{ONE}/versions/2", EDIT, success=204),
    V1("assistant-rollback", "post", f"{ONE}/rollback", EDIT, {"to": "1"}),
    V1("assistant-clone", "post", f"{ONE}/clone", EDIT, success=201),
    V1("assistant-validate", "post", f"{ONE}/validate", READ),
    V1("assistant-label", "put", f"{ONE}/labels/staging", EDIT, {"version": "2"}),
    V1("assistant-label", "put", f"{ONE}/labels/production", ADMIN, {"version": "2"}),
    V1("assistant-label", "put", f"{ONE}/labels/beta", ADMIN, {"version": "2", "is_protected": "true"}),
    V1("assistant-label", "delete", f"{ONE}/labels/test", EDIT, success=204),
    V1("assistant-label", "delete", f"{ONE}/labels/production", ADMIN, success=204),
    V1("assistant-diff", "get", f"{ONE}/diff?from=1&to=2", READ),
    V1("prompt", "get", PROMPT, READ),
    V1("prompt-rollback", "post", f"{PROMPT}/rollback", EDIT, {"to": "1"}),
    V1("prompt-clone", "post", f"{PROMPT}/clone", EDIT, success=201),
    V1("prompt-validate", "post", f"{PROMPT}/validate", READ),
    V1("prompts-rollback", "post", "prompts/rollback", EDIT, {"assistant_id": "{assistant}", "to": "1"}),
    V1("prompts-clone", "post", "prompts/clone", EDIT, {"assistant_id": "{assistant}"}, success=201),
    V1("prompts-validate", "post", "prompts/validate", READ, {"assistant_id": "{assistant}"}),
    V1("tenant-prompt", "put", "prompts/{tenant}/{assistant}", EDIT, {"body": "Write."}),
    V1("tenant-version", "get", f"{PROMPT}/{{tenant}}/1", READ),
    V1("prompt-templates", "get", "prompts/templates", READ),
    V1("prompt-templates", "post", "prompts/templates", EDIT, BODY, success=201),
    V1("prompt-template", "get", "prompts/templates/{template}", READ),
    V1("prompt-template", "patch", "prompts/templates/{template}", EDIT, {"body": "Write."}),
    V1("prompt-template", "delete", "prompts/templates/{template}", EDIT, success=204),
]
WITH_ID = [route for route in ROUTES if "{" in route.path or route.name in {"prompts-rollback", "prompts-clone"}]


@pytest.fixture
def ada(join):
    return join("Ada", Role.ADMIN)


@pytest.fixture
def ids(workspace, alice_actor, rows):
    def plant():
        one, gone = (create_assistant(by=alice_actor, name=name, draft=PromptDraft("One")) for name in ("A", "B"))
        for body in ("Two", "Three"):
            update_assistant(one, by=alice_actor, prompt={"body": body})
        for name in ("production", "test"):
            set_label(one, name, 1, by=alice_actor)
        archive_assistant(gone, by=alice_actor)
        template = create_template(by=alice_actor, name="T", body="Text")
        return {"assistant": one.pk, "archived": gone.pk, "tenant": workspace.pk, "template": template.pk}

    return {name: str(pk) for name, pk in rows(plant).items()}


def test_every_route_is_walked():
    ours = {name for name in wired_names("agents-api") if name.startswith(("assistant", "prompt", "tenant-"))}
    assert ours - {"tenant-sync", "tenant-status"} == {route.name for route in ROUTES}


@pytest.mark.parametrize("who", MAY)
def test_members_may_do_what_their_role_says(request, api, ids, who):
    assert statuses(api(request.getfixturevalue(who)), ids, ROUTES) == expected(MAY[who], ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
def test_keys_may_do_what_their_scope_says(api, api_key, ids, scope):
    assert statuses(api(api_key(scope)), ids, ROUTES) == expected(SCOPES[scope], ROUTES)


def test_nobody_is_let_in(api, ids):
    assert set(statuses(api(), ids, ROUTES).values()) == {401}


def test_foreign_ids_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing, client = dict.fromkeys(ids, str(uuid4())), api(charlie)
    for route in WITH_ID:
        foreign, absent = ask(client, route, ids), ask(client, route, missing)
        assert (foreign.status_code, foreign.content) == (404, absent.content), label(route)
