"""What a signed policy approves: harmless posts within its budget, and nothing else, ever."""

import random
import threading
from dataclasses import replace
from multiprocessing.pool import ThreadPool

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections

from accounts.models import AuditEntry, Membership, Notification, Workspace
from accounts.scope import workspace_scope
from campaigns.autonomy import (
    NotByPolicy,
    end_orphans,
    is_genuine,
    open_policy,
    policy_hash,
    revoke_policy,
    sign_policy,
    spend,
)
from campaigns.costs import cost_of
from campaigns.deliveries import submit_post
from campaigns.deliveries.review import request_delivery_review
from campaigns.errors import NotAllowedNow
from campaigns.models import AutonomyPolicy, Campaign, Delivery, LivePart, Post
from campaigns.rendering import render
from campaigns.services import PartDraft, PostDraft, update_post
from campaigns.tasks import end_orphaned_policies
from compliance.models import GuardSettings, Review, ReviewEvent, WorkspaceTerm
from compliance.services import approve_review
from social.models import Connection
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
State = Delivery.State
DOLLAR = 1_000_000


@pytest.fixture
def sign(campaign, alice_actor):
    def run(mode: str = "automatic", *, by=None, **fields) -> AutonomyPolicy:
        return sign_policy(campaign, by=by or alice_actor, mode=mode, **{"budget_micro": DOLLAR} | fields)

    return run


@pytest.fixture
def write(bob_actor, roastery, campaign):
    def run(text: str = "Fresh beans.", **fields) -> Post:
        return add_post(fields.pop("by", bob_actor), roastery, text=text, campaign=campaign, **fields)

    return run


def state_of(post: Post) -> str:
    return Delivery.objects.get(post=post).state


def submit(post: Post, by) -> str:
    submit_post(post, by=by)
    return state_of(post)


# --- approving --------------------------------------------------------------------------------------------


def test_a_harmless_post_is_approved_at_once_in_the_name_of_who_signed(sign, write, bob_actor):
    policy, post = sign(), write()
    assert submit(post, bob_actor) == State.APPROVED
    row, review = Delivery.objects.get(post=post), Review.objects.get()
    assert (row.approved_policy, row.approved_by, row.approved_hash) == (policy, None, review.action_hash)
    assert (review.status, review.decided_by, review.decided_label) == (
        "approved",
        None,
        "policy of alice@example.org",
    )
    assert list(ReviewEvent.objects.values_list("kind", "label")) == [
        ("requested", "bob@example.org"),
        ("approved", "policy of alice@example.org"),
    ]
    entry = AuditEntry.objects.get(action="autonomy.approve")
    assert entry.detail.data == {"delivery": str(row.pk), "hash": review.action_hash}
    assert AuditEntry.objects.filter(action="review.approve").count() == 1


def test_nobody_is_asked_for_what_was_approved_at_once(sign, write, bob_actor, rita):
    sign()
    submit(write(), bob_actor)
    assert not Notification.objects.filter(kind="review.requested").exists()


def test_it_costs_what_the_network_charges(sign, write, bob_actor):
    policy, post = sign(), write("Fresh beans: https://example.com/beans")
    submit(post, bob_actor)
    cost = cost_of(render(Delivery.objects.get(post=post))).total
    policy.refresh_from_db()
    assert cost > 0
    assert policy.spent_micro == cost


@pytest.mark.parametrize("mode", ["draft_only", "human"])
def test_other_modes_approve_nothing(mode, sign, write, bob_actor):
    sign(mode)
    assert submit(write(), bob_actor) == State.IN_REVIEW


def test_without_a_policy_a_person_decides(write, bob_actor, roastery):
    assert submit(write(), bob_actor) == State.IN_REVIEW
    assert submit(add_post(bob_actor, roastery, text="Of no campaign."), bob_actor) == State.IN_REVIEW


def test_a_reply_is_always_a_persons(sign, write, bob_actor):
    sign(max_risk="medium")
    post = write()
    Post.objects.filter(pk=post.pk).update(reply_to="12345", reply_facts={"is_summoned": True})
    assert submit(Post.objects.get(pk=post.pk), bob_actor) == State.IN_REVIEW
    assert AutonomyPolicy.objects.get().spent_micro == 0


@pytest.mark.parametrize("kind", ["review", "block"])
def test_what_the_rules_ask_about_is_a_persons(kind, sign, write, bob_actor, in_workspace):
    sign(max_risk="medium")
    WorkspaceTerm.objects.create(workspace=in_workspace, term="beans", kind=kind)
    post = write()
    if kind == "block":
        with pytest.raises(ValidationError):
            submit_post(post, by=bob_actor)
        assert state_of(post) == State.DRAFT
    else:
        assert submit(post, bob_actor) == State.IN_REVIEW


@pytest.mark.parametrize(("max_risk", "expected"), [("low", State.IN_REVIEW), ("medium", State.APPROVED)])
def test_the_risk_may_not_be_higher_than_signed(max_risk, expected, sign, write, bob_actor, in_workspace):
    GuardSettings.objects.create(workspace=in_workspace, industry="finance")
    sign(max_risk=max_risk)
    assert submit(write(), bob_actor) == expected


def test_an_edit_is_looked_at_again_and_costs_again(sign, write, bob_actor, roastery, campaign):
    policy, post = sign(), write()
    submit(post, bob_actor)
    draft = PostDraft(parts=(PartDraft("Roasted beans."),), connections=(roastery.pk,), campaign=campaign)
    update_post(post, draft, by=bob_actor)
    row = Delivery.objects.get(post=post)
    assert (row.state, row.approved_policy) == (State.APPROVED, policy)
    assert row.approved_hash == render(row).content_hash
    policy.refresh_from_db()
    assert policy.spent_micro == 2 * cost_of(render(row)).total


def test_what_the_engine_doubts_is_a_persons(sign, write, bob_actor):
    sign()
    post = write()
    submit(post, bob_actor)
    request_delivery_review(Delivery.objects.get(post=post), code="changed", message="Other content.")
    row = Delivery.objects.get(post=post)
    assert (row.state, row.approved_policy, row.problem_code) == (State.IN_REVIEW, None, "changed")


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_under_four_eyes_who_signed_must_be_no_author(who, request, sign, write, in_workspace):
    Workspace.objects.update(four_eyes=True)
    in_workspace.four_eyes = True
    author = request.getfixturevalue(f"{who}_actor")
    sign()
    assert submit(write(by=author), author) == (State.IN_REVIEW if who == "alice" else State.APPROVED)


def test_a_person_decides_what_a_policy_left(sign, write, bob_actor, rita_actor):
    sign(budget_micro=0)
    post = write()
    assert submit(post, bob_actor) == State.IN_REVIEW
    review = Review.objects.get(status="waiting")
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    row = Delivery.objects.get(post=post)
    assert (row.approved_by, row.approved_policy) == (rita_actor.user, None)


# --- money ------------------------------------------------------------------------------------------------


def test_the_budget_is_never_passed(sign, write, bob_actor):
    post = write()
    cost = cost_of(render(Delivery.objects.get(post=post))).total
    policy = sign(budget_micro=2 * cost + cost // 2)
    states = [submit(post, bob_actor), *(submit(write(f"Beans {number}."), bob_actor) for number in range(3))]
    assert states == [State.APPROVED, State.APPROVED, State.IN_REVIEW, State.IN_REVIEW]
    policy.refresh_from_db()
    assert policy.spent_micro == 2 * cost


def test_any_order_of_prices_stays_within_any_budget(sign):
    random.seed(7)
    for _ in range(20):
        policy = sign(budget_micro=random.randrange(0, 100))
        spent = 0
        for price in random.choices(range(40), k=12):
            try:
                spend(policy, price)
            except NotByPolicy:
                assert spent + price > policy.budget_micro
            else:
                spent += price
        assert AutonomyPolicy.objects.get(pk=policy.pk).spent_micro == spent <= policy.budget_micro


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_overspend(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        campaign = Campaign.objects.create(workspace=workspace, name="Spring")
        policy = sign_policy(campaign, by=alice_actor, mode="automatic", budget_micro=35)
    together = threading.Barrier(8, timeout=60)

    def buy(_number: int) -> bool:
        try:
            together.wait()
            with workspace_scope(workspace.pk):
                spend(policy, 10)
        except NotByPolicy:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPool(8) as pool:
        assert sum(pool.map(buy, range(8), chunksize=1)) == 3
    with workspace_scope(workspace.pk):
        assert AutonomyPolicy.objects.get().spent_micro == 30


# --- the signature ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forged",
    [
        {"budget_micro": 10**12},
        {"max_risk": "medium"},
        {"signed_label": "somebody else"},
        {"hash": "0" * 64},
        {"mode": "automatic", "hash": "f" * 64},
    ],
)
def test_a_row_changed_by_hand_approves_nothing(forged, sign, write, bob_actor):
    policy = sign()
    AutonomyPolicy.objects.filter(pk=policy.pk).update(**forged)
    assert not is_genuine(AutonomyPolicy.objects.get())
    assert submit(write(), bob_actor) == State.IN_REVIEW


def test_a_policy_moved_to_another_campaign_or_signer_is_no_signature(sign, bob, in_workspace):
    policy = sign()
    other = Campaign.objects.create(workspace=in_workspace, name="Other")
    for change in ({"campaign": other}, {"signed_by": bob}):
        moved = replace_fields(policy, change)
        assert not is_genuine(moved)
    assert is_genuine(policy)


def replace_fields(policy: AutonomyPolicy, change: dict) -> AutonomyPolicy:
    copy = AutonomyPolicy.objects.get(pk=policy.pk)
    for name, value in change.items():
        setattr(copy, name, value)
    return copy


def test_spending_changes_no_signature(sign, write, bob_actor):
    sign()
    submit(write(), bob_actor)
    policy = AutonomyPolicy.objects.get()
    assert policy.spent_micro > 0
    assert is_genuine(policy)


def test_a_plain_digest_of_the_row_is_no_signature(sign):
    policy = sign()
    assert policy_hash(policy, key="guess") != policy.hash


def test_a_changed_secret_with_its_fallback_still_knows_the_signature(sign, settings):
    policy = sign()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another secret of this installation"
    assert is_genuine(policy)
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_genuine(policy)


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_who_may_not_approve_signs_and_revokes_nothing(name, request, campaign, sign):
    sign()
    actor = request.getfixturevalue(f"{name}_actor")
    with pytest.raises(PermissionDenied):
        sign_policy(campaign, by=actor, mode="automatic")
    with pytest.raises(PermissionDenied):
        revoke_policy(campaign, by=actor)
    assert open_policy(campaign.pk)


@pytest.mark.parametrize("fields", [{"is_agent": True}, {"api_key_id": 1}, {"user": None}])
def test_a_policy_is_signed_by_a_person(fields, campaign, alice_actor):
    with pytest.raises(PermissionDenied, match="by a person"):
        sign_policy(campaign, by=replace(alice_actor, **fields), mode="automatic")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"mode": "wild"}, "mode"),
        ({"mode": "automatic", "max_risk": "high"}, "max_risk"),
        ({"mode": "automatic", "budget_micro": -1}, "budget"),
        ({"mode": "automatic", "budget_micro": 10**16}, "budget"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, wrong, campaign, alice_actor):
    with pytest.raises(ValidationError) as refused:
        sign_policy(campaign, by=alice_actor, **fields)
    assert list(refused.value.message_dict) == [wrong]


def test_signing_is_recorded_and_replaces_the_one_before(sign):
    older, newer = sign(), sign("human")
    assert AutonomyPolicy.objects.get(pk=older.pk).revoked_at
    assert open_policy(newer.campaign_id) == newer
    found = AuditEntry.objects.filter(action="autonomy.sign").order_by("number")
    assert [entry.detail.data["hash"] for entry in found] == [older.hash, newer.hash]


# --- the end of a policy ----------------------------------------------------------------------------------


def test_revoking_takes_back_what_nobody_has_begun_to_send(sign, write, bob_actor, alice_actor, campaign):
    policy = sign()
    posts = [write(f"Beans {number}.") for number in range(4)]
    for post in posts:
        submit(post, bob_actor)
    scheduled, live, begun = posts[1:]
    rows = Delivery.objects
    rows.filter(post=scheduled).update(state=State.SCHEDULED)
    rows.filter(post=live).update(state=State.PUBLISHED)
    rows.filter(post=begun).update(state=State.RETRY_WAIT)
    half = rows.get(post=begun)
    LivePart.objects.create(
        workspace=half.workspace, delivery=half, connection=half.connection, position=0, content_hash="x", remote_id="9"
    )
    assert revoke_policy(campaign, by=alice_actor)
    assert [state_of(post) for post in posts] == ["in_review", "in_review", "published", "retry_wait"]
    assert Review.objects.filter(status="waiting").count() == 2
    assert AuditEntry.objects.get(action="autonomy.revoke").detail.data["deliveries"] == 2
    assert submit(write("After."), bob_actor) == State.IN_REVIEW
    assert not revoke_policy(campaign, by=alice_actor)
    with pytest.raises(NotByPolicy):
        spend(policy, 0)


def test_what_people_approved_stays_when_a_policy_ends(sign, write, bob_actor, rita_actor, alice_actor, campaign):
    post = write()
    submit(post, bob_actor)
    review = Review.objects.get()
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    sign()
    revoke_policy(campaign, by=alice_actor)
    assert state_of(post) == State.APPROVED


@pytest.mark.parametrize("case", ["role", "left", "locked out"])
def test_a_policy_ends_with_the_right_of_who_signed_it(case, sign, write, bob_actor, rita, rita_actor, campaign):
    sign(by=rita_actor)
    kept = write("Approved before.")
    assert submit(kept, bob_actor) == State.APPROVED
    if case == "role":
        Membership.objects.filter(user=rita).update(role="viewer")
    elif case == "left":
        Membership.objects.filter(user=rita).delete()
    else:
        type(rita).objects.filter(pk=rita.pk).update(is_active=False)
    assert submit(write("After."), bob_actor) == State.IN_REVIEW
    assert end_orphans() == 1
    assert open_policy(campaign.pk) is None
    assert state_of(kept) == State.IN_REVIEW
    assert end_orphans() == 0


def test_the_task_ends_only_orphans(sign, campaign):
    sign()
    end_orphaned_policies.run()
    assert open_policy(campaign.pk)


# --- drafts only ------------------------------------------------------------------------------------------


@pytest.fixture
def robots(bob_actor):
    return {"agent": replace(bob_actor, is_agent=True), "key": replace(bob_actor, api_key_id=1)}


@pytest.mark.parametrize("robot", ["agent", "key"])
def test_drafts_only_keeps_robots_from_submitting_and_people_not(robot, robots, sign, write, bob_actor):
    sign("draft_only")
    post = write()
    with pytest.raises(PermissionDenied, match="drafts only"):
        submit_post(post, by=robots[robot])
    assert state_of(post) == State.DRAFT
    assert submit(post, bob_actor) == State.IN_REVIEW


@pytest.mark.parametrize("robot", ["agent", "key"])
def test_an_edit_by_a_robot_takes_it_out_of_review(robot, robots, sign, write, bob_actor, roastery, campaign):
    sign("draft_only")
    post = write()
    submit(post, bob_actor)
    draft = PostDraft(parts=(PartDraft("Other beans."),), connections=(roastery.pk,), campaign=campaign)
    update_post(post, draft, by=robots[robot])
    assert state_of(post) == State.DRAFT
    assert Review.objects.get().status == "obsolete"


def test_loosening_drafts_only_by_hand_does_not_let_robots_in(robots, sign, write):
    policy = sign("draft_only")
    AutonomyPolicy.objects.filter(pk=policy.pk).update(mode="human")
    with pytest.raises(PermissionDenied):
        submit_post(write(), by=robots["agent"])


@pytest.mark.parametrize("mode", ["human", None])
def test_otherwise_robots_may_submit(mode, robots, sign, write):
    if mode:
        sign(mode)
    assert submit(write(), robots["agent"]) == State.IN_REVIEW


def test_a_key_hears_why_at_the_api(api, api_key, sign, write):
    sign("draft_only")
    answer = api(api_key()).post(f"/api/posts/{write().pk}/submit")
    assert (answer.status_code, "drafts only" in answer.json()["detail"]) == (403, True)


# --- the page ---------------------------------------------------------------------------------------------


def test_the_dial_is_signed_and_revoked_on_its_page(rita_client, campaign):
    url = f"/campaigns/{campaign.pk}/approval"
    assert "Nobody has signed a policy" in rita_client.get(url).content.decode()
    rita_client.post(f"{url}/sign", {"mode": "automatic", "max_risk": "low", "budget": "2.50"})
    policy = open_policy(campaign.pk)
    assert (policy.signed_label, policy.budget_micro, policy.max_risk) == ("rita@example.org", 2_500_000, "low")
    html = rita_client.get(url).content.decode()
    assert "Automatic below a risk and a budget" in html
    assert "Automatic below" in rita_client.get(f"/campaigns/{campaign.pk}").content.decode()
    rita_client.post(f"{url}/revoke")
    assert open_policy(campaign.pk) is None


@pytest.mark.parametrize("budget", ["many", "NaN", "Infinity", "-1", "1e30"])
def test_a_budget_that_is_no_amount_is_refused_on_the_page(budget, rita_client, campaign):
    answer = rita_client.post(f"/campaigns/{campaign.pk}/approval/sign", {"mode": "automatic", "budget": budget})
    assert answer.status_code == 422
    assert open_policy(campaign.pk) is None


def test_a_forged_policy_is_pointed_out(rita_client, campaign, sign):
    AutonomyPolicy.objects.filter(pk=sign().pk).update(budget_micro=9)
    assert "not what was signed" in rita_client.get(f"/campaigns/{campaign.pk}/approval").content.decode()


@pytest.mark.parametrize(("name", "status"), [("bob", 403), ("vic", 403), ("charlie", 404), ("gwen", 403)])
def test_others_sign_nothing(name, status, request, campaign):
    client = request.getfixturevalue(f"{name}_client")
    for act in ("sign", "revoke"):
        assert client.post(f"/campaigns/{campaign.pk}/approval/{act}", {"mode": "automatic"}).status_code == status
    assert open_policy(campaign.pk) is None


def test_a_connection_that_costs_nothing_needs_no_budget(sign, bob_actor, in_workspace, campaign):
    sign(budget_micro=0)
    channel = Connection.objects.create(workspace=in_workspace, network="telegram", remote_id="-100", handle="news")
    post = add_post(bob_actor, channel, text="Fresh beans.", campaign=campaign)
    assert submit(post, bob_actor) == State.APPROVED


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_at_once_leave_one_policy(workspace, alice_actor, rita_actor):
    with workspace_scope(workspace.pk):
        campaign = Campaign.objects.create(workspace=workspace, name="Spring")
    together = threading.Barrier(2, timeout=60)

    def run(actor) -> str:
        try:
            together.wait()
            with workspace_scope(workspace.pk):
                return sign_policy(campaign, by=actor, mode="human").signed_label
        except NotAllowedNow as refusal:
            return str(refusal)
        finally:
            connections.close_all()

    with ThreadPool(2) as pool:
        answers = pool.map(run, [alice_actor, rita_actor], chunksize=1)
    with workspace_scope(workspace.pk):
        left = AutonomyPolicy.objects.get(revoked_at=None)
    assert left.signed_label in answers
