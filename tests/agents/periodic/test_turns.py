from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Notification, Role
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic.claims import claim_due
from agents.periodic.registry import KINDS, Outcome, OutcomeStatus, TurnFailed
from agents.periodic.services import run_now
from agents.periodic.worker import BACKOFF_S, GONE, HELD, LOST, MAX_FAILURES, OUR_FAULT, do_turn
from campaigns.models import Snippet
from lib import clock

pytestmark = pytest.mark.django_db
Status = PeriodicTurn.Status
NINE = datetime(2030, 1, 7, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def early(at_time):
    at_time(NINE - timedelta(hours=1))


def turns():
    return list(PeriodicTurn.objects.order_by("wanted_at"))


def test_a_turn_comes_at_its_time_and_the_next_is_planned(daily, work, noted):
    task = daily()
    assert work() == []
    assert work(NINE) == [Status.DONE]
    task.refresh_from_db()
    assert (task.wanted_at, task.due_at, task.lease_until) == (NINE + DAY, NINE + DAY, None)
    assert noted.turns == [(task.pk, NINE, 0)]
    (turn,) = turns()
    assert (turn.status, turn.text, turn.missed) == (Status.DONE, "Done.", 0)
    assert turn.ended_at >= turn.started_at


def test_each_day_has_one_turn_however_often_somebody_looks(daily, work, noted):
    daily()
    for day in range(4):
        assert work(NINE + day * DAY) == [Status.DONE]
        assert work(NINE + day * DAY + timedelta(hours=3)) == []
    assert [wanted for _, wanted, _ in noted.turns] == [NINE + day * DAY for day in range(4)]


def test_after_an_outage_one_turn_stands_for_all(daily, work, noted):
    task = daily()
    assert work(NINE + 9 * DAY + timedelta(hours=2)) == [Status.DONE]
    assert noted.turns == [(task.pk, NINE + 9 * DAY, 9)]
    assert turns()[0].missed == 9
    task.refresh_from_db()
    assert task.wanted_at == NINE + 10 * DAY


def test_nothing_new_is_written_down_and_nobody_is_told(daily, work, noted):
    daily()
    noted.answer = Outcome(OutcomeStatus.QUIET, "Nothing new.")
    assert work(NINE) == [Status.QUIET]
    assert not Notification.objects.exists()


def test_a_task_for_one_moment_ends_with_it(daily, work):
    task = daily(mode="at", spec=NINE.isoformat(), time_zone="UTC")
    assert work(NINE) == [Status.DONE]
    task.refresh_from_db()
    assert (task.is_active, task.wanted_at, task.due_at) == (False, None, None)


def test_a_task_without_its_person_ends(daily, work, alice, noted):
    task = daily()
    Membership.objects.filter(user=alice).delete()
    assert work(NINE) == [Status.FAILED]
    task.refresh_from_db()
    assert not task.is_active
    assert (turns()[0].text, noted.turns) == (GONE, [])


def test_a_person_who_may_not_log_in_gets_nothing(daily, work, alice, noted):
    daily()
    alice.is_active = False
    alice.save()
    assert (work(NINE), noted.turns) == ([Status.FAILED], [])


@pytest.mark.parametrize("field", ["is_suspended", "is_stopped"])
def test_a_stopped_workspace_is_skipped_and_goes_on_later(field, daily, work, workspace, noted):
    daily()
    setattr(workspace, field, True)
    workspace.save()
    assert work(NINE) == [Status.QUIET]
    assert (turns()[0].text, noted.turns) == (HELD, [])
    setattr(workspace, field, False)
    workspace.save()
    assert work(NINE + DAY) == [Status.DONE]


def test_a_right_that_was_lost_is_a_failure(daily, work, alice, noted):
    daily()
    Membership.objects.filter(user=alice).update(role=Role.GUEST)
    assert (work(NINE), noted.turns) == ([Status.FAILED], [])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TurnFailed("No data today."), "No data today."),
        (PermissionDenied("Not yours."), "Not yours."),
        (ZeroDivisionError("secret"), OUR_FAULT),
    ],
)
def test_a_failure_is_tried_again_and_says_why(error, text, daily, work, noted):
    task = daily()
    noted.answer = error
    assert work(NINE) == [Status.FAILED]
    assert turns()[0].text == text
    task.refresh_from_db()
    assert task.failures_in_row == 1
    assert timedelta(seconds=BACKOFF_S) <= task.due_at - NINE < timedelta(seconds=BACKOFF_S + 10)
    noted.answer = Outcome(OutcomeStatus.DONE)
    assert work(task.due_at) == [Status.DONE]
    task.refresh_from_db()
    assert (task.failures_in_row, task.wanted_at) == (0, NINE + DAY)
    # The same turn, done at last.
    assert [(turn.wanted_at, turn.status) for turn in turns()] == [(NINE, Status.DONE)]


def test_pauses_grow_and_ten_failures_in_a_row_pause_the_task_and_tell_its_person(daily, work, noted, alice, bob):
    task = daily()
    noted.answer = TurnFailed("No data.")
    pauses, at = [], NINE
    for _ in range(MAX_FAILURES - 1):
        assert work(at) == [Status.FAILED]
        task.refresh_from_db()
        pauses.append(round((task.due_at - at).total_seconds() / BACKOFF_S))
        at = task.due_at
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert not Notification.objects.exists()
    work(at)
    task.refresh_from_db()
    assert not task.is_active
    (note,) = Notification.objects.all()
    assert (note.user, note.is_alert) == (alice, True)
    assert "paused after 10 failures" in note.text
    assert "No data." in note.text


def test_a_retry_never_takes_the_place_of_the_next_turn(daily, work, noted):
    task = daily(mode="every", spec="60")
    noted.answer = TurnFailed("No.")
    for _ in range(4):
        task.refresh_from_db()
        before = task.due_at
        assert work(before) == [Status.FAILED]
        task.refresh_from_db()
        assert task.due_at - before <= timedelta(seconds=61)


def test_what_a_failed_turn_wrote_is_gone(daily, work, monkeypatch, in_workspace):
    def write_and_fail(task, turn, by):
        Snippet.objects.create(workspace=by.workspace, name="half", text="half")
        raise TurnFailed("Half way.")

    daily()
    monkeypatch.setitem(KINDS, "note", replace(KINDS["note"], do=write_and_fail))
    assert work(NINE) == [Status.FAILED]
    assert not Snippet.objects.exists()


def test_a_kind_that_is_gone_fails_for_people(daily, work, monkeypatch):
    daily()
    monkeypatch.delitem(KINDS, "note")
    assert work(NINE) == [Status.FAILED]
    assert turns()[0].text == "This kind of task does not exist any more."


def test_a_lost_worker_is_followed_by_another_and_writes_nothing(daily, at_time, noted):
    task = daily()
    at_time(NINE)
    (lost,) = claim_due().claims
    assert claim_due().claims == []
    at_time(NINE + timedelta(seconds=61))
    (taken,) = claim_due().claims
    assert (taken.task_id, taken.turn_id, taken.fence) == (task.pk, lost.turn_id, lost.fence + 1)
    assert do_turn(lost) is None
    assert do_turn(taken) == Status.DONE
    assert do_turn(taken) is None
    assert len(noted.turns) == len(turns()) == 1


def test_a_late_worker_goes_on_where_nobody_took_its_turn(daily, at_time):
    daily()
    at_time(NINE)
    (claim,) = claim_due().claims
    at_time(NINE + timedelta(minutes=30))
    assert do_turn(claim) == Status.DONE


def test_what_kills_its_worker_each_time_ends(daily, at_time, noted):
    task, at = daily(), NINE
    for _ in range(MAX_FAILURES):
        at_time(at)
        assert len(claim_due().claims) == 1
        at += timedelta(seconds=61)
    at_time(at)
    (claim,) = claim_due().claims
    assert do_turn(claim) == Status.FAILED
    task.refresh_from_db()
    assert (task.is_active, turns()[0].text, noted.turns) == (False, LOST, [])


def test_a_time_that_was_done_is_not_done_again(daily, at_time, noted):
    task = daily()
    PeriodicTurn.objects.create(workspace=task.workspace, task=task, wanted_at=NINE, status=Status.DONE)
    at_time(NINE)
    (claim,) = claim_due().claims
    assert claim.turn_id is None
    assert do_turn(claim) is None
    task.refresh_from_db()
    assert (noted.turns, task.wanted_at) == ([], NINE + DAY)


def test_one_turn_more_leaves_the_other_times_alone(daily, work, alice_actor, noted):
    task = daily()
    run_now(task, by=alice_actor)
    assert work() == [Status.DONE]
    task.refresh_from_db()
    assert task.wanted_at == NINE
    assert work(NINE) == [Status.DONE]
    assert len(noted.turns) == 2


def test_a_turn_takes_few_statements(daily, at_time, django_assert_max_num_queries):
    daily()
    at_time(NINE)
    (claim,) = claim_due().claims
    # Of these, the settings of the scope and its savepoint, which is a transaction outside a test.
    with django_assert_max_num_queries(10):
        do_turn(claim)


def test_a_deleted_task_is_let_go(daily, at_time):
    task = daily()
    at_time(NINE)
    (claim,) = claim_due().claims
    task.delete()
    assert do_turn(claim) is None
    assert not PeriodicTask.objects.exists()


def test_the_clock_of_the_test_moves(at_time):
    at_time(NINE)
    assert abs(clock.now() - NINE) < timedelta(seconds=5)
