"""A decision and what surrounds it: four eyes, two people at once, and what an approval stands for."""

import hashlib
import json
import threading
from dataclasses import replace
from multiprocessing.pool import ThreadPool

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections

from accounts.access import Perm, system_actor
from accounts.models import AuditEntry, Membership
from accounts.scope import workspace_scope
from compliance import services
from compliance.models import Review
from compliance.services import ReviewClosed, Subject, approve_review, reject_review, request_review, withdraw_reviews
from lib.ids import uuid7

pytestmark = pytest.mark.django_db
POEM = {"text": "Rosen 玫瑰 🌹", "lines": [1, 2, None]}


def hash_of(snapshot: dict) -> str:
    return hashlib.sha256(json.dumps(snapshot, sort_keys=True).encode()).hexdigest()


@pytest.fixture
def authors() -> set:
    return set()


@pytest.fixture
def done(authors, monkeypatch) -> list:
    """What followed from decisions on poems."""
    log: list = []
    subject = Subject(
        authors=lambda _id: authors,
        approve=lambda review, by: log.append(("approve", by.label)),
        send_back=lambda review, by, status: log.append(("reject", by.label)),
    )
    monkeypatch.setitem(services.SUBJECTS, "poem", subject)
    return log


@pytest.fixture
def review(done, workspace, bob_actor) -> Review:
    with workspace_scope(workspace.pk):
        return request_review("poem", uuid7(), by=bob_actor, action_hash=hash_of(POEM), snapshot=POEM)


@pytest.fixture
def four_eyes(in_workspace):
    in_workspace.four_eyes = True


def approve(review: Review, by) -> None:
    approve_review(review, by=by, seen_hash=review.action_hash)


def status_of(review: Review) -> str:
    return Review.objects.get(pk=review.pk).status


# --- four eyes -------------------------------------------------------------------------------------------------------


def test_two_eyes_are_enough_where_the_workspace_does_not_want_four(in_workspace, review, authors, done, rita_actor):
    authors.add(rita_actor.user.pk)
    approve(review, rita_actor)
    assert done == [("approve", "rita@example.org")]


def test_every_one_of_several_authors_is_shut_out(four_eyes, review, authors, done, alice_actor, rita_actor):
    authors |= {alice_actor.user.pk, rita_actor.user.pk}
    for actor in (alice_actor, rita_actor):
        with pytest.raises(PermissionDenied, match="four eyes"):
            approve(review, actor)
    assert (done, status_of(review)) == ([], "waiting")


def test_who_wrote_nothing_of_it_may_approve(four_eyes, review, authors, done, alice_actor, rita_actor):
    authors.add(alice_actor.user.pk)
    approve(review, rita_actor)
    assert done == [("approve", "rita@example.org")]


def test_who_asked_is_shut_out_even_as_no_author(four_eyes, review, done, bob_actor):
    with pytest.raises(PermissionDenied, match="four eyes"):
        approve(review, replace(bob_actor, perms=frozenset(Perm)))
    assert done == []


def test_nobody_in_particular_is_no_second_pair_of_eyes(four_eyes, review, done, workspace):
    with pytest.raises(PermissionDenied, match="four eyes"):
        approve(review, system_actor(workspace, "policy", [Perm.REVIEW]))
    assert done == []


def test_policy_may_approve_where_two_eyes_are_enough_and_is_named(in_workspace, review, done):
    approve(review, system_actor(in_workspace, "policy nightly", [Perm.REVIEW]))
    assert Review.objects.get(pk=review.pk).decided_by is None
    assert AuditEntry.objects.get(action="review.approve").detail.actor == "policy nightly"


def test_author_may_always_reject(four_eyes, review, authors, done, rita_actor):
    authors.add(rita_actor.user.pk)
    reject_review(review, by=rita_actor, reason="Mine, and not good")
    assert done == [("reject", "rita@example.org")]


def test_review_of_somebody_who_is_gone_is_still_decided(four_eyes, review, done, bob, rita_actor):
    Membership.objects.filter(user=bob).delete()
    bob.delete()
    approve(Review.objects.get(pk=review.pk), rita_actor)
    assert done == [("approve", "rita@example.org")]


# --- what is approved ------------------------------------------------------------------------------------------------


def test_stored_snapshot_is_what_the_hash_covers(in_workspace, review):
    row = Review.objects.get(pk=review.pk)
    assert (row.snapshot, hash_of(row.snapshot)) == (POEM, row.action_hash)


def test_approval_of_an_obsolete_review_does_not_reach_the_newer_one(in_workspace, review, done, bob_actor, rita_actor):
    changed = POEM | {"text": "Tulpen"}
    newer = request_review("poem", review.object_id, by=bob_actor, action_hash=hash_of(changed), snapshot=changed)
    with pytest.raises(ReviewClosed, match="decided already, or the post changed"):
        approve(review, rita_actor)
    assert (done, status_of(review), status_of(newer)) == ([], "obsolete", "waiting")


def test_hash_of_the_older_content_does_not_approve_the_newer(in_workspace, review, done, bob_actor, rita_actor):
    changed = POEM | {"text": "Tulpen"}
    newer = request_review("poem", review.object_id, by=bob_actor, action_hash=hash_of(changed), snapshot=changed)
    with pytest.raises(ReviewClosed, match="changed after this page was opened"):
        approve_review(newer, by=rita_actor, seen_hash=review.action_hash)
    assert (done, status_of(newer)) == ([], "waiting")


def test_same_object_of_another_kind_keeps_its_review(in_workspace, review, bob_actor):
    request_review("song", review.object_id, by=bob_actor, action_hash=hash_of({}), snapshot={})
    withdraw_reviews("song", review.object_id, by=bob_actor)
    assert status_of(review) == "waiting"


def test_another_workspace_withdraws_nothing(review, workspace, other_workspace, charlie_actor):
    with workspace_scope(other_workspace.pk):
        withdraw_reviews("poem", review.object_id, by=charlie_actor)
    with workspace_scope(workspace.pk):
        assert status_of(review) == "waiting"


def test_content_that_was_rejected_may_be_asked_for_again(in_workspace, review, bob_actor, rita_actor):
    reject_review(review, by=rita_actor, reason="Not yet")
    again = request_review("poem", review.object_id, by=bob_actor, action_hash=hash_of(POEM), snapshot=POEM)
    assert (status_of(review), status_of(again)) == ("rejected", "waiting")


def test_queue_begins_with_who_waits_longest(in_workspace, review, bob_actor):
    later = request_review("poem", uuid7(), by=bob_actor, action_hash=hash_of(POEM), snapshot=POEM)
    assert list(Review.objects.filter(status="waiting")) == [review, later]


def test_rejection_is_recorded_with_its_reason_and_object(in_workspace, review, rita_actor):
    reject_review(review, by=rita_actor, reason="  Zu süß 太甜\x00 ")
    assert AuditEntry.objects.get(action="review.reject").detail.data == {
        "reason": "Zu süß 太甜",
        "object": str(review.object_id),
    }


# --- at once -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(2))
def test_two_decisions_at_once_are_one_and_the_other_is_told(round_, review, workspace, alice_actor, rita_actor):
    together = threading.Barrier(2, timeout=60)

    def decide(act) -> str:
        try:
            with workspace_scope(workspace.pk):
                mine = Review.objects.get(pk=review.pk)
                together.wait()
                act(mine)
        except ReviewClosed as closed:
            return str(closed)
        finally:
            connections.close_all()
        return "done"

    acts = [lambda r: approve(r, alice_actor), lambda r: reject_review(r, by=rita_actor, reason="No")]
    with ThreadPool(2) as pool:
        answers = pool.map(decide, acts, chunksize=1)
    assert sorted(answers) == [services.CLOSED, "done"]
    with workspace_scope(workspace.pk):
        assert status_of(review) == ["approved", "rejected"][answers.index("done")]
        assert AuditEntry.objects.filter(action__startswith="review.").count() == 1
