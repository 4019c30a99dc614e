"""What people decide about a proposal."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import SCOPES
from accounts.models import AuditEntry
from campaigns.autonomy import sign_policy
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Delivery, Origin, Plan, PlanLine, Post
from campaigns.plan_lines import (
    accept_all,
    accept_line,
    edit_line,
    propose_again,
    reject_all,
    reject_line,
    rewrite_line,
    use_variant,
)
from campaigns.plans import start_plan, try_again
from campaigns.services import create_campaign
from compliance.models import Review
from compliance.services import approve_review
from lib.clock import now
from social.models import Connection
from tests.campaigns.agents.conftest import BRIEF

State = Delivery.State
Status = PlanLine.Status


@pytest.fixture
def proposal(roastery: Connection, brand, bob_actor) -> Plan:
    """As the agents would have left it, without asking any."""
    plan = Plan.objects.create(
        workspace=brand,
        brief=BRIEF,
        languages=["en"],
        status=Plan.Status.READY,
        strategy={"name": "Decaf", "goal": "Sell"},
    )
    for n, text in enumerate(["Our decaf is here. Taste it.", "Decaf from Huila."], start=1):
        PlanLine.objects.create(
            workspace=brand,
            plan=plan,
            n=n,
            connection=roastery,
            language="en",
            planned_at=now() + timedelta(days=n),
            text=text,
            variants=[{"text": f"Other words {n}.", "angle": "opening"}],
            findings={"verdict": "allow", "problems": [], "found": []},
            origin={
                "model": "claude",
                "run_id": str(plan.pk),
                "step_key": f"line {n} write",
                "assistant": "writer",
                "prompt_version": 3,
                "prompt_sha256": "ab",
                "cost_micro": 120,
                "is_sandbox": False,
                "sources": [],
                "text": text,
            },
        )
    return plan


@pytest.fixture
def line(proposal: Plan) -> PlanLine:
    return proposal.lines.get(n=1)


def test_accepted_line_becomes_a_planned_post_that_waits_for_review(line, bob_actor):
    post = accept_line(line, by=bob_actor)
    delivery = post.deliveries.get()
    assert (delivery.state, delivery.scheduled_at) == (State.IN_REVIEW, line.planned_at)
    assert (post.has_agent_text, post.made_with_ai, post.language) == (True, True, "en")
    assert post.campaign.name == "Decaf"
    line.refresh_from_db()
    assert (line.status, line.post, line.decided_by) == (Status.ACCEPTED, post, bob_actor.user)


def test_origin_goes_with_the_post(line, bob_actor):
    origin = Origin.objects.get(post=accept_line(line, by=bob_actor))
    assert (origin.model, origin.prompt_version, origin.cost_micro) == ("claude", 3, 120)
    assert origin.accepted_by == bob_actor.user
    assert origin.sentences == [
        {"text": "Our decaf is here.", "is_accepted": True},
        {"text": "Taste it.", "is_accepted": True},
    ]


def test_sentences_that_a_person_changed_are_not_counted_as_taken_over(line, bob_actor):
    line = edit_line(line, by=bob_actor, text="Our decaf is here. Come by.")
    origin = Origin.objects.get(post=accept_line(line, by=bob_actor))
    assert [one["is_accepted"] for one in origin.sentences] == [True, False]


def test_who_accepted_it_cannot_approve_it(line, workspace, alice_actor, rita_actor):
    workspace.four_eyes = True
    workspace.save()
    post = accept_line(line, by=alice_actor)
    review = Review.objects.get(object_id=post.deliveries.get().pk)
    with pytest.raises(PermissionDenied):
        approve_review(review, by=alice_actor, seen_hash=review.action_hash)
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    assert post.deliveries.get().state == State.SCHEDULED


def test_all_lines_share_one_campaign_made_by_the_first(proposal, bob_actor):
    assert accept_all(proposal, by=bob_actor).done == 2
    assert Campaign.objects.get().posts.count() == 2
    proposal.refresh_from_db()
    assert (proposal.campaign, proposal.status) == (Campaign.objects.get(), Plan.Status.CLOSED)


def test_lines_of_an_existing_campaign_stay_in_it(proposal, bob_actor):
    proposal.campaign = create_campaign(by=bob_actor, name="Spring")
    proposal.save()
    accept_all(proposal, by=bob_actor)
    assert Campaign.objects.get().name == "Spring"


def test_line_that_must_change_keeps_no_other_back(proposal, bob_actor):
    PlanLine.objects.filter(plan=proposal, n=1).update(text="x" * 300)
    outcome = accept_all(proposal, by=bob_actor)
    assert outcome.done == 1
    [why] = outcome.left.values()
    assert "over the limit of 280" in why
    assert proposal.lines.get(n=1).status == Status.PROPOSED
    assert Post.objects.count() == 1


def test_blocked_line_cannot_be_accepted_and_leaves_nothing_behind(line, bob_actor):
    line = edit_line(line, by=bob_actor, text="Call my private number 13812345678, id 11010519491231002X")
    assert line.findings["verdict"] == "block"
    with pytest.raises(ValidationError):
        accept_line(line, by=bob_actor)
    assert not Post.objects.exists()
    assert not Campaign.objects.exists()


def test_line_whose_time_has_passed_wants_another(line, bob_actor):
    PlanLine.objects.filter(pk=line.pk).update(planned_at=now() - timedelta(hours=1))
    with pytest.raises(ValidationError, match="has passed"):
        accept_line(line, by=bob_actor)
    edit_line(line, by=bob_actor, planned_at=now() + timedelta(hours=5))
    assert accept_line(line, by=bob_actor)


def test_line_is_accepted_once(line, bob_actor):
    accept_line(line, by=bob_actor)
    with pytest.raises(NotAllowedNow, match="meanwhile"):
        accept_line(line, by=bob_actor)
    assert Post.objects.count() == 1


def test_account_that_is_gone_takes_no_line(line, roastery, bob_actor):
    Connection.objects.filter(pk=roastery.pk).update(status="disconnected")
    with pytest.raises(NotAllowedNow, match="no longer connected"):
        accept_line(line, by=bob_actor)


def test_rejection_can_be_taken_back(line, bob_actor, proposal):
    reject_line(line, by=bob_actor)
    with pytest.raises(NotAllowedNow):
        accept_line(line, by=bob_actor)
    again = propose_again(line, by=bob_actor)
    assert (again.status, again.decided_by) == (Status.PROPOSED, None)
    assert accept_line(again, by=bob_actor)


def test_plan_closes_with_its_last_line_and_opens_again(proposal, bob_actor):
    reject_all(proposal, by=bob_actor)
    proposal.refresh_from_db()
    assert proposal.status == Plan.Status.CLOSED
    propose_again(proposal.lines.get(n=2), by=bob_actor)
    proposal.refresh_from_db()
    assert proposal.status == Plan.Status.READY


def test_other_wording_changes_places_with_the_text(line, bob_actor):
    after = use_variant(line, 0, by=bob_actor)
    assert after.text == "Other words 1."
    assert after.variants == [{"text": "Our decaf is here. Taste it.", "angle": "Before"}]
    with pytest.raises(NotAllowedNow):
        use_variant(after, 5, by=bob_actor)


def test_rules_look_at_a_changed_text_again(line, bob_actor):
    assert line.findings["found"] == []
    after = edit_line(line, by=bob_actor, text="Write to me: 13812345678")
    assert after.findings["verdict"] == "block"
    assert after.findings["found"][0]["words"]


@pytest.mark.parametrize("text", ["", "   ", "x" * 25_001])
def test_text_that_is_none_is_refused(line, bob_actor, text):
    with pytest.raises(ValidationError):
        edit_line(line, by=bob_actor, text=text)


def test_line_is_rewritten_once_at_a_time(line, bob_actor):
    rewrite_line(line, "Shorter", by=bob_actor)
    with pytest.raises(NotAllowedNow, match="already"):
        rewrite_line(line, "Longer", by=bob_actor)


@pytest.mark.parametrize(
    "act",
    [
        lambda line, by: accept_line(line, by=by),
        lambda line, by: reject_line(line, by=by),
        lambda line, by: propose_again(line, by=by),
        lambda line, by: edit_line(line, by=by, text="Mine"),
        lambda line, by: use_variant(line, 0, by=by),
        lambda line, by: rewrite_line(line, "", by=by),
        lambda line, by: accept_all(line.plan, by=by),
        lambda line, by: try_again(line.plan, by=by),
    ],
)
@pytest.mark.parametrize("who", ["rita_actor", "vic_actor", "gwen_actor"])
def test_only_editors_decide(line, request, act, who):
    with pytest.raises(PermissionDenied):
        act(line, request.getfixturevalue(who))
    assert not Post.objects.exists()


def test_key_without_the_right_to_plan_leaves_the_time_open(line, bob_actor):
    post = accept_line(line, by=replace(bob_actor, perms=SCOPES["write"]))
    assert (post.deliveries.get().state, post.deliveries.get().scheduled_at) == (State.IN_REVIEW, None)


def test_policy_that_takes_drafts_only_lets_a_person_submit_and_no_key(proposal, alice_actor, bob_actor):
    proposal.campaign = create_campaign(by=bob_actor, name="Spring")
    proposal.save()
    sign_policy(proposal.campaign, by=alice_actor, mode="draft_only")
    with pytest.raises((ValidationError, PermissionDenied)):
        accept_line(proposal.lines.get(n=1), by=replace(bob_actor, api_key_id=proposal.pk))
    assert accept_line(proposal.lines.get(n=1), by=bob_actor).deliveries.get().state == State.IN_REVIEW


def test_decisions_are_audited(proposal, bob_actor):
    accept_line(proposal.lines.get(n=1), by=bob_actor)
    reject_line(proposal.lines.get(n=2), by=bob_actor)
    propose_again(proposal.lines.get(n=2), by=bob_actor)
    actions = list(AuditEntry.objects.filter(action__startswith="plan.").values_list("action", flat=True))
    assert sorted(actions) == ["plan.accepted", "plan.proposed", "plan.rejected"]


# --- starting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"brief": " "}, "brief"),
        ({"brief": "x" * 2_001}, "brief"),
        ({"connections": []}, "connections"),
        ({"languages": []}, "languages"),
        ({"languages": ["tlh"]}, "languages"),
        ({"languages": ["en", "zh", "de", "fr", "es", "it", "ja"]}, "languages"),
    ],
)
def test_what_cannot_be_planned_is_told_beside_its_field(roastery, bob_actor, changed, field):
    given = {"brief": BRIEF, "connections": [roastery.pk], "languages": ["en"]} | changed
    with pytest.raises(ValidationError) as refused:
        start_plan(given.pop("brief"), by=bob_actor, **given)
    assert list(refused.value.message_dict) == [field]
    assert not Plan.objects.exists()


def test_account_of_somebody_else_is_no_choice(roastery, bob_actor, other_workspace):
    with pytest.raises(ValidationError):
        start_plan(BRIEF, by=bob_actor, connections=[roastery.pk, uuid4()], languages=["en"])


@pytest.mark.parametrize("who", ["rita_actor", "vic_actor", "gwen_actor"])
def test_only_editors_ask_for_proposals(roastery, request, who):
    with pytest.raises(PermissionDenied):
        start_plan(BRIEF, by=request.getfixturevalue(who), connections=[roastery.pk], languages=["en"])
