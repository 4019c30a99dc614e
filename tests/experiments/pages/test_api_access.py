"""Every route of experiments, asked by every role, by keys of every scope, by strangers and by nobody."""

from uuid import uuid4

import pytest

from accounts.service_clients import create_client, issue_token
from experiments.api.views import PLAN
from experiments.services import pause_experiment, stop_experiment
from tests.api_walk import Route, ask, expected, label, statuses, wired_names
from tests.experiments.cast import draft_split, make_link, run_split

pytestmark = pytest.mark.django_db
READ, EDIT = "read", "edit"
MAY = {"alice": {READ, EDIT}, "bob": {READ, EDIT}, "rita": {READ}, "vic": {READ}, "gwen": set()}
SCOPES = {"read": {READ}, "write": {READ, EDIT}, "publish": {READ}, "connections": {READ}}
NEW = {
    "name": "Buttons",
    "hypothesis": "Green sells more.",
    "design": "F",
    "metric": "click_rate",
}

ROUTES = [
    Route("experiments", "get", "experiments", READ),
    Route("experiments", "post", "experiments", EDIT, NEW, success=201),
    Route("experiment", "get", "experiments/{draft}", READ),
    Route("experiment", "patch", "experiments/{draft}", EDIT, {"name": "New"}),
    Route("experiment", "delete", "experiments/{draft}", EDIT, success=204),
    Route("experiment-start", "post", "experiments/{draft}/start", EDIT),
    Route("experiment-pause", "post", "experiments/{running}/pause", EDIT, {"reason": "Sale"}),
    Route("experiment-resume", "post", "experiments/{paused}/resume", EDIT),
    Route("experiment-stop", "post", "experiments/{running}/stop", EDIT, {"reason": "Sale"}),
    Route("experiment-winner", "post", "experiments/{over}/winner", EDIT, {"arm": "b"}),
    Route("experiment-archive", "post", "experiments/{over}/archive", EDIT),
    Route("experiment-looks", "get", "experiments/{over}/looks", READ),
    Route("experiment-looks", "post", "experiments/{running}/looks", EDIT, success=201),
    Route("experiment-export", "get", "experiments/{over}/export", READ),
]
WITH_ID = [route for route in ROUTES if "{" in route.path]


@pytest.fixture
def ids(in_workspace, bob_actor) -> dict[str, str]:
    """One in each state, so that every act is possible."""
    running, paused, over = (run_split(bob_actor, make_link(bob_actor)) for _ in range(3))
    pause_experiment(paused, by=bob_actor)
    stop_experiment(over, by=bob_actor)
    rows = {"draft": draft_split(bob_actor, make_link(bob_actor)), "running": running, "paused": paused, "over": over}
    return {name: str(row.pk) for name, row in rows.items()}


def test_every_route_of_this_app_is_walked():
    assert wired_names("experiments-api") == {route.name for route in ROUTES}


@pytest.mark.parametrize("who", MAY)
def test_members_may_do_what_their_role_says(request, api, ids, who):
    assert statuses(api(request.getfixturevalue(who)), ids, ROUTES) == expected(MAY[who], ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
def test_keys_may_do_what_their_scope_says(api, api_key, ids, scope):
    assert statuses(api(api_key(scope)), ids, ROUTES) == expected(SCOPES[scope], ROUTES)


def test_neither_nobody_nor_an_integrator_is_let_in(api, alice, ids):
    service = issue_token(create_client("Shop Suite", alice)[0])
    for caller in (api(), api(service)):
        assert set(statuses(caller, ids, ROUTES).values()) == {401}


def test_foreign_ids_are_answered_like_missing_ones(api, charlie, other_workspace, ids):
    missing = dict.fromkeys(ids, str(uuid4()))
    for route in WITH_ID:
        foreign, absent = ask(api(charlie), route, ids), ask(api(charlie), route, missing)
        assert (foreign.status_code, foreign.content) == (404, absent.content), label(route)


def test_the_documents_example_works(api, bob, link):
    body = PLAN.value | {"settings": {"links": [str(link.pk)], "mde": 0.2}}
    answer = api(bob).post("/api/experiments", body, format="json")
    assert answer.status_code == 201, answer.content
    assert [arm["name"] for arm in answer.json()["arms"]] == ["Old", "New"]
