"""A run asks a person: bound to the exact call, answered once, by somebody who may."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import Perm, system_actor
from accounts.models import AuditEntry, Membership, Notification, Role
from agents.models import Effect, Interrupt, Run
from agents.runs.errors import AlreadyAnswered, RunConflict
from agents.runs.services import answer_interrupt, cancel_run, end_expired
from lib import clock
from lib.clock import now

pytestmark = pytest.mark.django_db
Status, Answer = Run.Status, Interrupt.Answer
ARGS = {"post": 7, "at": "noon"}
DAY = 24 * 3600


@pytest.fixture
def effects():
    return []


@pytest.fixture
def ask(define, start, go, effects):
    """A run that waits for an approval of ARGS, and its question."""

    def work(flow):
        said = flow.approve("go", action="schedule", args=ARGS, reason="Schedule it?", **options)
        if said["answer"] == Answer.APPROVED:
            flow.act("do", tool="schedule", args=ARGS, do=lambda: effects.append(said["by"]), approval="go")
        return said

    options = {}

    def make(**fields):
        options.update(fields)
        run = go(start(define(work)))
        assert run.status == Status.WAITING
        return run, run.interrupts.get()

    return make


def test_a_run_waits_for_a_person_and_goes_on_with_the_answer(ask, go, rita_actor, effects):
    run, asked = ask()
    assert (asked.action, asked.args, asked.perm, run.lease_until) == ("schedule", ARGS, "review", None)
    assert go(run).status == Status.WAITING
    answer_interrupt(asked, "approved", given={"note": "nice"}, by=rita_actor)
    done = go(run)
    assert (done.status, effects) == (Status.SUCCEEDED, ["rita@example.org"])
    assert done.output == {"answer": "approved", "given": {"note": "nice"}, "by": "rita@example.org"}
    assert list(done.steps.values_list("key", "kind")) == [("go", "approval"), ("do", "tool")]


def test_a_refusal_has_no_effect(ask, go, rita_actor, effects):
    run, asked = ask()
    answer_interrupt(asked, "rejected", given={"note": "too early"}, by=rita_actor)
    assert go(run).output["answer"] == "rejected"
    assert effects == []


def test_those_who_may_answer_are_told(ask, rita, alice, vic, bob):
    ask()
    told = set(Notification.objects.filter(kind="run.waiting").values_list("user", flat=True))
    assert told == {rita.pk, alice.pk}


def test_the_answer_is_a_decision_in_the_trail(ask, rita_actor):
    _run, asked = ask()
    answer_interrupt(asked, "approved", by=rita_actor)
    entry = AuditEntry.objects.get(action="run.approved")
    assert (entry.object_id, entry.detail.data["args_sha256"]) == (str(asked.pk), asked.args_sha256)


@pytest.mark.parametrize("who", ["bob_actor", "vic_actor", "gwen_actor"])
def test_who_may_not_review_may_not_answer(ask, request, who):
    _run, asked = ask()
    with pytest.raises(PermissionDenied):
        answer_interrupt(asked, "approved", by=request.getfixturevalue(who))
    assert Interrupt.objects.get(pk=asked.pk).answer == ""


def test_under_four_eyes_nobody_approves_what_they_started(define, go, in_workspace, alice_actor, rita_actor):
    from agents.runs.services import start_run

    in_workspace.four_eyes = True
    in_workspace.save()
    define(lambda flow: flow.approve("go", action="a", args={}))
    run = go(start_run("test", {}, by=alice_actor))
    asked = run.interrupts.get()
    with pytest.raises(PermissionDenied, match="Somebody else"):
        answer_interrupt(asked, "approved", by=alice_actor)
    with pytest.raises(PermissionDenied, match="Only a person"):
        answer_interrupt(asked, "approved", by=system_actor(in_workspace, "policy", {Perm.REVIEW}))
    answer_interrupt(asked, "approved", by=rita_actor)
    assert go(run).status == Status.SUCCEEDED


def test_one_may_withdraw_what_one_started(define, go, in_workspace, alice_actor):
    from agents.runs.services import start_run

    in_workspace.four_eyes = True
    in_workspace.save()
    define(lambda flow: flow.approve("go", action="a", args={}))
    run = go(start_run("test", {}, by=alice_actor))
    answer_interrupt(run.interrupts.get(), "rejected", by=alice_actor)
    assert go(run).output["answer"] == "rejected"


def test_a_model_cannot_approve(ask, rita_actor):
    from dataclasses import replace

    _run, asked = ask()
    with pytest.raises(PermissionDenied, match="Only a person"):
        answer_interrupt(asked, "approved", by=replace(rita_actor, is_agent=True))


def test_a_second_answer_changes_nothing(ask, go, rita_actor, alice_actor, effects):
    run, asked = ask()
    answer_interrupt(asked, "approved", by=rita_actor)
    for answer in ("rejected", "approved"):
        with pytest.raises(AlreadyAnswered, match="has answered this already"):
            answer_interrupt(asked, answer, by=alice_actor)
    go(run)
    with pytest.raises(AlreadyAnswered):
        answer_interrupt(asked, "approved", by=alice_actor)
    go(run)
    assert effects == ["rita@example.org"]
    assert Effect.objects.count() == 1


def test_an_answer_that_is_none_is_refused(ask, rita_actor):
    _run, asked = ask()
    with pytest.raises(ValidationError):
        answer_interrupt(asked, "expired", by=rita_actor)


def test_what_is_not_what_was_shown_is_refused(ask, rita_actor):
    _run, asked = ask()
    with pytest.raises(RunConflict, match="not what you were shown"):
        answer_interrupt(asked, "approved", by=rita_actor, seen_sha256="0" * 64)
    answer_interrupt(asked, "approved", by=rita_actor, seen_sha256=asked.args_sha256)


def test_arguments_changed_behind_the_engine_are_refused(ask, rita_actor):
    _run, asked = ask()
    Interrupt.objects.filter(pk=asked.pk).update(args={"post": 8})
    with pytest.raises(RunConflict, match="not what you were shown"):
        answer_interrupt(asked, "approved", by=rita_actor)


def test_an_approval_of_other_arguments_does_not_count(define, start, go, rita_actor, effects):
    def work(flow):
        flow.approve("go", action="schedule", args=ARGS)
        flow.act("do", tool="schedule", args=ARGS | {"at": "midnight"}, do=lambda: effects.append(1), approval="go")

    run = go(start(define(work)))
    answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
    done = go(run)
    assert (done.status, done.error["code"], effects) == (Status.FAILED, "not_approved", [])


@pytest.mark.parametrize(
    ("tool", "args", "approval"), [("publish", ARGS, "go"), ("schedule", ARGS, "other"), ("schedule", {}, "go")]
)
def test_an_effect_needs_the_approval_of_its_own_call(define, start, go, rita_actor, effects, tool, args, approval):
    def work(flow):
        flow.approve("go", action="schedule", args=ARGS)
        flow.act("do", tool=tool, args=args, do=lambda: effects.append(1), approval=approval)

    run = go(start(define(work)))
    answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
    assert go(run).error["code"] == "not_approved"
    assert effects == []


def test_a_workflow_that_asks_for_something_else_after_the_answer_fails(define, start, go, rita_actor):
    args = {"n": 1}
    run = go(start(define(lambda flow: flow.approve("go", action="a", args=dict(args)))))
    args["n"] = 2
    answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
    assert go(run).error["code"] == "changed"


def test_nobody_answered_in_time(ask, go, rita_actor, effects):
    run, asked = ask()
    with clock.shifted(timedelta(days=3, seconds=1)):
        with pytest.raises(RunConflict, match="over"):
            answer_interrupt(asked, "approved", by=rita_actor)
        assert end_expired() == 1
        assert end_expired() == 0
    done = go(run, later=3 * DAY + 2)
    assert (done.status, done.error["code"], effects) == (Status.FAILED, "expired", [])


def test_a_workflow_may_go_on_without_an_answer(ask, go, effects):
    run, _asked = ask(may_expire=True, expires_s=60)
    with clock.shifted(timedelta(seconds=61)):
        end_expired()
    assert go(run, later=62).output["answer"] == "expired"
    assert effects == []


def test_the_time_a_person_takes_is_not_the_runs(define, start, go, rita_actor):
    run = start(define(lambda flow: flow.approve("go", action="a", args={})), timeout_s=100)
    run = go(run)
    assert run.deadline_at > now() + timedelta(days=3)
    with clock.shifted(timedelta(hours=5)):
        assert end_expired() == 0
        answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
        run = Run.objects.get(pk=run.pk)
        assert timedelta(seconds=90) < run.deadline_at - now() <= timedelta(seconds=100)
    assert go(run, later=5 * 3600 + 1).status == Status.SUCCEEDED


def test_the_question_of_a_run_that_ended_cannot_be_answered(ask, go, bob_actor, rita_actor):
    run, asked = ask()
    cancel_run(run, by=bob_actor)
    with pytest.raises(RunConflict):
        answer_interrupt(asked, "approved", by=rita_actor)
    assert go(run).status == Status.CANCELED


def test_who_lost_the_right_to_review_cannot_answer(ask, rita, actor_of):
    _run, asked = ask()
    Membership.objects.filter(user=rita).update(role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        answer_interrupt(asked, "approved", by=actor_of(rita))


def test_two_questions_one_after_the_other(define, start, go, rita_actor):
    define(lambda flow: [flow.approve(key, action=key, args={})["answer"] for key in ("one", "two")])
    run = go(start())
    for answer in ("approved", "rejected"):
        answer_interrupt(run.interrupts.get(answer=""), answer, by=rita_actor)
        run = go(run)
    assert run.output == ["approved", "rejected"]


def test_a_run_left_waiting_without_a_question_is_woken(ask, go):
    run, asked = ask()
    Interrupt.objects.filter(pk=asked.pk).update(answer="approved", answered_label="rita")
    assert end_expired() == 1
    assert go(run).status == Status.SUCCEEDED
