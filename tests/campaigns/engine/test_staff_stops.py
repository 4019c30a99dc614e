"""Staff suspend by the admin while a real worker process has the post in its hands, a moment before the call."""

import signal
import time

import pytest

from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.engine.publish import publish_delivery
from campaigns.models import Delivery
from compliance.health import note_signal
from compliance.models import AccountHealth
from tests.campaigns.engine import workers
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State
REASON = "Complaints about spam"
LEVELS = ["workspace", "connection", "health"]


@pytest.fixture
def due(workspace, alice_actor, rita_actor, connection):
    return lambda *texts: workers.due_now(alice_actor, rita_actor, connection, *texts)


@pytest.fixture
def press(staff_client, workspace, connection):
    """An action of the admin on the workspace, the connection, or the health of the account."""

    def run(level: str, action: str) -> None:
        if level == "health":
            with workspace_scope(workspace.pk):
                note_signal(workspace, connection.pk, "rate_limit")
                row = AccountHealth.objects.get(connection_id=connection.pk)
        else:
            row = workspace if level == "workspace" else connection
        address = {"workspace": "accounts/workspace", "connection": "social/connection"}.get(
            level, "compliance/accounthealth"
        )
        data = {"action": action, "_selected_action": [str(row.pk)], "reason": REASON}
        assert staff_client.post(f"/admin/{address}/", data).status_code == 302

    return run


def suspend(press, level: str) -> None:
    press(level, "force_suspended" if level == "health" else "suspend")


def state_of(delivery: Delivery) -> tuple[str, str, int]:
    with all_workspaces_scope("look"):
        row = Delivery.objects.get(pk=delivery.pk)
    return row.state, row.problem_code, row.failures


@pytest.mark.parametrize("level", LEVELS)
def test_a_worker_that_is_about_to_send_does_not(due, claim, press, live, level):
    delivery = due("Never sent")
    point = "before it says that it sends"
    worker = workers.start(workers.publish_until, point, signal.SIGSTOP, claim())
    wait_for(lambda: workers.is_stopped(worker))
    began = time.monotonic()
    suspend(press, level)
    workers.wake(worker)
    assert time.monotonic() - began < 40
    assert live() == []
    assert state_of(delivery) == (State.RETRY_WAIT, "held", 0)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_handed_out_is_not_sent_and_nothing_more_is_handed_out(due, claim, press, tick, live, level):
    delivery = due("Never sent")
    claimed = claim()
    suspend(press, level)
    publish_delivery(*claimed)
    assert tick(5).publish == []
    assert live() == []
    assert state_of(delivery)[0] == State.RETRY_WAIT


@pytest.mark.parametrize("level", ["workspace", "health"])
def test_the_end_of_it_lets_the_post_out_once(due, press, tick, live, level):
    due("Sent in the end")
    suspend(press, level)
    tick()
    press(level, "unsuspend" if level == "workspace" else "unforce")
    tick(5)
    tick(10)
    assert live() == ["Sent in the end"]


def test_a_connection_comes_back_paused_for_its_owner_to_look(due, press, tick, live):
    due("Not by itself")
    suspend(press, "connection")
    press("connection", "unsuspend")
    tick(5)
    assert live() == []
