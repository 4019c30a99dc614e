"""What a storm counts, in a small and calm one: the counting must be able to fail."""

import json
import random
import signal
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command

from accounts.scope import all_workspaces_scope
from campaigns.engine.dispatch import tick
from campaigns.engine.publish import publish_delivery
from campaigns.models import Delivery, LivePart
from compliance.models import Fingerprint, Review
from lib.clock import now
from marketing.stack import INSIDE
from marketing.storming.crowd import Crowd
from marketing.storming.faults import FAULTS
from marketing.storming.fleet import Fleet
from marketing.storming.storm import Storm
from social.models import Connection, Credential
from tests.sandbox.cast import Client, Sandbox
from tests.social.conftest import sandbox, sandbox_process  # noqa: F401
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def storm(sandbox: Sandbox) -> Storm:  # noqa: F811
    """Three posts of one part each, approved and due."""
    storm = Storm(3, Crowd(sandbox.url, 7))
    storm.crowd.prepare_calm(3)
    return storm


@pytest.fixture
def delivered(storm: Storm) -> Storm:
    """All of them out: one account sends one at a time."""
    while claimed := tick().publish:
        for workspace_id, delivery_id, fence in claimed:
            publish_delivery(workspace_id, delivery_id, fence)
    return storm


@pytest.fixture
def person(sandbox: Sandbox) -> Client:  # noqa: F811
    return sandbox.sign_in("somebody")


@pytest.fixture
def texts(storm: Storm) -> list[str]:
    return [text for (text,) in storm.crowd.texts.values()]


def set_state(delivery_id: UUID, state: str, **fields: object) -> None:
    with all_workspaces_scope("test"):
        Delivery.objects.filter(pk=delivery_id).update(state=state, **fields)


# --- counting -----------------------------------------------------------------------------------------------


def test_calm_storm_publishes_all_and_finds_nothing_wrong(delivered: Storm) -> None:
    found = delivered.count()
    assert (found["deliveries"], found["published"]) == (3, 3)
    assert (found["lost"], found["doubled"], found["foreign"], found["failed"]) == (0, 0, 0, 0)


def test_text_that_is_live_twice_is_doubled(delivered: Storm, texts: list[str], person: Client) -> None:
    person.post_id(texts[0])
    assert delivered.count()["doubled"] == 1


def test_text_that_is_live_three_times_is_doubled_twice(
    delivered: Storm,
    texts: list[str],
    person: Client,
    sandbox: Sandbox,  # noqa: F811
) -> None:
    person.post_id(texts[0])
    sandbox.sign_in("another").post_id(texts[0])
    assert delivered.count()["doubled"] == 2


def test_delivery_that_says_published_and_is_not_live_is_lost(storm: Storm) -> None:
    set_state(next(iter(storm.crowd.texts)), State.PUBLISHED)
    found = storm.count()
    assert (found["published"], found["lost"]) == (1, 3)


def test_thread_of_which_one_part_is_missing_is_lost(delivered: Storm) -> None:
    delivered.crowd.texts[next(iter(delivered.crowd.texts))].append("The part that never went out")
    assert delivered.count()["lost"] == 1


@pytest.mark.parametrize("state", [State.SCHEDULED, State.PUBLISHING, State.RETRY_WAIT])
def test_delivery_that_is_still_open_is_lost(delivered: Storm, state: str) -> None:
    set_state(next(iter(delivered.crowd.texts)), state)
    assert delivered.count()["lost"] == 1


def test_failed_delivery_is_told_with_its_reason_and_is_not_lost(delivered: Storm) -> None:
    set_state(next(iter(delivered.crowd.texts)), State.FAILED, problem_code="gone")
    found = delivered.count()
    assert (found["failed"], found["failures"], found["lost"]) == (1, {"gone": 1}, 0)


def test_unconfirmed_delivery_is_told_and_is_not_lost(delivered: Storm) -> None:
    set_state(next(iter(delivered.crowd.texts)), State.UNCONFIRMED)
    found = delivered.count()
    assert (found["unconfirmed"], found["published"], found["lost"]) == (1, 2, 0)


def test_text_that_nobody_ordered_is_foreign(delivered: Storm, person: Client) -> None:
    person.post_id("Nobody ordered this")
    found = delivered.count()
    assert (found["foreign"], found["doubled"]) == (1, 0)


@pytest.mark.parametrize("wrong", ["lost", "doubled", "denied", "foreign"])
def test_command_exits_with_1_when_anything_is_wrong(monkeypatch, storm: Storm, wrong: str) -> None:
    counts = {"lost": 0, "doubled": 0, "denied": 0, "foreign": 0} | {wrong: 1}
    monkeypatch.setenv(INSIDE, storm.crowd.sandbox)
    monkeypatch.setattr(Storm, "run", lambda *_args: counts)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("storm", stdout=out)
    assert ended.value.code == 1
    assert json.loads(out.getvalue()) == counts


def test_failed_delivery_of_which_something_is_live_without_a_receipt_is_a_lie(delivered: Storm) -> None:
    first = next(iter(delivered.crowd.texts))
    set_state(first, State.FAILED)
    with all_workspaces_scope("test"):
        LivePart.objects.filter(delivery=first).delete()
    assert delivered.count()["denied"] == 1


# --- what is left -------------------------------------------------------------------------------------------


def test_storm_goes_on_until_everything_is_out(storm: Storm) -> None:
    assert storm.left() == 3
    set_state(next(iter(storm.crowd.texts)), State.PUBLISHED)
    assert storm.left() == 2


def test_storm_is_over_when_all_is_out(delivered: Storm) -> None:
    assert delivered.left() == 0


def test_unconfirmed_delivery_is_waited_for_while_the_engine_still_looks(delivered: Storm) -> None:
    first = next(iter(delivered.crowd.texts))
    set_state(first, State.UNCONFIRMED, due_at=now())
    assert delivered.left() == 1
    set_state(first, State.UNCONFIRMED, due_at=None)
    assert delivered.left() == 0


# --- preparing ----------------------------------------------------------------------------------------------


def test_every_delivery_is_approved_by_another_person_and_due(storm: Storm) -> None:
    with all_workspaces_scope("test"):
        assert list(Delivery.objects.values_list("state", flat=True)) == [State.SCHEDULED] * 3
        reviews = Review.objects.select_related("requested_by", "decided_by")
        assert all(review.requested_by != review.decided_by for review in reviews)


def test_storms_of_one_seed_say_the_same(sandbox: Sandbox) -> None:  # noqa: F811
    one, other = (Crowd(sandbox.url, 7) for _ in range(2))
    one.prepare(4, random.Random(7))
    other.teams = 1
    Fingerprint.objects.all().delete()
    other.prepare(4, random.Random(7))
    assert list(one.texts.values()) == list(other.texts.values())


def test_faults_are_ordered_for_every_route(storm: Storm, sandbox: Sandbox) -> None:  # noqa: F811
    storm.order_faults()
    assert {plan["route"] for plan in sandbox.get("/faults")["plans"]} == FAULTS["x"].keys()


def test_account_that_lost_its_log_in_is_connected_again(storm: Storm) -> None:
    with all_workspaces_scope("test"):
        connection = Connection.objects.get()
        before = Credential.objects.get(connection=connection)
        Connection.objects.update(status=Connection.Status.RECONNECT, status_text="Log in again.")
    storm.crowd.heal()
    with all_workspaces_scope("test"):
        assert Connection.objects.get().status == Connection.Status.ACTIVE
        assert Credential.objects.get().access_token != before.access_token
    assert storm.crowd.heals == 1


def test_account_that_is_well_is_left_alone(storm: Storm) -> None:
    storm.crowd.heal()
    assert storm.crowd.heals == 0


# --- the fleet ----------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(settings, monkeypatch) -> Fleet:
    """Processes that do nothing, in the place of workers; each says at once that it is at work."""
    sleeping = (
        "import sys, time; w = sys.argv; '--pidfile' in w and open(w[w.index('--pidfile') + 1], 'w'); time.sleep(600)"
    )
    spawn_real = Fleet._celery.__globals__["spawn"]

    def spawn(command: list[str], **how: object):
        return spawn_real([command[0], "-c", sleeping, *command[1:]], **how)

    monkeypatch.setattr("marketing.storming.fleet.spawn", spawn)
    fleet = Fleet()
    yield fleet
    fleet.stop()


def test_killed_worker_is_replaced(fleet: Fleet) -> None:
    before = dict(fleet.workers)
    wait_for(lambda: all(map(fleet._is_at_work, before)), timeout_s=120)
    assert fleet.kill_one(random.Random(1)) == 1
    (changed,) = (number for number in before if fleet.workers[number] is not before[number])
    assert before[changed].returncode == -signal.SIGKILL
    assert fleet.workers[changed].poll() is None


def test_worker_that_still_starts_is_spared(fleet: Fleet) -> None:
    wait_for(lambda: all(map(fleet._is_at_work, fleet.workers)), timeout_s=120)
    for number in fleet.workers:
        fleet._pid_file(number).unlink()
    assert fleet.kill_one(random.Random(1)) == 0
    assert all(process.poll() is None for process in fleet.workers.values())


def test_nothing_runs_after_the_fleet_has_stopped(fleet: Fleet) -> None:
    fleet.stop()
    assert all(process.poll() is not None for process in [fleet.beat, *fleet.workers.values()])
