"""Several decisions at once: only what is harmless, and the rest is named."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from compliance.guard import Decision, Hit, Verdict
from compliance.guard.port import Severity
from compliance.models import Review
from compliance.models.review import Risk
from compliance.reviews.bulk import MOST
from compliance.reviews.subjects import SUBJECTS
from compliance.services import approve_reviews, claim_review, hold_review, reject_reviews
from tests.compliance.poems import KIND, Poems, ask, fresh

pytestmark = pytest.mark.django_db
ASKING = Decision(Verdict.REVIEW, (Hit("claims.best", Severity.REVIEW),))


@pytest.fixture
def poems():
    made = Poems()
    made.register()
    yield made
    del SUBJECTS[KIND]


def pairs(*reviews: Review) -> list[tuple[Review, str]]:
    return [(fresh(review), review.action_hash) for review in reviews]


def test_what_is_harmless_is_approved_and_the_rest_named_with_its_reason(
    poems, in_workspace, bob_actor, rita_actor, alice_actor
):
    good, risky = ask(bob_actor), ask(bob_actor, risk=Risk.MEDIUM)
    asking, unjudged = ask(bob_actor, decision=ASKING), ask(bob_actor, decision=None)
    own, taken, held = ask(rita_actor), ask(bob_actor), ask(bob_actor)
    claim_review(taken, by=alice_actor)
    hold_review(held, by=alice_actor, reason="Wait")
    changed = ask(bob_actor)
    left = approve_reviews(
        [*pairs(good, risky, asking, unjudged, own, taken, held), (changed, "b" * 64)], by=rita_actor
    )
    assert poems.done == [("approved", good.pk)]
    why = {one.review.pk: one.why for one in left}
    assert why[risky.pk] == "Its risk is medium: open it."
    assert "rules ask for a person" in why[asking.pk]
    assert "rules ask for a person" in why[unjudged.pk]
    assert "You worked on it" in why[own.pk]
    assert why[taken.pk] == "Alice is looking at it."
    assert "put this on hold" in why[held.pk]
    assert "content changed" in why[changed.pk]
    assert len(why) == 7


def test_my_own_claim_is_no_hindrance(poems, in_workspace, bob_actor, rita_actor):
    review = ask(bob_actor)
    claim_review(review, by=rita_actor)
    assert approve_reviews(pairs(review), by=rita_actor) == []


def test_authors_are_left_out_even_where_two_eyes_are_enough(poems, in_workspace, bob_actor, rita_actor):
    review = ask(bob_actor)
    poems.authors.add(rita_actor.user.pk)
    assert [one.why for one in approve_reviews(pairs(review), by=rita_actor)] == [
        "You worked on it: somebody else has to look."
    ]


def test_one_that_a_rule_forbids_now_does_not_cost_the_others(poems, in_workspace, bob_actor, rita_actor):
    first, second = ask(bob_actor), ask(bob_actor)
    approve = poems.approve

    def forbid_first(review, by):
        if review.pk == first.pk:
            raise ValidationError("A rule forbids it.")
        approve(review, by)

    SUBJECTS[KIND] = SUBJECTS[KIND].__class__(lambda _id: set(), forbid_first, poems.send_back)
    left = approve_reviews(pairs(first, second), by=rita_actor)
    assert [(one.review.pk, one.why) for one in left] == [(first.pk, "A rule forbids it.")]
    assert [fresh(row).status for row in (first, second)] == ["waiting", "approved"]


def test_all_are_rejected_with_one_reason_but_for_what_somebody_looks_at(
    poems, in_workspace, bob_actor, rita_actor, alice_actor
):
    first, second, taken = ask(bob_actor), ask(bob_actor, risk=Risk.HIGH), ask(bob_actor)
    claim_review(taken, by=alice_actor)
    left = reject_reviews([fresh(first), fresh(second), fresh(taken)], by=rita_actor, reason="Old news")
    assert [one.review.pk for one in left] == [taken.pk]
    assert [(fresh(row).status, fresh(row).reason) for row in (first, second)] == [("rejected", "Old news")] * 2


def test_everything_is_locked_before_the_first_decision(poems, in_workspace, bob_actor, rita_actor):
    order: list = []
    reviews = [ask(bob_actor) for _ in range(3)]
    poems.register()
    subject = SUBJECTS[KIND]
    SUBJECTS[KIND] = subject.__class__(
        subject.authors, lambda review, by: order.append("act"), subject.send_back, lock=order.append
    )
    approve_reviews(pairs(*reviews), by=rita_actor)
    assert order == [[row.object_id for row in reviews], "act", "act", "act"]


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_who_may_not_review_decides_nothing(name, request, poems, in_workspace, bob_actor):
    review, actor = ask(bob_actor), request.getfixturevalue(f"{name}_actor")
    with pytest.raises(PermissionDenied):
        approve_reviews(pairs(review), by=actor)
    with pytest.raises(PermissionDenied):
        reject_reviews([review], by=actor, reason="No")
    assert fresh(review).status == "waiting"


def test_none_and_too_many_are_refused(poems, in_workspace, bob_actor, rita_actor):
    review = ask(bob_actor)
    for rows in ([], [review] * (MOST + 1)):
        with pytest.raises(ValidationError):
            approve_reviews([(row, row.action_hash) for row in rows], by=rita_actor)
        with pytest.raises(ValidationError):
            reject_reviews(rows, by=rita_actor, reason="No")
    with pytest.raises(ValidationError, match="Say why"):
        reject_reviews([review], by=rita_actor, reason=" ")
    assert fresh(review).status == "waiting"
