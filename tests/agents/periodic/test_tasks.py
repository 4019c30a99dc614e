"""Acts on one's own tasks, and the doors of the API to them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.access import Perm, system_actor
from accounts.models import AuditEntry, Workspace
from accounts.plans import PlanLimit
from accounts.rate import RateLimited
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic.claims import claim_due
from agents.periodic.services import (
    TaskBusy,
    change_task,
    create_task,
    delete_task,
    get_task,
    pause_task,
    resume_task,
    run_now,
    visible_tasks,
)
from agents.periodic.worker import do_turn

pytestmark = pytest.mark.django_db
EIGHT = datetime(2030, 1, 7, 7, tzinfo=UTC)
NINE = EIGHT + timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def eight(at_time):
    at_time(EIGHT)


def actions():
    return list(
        AuditEntry.objects.filter(action__startswith="periodic").order_by("number").values_list("action", flat=True)
    )


# --- making -----------------------------------------------------------------------------------------------------


def test_a_task_knows_when_it_comes(daily):
    task = daily(window_s=900)
    assert task.wanted_at == NINE
    assert NINE <= task.due_at < NINE + timedelta(seconds=900)
    assert (task.time_zone, task.is_active) == ("Europe/Berlin", True)
    assert actions() == ["periodic.create"]


def test_a_task_made_within_its_window_begins_with_the_next_time(daily, at_time):
    at_time(NINE + timedelta(seconds=1))
    assert daily(window_s=900).wanted_at == NINE + DAY


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [("", "", "Europe/Berlin"), ("Asia/Tokyo", "", "Asia/Tokyo"), ("Asia/Tokyo", "UTC", "UTC")],
)
def test_the_zone_is_the_persons_then_the_workspaces(own, given, expected, daily, alice_actor):
    alice_actor.user.time_zone = own
    assert daily(time_zone=given).time_zone == expected


@pytest.mark.parametrize(
    ("fields", "window_s"),
    [
        ({"mode": "cron", "spec": "0 9 * * *"}, 900),
        ({"mode": "cron", "spec": "*/5 9 * * *"}, 300),
        ({"mode": "every", "spec": "120"}, 120),
        ({"mode": "every", "spec": "120", "window_s": 500}, 120),
        ({"mode": "at", "spec": "2030-02-01T09:00"}, 60),
        ({"mode": "cron", "spec": "0 9 * * *", "window_s": 0}, 0),
    ],
)
def test_a_window_never_reaches_into_the_next_turn(fields, window_s, daily):
    assert daily(**{"window_s": None, **fields}).window_s == window_s


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "unknown"}, "kind"),
        ({"kind": "a\x00"}, "kind"),
        ({"name": "  "}, "name"),
        ({"args": {"town": "Kiel"}}, "args"),
        ({"args": {"city": 7}}, "args"),
        ({"mode": "sometimes"}, "mode"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"spec": "often"}, "spec"),
        ({"mode": "at", "spec": "2030-01-07T07:59"}, "spec"),
        ({"mode": "every", "spec": "59"}, "spec"),
        ({"window_s": -1}, "window_s"),
        ({"window_s": 3601}, "window_s"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(fields, field, daily):
    with pytest.raises(ValidationError) as refusal:
        daily(**fields)
    assert list(refusal.value.message_dict) == [field]
    assert not PeriodicTask.objects.exists()


def test_a_name_is_one_line(daily):
    assert daily(name=" Good\n morning\x00 ").name == "Good morning"


@pytest.mark.parametrize("spec", ["every 1800", "cron */30 * * * *"])
def test_the_plan_says_how_often(spec, daily, in_workspace):
    Workspace.objects.update(plan="free")
    in_workspace.plan = "free"
    mode, _, rest = spec.partition(" ")
    with pytest.raises(PlanLimit, match="every hour"):
        daily(mode=mode, spec=rest)


def test_the_plan_says_how_many_each_person_has(daily, in_workspace, alice_actor, bob_actor):
    in_workspace.plan = "free"
    tasks = [daily() for _ in range(3)]
    with pytest.raises(PlanLimit):
        daily()
    daily(by=bob_actor)
    # After a change to a smaller plan they stay, and can be changed and deleted.
    change_task(tasks[0], by=alice_actor, name="Ten")
    delete_task(tasks[0], by=alice_actor)
    assert daily().name == "Nine"


def test_a_task_belongs_to_a_person(noted, in_workspace, gwen_actor):
    nobody = system_actor(in_workspace, "robot", [Perm.VIEW])
    for by in (nobody, gwen_actor):
        with pytest.raises(PermissionDenied):
            create_task(kind="note", name="n", mode="every", spec="3600", by=by)


# --- changing ---------------------------------------------------------------------------------------------------


def test_another_persons_task_does_not_exist(daily, bob_actor, charlie_actor, alice_actor):
    task = daily()
    assert get_task(alice_actor, task.pk) == task
    for stranger in (bob_actor, charlie_actor):
        assert not visible_tasks(stranger).exists()
        for act in (pause_task, resume_task, delete_task, run_now, change_task):
            with pytest.raises(Http404):
                act(task, by=stranger)
        with pytest.raises(Http404):
            get_task(stranger, task.pk)


def test_a_new_time_counts_from_now(daily, alice_actor):
    task = change_task(daily(), by=alice_actor, spec="0 12 * * *", time_zone="UTC")
    assert task.due_at == datetime(2030, 1, 7, 12, tzinfo=UTC)
    assert actions()[-1] == "periodic.change"


def test_a_new_name_leaves_the_time_alone(daily, alice_actor, at_time):
    task = daily(mode="at", spec="2030-01-07T09:00")
    at_time(NINE + timedelta(seconds=5))
    assert change_task(task, by=alice_actor, name="Late").due_at == NINE


def test_a_change_takes_the_turn_from_its_worker(daily, alice_actor, at_time, noted):
    task = daily()
    at_time(NINE)
    (claim,) = claim_due().claims
    change_task(task, by=alice_actor, spec="0 12 * * *")
    assert do_turn(claim) is None
    assert noted.turns == []


def test_only_what_can_be_changed_is(daily, alice_actor):
    with pytest.raises(TypeError):
        change_task(daily(), by=alice_actor, user_id=uuid4())


def test_a_paused_task_comes_no_more_until_it_is_resumed(daily, alice_actor, work, noted):
    task = pause_task(daily(), by=alice_actor)
    assert (task.is_active, task.due_at) == (False, None)
    pause_task(task, by=alice_actor)
    assert work(NINE + 3 * DAY) == []
    task = resume_task(task, by=alice_actor)
    resume_task(task, by=alice_actor)
    # What passed meanwhile is not caught up with.
    assert work() == []
    assert task.wanted_at == NINE + 4 * DAY
    assert actions() == ["periodic.create", "periodic.pause", "periodic.resume"]


def test_a_moment_that_passed_cannot_be_resumed(daily, alice_actor, at_time):
    task = pause_task(daily(mode="at", spec="2030-01-07T09:00"), by=alice_actor)
    at_time(NINE + DAY)
    with pytest.raises(ValidationError, match="has passed"):
        resume_task(task, by=alice_actor)


def test_a_deleted_task_takes_its_history_along(daily, alice_actor, work):
    task = daily()
    work(NINE)
    delete_task(task, by=alice_actor)
    assert not PeriodicTurn.objects.exists()


def test_now_means_now_but_not_twice_nor_while_it_is_at_work_or_paused(daily, alice_actor):
    task = run_now(daily(), by=alice_actor)
    assert len(claim_due().claims) == 1
    with pytest.raises(TaskBusy, match="at work"):
        run_now(task, by=alice_actor)
    paused = pause_task(daily(), by=alice_actor)
    with pytest.raises(TaskBusy, match="paused"):
        run_now(paused, by=alice_actor)


def test_now_is_not_for_ever(daily, alice_actor):
    task = daily()
    for _ in range(5):
        run_now(task, by=alice_actor)
    with pytest.raises(RateLimited):
        run_now(task, by=alice_actor)


# --- the API ----------------------------------------------------------------------------------------------------


@pytest.fixture
def tasks_of(api, alice, workspace, noted):
    client = api(alice)
    client.root = f"/api/users/{alice.pk}/tasks"
    return client


WANTED = {"kind": "note", "name": "Nine", "mode": "cron", "spec": "0 9 * * *", "window_s": 0}


def test_the_life_of_a_task_in_the_api(tasks_of, at_time, work):
    made = tasks_of.post(tasks_of.root, WANTED, format="json")
    assert made.status_code == 201
    task = made.json()
    assert (task["next_at"], task["is_active"]) == ("2030-01-07T08:00:00Z", True)
    one = f"{tasks_of.root}/{task['id']}"
    assert tasks_of.get(one).json() == task
    assert [row["id"] for row in tasks_of.get(tasks_of.root).json()["results"]] == [task["id"]]
    assert tasks_of.patch(one, {"name": "Morning"}, format="json").json()["name"] == "Morning"
    assert tasks_of.post(f"{one}/run").status_code == 202
    assert len(work()) == 1
    (turn,) = tasks_of.get(f"{one}/turns").json()["results"]
    assert (turn["status"], turn["text"], turn["missed"]) == ("done", "Done.", 0)
    assert tasks_of.post(f"{one}/pause").json()["next_at"] is None
    assert tasks_of.post(f"{one}/run").status_code == 409
    assert tasks_of.post(f"{one}/resume").json()["next_at"] == "2030-01-07T08:00:00Z"
    assert tasks_of.delete(one).status_code == 204
    assert tasks_of.get(one).status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"spec": "x"}, "spec"), ({"kind": "x"}, "kind"), ({"mode": "x"}, "mode"), ({"name": ""}, "name")],
)
def test_the_api_refuses_beside_the_field(changed, field, tasks_of):
    answer = tasks_of.post(tasks_of.root, WANTED | changed, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_the_api_says_what_the_plan_has(tasks_of, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(plan="free")
    for _ in range(3):
        assert tasks_of.post(tasks_of.root, WANTED, format="json").status_code == 201
    refused = tasks_of.post(tasks_of.root, WANTED, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "plan_limit")
    assert "Pro has 20 periodic tasks" in refused.json()["detail"]


def test_another_persons_address_is_not_found(tasks_of, api, alice, bob, charlie):
    one = tasks_of.post(tasks_of.root, WANTED, format="json").json()["id"]
    missing = tasks_of.get(f"{tasks_of.root}/{uuid4()}")
    assert missing.status_code == 404
    for other in (bob, charlie):
        client = api(other)
        for path in (tasks_of.root, f"{tasks_of.root}/{one}", f"/api/users/{other.pk}/tasks/{one}"):
            answer = client.get(path)
            assert (answer.status_code, answer.content) == (404, missing.content)
        assert client.post(tasks_of.root, WANTED, format="json").status_code == 404
