"""Who looks at a review: one at a time, for ten minutes."""

import threading
from datetime import timedelta
from multiprocessing.pool import ThreadPool

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections

from accounts.scope import workspace_scope
from compliance.reviews.claims import CLAIM
from compliance.reviews.subjects import SUBJECTS
from compliance.services import (
    ReviewClaimed,
    ReviewClosed,
    approve_review,
    claim_review,
    hold_review,
    reject_review,
    release_review,
    request_changes,
    resume_review,
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


ACTS = {
    "approve": lambda review, by: approve_review(review, by=by, seen_hash=review.action_hash),
    "reject": lambda review, by: reject_review(review, by=by, reason="No"),
    "changes": lambda review, by: request_changes(review, by=by, reason="Shorter"),
    "hold": lambda review, by: hold_review(review, by=by, reason="Wait"),
}


def test_a_claim_lasts_ten_minutes_and_is_written_down(review, rita_actor, rita):
    claimed = claim_review(review, by=rita_actor)
    assert claimed.claimed_by == rita
    assert timedelta(minutes=9) < claimed.claimed_until - now() <= CLAIM
    assert events(review) == ["requested", "claimed"]


def test_claiming_again_renews_it_without_another_line_of_history(review, rita_actor):
    first = claim_review(review, by=rita_actor).claimed_until
    with shifted(timedelta(minutes=5)):
        assert claim_review(review, by=rita_actor, renews=True).claimed_until > first
    assert events(review) == ["requested", "claimed"]


@pytest.mark.parametrize("act", ACTS)
def test_nobody_else_decides_during_a_claim_and_hears_who_and_until_when(act, review, poems, rita_actor, alice_actor):
    claim_review(review, by=rita_actor)
    with pytest.raises(ReviewClaimed, match=r"Rita is looking at this until \d\d:\d\d \(Europe/Berlin\)"):
        ACTS[act](fresh(review), alice_actor)
    assert (fresh(review).status, fresh(review).held_at, poems.done) == ("waiting", None, [])


@pytest.mark.parametrize("act", ACTS)
def test_whoever_claimed_decides(act, review, rita_actor):
    claim_review(review, by=rita_actor)
    ACTS[act](fresh(review), rita_actor)
    assert fresh(review).status != "waiting" or fresh(review).held_at


@pytest.mark.parametrize("act", ACTS)
def test_an_ended_claim_stops_nobody(act, review, rita_actor, alice_actor):
    claim_review(review, by=rita_actor)
    with shifted(CLAIM + timedelta(seconds=1)):
        ACTS[act](fresh(review), alice_actor)
    assert fresh(review).status != "waiting" or fresh(review).held_at


def test_a_second_claim_waits_for_the_first_to_end_and_then_takes_over(review, rita_actor, alice_actor, alice):
    claim_review(review, by=rita_actor)
    with pytest.raises(ReviewClaimed, match="Rita"):
        claim_review(review, by=alice_actor)
    with shifted(CLAIM + timedelta(seconds=1)):
        assert claim_review(review, by=alice_actor).claimed_by == alice
        with pytest.raises(ReviewClaimed, match="Alice"):
            claim_review(review, by=rita_actor, renews=True)


def test_renewing_takes_nothing(review, rita_actor):
    with pytest.raises(ReviewClosed, match="ended"):
        claim_review(review, by=rita_actor, renews=True)
    assert fresh(review).claimed_by is None


def test_a_released_review_is_free_and_others_cannot_release_it(review, rita_actor, alice_actor):
    claim_review(review, by=rita_actor)
    release_review(review, by=alice_actor)
    assert fresh(review).claimed_by == rita_actor.user
    release_review(review, by=rita_actor)
    release_review(review, by=rita_actor)
    assert fresh(review).claimed_by is None
    assert events(review) == ["requested", "claimed", "released"]


def test_a_person_holds_one_claim_at_a_time(review, bob_actor, rita_actor, alice_actor):
    other, third = ask(bob_actor), ask(bob_actor)
    claim_review(third, by=alice_actor)
    claim_review(review, by=rita_actor)
    claim_review(other, by=rita_actor)
    assert [fresh(row).claimed_by for row in (review, other, third)] == [None, rita_actor.user, alice_actor.user]


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_who_may_not_review_claims_nothing(request, review, name):
    actor = request.getfixturevalue(f"{name}_actor")
    for act in (claim_review, release_review):
        with pytest.raises(PermissionDenied):
            act(review, by=actor)
    assert fresh(review).claimed_by is None


def test_what_is_decided_cannot_be_claimed_and_loses_its_claim(review, rita_actor, alice_actor):
    claim_review(review, by=rita_actor)
    reject_review(fresh(review), by=rita_actor, reason="No")
    assert fresh(review).claimed_until is None
    with pytest.raises(ReviewClosed):
        claim_review(review, by=alice_actor)


def test_a_claim_survives_a_hold(review, rita_actor, alice_actor):
    claim_review(review, by=rita_actor)
    hold_review(fresh(review), by=rita_actor, reason="Wait")
    with pytest.raises(ReviewClaimed):
        resume_review(fresh(review), by=alice_actor)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_once_one_gets_it(poems, workspace, bob_actor, alice_actor, rita_actor):
    with workspace_scope(workspace.pk):
        review = ask(bob_actor)
    together = threading.Barrier(2, timeout=60)

    def claim(actor) -> bool:
        try:
            with workspace_scope(workspace.pk):
                together.wait()
                return bool(claim_review(review, by=actor))
        except ReviewClaimed:
            return False
        finally:
            connections.close_all()

    with ThreadPool(2) as pool:
        assert sorted(pool.map(claim, [alice_actor, rita_actor], chunksize=1)) == [False, True]
