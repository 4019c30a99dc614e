"""Staff and the reviews of all workspaces: seeing, stopping with a reason, and never approving."""

from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import staff_groups
from accounts.models import AuditEntry, Notification, User
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.models import Delivery
from compliance.admin_moderation import mark_spans
from compliance.models import GuardDecision, Review, ReviewEvent
from compliance.services import approve_review
from lib.ids import uuid7
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
REVIEWS = "/admin/compliance/review/"
REASON = "Sounds like a scam"


@pytest.fixture
def review(workspace, alice, bob_actor) -> Review:
    from campaigns.deliveries import submit_post

    with workspace_scope(workspace.pk):
        post = add_post(bob_actor, add_connection(workspace), text="Fresh <b>beans</b>, guaranteed to heal.")
        (delivery,) = submit_post(post, by=bob_actor)
        found = Review.objects.get(object_id=delivery.pk)
        hits = [
            {"rule": "CLAIM-1", "severity": "review", "part": 0, "start": 20, "end": 38, "message": "A promise."},
            {
                "rule": "NOTE-2",
                "severity": "note",
                "part": 0,
                "start": 0,
                "end": 5,
                "message": "Fresh?",
                "fix": "Say how.",
            },
        ]
        Review.objects.filter(pk=found.pk).update(guard={"verdict": "review", "hits": hits}, risk="high")
        return Review.objects.select_related("workspace").get(pk=found.pk)


@pytest.fixture
def member_of(db, client_of):
    """Somebody of staff in this group, logged in."""

    def make(group: str):
        user = User.objects.create_user(f"{group.lower()}@example.org", "correct horse battery", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        return client_of(user)

    return make


@pytest.fixture
def moderator(member_of):
    return member_of(staff_groups.MODERATION)


@pytest.fixture
def support(member_of):
    return member_of(staff_groups.SUPPORT)


def press(client, action: str, *rows, reason: str = REASON):
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], "reason": reason}
    return client.post(REVIEWS, data, follow=True)


def fresh(review: Review) -> Review:
    with all_workspaces_scope("test"):
        return Review.objects.get(pk=review.pk)


# --- seeing ----------------------------------------------------------------------------------------------------


def test_the_page_shows_what_would_be_sent_with_the_findings_marked(support, review):
    html = support.get(f"{REVIEWS}{review.pk}/change/").content.decode()
    assert "<mark>Fresh</mark> &lt;b&gt;beans&lt;/b&gt;, <mark>guaranteed to heal</mark>." in html
    assert "CLAIM-1" in html
    assert "A promise." in html
    assert "Say how." in html


def test_the_page_tells_its_history(support, review):
    html = support.get(f"{REVIEWS}{review.pk}/change/").content.decode()
    assert "Requested" in html
    assert "bob@example.org" in html


@pytest.mark.parametrize(
    ("query", "fields", "is_found"),
    [
        ("?status__exact=waiting", {}, True),
        ("?status__exact=approved", {}, False),
        ("?risk__exact=high", {}, True),
        ("?urgency=late", {}, False),
        ("?urgency=late", {"due_at": "2020-01-01T00:00Z"}, True),
        ("?urgency=late", {"due_at": "2020-01-01T00:00Z", "held_at": "2020-01-01T00:00Z"}, False),
        ("?urgency=held", {"held_at": "2020-01-01T00:00Z"}, True),
        ("?urgency=escalated", {"escalation_level": 1}, True),
        ("?urgency=escalated", {"escalation_level": 1, "status": "expired"}, False),
        ("?q=bob@example", {}, True),
        ("?q=Roastery", {}, True),
        ("?q=charlie", {}, False),
    ],
)
def test_the_queue_can_be_filtered_and_searched(support, review, query, fields, is_found):
    with all_workspaces_scope("test"):
        Review.objects.filter(pk=review.pk).update(**fields)
    assert support.get(REVIEWS + query).context["cl"].result_count == int(is_found)


def test_what_waits_stands_before_what_is_decided(support, review):
    with all_workspaces_scope("test"):
        Review.objects.create(
            workspace=review.workspace,
            kind="delivery",
            object_id=uuid7(),
            status="rejected",
            decided_at="2030-01-01T00:00Z",
        )
    rows = support.get(REVIEWS).context["cl"].result_list
    assert [row.status for row in rows] == ["waiting", "rejected"]


# --- stopping ---------------------------------------------------------------------------------------------------


def test_a_rejection_goes_back_to_the_author_with_the_reason(moderator, review, bob):
    assert "1 rejected." in press(moderator, "reject", review).content.decode()
    assert (fresh(review).status, fresh(review).reason, fresh(review).decided_label) == ("rejected", REASON, "staff")
    with all_workspaces_scope("test"):
        assert Delivery.objects.get(pk=review.object_id).state == Delivery.State.DRAFT
        assert Notification.objects.filter(user=bob, text__contains=REASON).exists()
        entries = AuditEntry.objects.filter(action="review.reject").select_related("detail")
        actors = {entry.workspace_id: entry.detail.actor for entry in entries}
    assert actors == {None: "moderation@example.org", review.workspace_id: "staff"}


def test_a_hold_keeps_it_from_being_approved(moderator, review, rita_actor):
    press(moderator, "hold", review)
    assert (fresh(review).status, fresh(review).hold_reason) == ("waiting", REASON)
    with workspace_scope(review.workspace_id), pytest.raises(Exception, match=REASON):
        approve_review(fresh(review), by=rita_actor, seen_hash=review.action_hash)
    press(moderator, "resume", review, reason="Settled")
    with workspace_scope(review.workspace_id):
        approve_review(fresh(review), by=rita_actor, seen_hash=review.action_hash)
    assert fresh(review).status == "approved"


@pytest.mark.parametrize("action", ["reject", "hold", "resume"])
def test_every_act_asks_why_first(moderator, review, action):
    page = moderator.post(REVIEWS, {"action": action, "_selected_action": [str(review.pk)]})
    assert 'name="reason"' in page.content.decode()
    assert "Fresh &lt;b&gt;beans" in page.content.decode()
    assert 'role="alert"' in press(moderator, action, review, reason=" ").content.decode()
    assert (fresh(review).status, fresh(review).held_at) == ("waiting", None)


@pytest.mark.parametrize("name", ["reject", "hold", "resume"])
def test_the_page_of_one_review_leads_to_the_same_question(moderator, review, name):
    html = moderator.get(f"{REVIEWS}{review.pk}/change/").content.decode()
    address = reverse(f"admin:compliance_review_{name}_this", args=[review.pk])
    assert address in html
    page = moderator.get(address).content.decode()
    assert f'action="{REVIEWS}"' in page
    assert f'value="{name}"' in page


def test_somebody_who_was_faster_is_said_and_nothing_is_recorded(moderator, review, rita_actor):
    with workspace_scope(review.workspace_id):
        approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    html = press(moderator, "reject", review).content.decode()
    assert "0 rejected." in html
    assert fresh(review).status == "approved"
    with all_workspaces_scope("test"):
        assert not AuditEntry.objects.filter(workspace=None).exists()


def test_staff_cannot_approve_by_any_door(staff_client, moderator, review):
    for client in (staff_client, moderator):
        actions = dict(client.get(REVIEWS).context["action_form"].fields["action"].choices)
        assert set(actions) == {"", "reject", "hold", "resume"}
        press(client, "approve", review)
        client.post(f"{REVIEWS}{review.pk}/change/", {"status": "approved"})
    assert fresh(review).status == "waiting"


def test_support_may_look_and_not_act(support, review):
    assert support.get(f"{REVIEWS}{review.pk}/change/").status_code == 200
    for action in ("reject", "hold", "resume"):
        press(support, action, review)
        support.get(reverse(f"admin:compliance_review_{action}_this", args=[review.pk]))
        assert (
            reverse(f"admin:compliance_review_{action}_this", args=[review.pk])
            not in support.get(f"{REVIEWS}{review.pk}/change/").content.decode()
        )
    assert (fresh(review).status, fresh(review).held_at) == ("waiting", None)


# --- what was decided -----------------------------------------------------------------------------------------


@pytest.fixture
def decision(review) -> GuardDecision:
    with all_workspaces_scope("test"):
        return GuardDecision.objects.create(
            workspace=review.workspace,
            kind="delivery",
            object_id=uuid7(),
            action_hash="c" * 64,
            stage="send",
            verdict="block",
            hits=[{"rule": "CN-AD-9", "severity": "block", "message": "The best of all."}],
        )


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("?verdict__exact=block", True),
        ("?verdict__exact=allow", False),
        ("?stage__exact=send", True),
        ("?q=CN-AD-9", True),
        ("?q=CN-AD", False),
        ("?q=cccc", True),
        ("?q=Roastery", True),
    ],
)
def test_verdicts_are_found_by_rule_and_by_what_they_were_about(support, decision, query, is_found):
    rows = support.get(f"/admin/compliance/guarddecision/{query}").context["cl"].result_list
    assert (decision.pk in {row.pk for row in rows}) == is_found


def test_a_verdict_has_a_page_with_its_findings(support, decision):
    html = support.get(f"/admin/compliance/guarddecision/{decision.pk}/change/").content.decode()
    assert "The best of all." in html


def test_the_history_of_decisions_is_one_list(support, moderator, review):
    press(moderator, "reject", review)
    page = support.get("/admin/compliance/reviewevent/?kind__exact=rejected")
    assert [(row.kind, row.text) for row in page.context["cl"].result_list] == [("rejected", REASON)]
    assert support.get("/admin/compliance/reviewevent/?q=scam").context["cl"].result_count == 1


@pytest.mark.parametrize("model", [Review, ReviewEvent, GuardDecision])
@pytest.mark.parametrize("act", ["add", "delete"])
def test_nobody_adds_or_deletes_what_was_decided(staff_client, review, decision, model, act):
    with all_workspaces_scope("test"):
        row = model.objects.first()
    name = f"admin:compliance_{model._meta.model_name}_{act}"
    assert staff_client.post(reverse(name, args=[] if act == "add" else [row.pk]), {"post": "yes"}).status_code == 403


# --- marks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "html"),
    [
        ([], "a&lt;b&gt;c"),
        ([(0, 1)], "<mark>a</mark>&lt;b&gt;c"),
        ([(1, 3)], "a<mark>&lt;b</mark>&gt;c"),
        ([(3, 5), (0, 1)], "<mark>a</mark>&lt;b<mark>&gt;c</mark>"),
        ([(0, 3), (1, 2), (2, 4)], "<mark>a&lt;b</mark><mark>&gt;</mark>c"),
        ([(2, 2), (4, 99), (-3, 1)], "<mark>a</mark>&lt;b&gt;<mark>c</mark>"),
    ],
)
def test_spans_are_marked_and_the_rest_escaped(spans, html):
    assert mark_spans("a<b>c", spans) == html


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=6))
def test_marks_never_change_the_text(text, spans):
    plain = mark_spans(text, spans).replace("<mark>", "").replace("</mark>", "")
    assert "<" not in plain
    assert unescape(plain) == text
