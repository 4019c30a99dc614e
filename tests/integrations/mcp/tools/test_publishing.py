from dataclasses import replace
from datetime import time

import pytest
from django.core.exceptions import PermissionDenied

from accounts.access import ROLE_PERMS
from accounts.models import AuditEntry, Role
from campaigns.autonomy import sign_policy
from campaigns.models import Delivery, Post
from campaigns.slots import add_slot
from compliance.models import Review
from compliance.services import approve_review, reject_review
from tests.integrations.mcp.tools.cast import SOON, Program

State = Delivery.State


def state_of(post: Post) -> str:
    return Delivery.objects.get(post=post).state


def test_draft_goes_to_people_who_see_a_machine_wrote_it(bobs: Program, cast, rita_actor) -> None:
    answer = bobs("submit_for_review", post_id=str(cast.draft.pk))
    assert [row["state"] for row in answer["deliveries"]] == ["in_review"]
    assert answer["reviews"].endswith("/reviews")
    review = Review.objects.get(object_id=Delivery.objects.get(post=cast.draft).pk)
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    assert state_of(cast.draft) == State.APPROVED


def test_person_of_the_program_is_no_second_pair_of_eyes(program, alice, alice_actor, cast) -> None:
    alice_actor.workspace.four_eyes = True
    post = program(alice)("draft_post", text="By alice's program.", connection_ids=[str(cast.account.pk)])
    program(alice)("submit_for_review", post_id=post["post_id"])
    review = Review.objects.get()
    with pytest.raises(PermissionDenied, match="four eyes"):
        approve_review(review, by=alice_actor, seen_hash=review.action_hash)


@pytest.mark.parametrize("perms", [None, ROLE_PERMS[Role.OWNER]], ids=["its rights", "all rights"])
def test_program_cannot_decide_by_service_either(program, bobs, alice, cast, perms) -> None:
    bobs("submit_for_review", post_id=str(cast.draft.pk))
    review, actor = Review.objects.get(), program(alice).actor
    by = replace(actor, perms=perms or actor.perms)
    with pytest.raises(PermissionDenied):
        approve_review(review, by=by, seen_hash=review.action_hash)
    with pytest.raises(PermissionDenied):
        reject_review(review, by=by, reason="No.")
    assert state_of(cast.draft) == State.IN_REVIEW


def test_what_is_refused_is_refused_with_all_reasons_and_stays_a_draft(bobs: Program, cast) -> None:
    bobs("edit_draft", post_id=str(cast.draft.pk), text="x" * 300)
    refusal = bobs.refused("submit_for_review", post_id=str(cast.draft.pk))
    assert "20 over the limit" in refusal.words
    assert state_of(cast.draft) == State.DRAFT
    assert not Review.objects.exists()


def test_submitting_twice_says_so(bobs: Program, cast) -> None:
    bobs("submit_for_review", post_id=str(cast.draft.pk))
    assert "in review already" in bobs.refused("submit_for_review", post_id=str(cast.draft.pk)).words
    assert Review.objects.count() == 1


def test_campaign_that_takes_drafts_only_takes_no_submission_of_a_program(bobs: Program, cast, alice_actor) -> None:
    sign_policy(cast.campaign, by=alice_actor, mode="draft_only")
    refusal = bobs.refused("submit_for_review", post_id=str(cast.draft.pk))
    assert (refusal.code, "drafts only" in refusal.words) == ("permission_denied", True)
    assert state_of(cast.draft) == State.DRAFT


# --- times --------------------------------------------------------------------------------------------------


def test_approved_post_gets_its_time_on_the_workspaces_clock(bobs: Program, cast) -> None:
    answer = bobs("schedule_post", delivery_id=str(cast.approved.pk), at="2031-05-05T07:00:00Z")
    assert (answer["state"], answer["planned_at"]) == ("scheduled", SOON)
    assert answer["says"] == f"Approved. It goes out at {SOON}."
    entry = AuditEntry.objects.get(action="delivery.schedule")
    assert entry.detail.actor == "MCP Test"


def test_next_slot_and_now(bobs: Program, cast, alice_actor) -> None:
    place = {"delivery_id": str(cast.approved.pk)}
    assert "no posting slots" in bobs.refused("schedule_post", **place, at="next_slot").words
    add_slot(cast.account, by=alice_actor, weekdays=[2], at=time(7, 5), time_zone="Europe/Berlin")
    assert "T07:05:00" in bobs("schedule_post", **place, at="next_slot")["planned_at"]
    now = bobs("schedule_post", **place, at="now")
    cast.approved.refresh_from_db()
    assert (now["state"], cast.approved.due_at) == ("scheduled", cast.approved.scheduled_at)


@pytest.mark.parametrize("at", [SOON, "now", "next_slot"])
@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW, State.CANCELED])
def test_nothing_unapproved_gets_a_time(bobs: Program, cast, state, at) -> None:
    row = Delivery.objects.get(post=cast.draft)
    Delivery.objects.filter(pk=row.pk).update(state=state)
    refusal = bobs.refused("schedule_post", delivery_id=str(row.pk), at=at)
    assert refusal.code == "not_allowed_now"
    assert "approv" in refusal.words
    row.refresh_from_db()
    assert (row.state, row.scheduled_at) == (state, None)


def test_past_and_live_are_refused(bobs: Program, cast) -> None:
    past = bobs.refused("schedule_post", delivery_id=str(cast.approved.pk), at="2020-01-01T09:00:00Z")
    assert "at: This moment has passed" in past.words
    assert "published" in bobs.refused("schedule_post", delivery_id=str(cast.live.pk), at=SOON).words


def test_unscheduled_keeps_its_approval_and_canceled_loses_it(bobs: Program, cast) -> None:
    place = {"delivery_id": str(cast.planned.pk)}
    answer = bobs("unschedule_post", **place)
    assert (answer["state"], answer["planned_at"]) == ("approved", None)
    assert bobs("schedule_post", **place, at=SOON)["state"] == "scheduled"
    gone = bobs("cancel_post", **place)
    assert (gone["state"], gone["says"]) == ("canceled", "It was canceled and will not be sent.")
    cast.planned.refresh_from_db()
    assert cast.planned.approved_hash == ""
    for tool in ("unschedule_post", "cancel_post"):
        assert "published" in bobs.refused(tool, delivery_id=str(cast.live.pk)).words
