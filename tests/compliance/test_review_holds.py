"""Hold, resume, comments, changes, and approvals that come too late."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, Notification
from compliance.models import Review, ReviewEvent
from compliance.reviews.subjects import SUBJECTS
from compliance.services import (
    ReviewClosed,
    ReviewHeld,
    approve_review,
    comment_review,
    hold_review,
    reject_review,
    request_changes,
    resume_review,
    withdraw_reviews,
)
from lib.clock import now, shifted
from tests.compliance.poems import KIND, Poems, ask, events, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def poems():
    made = Poems()
    made.register()
    yield made
    del SUBJECTS[KIND]


@pytest.fixture
def review(poems, in_workspace, bob_actor):
    return ask(bob_actor)


def approve(review: Review, by) -> None:
    approve_review(review, by=by, seen_hash=review.action_hash)


def test_nobody_approves_what_is_on_hold_and_hears_why(review, poems, rita_actor, alice_actor):
    hold_review(review, by=rita_actor, reason=" The lawyers look. ")
    for actor in (rita_actor, alice_actor):
        with pytest.raises(ReviewHeld, match=r"rita@example.org put this on hold: The lawyers look\."):
            approve(fresh(review), actor)
    assert (fresh(review).status, poems.done) == ("waiting", [])
    assert AuditEntry.objects.get(action="review.hold").detail.data["reason"] == "The lawyers look."


def test_after_it_is_resumed_it_can_be_approved_and_the_time_did_not_count(review, rita_actor):
    due = fresh(review).due_at
    hold_review(review, by=rita_actor, reason="Wait")
    with shifted(timedelta(hours=3)):
        resume_review(fresh(review), by=rita_actor)
    row = fresh(review)
    assert abs(row.due_at - due - timedelta(hours=3)) < timedelta(seconds=5)
    assert (row.held_at, row.held_by_label, row.hold_reason) == (None, "", "")
    with shifted(timedelta(hours=4)):
        approve(row, rita_actor)
    assert events(review) == ["requested", "held", "resumed", "approved"]


@pytest.mark.parametrize("act", [reject_review, request_changes])
def test_what_is_on_hold_may_go_back_to_its_author(act, review, poems, rita_actor):
    hold_review(review, by=rita_actor, reason="Wait")
    act(fresh(review), by=rita_actor, reason="No")
    assert poems.done == [(fresh(review).status, review.pk)]


def test_holding_twice_and_resuming_what_runs_are_refused(review, rita_actor):
    with pytest.raises(ReviewClosed, match="not on hold"):
        resume_review(review, by=rita_actor)
    hold_review(review, by=rita_actor, reason="Wait")
    with pytest.raises(ReviewClosed, match="on hold already"):
        hold_review(review, by=rita_actor, reason="Again")
    assert fresh(review).hold_reason == "Wait"


def test_a_hold_survives_an_edit(review, bob_actor, rita_actor):
    hold_review(review, by=rita_actor, reason="Wait")
    newer = ask(bob_actor, object_id=review.object_id, action_hash="b" * 64)
    assert (fresh(newer).hold_reason, fresh(newer).held_by_label) == ("Wait", "rita@example.org")
    with pytest.raises(ReviewHeld):
        approve(newer, rita_actor)
    assert events(review) == ["requested", "held", "obsolete"]


@pytest.mark.parametrize("act", [hold_review, request_changes])
@pytest.mark.parametrize("reason", ["", "  ", "\x00"])
def test_a_reason_is_wanted(act, reason, review, rita_actor):
    with pytest.raises(ValidationError, match="Say why"):
        act(review, by=rita_actor, reason=reason)
    assert events(review) == ["requested"]


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_who_may_not_review_holds_nothing(name, request, review):
    actor = request.getfixturevalue(f"{name}_actor")
    for act in (hold_review, request_changes):
        with pytest.raises(PermissionDenied):
            act(review, by=actor, reason="No")
    with pytest.raises(PermissionDenied):
        resume_review(review, by=actor)
    assert events(review) == ["requested"]


def test_changes_go_back_with_their_reason(review, poems, rita_actor, rita):
    request_changes(review, by=rita_actor, reason=" Shorter\x00 ")
    row = fresh(review)
    assert (row.status, row.reason, row.decided_by, row.decided_label) == ("changes", "Shorter", rita, "")
    assert poems.done == [("changes", review.pk)]
    assert AuditEntry.objects.get(action="review.changes").detail.data["reason"] == "Shorter"
    assert ReviewEvent.objects.get(review=review, kind="changes").text == "Shorter"


def test_a_rule_that_came_since_keeps_an_approval_out(review, poems, rita_actor):
    poems.forbidden = "A rule forbids it."
    with pytest.raises(ValidationError, match="A rule forbids it"):
        approve(review, rita_actor)
    assert fresh(review).status == "waiting"


@pytest.mark.parametrize("case", ["expired", "too late"])
def test_too_late_is_not_approved(case, review, poems, rita_actor):
    if case == "expired":
        Review.objects.update(expires_at=now() - timedelta(seconds=1))
    else:
        poems.late.add(review.object_id)
    with pytest.raises(ReviewClosed, match="Nobody decided in time"):
        approve(review, rita_actor)
    assert poems.done == []
    reject_review(review, by=rita_actor, reason="Too late anyway")
    assert fresh(review).status == "rejected"


def test_a_comment_stands_in_the_history_and_its_author_is_told(review, rita_actor, bob, rita):
    comment_review(review, by=rita_actor, text=" Which Friday?\x00 ")
    event = ReviewEvent.objects.get(review=review, kind="commented")
    assert (event.text, event.user) == ("Which Friday?", rita)
    told = Notification.objects.get(kind="review.comment")
    assert (told.user, told.path) == (bob, f"/reviews/{review.pk}")
    assert "Which Friday?" in told.text


def test_a_comment_of_ones_own_tells_nobody(review, bob_actor):
    comment_review(review, by=bob_actor, text="Next Friday.")
    assert not Notification.objects.filter(kind="review.comment").exists()


@pytest.mark.parametrize("name", ["vic", "gwen"])
def test_who_only_looks_does_not_comment(name, request, review):
    with pytest.raises(PermissionDenied):
        comment_review(review, by=request.getfixturevalue(f"{name}_actor"), text="Hm")
    assert events(review) == ["requested"]


def test_an_empty_comment_is_refused(review, rita_actor):
    with pytest.raises(ValidationError):
        comment_review(review, by=rita_actor, text=" \x00")


def test_taking_it_back_and_asking_again_ends_no_hold_and_a_decision_does(review, bob_actor, rita_actor):
    hold_review(review, by=rita_actor, reason="Wait")
    withdraw_reviews(KIND, review.object_id, by=bob_actor)
    second = ask(bob_actor, object_id=review.object_id)
    assert (second.hold_reason, second.held_by_label) == ("Wait", "rita@example.org")
    reject_review(second, by=rita_actor, reason="Another time")
    assert ask(bob_actor, object_id=review.object_id).held_at is None
