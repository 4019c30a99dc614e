from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Notification, Switch, UsageEntry, Workspace
from campaigns import live_changes
from campaigns.deliveries import publish_now
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, LiveChange, LivePart
from campaigns.services import MediaDraft, PartDraft
from compliance.models import WorkspaceTerm
from compliance.services import ReviewClosed, approve_review, reject_review
from lib import clock
from social.models import Connection
from tests.campaigns.engine.rows import EDITED, fresh, review_of

State = LiveChange.State
REMOVE = "DELETE /2/tweets/{id}"
HOUR = timedelta(hours=1)


# --- asking for an edit -----------------------------------------------------------------------------------------


def test_an_edit_waits_for_a_review_that_shows_before_and_after(premium, publish, edit):
    (part,) = publish("First words")
    change = edit(part)
    review = review_of(change)
    assert (change.state, review.status, review.kind) == (State.IN_REVIEW, "waiting", "live_change")
    assert review.snapshot == {
        "delivery": str(part.delivery_id),
        "part": 0,
        "before": "First words",
        "text": EDITED,
    }


def test_nothing_changes_before_the_approval(premium, publish, edit, work, on_x):
    (part,) = publish("First words")
    edit(part)
    assert work() == 0
    assert on_x() == ["First words"]


def test_reviewers_are_told(premium, publish, edit, rita):
    (part,) = publish("First words")
    edit(part)
    assert Notification.objects.filter(user=rita, text__startswith="An edit of “First words” waits").exists()


def test_without_a_subscription_x_takes_no_edit(publish, edit):
    (part,) = publish("First words")
    with pytest.raises(NotAllowedNow, match="only Premium accounts"):
        edit(part)


def test_after_an_hour_x_takes_no_edit(premium, publish, edit):
    (part,) = publish("First words")
    with clock.shifted(HOUR + timedelta(minutes=1)), pytest.raises(NotAllowedNow, match="within an hour only"):
        edit(part)


def test_an_edit_on_x_that_would_lose_a_picture_is_refused(premium, publish, edit, picture):
    (part,) = publish(PartDraft("Look", (MediaDraft(picture().pk),)))
    with pytest.raises(NotAllowedNow, match="lose the media"):
        edit(part)


def test_an_edit_on_x_that_would_lose_a_poll_is_refused(premium, publish, edit):
    (part,) = publish(PartDraft("Tea?", poll={"options": ["Yes", "No"], "minutes": 60}))
    with pytest.raises(NotAllowedNow, match="lose the poll"):
        edit(part)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "Write the new text"), (" First words ", "live already"), ("x" * 25_001, "1 over the limit of 25000")],
)
def test_a_text_that_cannot_be_is_refused(premium, publish, edit, text, reason):
    (part,) = publish("First words")
    with pytest.raises(ValidationError, match=reason):
        edit(part, text)


def test_one_change_at_a_time(premium, publish, edit):
    (part,) = publish("First words")
    edit(part)
    with pytest.raises(NotAllowedNow, match="on its way"):
        edit(part, "Still other words")


@pytest.mark.parametrize("actor", ["rita_actor", "vic_actor", "gwen_actor"])
def test_only_who_may_publish_may_ask(premium, publish, actor, request):
    (part,) = publish("First words")
    with pytest.raises(PermissionDenied):
        live_changes.request_edit(part, EDITED, by=request.getfixturevalue(actor))
    with pytest.raises(PermissionDenied):
        live_changes.take_down(part, by=request.getfixturevalue(actor))


def test_a_disconnected_account_can_change_nothing(premium, publish, edit, take_down):
    (part,) = publish("First words")
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    for act in (edit, take_down):
        with pytest.raises(NotAllowedNow, match="Connect it again"):
            act(part)


# --- deciding ---------------------------------------------------------------------------------------------------


def test_under_four_eyes_nobody_approves_an_edit_of_their_own(premium, publish, edit, alice_actor, bob_actor):
    (part,) = publish("First words")
    review = review_of(live_changes.request_edit(part, EDITED, by=bob_actor))
    alice_actor.workspace.four_eyes = True
    with pytest.raises(PermissionDenied, match="four eyes"):
        # Alice wrote the post, Bob the edit: neither may.
        approve_review(review, by=alice_actor, seen_hash=review.action_hash)


def test_an_approval_is_bound_to_what_was_seen(premium, publish, edit, rita_actor):
    (part,) = publish("First words")
    change = edit(part)
    with pytest.raises(ReviewClosed):
        approve_review(review_of(change), by=rita_actor, seen_hash="another")
    assert fresh(change).state == State.IN_REVIEW


def test_an_approval_never_covers_another_text(premium, publish, edit, rita_actor):
    (part,) = publish("First words")
    change = edit(part)
    LiveChange.objects.filter(pk=change.pk).update(action_hash="changed behind our back")
    review = review_of(change)
    with pytest.raises(ReviewClosed):
        approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    assert fresh(change).state == State.IN_REVIEW


def test_a_rejected_edit_is_over_and_its_author_hears_why(premium, publish, edit, rita_actor, work, on_x, alice):
    (part,) = publish("First words")
    change = edit(part)
    reject_review(review_of(change), by=rita_actor, reason="Too loud.")
    assert (fresh(change).state, fresh(change).problem_text) == (State.REJECTED, "Rejected: Too loud.")
    assert (work(), on_x()) == (0, ["First words"])
    assert Notification.objects.filter(user=alice, text__endswith="was rejected: Too loud.").exists()


def test_after_a_rejection_another_edit_may_be_asked_for(premium, publish, edit, rita_actor):
    (part,) = publish("First words")
    reject_review(review_of(edit(part)), by=rita_actor, reason="Too loud.")
    assert edit(part, "Softer words").state == State.IN_REVIEW


# --- editing on X -----------------------------------------------------------------------------------------------


def test_an_approved_edit_replaces_the_post(premium, publish, approved, work, on_x, sandbox):
    (part,) = publish("First words")
    change = approved(part)
    work()
    assert on_x() == [EDITED]
    assert fresh(change).state == State.DONE
    assert fresh(part).remote_id == sandbox.posts("roastery")[-1]["id"] != part.remote_id
    assert fresh(part).content_hash != part.content_hash


def test_an_edit_is_no_second_publication(premium, publish, approved, work, tick, reload):
    (part,) = publish("First words")
    before = reload(part.delivery)
    approved(part)
    work()
    after = reload(part.delivery)
    assert tick(60).publish == []
    assert (after.state, after.published_at, after.fence) == (Delivery.State.PUBLISHED, before.published_at, 1)
    assert LivePart.objects.filter(delivery=after).count() == 1


def test_a_repeated_message_edits_once(premium, publish, approved, work, sandbox):
    (part,) = publish("First words")
    change = approved(part)
    work()
    live_changes.make_change(change.workspace_id, change.pk)
    assert len(sandbox.posts("roastery")) == 2


def test_a_change_in_the_hands_of_one_worker_is_given_to_no_other(premium, publish, approved):
    (part,) = publish("First words")
    approved(part)
    assert [len(live_changes.due_changes()), len(live_changes.due_changes())] == [1, 0]


def test_an_edit_whose_answer_was_lost_is_found_and_not_repeated(premium, publish, approved, work, sandbox, on_x):
    (part,) = publish("First words")
    change = approved(part)
    sandbox.fault("accept_then_drop", route="POST /2/tweets")
    work()
    assert fresh(change).state == State.QUEUED
    work(120)
    assert (fresh(change).state, on_x(), len(sandbox.posts("roastery"))) == (State.DONE, [EDITED], 2)


def test_a_worker_that_died_leaves_the_edit_to_the_next(premium, publish, approved, work, on_x):
    (part,) = publish("First words")
    approved(part)
    live_changes.due_changes()
    assert work() == 0
    assert work(121) == 1
    assert on_x() == [EDITED]


def test_an_edit_that_x_refuses_fails_and_says_why(premium, publish, approved, work, sandbox, alice, on_x):
    (part,) = publish("First words")
    change = approved(part)
    sandbox.advance(3700)
    work()
    assert (fresh(change).state, fresh(change).problem_text) == (
        State.FAILED,
        "X does not allow this account to do that.",
    )
    assert on_x() == ["First words"]
    assert Notification.objects.filter(user=alice, kind="delivery.change_failed").exists()


def test_a_second_edit_shows_the_first_as_what_was_before(premium, publish, approved, edit, work):
    (part,) = publish("First words")
    approved(part)
    work()
    assert review_of(edit(fresh(part), "Third words")).snapshot["before"] == EDITED


def test_an_edit_costs_what_a_post_costs(premium, publish, approved, work, sandbox):
    (part,) = publish("First words")
    before = sandbox.get("/apps")["apps"][0]["spent_micro"]
    approved(part, "See https://example.com/beans")
    work()
    assert UsageEntry.objects.get(kind="x.edit").amount_micro == 200_000
    read = 5_000
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] - before == 200_000 + read


def test_an_edited_part_of_a_thread_stays_in_it(premium, publish, approved, work, sandbox):
    first, second = publish("One", "Two")
    approved(second)
    work()
    assert sandbox.posts("roastery")[-1]["in_reply_to"] == first.remote_id


def test_a_used_up_window_costs_no_retry(premium, publish, approved, work, sandbox):
    (part,) = publish("First words")
    change = approved(part)
    sandbox.fault("rate_limit", route="POST /2/tweets", seconds=100)
    work()
    assert (fresh(change).state, fresh(change).failures) == (State.QUEUED, 0)
    assert fresh(change).due_at > clock.now() + timedelta(seconds=90)


def test_a_token_that_x_refuses_is_renewed(premium, publish, approved, work, sandbox, on_x):
    (part,) = publish("First words")
    approved(part)
    sandbox.fault("token_expired")
    work()
    work(60)
    assert on_x() == [EDITED]


@pytest.mark.parametrize("stop", ["instance", "workspace", "paused account"])
def test_an_approved_edit_waits_while_publishing_is_stopped(premium, publish, approved, work, on_x, stop):
    (part,) = publish("First words")
    approved(part)
    STOPS[stop](part)
    assert work() == 0
    assert on_x() == ["First words"]


STOPS = {
    "instance": lambda part: Switch.objects.create(name=Switch.PUBLISHING, is_on=True),
    "workspace": lambda part: Workspace.objects.filter(pk=part.workspace_id).update(is_stopped=True),
    "paused account": lambda part: Connection.objects.update(status=Connection.Status.PAUSED),
}


# --- taking down on X -------------------------------------------------------------------------------------------


def test_a_post_is_taken_down_without_an_approval(publish, take_down, work, on_x):
    (part,) = publish("Oops")
    change = take_down(part)
    work()
    assert on_x() == []
    assert fresh(change).state == State.DONE
    assert fresh(part).deleted_at is not None


def test_taking_down_never_publishes_again(publish, take_down, work, tick, reload, on_x):
    (part,) = publish("Oops")
    take_down(part)
    work()
    assert tick(120).publish == []
    assert (reload(part.delivery).state, on_x()) == (Delivery.State.PUBLISHED, [])


def test_taking_down_is_billed(publish, take_down, work):
    (part,) = publish("Oops")
    take_down(part)
    work()
    assert UsageEntry.objects.get(kind="x.delete").amount_micro == 10_000


def test_taking_down_twice_is_refused(publish, take_down, work):
    (part,) = publish("Oops")
    take_down(part)
    with pytest.raises(NotAllowedNow, match="on its way"):
        take_down(part)
    work()
    with pytest.raises(NotAllowedNow, match="taken down already"):
        take_down(part)


def test_what_somebody_deleted_on_x_counts_as_taken_down(publish, take_down, work, sandbox):
    (part,) = publish("Oops")
    sandbox.sign_in("roastery").call("DELETE", f"/2/tweets/{part.remote_id}")
    change = take_down(part)
    work()
    assert fresh(change).state == State.DONE


def test_a_removal_whose_answer_was_lost_is_repeated_without_harm(publish, take_down, work, sandbox, on_x):
    (part,) = publish("Oops")
    change = take_down(part)
    sandbox.fault("accept_then_drop", route=REMOVE)
    work()
    work(120)
    assert (fresh(change).state, on_x()) == (State.DONE, [])


@pytest.mark.parametrize("stop", ["instance", "workspace", "paused account"])
def test_taking_down_goes_on_while_publishing_is_stopped(publish, take_down, work, on_x, stop):
    (part,) = publish("Oops")
    take_down(part)
    STOPS[stop](part)
    work()
    assert on_x() == []


def test_taking_down_ends_the_edit_that_was_waiting(premium, publish, edit, take_down, work, on_x):
    (part,) = publish("Oops")
    change = edit(part)
    take_down(part)
    work()
    assert (fresh(change).state, review_of(change).status) == (State.REJECTED, "obsolete")
    assert on_x() == []


def test_taking_down_ends_an_approved_edit_that_a_stop_holds_back(premium, publish, approved, take_down, work, on_x):
    (part,) = publish("First words")
    change = approved(part)
    Workspace.objects.update(is_stopped=True)
    take_down(part)
    work()
    assert on_x() == []
    assert LiveChange.objects.get(pk=change.pk).state == State.REJECTED


def test_taking_down_waits_for_an_edit_in_the_hands_of_a_worker(premium, publish, approved, take_down):
    (part,) = publish("First words")
    approved(part)
    assert len(live_changes.due_changes()) == 1
    with pytest.raises(NotAllowedNow, match="on its way"):
        take_down(part)


def test_an_edited_post_is_taken_down_as_it_is_now(premium, publish, approved, take_down, work, on_x):
    (part,) = publish("Oops")
    approved(part)
    work()
    take_down(fresh(part))
    work()
    assert on_x() == []


def test_a_thread_is_taken_down_from_its_end(publish, alice_actor, work, sandbox, on_x):
    parts = publish("One", "Two", "Three")
    assert live_changes.take_down_all(parts[0].delivery, by=alice_actor) == 3
    work()
    removed = [entry["effect_id"] for entry in sandbox.ledger(effect="delete")]
    assert sorted(removed) == sorted(part.remote_id for part in parts)
    assert on_x() == []


# --- half a thread ----------------------------------------------------------------------------------------------


def test_nothing_is_sent_after_a_part_that_was_taken_down(due, claim, reload, take_down, work, on_x, tick):
    from campaigns.engine import publish as engine
    from campaigns.engine.job import begin_submission, start_job

    delivery = due("One", "Two")
    job = start_job(*claim())
    begin_submission(job, 0)
    client = engine.open_client(job.connection)
    engine._record(job, client, 0, client.publish(engine.OutgoingPart("One")))
    take_down(delivery.live_parts.get())
    with pytest.raises(engine.NotNow, match="taken down"):
        begin_submission(job, 1)


def test_what_was_taken_down_half_way_cannot_be_continued(due, tick, sandbox, reload, take_down, work, alice_actor):
    delivery = due("One", "Two")
    tick()
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.FAILED)
    LivePart.objects.filter(delivery=delivery, position=1).delete()
    take_down(delivery.live_parts.get())
    work()
    with pytest.raises(NotAllowedNow, match="Duplicate the post"):
        publish_now(delivery, by=alice_actor)


@pytest.mark.parametrize("kind", ["block", "review"])
def test_an_edit_that_a_later_rule_stops_is_not_made_and_says_why(kind, premium, publish, approved, work, on_x, alice):
    (part,) = publish("First words")
    change = approved(part)
    WorkspaceTerm.objects.create(workspace_id=part.workspace_id, term=EDITED.split()[0], kind=kind)
    work()
    row = fresh(change)
    assert (row.state, on_x()) == (State.FAILED, ["First words"])
    assert row.problem_text
    assert Notification.objects.filter(user=alice, kind="delivery.change_failed").exists()


def test_an_edit_whose_reviewer_saw_what_the_rules_ask_is_made(premium, publish, approved, work, on_x):
    (part,) = publish("First words")
    WorkspaceTerm.objects.create(workspace_id=part.workspace_id, term=EDITED.split()[0], kind="review")
    approved(part)
    work()
    assert on_x() == [EDITED]
