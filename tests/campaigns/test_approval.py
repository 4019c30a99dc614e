"""Approval covers exactly what will be sent; any change needs a new one."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import SCOPES, Actor, Perm, system_actor
from accounts.models import AuditEntry, Event, Notification, Role
from campaigns import deliveries
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Delivery, PartMedia, Post
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, update_post
from compliance.models import Review
from compliance.services import ReviewClosed, approve_review, reject_review
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post, set_state

State = Delivery.State


def draft_of(*texts: str, to=(), **fields) -> PostDraft:
    return PostDraft(tuple(map(PartDraft, texts)), connections=tuple(c.pk for c in to), **fields)


@pytest.fixture
def review(submitted, post) -> Review:
    (review,) = submitted(post)
    return review


@pytest.fixture
def approve(rita_actor):
    return lambda review, by=rita_actor: approve_review(review, by=by, seen_hash=review.action_hash)


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)


# --- submitting --------------------------------------------------------------------------------------------


def test_submitting_asks_for_a_review_of_what_will_be_sent(rita, review, delivery):
    assert fresh(delivery).state == State.IN_REVIEW
    assert review.snapshot["parts"][0]["text"] == "Fresh beans."
    assert Notification.objects.filter(user=rita, kind="review.requested").count() == 1
    assert AuditEntry.objects.filter(action="post.submit").count() == 1


def test_a_post_without_a_connection_cannot_be_submitted(in_workspace, bob_actor):
    with pytest.raises(ValidationError, match="connection"):
        deliveries.submit_post(add_post(bob_actor), by=bob_actor)


def test_submitting_twice_explains_itself(review, post, bob_actor):
    with pytest.raises(NotAllowedNow, match="in review"):
        deliveries.submit_post(post, by=bob_actor)


def test_what_a_network_would_refuse_is_named_by_connection(roastery, cafe, bob_actor):
    post = add_post(bob_actor, roastery, cafe, text="x" * 300)
    with pytest.raises(ValidationError) as refusal:
        deliveries.submit_post(post, by=bob_actor)
    assert refusal.value.messages == ["@roastery: The text is 20 over the limit of 280 characters."]
    assert set(post.deliveries.values_list("state", flat=True)) == {State.DRAFT}


@pytest.mark.parametrize("name", ["rita", "vic", "gwen"])
def test_only_editors_submit(request, name, post):
    with pytest.raises(PermissionDenied):
        deliveries.submit_post(post, by=request.getfixturevalue(f"{name}_actor"))


# --- approving ---------------------------------------------------------------------------------------------


def test_approval_keeps_the_hash_the_person_and_the_moment(review, delivery, approve, rita):
    approve(review)
    row = fresh(delivery)
    assert (row.state, row.approved_hash, row.approved_by) == (State.APPROVED, review.action_hash, rita)
    assert row.approved_at <= now()
    assert Event.objects.filter(kind="delivery.approved").count() == 1
    assert AuditEntry.objects.filter(action="review.approve").count() == 1


def test_approval_of_a_planned_post_schedules_it_and_starts_its_campaign(delivery, campaign, submitted, approve):
    Post.objects.update(campaign=campaign)
    at = now() + timedelta(days=1)
    Delivery.objects.update(scheduled_at=at)
    (review,) = submitted(delivery.post)
    approve(review)
    row = fresh(delivery)
    assert (row.state, row.due_at) == (State.SCHEDULED, at)
    assert Campaign.objects.get().status == Campaign.Status.RUNNING


def test_the_reviewer_approves_only_what_was_on_the_screen(review, delivery, rita_actor):
    with pytest.raises(ReviewClosed):
        approve_review(review, by=rita_actor, seen_hash="0" * 64)
    assert fresh(delivery).state == State.IN_REVIEW


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_only_reviewers_decide(request, name, review):
    actor = request.getfixturevalue(f"{name}_actor")
    with pytest.raises(PermissionDenied):
        approve_review(review, by=actor, seen_hash=review.action_hash)
    with pytest.raises(PermissionDenied):
        reject_review(review, by=actor, reason="No")


def test_no_scope_of_an_api_key_approves():
    assert all(Perm.REVIEW not in perms for perms in SCOPES.values())


def test_a_change_behind_the_services_makes_the_approval_void(review, delivery, approve):
    delivery.post.parts.update(text="Slipped in")
    with pytest.raises(ReviewClosed, match="changed"):
        approve(review)
    assert fresh(delivery).approved_hash == ""


def test_a_review_that_was_replaced_cannot_be_approved_even_if_the_text_came_back(
    review, post, roastery, bob_actor, approve
):
    update_post(post, draft_of("Other", to=[roastery]), by=bob_actor)
    update_post(post, draft_of("Fresh beans.", to=[roastery]), by=bob_actor)
    with pytest.raises(ReviewClosed):
        approve(review)
    approve(Review.objects.get(status="waiting"))


def test_a_decided_review_cannot_be_decided_again(review, approve, rita_actor):
    approve(review)
    with pytest.raises(ReviewClosed, match="decided already"):
        approve(review)
    with pytest.raises(ReviewClosed, match="decided already"):
        reject_review(review, by=rita_actor, reason="Changed my mind")


# --- four eyes ---------------------------------------------------------------------------------------------


@pytest.fixture
def four_eyes(workspace):
    workspace.four_eyes = True
    workspace.save()


@pytest.fixture
def anna_actor(join, actor_of) -> Actor:
    return actor_of(join("Anna", Role.ADMIN))


def test_one_pair_of_eyes_is_enough_when_the_workspace_says_so(in_workspace, roastery, alice_actor, approve):
    (row,) = deliveries.submit_post(add_post(alice_actor, roastery), by=alice_actor)
    approve(Review.objects.get(), by=alice_actor)
    assert fresh(row).state == State.APPROVED


def test_nobody_approves_their_own_post(four_eyes, roastery, alice_actor, bob_actor, approve):
    post = add_post(alice_actor, roastery)
    deliveries.submit_post(post, by=bob_actor)
    with pytest.raises(PermissionDenied, match="four eyes"):
        approve(Review.objects.get(), by=alice_actor)


def test_nobody_approves_what_they_sent_to_review(four_eyes, roastery, alice_actor, bob_actor, approve):
    deliveries.submit_post(add_post(bob_actor, roastery), by=alice_actor)
    with pytest.raises(PermissionDenied):
        approve(Review.objects.get(), by=alice_actor)


def test_whoever_changed_a_word_is_an_author(four_eyes, roastery, anna_actor, alice_actor, bob_actor, approve):
    post = add_post(bob_actor, roastery)
    update_post(post, draft_of("Anna's word", to=[roastery]), by=anna_actor)
    update_post(post, draft_of("Bob's again", to=[roastery]), by=bob_actor)
    deliveries.submit_post(post, by=bob_actor)
    with pytest.raises(PermissionDenied):
        approve(Review.objects.get(), by=anna_actor)
    approve(Review.objects.get(), by=alice_actor)


def test_a_key_writes_in_the_name_of_the_person_who_made_it(four_eyes, roastery, alice_actor, bob_actor, approve):
    key = Actor(bob_actor.workspace, SCOPES["write"], "API key", role="admin", user=alice_actor.user)
    deliveries.submit_post(add_post(key, roastery), by=bob_actor)
    with pytest.raises(PermissionDenied):
        approve(Review.objects.get(), by=alice_actor)


def test_a_policy_is_no_second_pair_of_eyes(four_eyes, review, workspace, approve):
    with pytest.raises(PermissionDenied):
        approve(review, by=system_actor(workspace, "policy", [Perm.REVIEW]))


# --- rejecting ---------------------------------------------------------------------------------------------


def test_a_rejected_post_is_a_draft_again_with_the_reason(review, delivery, rita_actor, bob):
    reject_review(review, by=rita_actor, reason="  Too loud  ")
    row = fresh(delivery)
    assert (row.state, row.problem_code, row.problem_text) == (State.DRAFT, "rejected", "Rejected: Too loud")
    assert Notification.objects.get(user=bob, kind="delivery.rejected").text.endswith("was rejected: Too loud")
    assert AuditEntry.objects.filter(action="review.reject").count() == 1


def test_a_rejection_needs_a_reason(review, delivery, rita_actor):
    with pytest.raises(ValidationError, match="Say why"):
        reject_review(review, by=rita_actor, reason="  ")
    assert fresh(delivery).state == State.IN_REVIEW


def test_the_longest_and_oddest_reason_fits(review, delivery, rita_actor):
    reject_review(review, by=rita_actor, reason="No\x00 " + "because " * 100 + "\ud800")
    assert len(fresh(delivery).problem_text) == 300


# --- what revokes an approval --------------------------------------------------------------------------------

REVOKED = [State.APPROVED, State.SCHEDULED, State.RETRY_WAIT, State.MISSED, State.FAILED]


@pytest.mark.parametrize("state", REVOKED)
def test_an_edit_needs_a_new_approval_and_keeps_the_plan(approved, post, roastery, bob_actor, state, rita):
    delivery = approved(post)
    at = now() + timedelta(days=1)
    set_state(post, state, scheduled_at=at, due_at=at, failures=7)
    update_post(post, draft_of("Changed", to=[roastery]), by=bob_actor)
    row = fresh(delivery)
    assert (row.state, row.approved_hash, row.due_at, row.scheduled_at) == (State.IN_REVIEW, "", None, at)
    assert row.failures == 0
    assert Notification.objects.filter(user=rita, kind="review.requested").count() == 2


@pytest.mark.parametrize("state", [State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED])
def test_what_is_live_or_on_its_way_cannot_be_edited(approved, post, roastery, bob_actor, state):
    approved(post)
    set_state(post, state)
    with pytest.raises(NotAllowedNow):
        update_post(post, draft_of("Changed", to=[roastery]), by=bob_actor)
    assert post.parts.get().text == "Fresh beans."


def test_an_edit_that_changes_nothing_sent_keeps_the_approval(approved, post, roastery, bob_actor):
    delivery = approved(post)
    update_post(post, draft_of("  Fresh beans.  ", to=[roastery], title="Another title"), by=bob_actor)
    assert fresh(delivery).state == State.APPROVED


def test_the_ai_flag_is_part_of_what_is_approved(approved, post, roastery, bob_actor):
    delivery = approved(post)
    update_post(post, draft_of("Fresh beans.", to=[roastery], made_with_ai=True), by=bob_actor)
    assert fresh(delivery).state == State.IN_REVIEW


def test_a_text_for_one_connection_revokes_only_that_approval(approved, roastery, cafe, bob_actor):
    post = add_post(bob_actor, roastery, cafe, overrides={cafe.pk: ["Cakes at the cafe"]})
    approved(post)
    changed = draft_of("Fresh beans.", to=[roastery, cafe], overrides={cafe.pk: ["Only here"]})
    update_post(post, changed, by=bob_actor)
    states = dict(post.deliveries.values_list("connection__handle", "state"))
    assert states == {"roastery": State.APPROVED, "cafe": State.IN_REVIEW}


@pytest.mark.parametrize("change", [{"alt_text": "Another cup"}, {"asset": "other"}])
def test_a_picture_and_its_description_are_part_of_what_is_approved(
    approved, roastery, picture, bob_actor, change, workspace
):
    from tests.campaigns.cast import add_asset

    post = create_post(
        PostDraft((PartDraft("Look", (MediaDraft(picture.pk, "A cup"),)),), connections=(roastery.pk,)), by=bob_actor
    )
    delivery = approved(post)
    asset = add_asset(workspace) if "asset" in change else picture
    media = (MediaDraft(asset.pk, change.get("alt_text", "A cup")),)
    update_post(post, PostDraft((PartDraft("Look", media),), connections=(roastery.pk,)), by=bob_actor)
    assert fresh(delivery).state == State.IN_REVIEW
    assert PartMedia.objects.count() == 1


def test_an_edit_that_cannot_be_sent_goes_back_to_draft_and_out_of_the_queue(approved, post, roastery, bob_actor):
    delivery = approved(post)
    update_post(post, draft_of("x" * 281, to=[roastery]), by=bob_actor)
    assert (fresh(delivery).state, fresh(delivery).approved_hash) == (State.DRAFT, "")
    assert not Review.objects.filter(status="waiting").exists()


def test_a_deleted_post_leaves_the_queue(review, post, bob_actor):
    from campaigns.services import delete_post

    delete_post(post, by=bob_actor)
    assert Review.objects.get().status == Review.Status.OBSOLETE


def test_another_workspace_sees_no_review(review, charlie_actor, other_workspace):
    from accounts.scope import workspace_scope

    with workspace_scope(other_workspace.pk):
        assert not Review.objects.exists()
        assert add_connection(other_workspace, "bakery").pk
