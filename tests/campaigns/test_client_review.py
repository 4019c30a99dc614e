"""Clients decide by a link: what they see, what they may do, and what becomes of links that end."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.test import Client

from accounts.models import AuditEntry, Membership, User, Workspace
from accounts.scope import workspace_scope
from campaigns.client_words import WORDS, language_of
from campaigns.models import Delivery, Post
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_campaign, create_post, update_post
from compliance.models import Review, ReviewLink, WorkspaceTerm
from compliance.reviews.links import MOST_DAYS, create_link, find_link, hash_token, revoke_link
from compliance.services import claim_review, comment_review, hold_review
from lib.clock import now, shifted
from lib.ids import uuid7
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
STAMP = re.compile(r'action="/review/[^/]+/([0-9a-f-]{36})">\s*<input type="hidden" name="stamp" value="([^"]+)"')


@pytest.fixture
def review(bob_actor, roastery, campaign, submitted) -> Review:
    return submitted(add_post(bob_actor, roastery, campaign=campaign))[0]


@pytest.fixture
def make(alice_actor, campaign):
    def run(**fields) -> tuple[ReviewLink, str]:
        values = {"name": "Ms Chen", "scope_id": campaign.pk, "scope_label": "Campaign Spring"}
        return create_link(by=alice_actor, **values | fields)

    return run


@pytest.fixture
def token(make) -> str:
    return make()[1]


@pytest.fixture
def visitor() -> Client:
    """Nobody: no session, and a browser that checks for forged forms."""
    return Client(enforce_csrf_checks=True)


def page(visitor: Client, token: str, **headers):
    return visitor.get(f"/review/{token}", headers=headers)


def stamps(html: str) -> dict[str, str]:
    return dict(STAMP.findall(html))


def decide(visitor: Client, token: str, review: Review, act: str, **fields):
    stamp = stamps(page(visitor, token).content.decode()).get(str(review.pk), "")
    values = {"stamp": stamp, "name": "Chen Li", "act": act}
    return visitor.post(f"/review/{token}/{review.pk}", values | fields)


def fresh(review: Review) -> Review:
    return Review.objects.select_related("decided_link").get(pk=review.pk)


def state() -> str:
    return Delivery.objects.get().state


# --- making and ending links ------------------------------------------------------------------------------


def test_only_the_hash_of_the_token_is_kept(make):
    link, token = make()
    assert ReviewLink.objects.get().token_hash == hash_token(token)
    assert token not in str(ReviewLink.objects.values().get())
    assert token not in str(list(AuditEntry.objects.values_list("detail__data", flat=True)))
    assert find_link(token) == link


def test_the_client_gets_it_by_mail_and_the_maker_sees_it_once(
    alice_client, campaign, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = alice_client.post(f"/campaigns/{campaign.pk}/links", {"name": "Ms Chen", "email": "chen@example.org"})
    [url] = set(re.findall(r"http://[^\"<\s]+/review/rl_[\w-]{43}", answer.content.decode()))
    assert mail.outbox[0].to == ["chen@example.org"]
    assert url in mail.outbox[0].body
    assert "rl_" not in alice_client.get(f"/campaigns/{campaign.pk}/approval").content.decode()


@pytest.mark.parametrize("name", ["bob", "rita", "vic", "gwen"])
def test_who_may_not_review_and_share_makes_and_ends_no_link(name, request, make, campaign):
    actor, link = request.getfixturevalue(f"{name}_actor"), make()[0]
    with pytest.raises(PermissionDenied):
        create_link(by=actor, name="Ms Chen", scope_id=campaign.pk, scope_label="x")
    with pytest.raises(PermissionDenied):
        revoke_link(link.pk, by=actor)
    assert ReviewLink.objects.get().is_open


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": " "}, "name"),
        ({"email": "nonsense"}, "email"),
        ({"days": 0}, "days"),
        ({"days": MOST_DAYS + 1}, "days"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(fields, wrong, make):
    with pytest.raises(ValidationError) as refused:
        make(**fields)
    assert list(refused.value.message_dict) == [wrong]


def test_a_link_of_another_workspace_is_not_found(make, charlie_actor, other_workspace):
    link, _ = make()
    with workspace_scope(other_workspace.pk), pytest.raises(Http404):
        revoke_link(link.pk, by=charlie_actor)


def test_links_are_listed_and_revoked_on_their_page(alice_client, make, campaign, visitor):
    link, token = make()
    assert "Ms Chen" in alice_client.get(f"/campaigns/{campaign.pk}/approval").content.decode()
    alice_client.post(f"/review-links/{link.pk}/revoke")
    assert page(visitor, token).status_code == 410
    assert AuditEntry.objects.filter(action="review_link.revoke").count() == 1


def test_a_link_for_one_post_opens_nothing_else(
    alice_client, bob_actor, roastery, campaign, submitted, visitor, review
):
    [other] = submitted(add_post(bob_actor, roastery, text="Another one.", campaign=campaign))
    answer = alice_client.post(f"/posts/{Delivery.objects.get(pk=other.object_id).post_id}/links", {"name": "Mr Roth"})
    token = re.search(r"/review/(rl_[\w-]{43})", answer.content.decode())[1]
    html = page(visitor, token).content.decode()
    assert "Another one." in html
    assert "Fresh beans." not in html
    assert decide(visitor, token, review, "approve").status_code == 404
    assert fresh(review).status == "waiting"


# --- looking ----------------------------------------------------------------------------------------------


def test_a_client_sees_what_would_be_sent_without_account_or_cookies(visitor, token, review):
    answer = page(visitor, token)
    assert answer.status_code == 200
    assert "Fresh beans." in answer.content.decode()
    assert not answer.cookies
    assert not visitor.cookies
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert "no-store" in answer["Cache-Control"]


def test_a_client_sees_nothing_of_the_team(visitor, token, review, rita_actor, in_workspace):
    Review.objects.update(guard={"verdict": "review", "hits": [{"rule": "secret.rule", "message": "Inside"}]})
    comment_review(review, by=rita_actor, text="Between us")
    hold_review(review, by=rita_actor, reason="Our own reason")
    html = page(visitor, token).content.decode()
    for inside in ("secret.rule", "Inside", "Between us", "Our own reason", "rita@example.org", "Rita", "Bob", "Hash"):
        assert inside not in html
    assert "The team has put this on hold." in html


def test_what_is_elsewhere_in_the_workspace_stays_there(visitor, token, review, bob_actor, roastery, submitted):
    submitted(add_post(bob_actor, roastery, text="Of no campaign."))
    assert "Of no campaign." not in page(visitor, token).content.decode()


def test_pictures_come_by_the_link_and_no_others(visitor, token, bob_actor, roastery, campaign, picture, submitted):
    draft = PostDraft(
        parts=(PartDraft("x", (MediaDraft(picture.pk, "A cup"),)),), connections=(roastery.pk,), campaign=campaign
    )
    submitted(create_post(draft, by=bob_actor))
    html = page(visitor, token).content.decode()
    address = f"/review/{token}/media/{picture.pk}"
    assert address in html
    assert f"/media/{picture.pk}/file" not in html
    served = visitor.get(address)
    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    b"".join(served.streaming_content)
    assert "<b>Description of the file:</b> A cup" in html


def test_a_file_that_is_in_no_review_of_the_link_is_not_found(visitor, token, review, picture):
    assert visitor.get(f"/review/{token}/media/{picture.pk}").status_code == 404
    assert visitor.get(f"/review/{token}/media/{uuid7()}").status_code == 404


def test_an_empty_page_says_so(visitor, token):
    assert "Nothing waits for you" in page(visitor, token).content.decode()


@pytest.mark.parametrize(
    ("wanted", "heading"),
    [
        ("", "For your approval"),
        ("en-GB,en;q=0.9", "For your approval"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "请您审批"),
        ("de,zh;q=0.5,en;q=0.7", "For your approval"),
        ("fr", "For your approval"),
        ("zh;q=nonsense,*", "For your approval"),
        ("zh;q=0", "For your approval"),
    ],
)
def test_the_browser_chooses_the_language(wanted, heading, visitor, token, rf):
    assert heading in page(visitor, token, accept_language=wanted).content.decode()
    assert language_of(rf.get("/", headers={"accept-language": wanted})) in WORDS


def test_every_word_is_there_in_every_language():
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}
    assert all(text.strip() for words in WORDS.values() for text in words.values())


# --- deciding ---------------------------------------------------------------------------------------------


def test_an_approval_is_bound_to_the_link_and_the_typed_name(visitor, token, review):
    answer = decide(visitor, token, review, "approve", name=" Chen\nLi ")
    assert (answer.status_code, answer["Location"]) == (302, f"/review/{token}?done=approve")
    row = fresh(review)
    assert (row.status, row.decided_by, row.decided_link) == ("approved", None, ReviewLink.objects.get())
    assert row.decided_label.startswith("Chen Li (client: Ms Chen")
    assert (state(), Delivery.objects.get().approved_hash) == ("approved", review.action_hash)
    assert AuditEntry.objects.get(action="review.approve").detail.actor == row.decided_label
    assert "Decided by you" in page(visitor, token).content.decode()


def test_changes_go_back_with_the_clients_words(visitor, token, review):
    assert decide(visitor, token, review, "changes", reason="Say which Friday.").status_code == 302
    assert (fresh(review).status, fresh(review).reason) == ("changes", "Say which Friday.")
    assert (state(), Delivery.objects.get().problem_text) == ("draft", "Changes requested: Say which Friday.")


def test_what_a_client_held_the_same_link_lets_go_and_no_other(visitor, make, review):
    token, other = make()[1], make(name="Mr Roth")[1]
    decide(visitor, token, review, "hold", reason="I ask my boss.")
    assert fresh(review).hold_reason == "I ask my boss."
    assert "I ask my boss." in page(visitor, token).content.decode()
    assert "I ask my boss." not in page(visitor, other).content.decode()
    assert decide(visitor, token, review, "approve").status_code == 409
    assert decide(visitor, other, review, "resume").status_code == 422
    assert fresh(review).held_at
    decide(visitor, token, review, "resume")
    decide(visitor, token, review, "approve")
    assert fresh(review).status == "approved"


@pytest.mark.parametrize(
    ("act", "fields", "says"),
    [
        ("approve", {"name": "  "}, "needs_name"),
        ("changes", {"reason": " "}, "needs_reason"),
        ("hold", {"reason": ""}, "needs_reason"),
        ("reject", {"reason": "No"}, "forbidden"),
        ("", {}, "forbidden"),
    ],
)
def test_what_is_missing_is_said_and_nothing_typed_is_lost(act, fields, says, visitor, token, review):
    answer = decide(visitor, token, review, act, **fields)
    html = answer.content.decode()
    assert (answer.status_code, fresh(review).status) == (422, "waiting")
    assert WORDS["en"][says] in html
    if "name" not in fields:
        assert 'value="Chen Li"' in html


def test_a_forged_or_foreign_form_is_refused(visitor, make, token, review, bob_actor, roastery, campaign, submitted):
    [other] = submitted(add_post(bob_actor, roastery, text="Other.", campaign=campaign))
    second = make(name="Mr Roth")[1]
    mine = stamps(page(visitor, token).content.decode())
    foreign = stamps(page(visitor, second).content.decode())[str(review.pk)]
    for stamp in ("", "nonsense", mine[str(other.pk)], foreign, mine[str(review.pk)][:-1] + "x"):
        answer = decide(visitor, token, review, "approve", stamp=stamp)
        assert (answer.status_code, fresh(review).status) == (409, "waiting")


def test_a_form_of_yesterday_is_refused(visitor, token, review, monkeypatch):
    stamp = stamps(page(visitor, token).content.decode())[str(review.pk)]
    monkeypatch.setattr("campaigns.views.client_review.FORM_AGE_S", -1)
    assert decide(visitor, token, review, "approve", stamp=stamp).status_code == 409
    assert fresh(review).status == "waiting"


def test_other_content_than_was_seen_is_not_approved(visitor, token, review, bob_actor, roastery, campaign):
    stamp = stamps(page(visitor, token).content.decode())[str(review.pk)]
    draft = PostDraft(parts=(PartDraft("Changed."),), connections=(roastery.pk,), campaign=campaign)
    update_post(Post.objects.get(), draft, by=bob_actor)
    assert decide(visitor, token, review, "approve", stamp=stamp).status_code == 404
    newer = Review.objects.get(status="waiting")
    assert decide(visitor, token, newer, "approve", stamp=stamp).status_code == 409
    assert state() == "in_review"


def test_while_the_team_looks_at_it_nobody_is_named(visitor, token, review, rita_actor):
    claim_review(review, by=rita_actor)
    answer = decide(visitor, token, review, "approve")
    assert (answer.status_code, fresh(review).status) == (409, "waiting")
    assert WORDS["en"]["busy"] in answer.content.decode()
    assert "Rita" not in answer.content.decode()


def test_a_rule_that_forbids_it_is_said_in_plain_words(visitor, token, review, in_workspace):
    WorkspaceTerm.objects.create(workspace=in_workspace, term="beans", kind="block", reason="Our own list")
    answer = decide(visitor, token, review, "approve")
    assert (answer.status_code, fresh(review).status) == (422, "waiting")
    assert WORDS["en"]["forbidden"] in answer.content.decode()
    assert "Our own list" not in answer.content.decode()


@pytest.mark.parametrize("is_author", [True, False])
def test_under_four_eyes_the_maker_of_the_link_must_be_no_author(
    is_author, visitor, make, in_workspace, alice_actor, bob_actor, roastery, campaign, submitted
):
    Workspace.objects.update(four_eyes=True)
    [review] = submitted(add_post(alice_actor if is_author else bob_actor, roastery, campaign=campaign))
    answer = decide(visitor, make()[1], review, "approve")
    assert answer.status_code == (409 if is_author else 302)
    assert fresh(review).status == ("waiting" if is_author else "approved")


def test_a_link_that_only_shows_decides_nothing(visitor, token, review):
    ReviewLink.objects.update(can_decide=False)
    assert "<form" not in page(visitor, token).content.decode()
    stamp = ""
    assert decide(visitor, token, review, "approve", stamp=stamp).status_code == 409
    assert fresh(review).status == "waiting"


# --- the end of a link ------------------------------------------------------------------------------------


def end_by_time(link: ReviewLink, by, alice: User) -> None:
    ReviewLink.objects.update(expires_at=now() - timedelta(seconds=1))


def end_by_revoking(link: ReviewLink, by, alice: User) -> None:
    revoke_link(link.pk, by=by)


def end_by_role(link: ReviewLink, by, alice: User) -> None:
    Membership.objects.filter(user=alice).update(role="editor")


def end_by_leaving(link: ReviewLink, by, alice: User) -> None:
    Membership.objects.filter(user=alice).delete()


def end_by_suspension(link: ReviewLink, by, alice: User) -> None:
    Workspace.objects.update(is_suspended=True)


ENDS = [end_by_time, end_by_revoking, end_by_role, end_by_leaving, end_by_suspension]


@pytest.mark.parametrize("end", ENDS)
def test_an_ended_link_says_so_and_decides_nothing(end, visitor, make, review, alice_actor, alice):
    link, token = make()
    stamp = stamps(page(visitor, token).content.decode())[str(review.pk)]
    end(link, alice_actor, alice)
    answer = page(visitor, token)
    assert (answer.status_code, "This link has ended" in answer.content.decode()) == (410, True)
    assert "Fresh beans." not in answer.content.decode()
    form = {"stamp": stamp, "name": "Chen", "act": "approve"}
    assert visitor.post(f"/review/{token}/{review.pk}", form).status_code == 410
    assert fresh(review).status == "waiting"


def test_unknown_tokens_are_all_alike_and_soon_too_many(visitor, token):
    wrong = ["x", "rl_short", f"rl_{'x' * 43}", token[:-1] + ("a" if token[-1] != "a" else "b"), token.upper()]
    answers = [page(visitor, one) for one in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    statuses = [page(visitor, f"rl_{number:043d}").status_code for number in range(30)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    # Whoever has a link is not shut out by that.
    assert page(visitor, token).status_code == 200


def test_too_many_requests_are_refused(visitor, token, monkeypatch):
    monkeypatch.setattr("campaigns.views.client_review.MOST_REQUESTS", 3)
    assert [page(visitor, token).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_use_is_noted_at_most_once_a_minute(visitor, token, review):
    page(visitor, token)
    first = ReviewLink.objects.get().last_used_at
    page(visitor, token)
    assert first
    assert ReviewLink.objects.get().last_used_at == first
    with shifted(timedelta(minutes=2)):
        page(visitor, token)
    assert ReviewLink.objects.get().last_used_at > first


def test_a_link_shows_no_other_workspace(visitor, token, review, charlie_actor, other_workspace):
    with workspace_scope(other_workspace.pk):
        theirs = create_campaign(by=charlie_actor, name="Theirs")
        foreign = create_link(by=charlie_actor, name="X", scope_id=theirs.pk, scope_label="x")[1]
    assert "Fresh beans." not in page(visitor, foreign).content.decode()
    assert decide(visitor, foreign, review, "approve").status_code == 404


def test_what_waits_is_not_crowded_out_by_what_was_decided(visitor, token, bob_actor, roastery, campaign, submitted):
    reviews = [submitted(add_post(bob_actor, roastery, text=f"Old {n}.", campaign=campaign))[0] for n in range(12)]
    link, old = ReviewLink.objects.get(), now() - timedelta(days=3)
    rows = Review.objects.filter(pk__in=[row.pk for row in reviews])
    rows.update(status="approved", decided_link=link, decided_at=old, due_at=old)
    submitted(add_post(bob_actor, roastery, text="New one.", campaign=campaign))
    html = page(visitor, token).content.decode()
    assert "New one." in html
    assert html.count("Old ") == 10
