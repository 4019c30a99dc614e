"""The queue as a page: order, filters, claims, bulk decisions, history; and the same queue for guests."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification, Workspace
from campaigns.deliveries import submit_post
from campaigns.guest_reviews import set_guest_reviews
from campaigns.models import Delivery
from campaigns.review_queries import findings_of, mark_spans
from campaigns.services import PartDraft, PostDraft, create_campaign, share_campaign, update_post
from compliance.models import Review, WorkspaceTerm
from compliance.reviews.escalation import expire_late_reviews
from compliance.services import approve_review, claim_review, comment_review, hold_review, request_changes
from lib.clock import now, shifted
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db
LIST = "/reviews"


@pytest.fixture
def ask(bob_actor, roastery, submitted):
    def run(text: str, *connections, **fields) -> Review:
        by = fields.pop("by", bob_actor)
        return submitted(add_post(by, *(connections or (roastery,)), text=text, **fields))[0]

    return run


@pytest.fixture
def review(ask) -> Review:
    return ask("Fresh beans.")


def url(review: Review, act: str = "") -> str:
    return f"/reviews/{review.pk}{act}"


def seen(*reviews: Review) -> list[str]:
    return [f"{review.pk}:{review.action_hash}" for review in reviews]


def fresh(review: Review) -> Review:
    return Review.objects.get(pk=review.pk)


def listed(client: Client, query: str = "") -> str:
    """Only what waits; what was decided stands below it."""
    html = client.get(f"{LIST}{query}").content.decode()
    return html.split('id="review-list"')[1].split("Decided lately")[0]


# --- the list ---------------------------------------------------------------------------------------------


def test_the_most_urgent_comes_first(rita_client, ask):
    first, second, third = ask("Plain"), ask("Urgent"), ask("Undated")
    Review.objects.filter(pk=second.pk).update(due_at=now() + timedelta(minutes=15), risk="high")
    Review.objects.filter(pk=third.pk).update(due_at=None)
    html = listed(rita_client)
    assert html.index("Urgent") < html.index("Plain") < html.index("Undated")
    assert "High risk" in html
    assert fresh(first).risk == "low"


def test_tabs_and_filters_narrow_it(rita_client, bob_actor, rita_actor, alice_actor, ask, cafe, campaign, rita, bob):
    late, held, taken = ask("Late one"), ask("Held one"), ask("Taken one")
    other = ask("Of Spring", cafe, campaign=campaign)
    mine = ask("My own", by=alice_actor)
    Review.objects.filter(pk=late.pk).update(due_at=now() - timedelta(minutes=1))
    Review.objects.filter(pk=other.pk).update(risk="medium")
    hold_review(held, by=alice_actor, reason="Wait")
    claim_review(taken, by=alice_actor)
    titles = {
        "": ["Late one", "Held one", "Taken one", "Of Spring", "My own"],
        "?tab=late": ["Late one"],
        "?tab=held": ["Held one"],
        "?tab=me": ["Late one", "Of Spring", "My own"],
        "?tab=mine": [],
        "?risk=medium": ["Of Spring"],
        f"?campaign={campaign.pk}": ["Of Spring"],
        f"?connection={cafe.pk}": ["Of Spring"],
        f"?author={alice_actor.user.pk}": ["My own"],
        f"?author={rita.pk}": [],
        f"?risk=low&tab=late&author={bob.pk}": ["Late one"],
        "?risk=nonsense&tab=nonsense&campaign=x&connection=y&author=z&page=q": [
            "Late one",
            "Held one",
            "Taken one",
            "Of Spring",
            "My own",
        ],
    }
    for query, expected in titles.items():
        html = listed(rita_client, query)
        assert [title for title in titles[""] if title in html] == expected, query
    assert "No review fits these filters." in listed(rita_client, "?tab=mine")
    assert fresh(mine).status == "waiting"


def test_under_four_eyes_ones_own_is_not_waiting_for_one(alice_client, alice_actor, ask):
    ask("By Bob")
    ask("By Alice", by=alice_actor)
    assert "By Alice" in listed(alice_client, "?tab=me")
    Workspace.objects.update(four_eyes=True)
    assert "By Alice" not in listed(alice_client, "?tab=me")
    assert "By Alice" in listed(alice_client, "?tab=mine")


def test_more_reviews_of_every_kind_cost_no_more_queries(rita_client, ask, rita_actor, alice_actor):
    measured = []
    for half in "xy":
        for number in range(6):
            row = ask(f"{half}{number}")
            (claim_review if number % 2 else lambda r, by: hold_review(r, by=by, reason="Wait"))(row, by=alice_actor)
        rita_client.get(f"{LIST}?tab=held&risk=low")
        with CaptureQueriesContext(database) as queries:
            rita_client.get(LIST)
        measured.append(len(queries))
    assert measured[0] == measured[1]


# --- claims -----------------------------------------------------------------------------------------------


def test_an_open_page_takes_the_claim_and_renews_it(rita_client, review, rita):
    html = rita_client.get(url(review)).content.decode()
    assert f'hx-post="{url(review, "/claim")}"' in html
    assert 'hx-trigger="load"' in html
    htmx = {"HTTP_HX_REQUEST": "true"}
    first = rita_client.post(url(review, "/claim"), **htmx).content.decode()
    assert "Yours until" in first
    assert "hx-vals" in first
    until = fresh(review).claimed_until
    with shifted(timedelta(minutes=4)):
        rita_client.post(url(review, "/claim"), {"renew": "1"}, **htmx)
    assert (fresh(review).claimed_by, fresh(review).claimed_until > until) == (rita, True)


def test_others_look_but_find_no_button_and_a_decision_is_refused_with_who_and_until_when(
    alice_client, review, rita_actor
):
    page_opened_before = seen(review)
    claim_review(review, by=rita_actor)
    html = alice_client.get(url(review)).content.decode()
    assert "Rita is looking at this" in html
    assert url(review, "/approve") not in html
    answer = alice_client.post(url(review, "/approve"), {"seen": page_opened_before})
    assert (answer.status_code, fresh(review).status) == (409, "waiting")
    assert "Rita is looking at this until" in answer.content.decode()
    assert "Europe/Berlin" in answer.content.decode()
    waiting = alice_client.post(url(review, "/claim"), HTTP_HX_REQUEST="true").content.decode()
    assert "Rita is looking at this" in waiting
    assert "every 30s" in waiting


def test_a_released_review_is_free_again(rita_client, alice_client, review, rita_actor):
    claim_review(review, by=rita_actor)
    rita_client.post(url(review, "/release"))
    assert alice_client.post(url(review, "/approve"), {"seen": seen(review)}).status_code == 302


def test_a_page_left_open_after_the_decision_says_so(rita_client, review, alice_actor):
    approve_review(review, by=alice_actor, seen_hash=review.action_hash)
    html = rita_client.post(url(review, "/claim"), HTTP_HX_REQUEST="true").content.decode()
    assert "decided or changed meanwhile" in html
    assert "hx-trigger" not in html


@pytest.mark.parametrize("name", ["bob", "vic", "gwen"])
def test_who_may_not_review_claims_and_decides_nothing(name, request, review):
    client = request.getfixturevalue(f"{name}_client")
    for act in ("claim", "release", "approve", "changes", "reject", "hold", "resume"):
        assert client.post(url(review, f"/{act}"), {"reason": "x", "seen": seen(review)}).status_code == 403, act
    assert client.post("/reviews/bulk", {"act": "approve", "seen": seen(review)}).status_code == 403
    assert fresh(review).status == "waiting"


def test_strangers_find_nothing(charlie_client, review):
    for act in ("claim", "release", "approve", "changes", "reject", "hold", "resume", "comment"):
        answer = charlie_client.post(url(review, f"/{act}"), {"reason": "x", "text": "x", "seen": seen(review)})
        assert answer.status_code == 404, act
    assert charlie_client.post(url(review, "/decide"), {"act": "approve"}).status_code == 404
    charlie_client.post("/reviews/bulk", {"act": "approve", "seen": seen(review)})
    assert fresh(review).status == "waiting"


# --- decisions --------------------------------------------------------------------------------------------


def test_changes_send_it_back_and_lead_to_the_next(rita_client, review, ask):
    following = ask("next")
    answer = rita_client.post(url(review, "/changes"), {"reason": "Shorter"})
    assert answer["Location"] == url(following)
    assert fresh(review).status == "changes"
    row = Delivery.objects.get(pk=review.object_id)
    assert (row.state, row.problem_code, row.problem_text) == ("draft", "changes", "Changes requested: Shorter")
    assert "Changes requested by Rita" in rita_client.get(url(review)).content.decode()
    assert Notification.objects.filter(kind="delivery.changes", text__contains="needs changes: Shorter").exists()


def test_the_next_one_is_one_that_this_person_may_decide(rita_client, review, ask, alice_actor):
    held, taken, free = ask("held"), ask("taken"), ask("free")
    hold_review(held, by=alice_actor, reason="Wait")
    claim_review(taken, by=alice_actor)
    assert rita_client.post(url(review, "/approve"), {"seen": seen(review)})["Location"] == url(free)


def test_previous_and_next_walk_through_the_queue(rita_client, ask):
    first, second, third = ask("one"), ask("two"), ask("three")
    html = rita_client.get(url(second)).content.decode()
    assert f'href="{url(first)}" data-review-key="k"' in html
    assert f'href="{url(third)}" data-review-key="j"' in html
    assert 'data-review-key="k"' not in rita_client.get(url(first)).content.decode()


def test_hold_and_resume_on_the_page(rita_client, alice_client, review):
    rita_client.post(url(review, "/hold"), {"reason": "The lawyers look."})
    html = alice_client.get(url(review)).content.decode()
    assert "The lawyers look." in html
    assert url(review, "/approve") not in html
    answer = alice_client.post(url(review, "/approve"), {"seen": seen(review)})
    assert (answer.status_code, fresh(review).status) == (409, "waiting")
    alice_client.post(url(review, "/resume"))
    assert alice_client.post(url(review, "/approve"), {"seen": seen(review)}).status_code == 302
    assert alice_client.post(url(review, "/resume")).status_code == 409


@pytest.mark.parametrize("act", ["changes", "hold", "reject"])
def test_a_missing_reason_is_said_beside_the_field(act, rita_client, review):
    answer = rita_client.post(url(review, f"/{act}"), {"reason": " "})
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode().split('id="reason-error"')[1][:900]
    assert fresh(review).held_at is None


def test_a_rule_that_forbids_it_now_is_shown(rita_client, review, in_workspace):
    WorkspaceTerm.objects.create(workspace=in_workspace, term="beans", kind="block", reason="We sell tea now.")
    answer = rita_client.post(url(review, "/approve"), {"seen": seen(review)})
    assert (answer.status_code, fresh(review).status) == (422, "waiting")
    assert 'role="alert"' in answer.content.decode()


def test_comments_and_events_are_its_history(bob_client, review, rita_actor, vic_client):
    claim_review(review, by=rita_actor)
    bob_client.post(url(review, "/comment"), {"text": "It is <b>urgent</b>."})
    html = bob_client.get(url(review)).content.decode()
    history = html.split('id="review-history"')[1]
    assert history.index("Requested") < history.index("Claimed") < history.index("Commented")
    assert "It is &lt;b&gt;urgent&lt;/b&gt;." in history
    assert vic_client.post(url(review, "/comment"), {"text": "Hm"}).status_code == 403
    assert "Comment for the team" not in vic_client.get(url(review)).content.decode()
    assert bob_client.post(url(review, "/comment"), {"text": " "}).status_code == 422


def test_the_changes_are_those_since_the_last_approval_and_not_since_a_rejection(
    rita_client, bob_actor, rita_actor, post, roastery, approved, campaign
):
    approved(post)
    for text in ("Rejected beans.", "Roasted beans."):
        update_post(post, PostDraft(parts=(PartDraft(text),), connections=(roastery.pk,)), by=bob_actor)
        waiting = Review.objects.get(status="waiting")
        if text == "Rejected beans.":
            request_changes(waiting, by=rita_actor, reason="No")
            submit_post(post, by=bob_actor)
    html = rita_client.get(url(Review.objects.get(status="waiting"))).content.decode()
    assert "<del>Fresh</del><ins>Roasted</ins> beans." in html


def test_a_first_version_says_that_nothing_was_approved_before(rita_client, review):
    assert "No version of it was approved before." in rita_client.get(url(review)).content.decode()


# --- what the rules found ---------------------------------------------------------------------------------


def hit(start: int, end: int, severity: str = "review", **fields) -> dict:
    values = {"rule": "r", "part": 0, "message": "Says.", "citation": "Law § 1", "fix": "Fix it."}
    return values | {"start": start, "end": end, "severity": severity} | fields


@pytest.mark.parametrize(
    ("hits", "marked"),
    [
        ([], [("abcdef", "")]),
        ([hit(0, 2)], [("ab", "review"), ("cdef", "")]),
        ([hit(1, 3), hit(2, 5, "block")], [("a", ""), ("b", "review"), ("c", "block"), ("de", "block"), ("f", "")]),
        ([hit(0, 6, "note"), hit(2, 3, "review")], [("ab", "note"), ("c", "review"), ("def", "note")]),
        ([hit(4, 99)], [("abcd", ""), ("ef", "review")]),
    ],
)
def test_spans_are_marked_and_the_strictest_wins(hits, marked):
    assert [(piece.text, piece.severity) for piece in mark_spans("abcdef", hits)] == marked


def test_hits_stand_with_their_citation_and_their_place(rita_client, review):
    hits = [hit(0, 5, "block", rule="claims.fresh"), hit(0, 0, "note", rule="length", message="Short.")]
    Review.objects.update(guard={"verdict": "review", "hits": hits})
    html = rita_client.get(url(review)).content.decode()
    assert '<mark class="hit-block" title="Says.">Fresh</mark>' in html
    assert "Law § 1 · claims.fresh" in html
    assert "Short." in html
    assert [one["rule"] for one in findings_of(fresh(review)).hits] == ["claims.fresh", "length"]


# --- several at once --------------------------------------------------------------------------------------


def test_harmless_ones_are_approved_together_and_the_rest_is_named(rita_client, ask):
    Review.objects.update(guard={"verdict": "allow"})
    good, other = ask("Good one"), ask("Risky one")
    Review.objects.filter(pk=other.pk).update(risk="high")
    answer = rita_client.post("/reviews/bulk", {"act": "approve", "seen": seen(good, other)}, follow=True)
    html = answer.content.decode()
    assert [fresh(row).status for row in (good, other)] == ["approved", "waiting"]
    assert "Approved: 1." in html
    assert "1 left as they are." in html
    assert "Its risk is high: open it." in html


def test_several_are_rejected_with_one_reason(rita_client, ask):
    rows = [ask("One"), ask("Two")]
    assert rita_client.post("/reviews/bulk", {"act": "reject", "seen": seen(*rows), "reason": "Old"}).status_code == 302
    assert {(fresh(row).status, fresh(row).reason) for row in rows} == {("rejected", "Old")}


@pytest.mark.parametrize(
    "data", [{"act": "approve"}, {"act": "reject", "reason": "x"}, {"act": "approve", "seen": ["x:y", "nonsense"]}]
)
def test_nothing_ticked_is_refused(data, rita_client, review):
    assert rita_client.post("/reviews/bulk", data).status_code == 422
    assert fresh(review).status == "waiting"


def test_bulk_approval_is_bound_to_what_was_on_the_screen(rita_client, review):
    rita_client.post("/reviews/bulk", {"act": "approve", "seen": [f"{review.pk}:{'0' * 64}"]})
    assert fresh(review).status == "waiting"


# --- too late ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "state"), [("ask", "draft"), ("drop", "draft"), ("send", "in_review")])
def test_a_post_whose_time_has_passed_is_not_approved_any_more(policy, state, rita_client, review, workspace):
    Workspace.objects.update(late_policy=policy, late_minutes=60)
    Delivery.objects.update(scheduled_at=now() - timedelta(minutes=61))
    if policy != "send":
        answer = rita_client.post(url(review, "/approve"), {"seen": seen(review)})
        assert (answer.status_code, "Nobody decided in time" in answer.content.decode()) == (409, True)
    expire_late_reviews()
    row = Delivery.objects.get()
    assert row.state == state
    assert fresh(review).status == ("waiting" if policy == "send" else "expired")
    assert row.problem_text.startswith("Expired: ") == (policy != "send")


def test_a_little_late_is_still_in_time(rita_client, review):
    Delivery.objects.update(scheduled_at=now() - timedelta(minutes=59))
    expire_late_reviews()
    assert rita_client.post(url(review, "/approve"), {"seen": seen(review)}).status_code == 302


# --- guests -----------------------------------------------------------------------------------------------


@pytest.fixture
def guest(gwen, gwen_client, campaign, alice_actor) -> Client:
    share_campaign(campaign, gwen, by=alice_actor)
    set_guest_reviews(campaign, gwen, may=True, by=alice_actor)
    return gwen_client


def test_a_guest_decides_on_what_was_shared_for_that(guest, ask, campaign, gwen):
    review, other = ask("Of Spring", campaign=campaign), ask("Elsewhere")
    html = guest.get(LIST).content.decode()
    assert "Of Spring" in html
    assert "Elsewhere" not in html
    assert guest.post(url(other, "/decide"), {"act": "approve", "seen": other.action_hash}).status_code == 404
    assert guest.post(url(review, "/decide"), {"act": "approve", "seen": review.action_hash}).status_code == 302
    assert (fresh(review).status, fresh(review).decided_by) == ("approved", gwen)
    assert fresh(other).status == "waiting"


def test_a_guest_sees_nothing_of_the_team_and_is_told_of_new_posts(guest, ask, campaign, rita_actor, gwen):
    review = ask("Of Spring", campaign=campaign)
    Review.objects.update(guard={"verdict": "review", "hits": [hit(0, 2, message="Inside")]})
    comment_review(review, by=rita_actor, text="Between us")
    hold_review(review, by=rita_actor, reason="Our reason")
    html = guest.get(LIST).content.decode()
    for inside in ("Inside", "Between us", "Our reason", "rita@example.org"):
        assert inside not in html
    answer = guest.post(url(review, "/decide"), {"act": "approve", "seen": review.action_hash})
    assert (answer.status_code, "Our reason" in answer.content.decode()) == (409, False)
    assert Notification.objects.filter(user=gwen, kind="review.requested").count() == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"act": "approve", "seen": "0" * 64}, 409),
        ({"act": "changes", "reason": " "}, 422),
        ({"act": "reject", "reason": "x"}, 422),
        ({}, 422),
    ],
)
def test_a_guest_is_told_what_is_wrong(data, status, guest, ask, campaign):
    review = ask("Of Spring", campaign=campaign)
    assert guest.post(url(review, "/decide"), data).status_code == status
    assert fresh(review).status == "waiting"


def test_a_guest_who_only_looks_decides_nothing(gwen_client, gwen, campaign, alice_actor, ask, guest):
    review = ask("Of Spring", campaign=campaign)
    set_guest_reviews(campaign, gwen, may=False, by=alice_actor)
    assert gwen_client.get(LIST).status_code == 403
    assert gwen_client.post(url(review, "/decide"), {"act": "hold", "reason": "x"}).status_code == 404
    assert fresh(review).held_at is None


def test_who_loses_sight_of_the_campaign_no_longer_decides(alice_client, guest, campaign, gwen, ask):
    review = ask("Of Spring", campaign=campaign)
    alice_client.post(f"/campaigns/{campaign.pk}/unshare", {"email": gwen.email})
    assert guest.post(url(review, "/decide"), {"act": "approve", "seen": review.action_hash}).status_code == 404


def test_the_right_is_given_on_the_campaigns_page(alice_client, rita_client, campaign, gwen, alice_actor):
    share_campaign(campaign, gwen, by=alice_actor)
    page, act = f"/campaigns/{campaign.pk}/approval", f"/campaigns/{campaign.pk}/guest-rights"
    assert "Let decide" in alice_client.get(page).content.decode()
    assert rita_client.post(act, {"email": gwen.email, "may": "1"}).status_code == 403
    alice_client.post(act, {"email": gwen.email, "may": "1"})
    assert "Only look" in alice_client.get(page).content.decode()
    alice_client.post(act, {"email": gwen.email, "may": "0"})
    assert "Let decide" in alice_client.get(page).content.decode()


def test_members_need_no_such_right(alice_client, campaign, bob):
    alice_client.post(f"/campaigns/{campaign.pk}/guest-rights", {"email": bob.email, "may": "1"})
    assert not bob.has_perm("campaigns.change_campaign", campaign)


def test_another_campaign_of_the_workspace_stays_closed(guest, alice_actor, ask, in_workspace):
    other = create_campaign(by=alice_actor, name="Autumn")
    review = ask("Of Autumn", add_connection(in_workspace, "second"), campaign=other)
    assert "Of Autumn" not in guest.get(LIST).content.decode()
    assert guest.post(url(review, "/decide"), {"act": "hold", "reason": "x"}).status_code == 404
    assert fresh(review).held_at is None
