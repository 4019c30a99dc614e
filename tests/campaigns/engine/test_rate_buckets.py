from datetime import timedelta

import pytest

from accounts.scope import workspace_scope
from campaigns.engine import dispatch
from campaigns.models import Delivery
from campaigns.services import PartDraft, PostDraft, create_post
from lib.clock import now
from social.models import Connection, RateBucket

State = Delivery.State
CREATE = "POST /2/tweets"
APP = "x:sandbox-client"
WORDS = ["Fresh beans", "Open until six", "New mugs in blue"]


def bucket(remaining: int, seconds: float = 600) -> RateBucket:
    resets_at = now() + timedelta(seconds=seconds)
    return RateBucket.objects.create(app_key=APP, limit=100, remaining=remaining, resets_at=resets_at)


# --- learning ---------------------------------------------------------------------------------------------------


def test_a_window_with_plenty_left_is_not_worth_remembering(connection, due, tick):
    due("Plenty")
    tick()
    assert not RateBucket.objects.exists()


def test_the_window_of_the_app_is_learnt_when_it_gets_scarce(connection, due, tick, sandbox):
    due("The last ones")
    headers = {
        "x-app-limit-24hour-limit": "100",
        "x-app-limit-24hour-remaining": "25",
        "x-app-limit-24hour-reset": str(int(now().timestamp()) + 500),
    }
    sandbox.fault("status", route=CREATE, status=400, headers=headers)
    tick()
    assert (RateBucket.objects.get().app_key, RateBucket.objects.get().remaining) == (APP, 25)


def test_an_empty_window_of_the_app_keeps_its_accounts_back(connection, due, tick, sandbox, live, reload):
    delivery = due("Tomorrow then")
    sandbox.fault("rate_limit", route=CREATE, window="24hour", seconds=300)
    tick()
    waiting = reload(delivery)
    assert (waiting.state, waiting.failures) == (State.RETRY_WAIT, 0)
    assert RateBucket.objects.get().remaining == 0
    assert Connection.objects.get(pk=connection.pk).limited_until is None
    due("And I, too")
    assert tick(60).publish == []
    sandbox.advance(301)
    tick(302)
    tick(303)
    assert sorted(live()) == ["And I, too", "Tomorrow then"]


def test_an_older_answer_does_not_overwrite_a_newer(connection):
    from campaigns.engine import health
    from social.networks.port import RateWindow

    at = now() + timedelta(seconds=100)
    for left in (3, 5):
        health._learn(connection, RateWindow("app", 100, left, at))
    assert RateBucket.objects.get().remaining == 3
    health._learn(connection, RateWindow("app", 100, 20, at + timedelta(seconds=900)))
    assert RateBucket.objects.get().remaining == 20


def test_an_account_without_a_shared_app_learns_nothing(in_workspace, connection, due, tick, sandbox):
    Connection.objects.update(app_key="")
    due("Alone")
    sandbox.fault("rate_limit", route=CREATE, window="24hour", seconds=300)
    tick()
    assert not RateBucket.objects.exists()


# --- sharing ----------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(connection, due, connected, other_workspace, charlie_actor):
    """Three posts of Roastery's accounts are due, then two of the Bakery's: all with one app."""
    accounts = [connection, connected("bakery"), connected("brewery")]
    for number, account in enumerate(accounts):
        due(WORDS[number], to=account)
    with workspace_scope(other_workspace.pk):
        for number in range(2):
            account = Connection.objects.create(
                workspace=other_workspace, network="x", remote_id=f"b{number}", handle=f"b{number}", app_key=APP
            )
            post = create_post(PostDraft((PartDraft("Bread"),), connections=(account.pk,)), by=charlie_actor)
            Delivery.objects.filter(post=post).update(state=State.SCHEDULED, scheduled_at=now(), due_at=now())
    return accounts


def workspaces(tick: dispatch.Tick) -> list:
    return sorted(workspace_id for workspace_id, _, _ in tick.publish)


def test_what_is_left_is_shared_between_workspaces(crowd, in_workspace, other_workspace):
    bucket(2)
    assert workspaces(dispatch.tick()) == sorted([in_workspace.pk, other_workspace.pk])


def test_nothing_left_means_nobody(crowd):
    bucket(0)
    assert dispatch.tick().publish == []


def test_what_is_on_its_way_counts(crowd):
    bucket(2)
    assert [len(dispatch.tick().publish), len(dispatch.tick().publish)] == [2, 0]


def test_when_the_window_opens_everybody_goes(crowd):
    bucket(0, seconds=60)
    assert len(dispatch.tick(now() + timedelta(seconds=61)).publish) == 5


def test_another_app_has_a_window_of_its_own(crowd, in_workspace):
    bucket(0)
    Connection.objects.filter(pk=crowd[0].pk).update(app_key="their own app")
    assert workspaces(dispatch.tick()) == [in_workspace.pk]


# --- the window of an account -----------------------------------------------------------------------------------


def test_the_last_call_of_a_window_makes_the_account_wait_without_being_refused(connection, due, tick, sandbox, live):
    sandbox.sign_in("roastery")
    for number in range(99):
        sandbox.sign_in("roastery").create(f"By hand, {number}")
    due("The hundredth")
    due("The one too many")
    tick()
    until = Connection.objects.get(pk=connection.pk).limited_until
    assert until > now() + timedelta(minutes=10)
    assert tick(60).publish == []
    assert [entry["outcome"] for entry in sandbox.ledger() if "429" in entry["outcome"]] == []
    assert live()[-1] == "The hundredth"
