"""The queue of decisions, apart from what a decision does."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.access import Actor
from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from compliance import services
from compliance.access import get_review
from compliance.models import Review
from compliance.services import ReviewClosed, Subject, approve_review, reject_review, request_review, withdraw_reviews
from lib.ids import uuid7

HASH = "a" * 64
AUTHORED = uuid7()


class Log(list):
    """What the subject was told, and whether it refuses."""

    refuses = False

    def approve(self, review: Review, by: Actor) -> None:
        self.append(("approve", review.pk, by.label))
        if self.refuses:
            raise ReviewClosed("Not any more.")

    def send_back(self, review: Review, by: Actor, status: str) -> None:
        self.append((status, review.pk, review.reason))


@pytest.fixture
def told(bob, in_workspace):
    """A subject of its own kind, whose author is bob."""
    log = Log()
    services.SUBJECTS["poem"] = Subject(authors=lambda _id: {bob.pk}, approve=log.approve, send_back=log.send_back)
    yield log
    del services.SUBJECTS["poem"]


@pytest.fixture
def ask(told, alice_actor):
    def run(object_id=AUTHORED, *, by: Actor = alice_actor, action_hash: str = HASH) -> Review:
        return request_review("poem", object_id, by=by, action_hash=action_hash, snapshot={"text": "Roses"})

    return run


def status_of(review: Review) -> str:
    return Review.objects.get(pk=review.pk).status


def test_a_review_waits_with_what_will_be_done(ask, alice):
    review = ask()
    assert (review.status, review.action_hash, review.snapshot) == ("waiting", HASH, {"text": "Roses"})
    assert review.requested_by == alice


def test_asking_again_makes_the_older_review_obsolete(ask):
    older, newer = ask(), ask(action_hash="b" * 64)
    assert (status_of(older), status_of(newer)) == ("obsolete", "waiting")
    assert Review.objects.get(pk=older.pk).decided_at


def test_the_database_keeps_two_reviews_of_one_object_apart(ask, workspace):
    ask()
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(workspace=workspace, kind="poem", object_id=AUTHORED, action_hash=HASH)


def test_withdrawing_leaves_other_objects_and_decisions_alone(ask, alice_actor, rita_actor):
    mine, other, decided = ask(), ask(uuid7()), ask(uuid7())
    reject_review(decided, by=rita_actor, reason="No")
    withdraw_reviews("poem", mine.object_id, by=alice_actor)
    withdraw_reviews("poem", decided.object_id, by=alice_actor)
    assert [status_of(review) for review in (mine, other, decided)] == ["obsolete", "waiting", "rejected"]


def test_an_approval_is_written_down_and_done(ask, told, rita_actor, rita):
    review = ask()
    approve_review(review, by=rita_actor, seen_hash=HASH)
    row = Review.objects.get(pk=review.pk)
    assert (row.status, row.decided_by, row.reason) == ("approved", rita, "")
    assert told == [("approve", review.pk, rita.email)]
    assert AuditEntry.objects.get(action="review.approve").detail.data == {
        "hash": HASH,
        "object": str(AUTHORED),
    }


def test_a_rejection_tells_its_reason(ask, told, rita_actor):
    review = ask()
    reject_review(review, by=rita_actor, reason=" Too sweet\x00 ")
    assert told == [("rejected", review.pk, "Too sweet")]
    assert Review.objects.get(pk=review.pk).reason == "Too sweet"


@pytest.mark.parametrize("reason", ["", "   ", "\x00", "\ud800\n"])
def test_a_rejection_without_a_reason_is_refused(ask, told, rita_actor, reason):
    review = ask()
    with pytest.raises(ValidationError):
        reject_review(review, by=rita_actor, reason=reason)
    assert (told, status_of(review)) == ([], "waiting")


def test_what_the_subject_refuses_leaves_no_trace(ask, told, rita_actor):
    review = ask()
    told.refuses = True
    with pytest.raises(ReviewClosed, match="Not any more"):
        approve_review(review, by=rita_actor, seen_hash=HASH)
    assert status_of(review) == "waiting"
    assert not AuditEntry.objects.filter(action="review.approve").exists()


@pytest.mark.parametrize("seen", ["", "b" * 64, HASH.upper()])
def test_another_hash_on_the_screen_is_no_approval(ask, told, rita_actor, seen):
    review = ask()
    with pytest.raises(ReviewClosed):
        approve_review(review, by=rita_actor, seen_hash=seen)
    assert (told, status_of(review)) == ([], "waiting")


@pytest.mark.parametrize("status", ["approved", "rejected", "obsolete"])
def test_only_a_waiting_review_is_decided(ask, told, rita_actor, status):
    review = ask()
    Review.objects.update(status=status)
    with pytest.raises(ReviewClosed):
        approve_review(review, by=rita_actor, seen_hash=HASH)
    with pytest.raises(ReviewClosed):
        reject_review(review, by=rita_actor, reason="No")
    assert (told, status_of(review)) == ([], status)


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_who_may_not_review_decides_nothing(request, ask, told, name):
    review, actor = ask(), request.getfixturevalue(f"{name}_actor")
    with pytest.raises(PermissionDenied):
        approve_review(review, by=actor, seen_hash=HASH)
    with pytest.raises(PermissionDenied):
        reject_review(review, by=actor, reason="No")
    assert (told, status_of(review)) == ([], "waiting")


def test_four_eyes_shut_out_the_one_who_asked_and_the_author_but_let_everybody_reject(
    ask, told, alice_actor, bob_actor, rita_actor, workspace
):
    workspace.four_eyes = True
    review = ask()
    author = Actor(workspace, rita_actor.perms, "bob", user=bob_actor.user)
    for actor in (alice_actor, author):
        with pytest.raises(PermissionDenied, match="four eyes"):
            approve_review(review, by=actor, seen_hash=HASH)
    reject_review(review, by=alice_actor, reason="My mistake")
    assert status_of(review) == "rejected"


def test_a_review_is_found_by_members_of_its_workspace_only(ask, vic_actor, gwen_actor, charlie_actor):
    review = ask()
    assert get_review(vic_actor, review.pk) == review
    with pytest.raises(PermissionDenied):
        get_review(gwen_actor, review.pk)
    with workspace_scope(charlie_actor.workspace.pk), pytest.raises(Http404):
        get_review(charlie_actor, review.pk)
    with pytest.raises(Http404):
        get_review(vic_actor, uuid7())


def test_a_review_says_what_it_is(ask):
    assert str(ask()) == f"poem {AUTHORED} (waiting)"
