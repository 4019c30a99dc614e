"""Real processes that want the same thing at the same moment."""

from datetime import time, timedelta
from functools import partial

import pytest
from django.db import connection as database

from accounts import audit
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.usage import Budget, BudgetExceeded
from campaigns import deliveries, live_changes
from campaigns.engine import dispatch, job, outcome
from campaigns.imports.applying import apply_import
from campaigns.imports.services import check_import, create_import, start_import
from campaigns.models import Attempt, Delivery, LivePart, Slot
from campaigns.outage import settle_missed
from campaigns.services import PartDraft, PostDraft, create_post, update_post
from compliance.models import Review
from compliance.services import approve_review, reject_review
from lib import clock
from lib.clock import now
from social.models import Connection
from social.networks.port import Accepted
from tests.campaigns.cast import add_connection
from tests.campaigns.engine import workers
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State


@pytest.fixture
def account(workspace):
    with workspace_scope(workspace.pk):
        return add_connection(workspace)


@pytest.fixture
def due(alice_actor, rita_actor, account):
    return lambda *texts, to=account: workers.due_now(alice_actor, rita_actor, to, *texts)


@pytest.fixture
def scoped(workspace):
    return lambda: workspace_scope(workspace.pk)


@pytest.fixture
def in_review(workspace, alice_actor, account, due, scoped):
    """A delivery that waits for approval, and its review."""

    def make(text: str = "Approve me"):
        with scoped():
            delivery = due(text)
            update_post(delivery.post, PostDraft((PartDraft(text + "!"),), connections=(account.pk,)), by=alice_actor)
            return delivery, Review.objects.get(object_id=delivery.pk, status="waiting")

    return make


def state_of(delivery: Delivery) -> str:
    with all_workspaces_scope("look"):
        return Delivery.objects.get(pk=delivery.pk).state


# --- claims ------------------------------------------------------------------------------------------------


def test_many_dispatchers_claim_each_delivery_once_and_one_per_account(workspace, due, scoped):
    with scoped():
        accounts = [add_connection(workspace, f"account{number}") for number in range(4)]
        for number in range(12):
            due(f"Post {number}", to=accounts[number % 4])

    def tick_often(_number: int) -> list:
        return [row for _ in range(5) for row in dispatch.tick().publish]

    claims = [row for rows in workers.answers_of(tick_often, 4) for row in rows]
    assert len(claims) == len({row[1] for row in claims}) == 4
    with all_workspaces_scope("look"):
        busy = Delivery.objects.filter(state=State.PUBLISHING)
        assert sorted(busy.values_list("connection_id", flat=True)) == sorted(account.pk for account in accounts)
        assert Attempt.objects.count() == 4


def test_a_message_delivered_to_many_workers_starts_one_job(due):
    due("Delivered four times")
    (claimed,) = dispatch.tick().publish
    started = workers.answers_of(lambda _number: bool(job.start_job(*claimed)), 4)
    assert sorted(started) == [False, False, False, True]


def test_a_tick_does_not_wait_for_somebody_who_holds_a_late_delivery(due, scoped):
    delivery = due("Late and held")
    with scoped():
        Delivery.objects.filter(pk=delivery.pk).update(scheduled_at=now() - timedelta(days=1))
    gate = workers.PROCESSES.Event()
    results = workers.PROCESSES.SimpleQueue()
    other = workers.start(lambda: (gate.wait(workers.PATIENCE_S), results.put(dispatch.tick().missed)))
    with scoped():
        Delivery.objects.select_for_update().get(pk=delivery.pk)
        gate.set()
        other.join(40)
        assert not other.is_alive()
    assert results.get() == 0
    assert dispatch.tick().missed == 1


def test_an_edit_and_a_claim_never_meet(due, scoped, alice_actor, account):
    """Either the edit is refused, or what is claimed needs a new approval: never the old one with a new text."""
    rows = [due(f"Text {number}") for number in range(4)]

    def act(number: int) -> list[str]:
        if number == 0:
            return [str(row[1]) for _ in rows for row in dispatch.tick().publish]
        with workspace_scope(alice_actor.workspace.pk):
            draft = PostDraft((PartDraft(f"Edited {number}"),), connections=(account.pk,))
            update_post(rows[number - 1].post, draft, by=alice_actor)
        return []

    answers = workers.answers_of(act, 4)
    claimed = {pk for answer in answers if isinstance(answer, list) for pk in answer}
    with all_workspaces_scope("look"):
        for row in Delivery.objects.filter(pk__in=[row.pk for row in rows]).prefetch_related("post__parts"):
            is_edited = row.post.parts.all()[0].text.startswith("Edited")
            assert not (is_edited and (str(row.pk) in claimed or row.approved_hash))


# --- decisions ---------------------------------------------------------------------------------------------


def test_of_many_decisions_at_once_exactly_one_counts(in_review, rita_actor, scoped):
    delivery, review = in_review()

    def decide(number: int) -> str:
        with workspace_scope(rita_actor.workspace.pk):
            if number % 2:
                reject_review(review, by=rita_actor, reason="No")
                return "rejected"
            approve_review(review, by=rita_actor, seen_hash=review.action_hash)
            return "approved"

    answers = workers.answers_of(decide, 4)
    decided = [answer for answer in answers if answer in {"approved", "rejected"}]
    assert (len(decided), answers.count("ReviewClosed")) == (1, 3)
    with scoped():
        assert Review.objects.get(pk=review.pk).status == decided[0]
    assert state_of(delivery) == {"approved": State.SCHEDULED, "rejected": State.DRAFT}[decided[0]]


def test_an_edit_under_the_reviewers_hand_makes_the_approval_void_without_a_deadlock(
    in_review, rita_actor, alice_actor, account, scoped
):
    delivery, review = in_review()
    gate, results = workers.PROCESSES.Event(), workers.PROCESSES.SimpleQueue()

    def approve() -> None:
        gate.wait(workers.PATIENCE_S)
        try:
            with workspace_scope(rita_actor.workspace.pk):
                approve_review(review, by=rita_actor, seen_hash=review.action_hash)
            results.put("approved")
        except Exception as error:
            results.put(type(error).__name__)

    reviewer = workers.start(approve)
    with scoped():
        Delivery.objects.select_for_update().get(pk=delivery.pk)
        gate.set()
        wait_for(somebody_waits_for_a_lock)
        draft = PostDraft((PartDraft("Changed just now"),), connections=(account.pk,))
        update_post(delivery.post, draft, by=alice_actor)
    reviewer.join(workers.PATIENCE_S)
    assert results.get() == "ReviewClosed"
    assert state_of(delivery) == State.IN_REVIEW


def test_a_flag_that_changes_while_it_is_submitted_is_in_what_the_reviewer_sees(
    alice_actor, account, scoped, workspace
):
    with scoped():
        post = create_post(PostDraft((PartDraft("By hand?"),), connections=(account.pk,)), by=alice_actor)
    gate = workers.PROCESSES.Event()

    def submit() -> None:
        gate.wait(workers.PATIENCE_S)
        with workspace_scope(alice_actor.workspace.pk):
            deliveries.submit_post(post, by=alice_actor)

    other = workers.start(submit)
    with scoped():
        draft = PostDraft((PartDraft("By a model."),), connections=(account.pk,), made_with_ai=True)
        update_post(post, draft, by=alice_actor)
        gate.set()
        wait_for(somebody_waits_for_a_lock)
    other.join(workers.PATIENCE_S)
    with scoped():
        snapshot = Review.objects.get(status="waiting").snapshot
    assert (snapshot["parts"][0]["text"], snapshot["made_with_ai"]) == ("By a model.", True)


def somebody_waits_for_a_lock() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


# --- people and the engine ---------------------------------------------------------------------------------


def test_moving_a_delivery_while_its_answer_is_written_down_is_no_deadlock(due, alice_actor, scoped, settings):
    delivery = due("Accepted this moment")
    (claimed,) = dispatch.tick().publish
    begun = job.start_job(*claimed)
    job.begin_submission(begun, 0)
    gate, results = workers.PROCESSES.Event(), workers.PROCESSES.SimpleQueue()

    def cancel() -> None:
        gate.wait(workers.PATIENCE_S)
        try:
            with workspace_scope(alice_actor.workspace.pk):
                deliveries.cancel_delivery(delivery, by=alice_actor)
        except Exception as error:
            results.put(type(error).__name__)

    person = workers.start(cancel)
    with scoped():
        Delivery.objects.select_for_update().get(pk=delivery.pk)
        gate.set()
        wait_for(somebody_waits_for_a_lock)
        outcome.record_accepted(begun, 0, Accepted("1", "https://x.test/1", 201, "r", ""))
    person.join(workers.PATIENCE_S)
    assert results.get() == "NotAllowedNow"
    assert state_of(delivery) == State.PUBLISHED


def test_of_it_is_live_and_send_again_at_once_only_one_counts(due, alice_actor, scoped):
    delivery = due("Is it?")
    begun = job.start_job(*dispatch.tick().publish[0])
    job.begin_submission(begun, 0)
    with clock.shifted(timedelta(seconds=200)):
        dispatch.tick()

    def settle(number: int) -> str:
        with clock.shifted(timedelta(seconds=200)), workspace_scope(alice_actor.workspace.pk):
            if number % 2:
                return deliveries.send_again(delivery, by=alice_actor).state
            return deliveries.confirm_live(delivery, "https://x.com/roastery/status/55", by=alice_actor).state

    answers = workers.answers_of(settle, 4)
    assert answers.count("NotAllowedNow") == 3
    with scoped():
        assert LivePart.objects.count() == (state_of(delivery) == State.PUBLISHED)


def test_many_posts_that_want_the_next_slot_get_one_each(due, alice_actor, account, scoped, workspace):
    with scoped():
        for weekday in range(7):
            Slot.objects.create(
                workspace=workspace, connection=account, weekday=weekday, time=time(9), time_zone="Europe/Berlin"
            )
    rows = [due(f"Post {number}") for number in range(8)]

    def take(number: int) -> str:
        with workspace_scope(alice_actor.workspace.pk):
            return deliveries.add_to_next_slot(rows[number], by=alice_actor).scheduled_at.isoformat()

    times = workers.answers_of(take, 8)
    assert len(set(times)) == 8


# --- changes of what is live -------------------------------------------------------------------------------


def test_taking_down_goes_on_while_others_write_in_the_workspace(due, alice_actor, account, workspace, scoped):
    delivery = due("Down with it")
    begun = job.start_job(*dispatch.tick().publish[0])
    job.begin_submission(begun, 0)
    outcome.record_accepted(begun, 0, Accepted("1", "https://x.test/1", 201, "r", ""))
    with scoped():
        live_changes.take_down(LivePart.objects.get(delivery=delivery), by=alice_actor)
    gate, found = workers.PROCESSES.Event(), workers.PROCESSES.SimpleQueue()

    def hold() -> None:
        with workspace_scope(workspace.pk):
            add_connection(workspace, "2")
            Connection.objects.select_for_update(no_key=True).get(pk=account.pk)
            found.put("held")
            gate.wait(workers.PATIENCE_S)

    other = workers.start(hold)
    found.get()
    changes = live_changes.due_changes()
    gate.set()
    other.join(workers.PATIENCE_S)
    assert len(changes) == 1


# --- one order of locks ------------------------------------------------------------------------------------


@pytest.fixture
def in_the_way(workspace):
    """What a person's act meets that locks the account while somebody else locks `then` after it."""

    def run(act, connection, then) -> str:
        held, results = workers.PROCESSES.SimpleQueue(), workers.PROCESSES.SimpleQueue()

        def person() -> None:
            try:
                with workspace_scope(workspace.pk):
                    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
                    held.put(True)
                    wait_for(somebody_waits_for_a_lock)
                    then()
                results.put("done")
            except Exception as error:
                results.put(type(error).__name__)

        other = workers.start(person)
        held.get()
        act()
        other.join(workers.PATIENCE_S)
        return results.get()

    return run


def test_a_spent_budget_and_a_person_who_moves_the_post_are_no_deadlock(due, in_the_way, account):
    delivery = due("Too dear")
    begun = job.start_job(*dispatch.tick().publish[0])
    error = BudgetExceeded(Budget("month:2026-01", 1), 2)
    lock = partial(Delivery.objects.select_for_update().get, pk=delivery.pk)
    assert in_the_way(lambda: outcome.stop_spending(begun, error), account, lock) == "done"


def test_settling_many_and_a_person_at_one_of_the_accounts_are_no_deadlock(
    due, in_the_way, account, workspace, alice_actor, scoped
):
    with scoped():
        second = add_connection(workspace, "second")
    rows = [due("One", to=account), due("Two", to=second)]
    rows.sort(key=lambda row: str(row.connection_id))
    with scoped():
        Delivery.objects.update(state=State.MISSED)

    def settle() -> None:
        with scoped():
            settle_missed(rows, "drop", by=alice_actor)

    write = partial(audit.record, "connection.check", rows[1].connection, by=alice_actor)
    assert in_the_way(settle, rows[1].connection, write) == "done"


def test_an_import_and_a_person_at_one_of_its_accounts_are_no_deadlock(
    in_the_way, account, workspace, alice_actor, scoped
):
    rows = [f"{number},@roastery,Hello {number},2027-01-0{number} 09:00,UTC" for number in (1, 2)]
    with scoped():
        content = "\n".join(["id,channel,text,time,timezone", *rows]).encode()
        imported = create_import("plan.csv", content, by=alice_actor)
        check_import(imported, by=alice_actor)
        start_import(imported, by=alice_actor)
    write = partial(audit.record, "connection.check", account, by=alice_actor)
    assert in_the_way(lambda: apply_import(workspace.pk, imported.pk), account, write) == "done"
