"""What a plan has of webhooks, MCP servers and outside servers is asked for by the services, and shown."""

import pytest
from django.db import connection

from accounts import plans
from accounts.models import Workspace
from accounts.plans import PlanLimit
from accounts.scope import workspace_scope
from integrations.models import OutsideServer, WebhookEndpoint
from integrations.outside.services import MAX_SERVERS, attach_server, detach_server
from integrations.servers import create_server, revoke_server
from integrations.tool_groups import load_definitions
from integrations.webhooks.services import MOST_ENDPOINTS, create_endpoint, delete_endpoint
from tests.campaigns.engine.workers import answers_of

pytestmark = pytest.mark.django_db


def add_webhook(name, by):
    return create_endpoint(f"https://{name}.invalid/", ["*"], by=by)[0]


def add_server(name, by):
    load_definitions()
    return create_server(name, ["list_campaigns"], by=by)[0]


def add_outside(name, by):
    return attach_server(name, f"https://{name}.invalid/mcp", by=by)


KINDS = [
    ("webhooks", add_webhook, delete_endpoint),
    ("mcp_servers", add_server, revoke_server),
    ("outside_servers", add_outside, detach_server),
]


@pytest.fixture
def free(workspace, alice_actor):
    Workspace.objects.filter(pk=workspace.pk).update(plan="free")
    alice_actor.workspace.refresh_from_db()
    with workspace_scope(workspace.pk):
        yield alice_actor.workspace


@pytest.mark.parametrize(("what", "add", "end"), KINDS)
def test_the_last_place_is_given_once_and_comes_back(what, add, end, free, alice_actor):
    first = add("first", alice_actor)
    assert plans.used_of(free, what) == 1
    with pytest.raises(PlanLimit) as refusal:
        add("second", alice_actor)
    assert (refusal.value.what, refusal.value.limit) == (what, 1)
    end(first, by=alice_actor)
    assert add("second", alice_actor).pk
    assert plans.used_of(free, what) == 1


@pytest.mark.parametrize(("what", "add", "end"), KINDS)
def test_a_larger_plan_has_room_for_more(what, add, end, free, alice_actor):
    free.plan = "pro"
    add("first", alice_actor)
    assert add("second", alice_actor).pk


def test_mcp_servers_of_all_people_share_the_room_of_the_workspace(free, alice_actor, bob_actor):
    add_server("Laptop", alice_actor)
    bob_actor.workspace.plan = "free"
    with pytest.raises(PlanLimit):
        add_server("Phone", bob_actor)


def test_every_limit_shows_what_is_used_but_those_of_single_people(in_workspace):
    unknown = {name for name in plans.LIMITS if plans.used_of(in_workspace, name) is None}
    assert unknown == {"watches", "tasks"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("model", "add", "most"),
    [(WebhookEndpoint, add_webhook, MOST_ENDPOINTS), (OutsideServer, add_outside, MAX_SERVERS)],
)
def test_without_a_limit_of_the_plan_the_last_place_is_given_once_too(model, add, most, workspace, alice_actor):
    named = [{"name": f"{n}"} if model is OutsideServer else {"secret": "s"} for n in range(most - 1)]
    with workspace_scope(workspace.pk):
        model.objects.bulk_create(model(workspace=workspace, url="https://full.invalid/", **more) for more in named)

    def work(number: int) -> bool:
        connection.close()
        with workspace_scope(workspace.pk):
            return bool(add(f"one-{number}", alice_actor).pk)

    assert sorted(map(str, answers_of(work, 3))) == ["True", "ValidationError", "ValidationError"]
    with workspace_scope(workspace.pk):
        assert model.objects.count() == most
