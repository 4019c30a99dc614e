"""What answers of a network do to an account, and what its state does to its posts: the real engine and sandbox."""

from datetime import timedelta

import pytest

from accounts.models import Event, Notification
from accounts.scope import all_workspaces_scope
from campaigns import account_health
from campaigns.engine.job import begin_submission, start_job
from campaigns.engine.publish import NotNow, publish_delivery
from campaigns.models import Delivery
from compliance import health
from compliance.health import note_signal
from compliance.models import AccountHealth, HealthSignal
from lib import clock
from social.models import Connection, NetworkState

State, Kind = Delivery.State, HealthSignal.Kind
CREATE = "POST /2/tweets"
LOCKED = {"title": "Forbidden", "detail": "To protect our users, your account is temporarily locked.", "status": 403}
SUSPENDED = {"title": "Forbidden", "detail": "Your account is suspended.", "status": 403}
DULL = {"title": "Invalid Request", "errors": [{"message": "Your text is dull."}], "status": 400}


def heard() -> list[str]:
    return list(HealthSignal.objects.order_by("at").values_list("kind", flat=True))


def state_of(connection) -> str:
    row = AccountHealth.objects.filter(connection_id=connection.pk).first()
    return row.state if row else ""


def told() -> list[str]:
    return list(Notification.objects.filter(kind="connection").order_by("id").values_list("text", flat=True))


@pytest.fixture
def make(connection, in_workspace):
    """The account in this state, by signals as they come."""

    def run(state: str) -> None:
        for _ in range({"warned": 1, "restricted": 2, "suspended": 3}[state]):
            note_signal(in_workspace, connection.pk, "strike", "Reported by X")
        assert state_of(connection) == state

    return run


# --- what counts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "kinds"),
    [
        ({"status": 403, "body": LOCKED}, ["strike"]),
        ({"status": 403, "body": SUSPENDED}, ["strike"]),
        ({"status": 403}, ["refusal"]),
        ({"status": 409}, ["refusal"]),
        ({"status": 429, "headers": {"retry-after": "5"}}, ["rate_limit"]),
        ({"status": 400, "body": DULL}, []),
        ({"status": 413}, []),
        ({"status": 404}, []),
        ({"status": 402}, []),
        ({"status": 401}, []),
    ],
)
def test_only_what_is_about_the_account_counts(connection, due, tick, sandbox, params, kinds):
    due("Hello")
    sandbox.fault("status", route=CREATE, count=2, **params)
    tick()
    assert heard() == kinds


def test_the_window_of_the_whole_app_is_nobodys_fault(connection, due, tick, sandbox):
    due("Tomorrow then")
    sandbox.fault("rate_limit", route=CREATE, window="24hour", seconds=300)
    tick()
    assert heard() == []


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("status", {"status": 503}),
        ("status", {"status": 500}),
        ("html_5xx", {}),
        ("html_5xx", {"status": 403}),
        ("drop_before_accept", {}),
        ("accept_then_drop", {}),
    ],
)
def test_an_outage_of_the_network_says_nothing_about_the_account(connection, due, tick, sandbox, kind, params):
    due("Are you there?")
    sandbox.fault(kind, route=CREATE, count=20, **params)
    for round_number in range(8):
        tick(round_number * 4000)
    assert heard() == []
    assert state_of(connection) == ""


@pytest.mark.parametrize("trouble", [{"failures_in_row": 5}, {"broken_until": clock.now() + timedelta(days=1)}])
@pytest.mark.parametrize("params", [{"status": 403}, {"status": 403, "body": LOCKED}, {"status": 429}])
def test_what_is_refused_while_the_network_fails_for_others_does_not_count(
    connection, due, claim, sandbox, trouble, params
):
    due("Are you well?")
    claimed = claim()
    NetworkState.objects.update_or_create(network="x", defaults=trouble)
    sandbox.fault("status", route=CREATE, **params)
    publish_delivery(*claimed)
    assert heard() == []


def test_the_reason_is_what_the_network_said(connection, due, tick, sandbox):
    due("Hello")
    sandbox.fault("status", route=CREATE, status=403, body=LOCKED)
    tick()
    (reason,) = AccountHealth.objects.get().reasons
    assert reason.startswith("A strike, last on ")
    assert reason.endswith("X does not allow this account to do that.")


def test_a_worse_state_is_told_once_with_its_reason(connection, due, tick, sandbox):
    due("Hello")
    sandbox.fault("status", route=CREATE, status=403, body=LOCKED)
    tick()
    (text,) = [text for text in told() if "warned" in text]
    assert text.startswith("@roastery has been warned: its posts go out slower, and each needs a look. A strike")
    assert Event.objects.get(kind="connection.health").payload == {"connection": str(connection.pk), "state": "warned"}
    assert Notification.objects.filter(text=text, is_alert=True).exists()


# --- what is gone ------------------------------------------------------------------------------------------------


def test_a_live_post_that_is_gone_counts_once(premium, publish, approved, work, sandbox):
    (part,) = publish("Good morning")
    for text in ("Good day", "Good evening"):
        sandbox.fault("status", route=CREATE, status=404)
        approved(part, text)
        work()
    (signal,) = HealthSignal.objects.filter(kind=Kind.DELETION)
    assert signal.detail == f"{part.url} was taken down, by the network or by hand"


def test_what_we_take_down_is_no_sign(publish, take_down, work):
    (part,) = publish("Good morning")
    take_down(part)
    work()
    assert heard() == []


# --- what follows --------------------------------------------------------------------------------------------------


def test_nothing_goes_out_through_a_suspended_account(make, due, tick, live):
    due("Held")
    make("suspended")
    assert tick().publish == []
    assert live() == []


@pytest.mark.parametrize("state", ["warned", "restricted"])
def test_a_state_that_only_slows_lets_what_was_approved_with_it_out(make, due, tick, live, state):
    make(state)
    due("Slowly")
    tick()
    assert live() == ["Slowly"]


def test_what_was_approved_before_the_warning_gets_another_look(make, due, tick, live, reload):
    delivery = due("Approved in better times")
    make("warned")
    tick()
    assert live() == []
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.IN_REVIEW, "guard_review")


def test_a_claim_that_is_already_made_stops_before_the_call(make, due, claim, live, reload):
    delivery = due("Held")
    claimed = claim()
    make("suspended")
    publish_delivery(*claimed)
    assert live() == []
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.RETRY_WAIT, "held")


def test_the_moment_before_the_call_counts(make, due, claim):
    due("Held")
    job = start_job(*claim())
    make("suspended")
    with pytest.raises(NotNow, match="on hold"):
        begin_submission(job, 0)


def test_staff_end_the_hold_at_once(make, due, tick, live, staff, connection):
    due("Held")
    make("suspended")
    with all_workspaces_scope("test"):
        row = AccountHealth.objects.select_related("workspace").get(connection_id=connection.pk)
        health.force_state(row, "healthy", reason="A mistake", staff=staff)
    tick(2)
    assert live() == ["Held"]


def test_time_ends_the_hold_and_people_are_told(make, connection, in_workspace):
    make("suspended")
    with clock.shifted(timedelta(days=40)):
        assert account_health.reassess_accounts() == 1
    assert state_of(connection) == "healthy"
    assert told()[-1] == "@roastery works as usual again."


def test_other_accounts_go_on(make, connected, due, tick, live, sandbox, in_workspace):
    other = connected("cafe")
    make("suspended")
    due("From the café", to=other)
    tick()
    assert [post["text"] for post in sandbox.posts("cafe")] == ["From the café"]


def test_an_edit_waits_and_a_deletion_does_not(make, premium, publish, approved, take_down, work, on_x):
    (part,) = publish("Good morning")
    approved(part)
    make("suspended")
    assert work() == 0
    assert on_x() == ["Good morning"]
    take_down(part)
    work()
    assert on_x() == []


def test_a_disconnected_account_bothers_nobody(connection, in_workspace):
    Connection.objects.filter(pk=connection.pk).update(status="disconnected")
    note_signal(in_workspace, connection.pk, "strike")
    assert (state_of(connection), told()) == ("warned", [])


# --- reach ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usual", "recent", "counts"),
    [(1000, 501, False), (1000, 500, True), (1000, 0, True), (0, 0, False), (100, 150, False), (10, -1, True)],
)
def test_half_of_the_usual_reach_is_a_sign(connection, in_workspace, usual, recent, counts):
    assert account_health.note_reach(connection, usual=usual, recent=recent) is counts
    assert heard() == (["reach"] if counts else [])
