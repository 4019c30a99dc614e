"""A run acts with the rights its person has when a step runs, never with more."""

from datetime import timedelta

import pytest

from accounts.access import Perm, system_actor
from accounts.api_auth import key_actor
from accounts.models import ApiKey, Membership, Role, ServiceClient, ServiceTenant, Workspace
from accounts.service_clients import service_actor
from accounts.services import create_api_key
from agents.models import Run
from agents.runs.services import start_run
from lib import clock
from lib.clock import now

pytestmark = pytest.mark.django_db
Status = Run.Status


def demote(bob, _key):
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)


def remove(bob, _key):
    Membership.objects.filter(user=bob).delete()


def deactivate(bob, _key):
    type(bob).objects.filter(pk=bob.pk).update(is_active=False)


def revoke(_bob, key):
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=now())


def expire(_bob, key):
    ApiKey.objects.filter(pk=key.pk).update(expires_at=now())


def narrow(_bob, key):
    ApiKey.objects.filter(pk=key.pk).update(scopes=["read"])


def suspend(_bob, _key):
    Workspace.objects.update(is_suspended=True)


@pytest.fixture
def key(in_workspace, alice_actor, bob):
    made, _secret = create_api_key("Program", ["read", "write"], by=alice_actor)
    ApiKey.objects.filter(pk=made.pk).update(created_by=bob)
    return ApiKey.objects.select_related("workspace", "created_by").get(pk=made.pk)


@pytest.fixture
def effects():
    return []


@pytest.mark.parametrize("lose", [demote, remove, deactivate])
@pytest.mark.parametrize("when", ["before it starts", "between two steps"])
def test_lost_rights_end_the_run(define, start, go, bob, effects, lose, when):
    def work(flow):
        flow.step("one", lambda: lose(bob, None) if when == "between two steps" else None)
        flow.act("two", tool="t", args={}, do=lambda: effects.append(flow.by.label))

    run = start(define(work))
    if when == "before it starts":
        lose(bob, None)
    # The view of a viewer is a right, but not the one that the workflow needs.
    done = go(run)
    assert (done.status, done.error["code"], effects) == (Status.FAILED, "forbidden", [])


@pytest.mark.parametrize("lose", [demote, remove, deactivate, revoke, expire, narrow])
def test_a_run_of_a_key_ends_with_the_key(define, go, bob, key, lose, effects):
    define(lambda flow: flow.act("two", tool="t", args={}, do=lambda: effects.append(flow.by.label)))
    run = start_run("test", {}, by=key_actor(key))
    assert run.api_key_id == key.pk
    lose(bob, key)
    done = go(run)
    assert (done.status, done.error["code"], effects) == (Status.FAILED, "forbidden", [])


def test_a_run_of_a_key_never_gets_more_than_the_key(define, go, key):
    define(lambda flow: sorted(flow.by.perms))
    assert go(start_run("test", {}, by=key_actor(key))).output == [Perm.CONTENT_EDIT, Perm.VIEW]


def test_a_run_gets_no_more_than_its_person(define, start, go):
    define(lambda flow: [flow.by.label, flow.by.can(Perm.REVIEW), flow.by.can(Perm.PUBLISH)])
    assert go(start()).output == ["bob@example.org", False, True]


def test_a_suspension_in_the_middle_ends_the_run(define, start, go):
    def work(flow):
        flow.step("one", lambda: suspend(None, None))
        flow.step("two", lambda: None)

    assert go(start(define(work))).error["code"] == "forbidden"


@pytest.fixture
def tenant(in_workspace):
    client = ServiceClient.objects.create(name="Shop system", key_hash="0" * 64)
    return ServiceTenant.objects.create(client=client, external_id="7", workspace=in_workspace)


@pytest.fixture
def program(tenant):
    return service_actor(tenant)


def test_a_program_acts_in_the_workspace_that_it_synced(define, go, program):
    define(lambda flow: [flow.by.label, flow.by.can(Perm.CONTENT_EDIT), flow.by.can(Perm.REVIEW)])
    assert go(start_run("test", {}, by=program)).output == ["Service Shop system", True, False]


@pytest.mark.parametrize("switch", ["client", "tenant"])
def test_a_program_that_was_switched_off_does_not(define, go, program, tenant, switch):
    define(lambda flow: "done")
    run = start_run("test", {}, by=program)
    row = tenant if switch == "tenant" else tenant.client
    row.is_active = False
    row.save()
    assert go(run).error["code"] == "forbidden"


def test_a_run_whose_person_was_erased_is_not_the_programs(define, start, go, tenant):
    define(lambda flow: "done")
    run = start()
    Run.objects.filter(pk=run.pk).update(user=None, started_by="an erased person")
    assert go(run).error["code"] == "forbidden"


def test_nobody_in_particular_has_no_rights(define, go, in_workspace):
    define(lambda flow: "done")
    run = start_run("test", {}, by=system_actor(in_workspace, "policy", {Perm.CONTENT_EDIT}))
    assert go(run).error["code"] == "forbidden"


def test_rights_that_come_back_let_it_go_on(define, start, go, bob, bob_actor):
    from agents.runs.services import resume_run

    run = start(define(lambda flow: "done"))
    demote(bob, None)
    assert go(run).status == Status.FAILED
    Membership.objects.filter(user=bob).update(role=Role.EDITOR)
    with clock.shifted(timedelta(minutes=1)):
        resume_run(run, by=bob_actor)
        assert go(run).status == Status.SUCCEEDED
