"""The doors to answers and to changes of what is live, against the sandbox's X."""

import pytest

from campaigns.models import LiveChange
from compliance.models import Review
from tests.campaigns.engine.rows import EDITED, fresh


@pytest.fixture
def part(due, tick):
    delivery = due("We are open")
    tick()
    return delivery.live_parts.get()


@pytest.fixture
def answer(sandbox, part):
    """Somebody's answer below it."""
    order = {"from": "troll", "to": "roastery", "in_reply_to": part.remote_id, "text": "Boo <b>you</b>"}
    return sandbox.post("/mentions", **order)["id"]


def page(part, act: str = "") -> str:
    return f"/deliveries/{part.delivery_id}/answers{act}"


def address(part, act: str) -> str:
    return f"/api/deliveries/{part.delivery_id}/parts/{part.position}/{act}"


# --- pages ------------------------------------------------------------------------------------------------------


def test_the_receipt_offers_the_answers_and_names_their_price(alice_client, part):
    html = alice_client.get(f"/deliveries/{part.delivery_id}").content.decode()
    assert page(part) in html
    assert "about $0.005 for each answer" in html


def test_the_receipt_itself_reads_nothing(alice_client, part, answer, sandbox):
    alice_client.get(f"/deliveries/{part.delivery_id}")
    assert not [entry for entry in sandbox.ledger() if "mentions" in entry["path"]]


def test_answers_are_listed_and_escaped(alice_client, part, answer):
    html = alice_client.get(page(part)).content.decode()
    assert "@troll" in html
    assert "Boo &lt;b&gt;you&lt;/b&gt;" in html


def test_without_answers_it_says_so(alice_client, part):
    assert "Nobody has answered" in alice_client.get(page(part)).content.decode()


def test_an_answer_is_hidden_and_shown_on_the_page(alice_client, part, answer, sandbox):
    html = alice_client.post(page(part, f"/{answer}"), {"hidden": "1"}).content.decode()
    assert ("Hidden now" in html, sandbox.posts("troll")[0]["hidden"]) == (True, True)
    html = alice_client.post(page(part, f"/{answer}"), {"hidden": "0"}).content.decode()
    assert ("Shown now" in html, sandbox.posts("troll")[0]["hidden"]) == (True, False)


def test_what_x_refuses_is_said_on_the_page(alice_client, part, answer, sandbox):
    sandbox.fault("rate_limit", route="GET /2/users/{id}/mentions")
    assert "rate limit is reached" in alice_client.get(page(part)).content.decode()


@pytest.mark.parametrize("reply", ["abc", "9" * 25])
def test_what_is_no_answer_is_refused_on_the_page(alice_client, part, reply):
    assert "not the id of a post" in alice_client.post(page(part, f"/{reply}"), {"hidden": "1"}).content.decode()


def test_a_viewer_reads_but_does_not_hide(vic_client, part, answer, sandbox):
    html = vic_client.get(page(part)).content.decode()
    assert "Boo" in html
    assert page(part, f"/{answer}") not in html
    assert vic_client.post(page(part, f"/{answer}"), {"hidden": "1"}).status_code == 403
    assert sandbox.posts("troll")[0]["hidden"] is False


def test_guests_and_strangers_read_nothing(gwen_client, charlie_client, part):
    assert gwen_client.get(page(part)).status_code == 403
    assert charlie_client.get(page(part)).status_code == 404


# --- the API ----------------------------------------------------------------------------------------------------


def test_the_api_asks_for_an_edit(premium, api, alice, part):
    answer = api(alice).post(address(part, "edit"), {"text": EDITED}, format="json")
    assert (answer.status_code, answer.json()["state"], answer.json()["text"]) == (201, "in_review", EDITED)
    assert LiveChange.objects.get().action_hash == answer.json()["hash"]


def test_the_api_says_why_there_is_no_edit(api, alice, part):
    answer = api(alice).post(address(part, "edit"), {"text": EDITED}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")
    assert "only Premium accounts" in answer.json()["detail"]


def test_the_api_names_the_field_that_is_wrong(premium, api, alice, part):
    answer = api(alice).post(address(part, "edit"), {"text": "We are open"}, format="json")
    assert (answer.status_code, answer.json()["errors"]) == (400, {"text": ["This is what is live already."]})


def test_an_edit_is_approved_through_the_api(premium, api, alice, rita, part, work, on_x):
    api(alice).post(address(part, "edit"), {"text": EDITED}, format="json")
    (waiting,) = api(rita).get("/api/reviews").json()["results"]
    assert (waiting["kind"], waiting["snapshot"]["before"]) == ("live_change", "We are open")
    api(rita).post(f"/api/reviews/{waiting['id']}/approve", {"hash": waiting["hash"]}, format="json")
    work()
    assert on_x() == [EDITED]


def test_an_edit_is_rejected_through_the_api(premium, api, alice, rita, part):
    api(alice).post(address(part, "edit"), {"text": EDITED}, format="json")
    review = Review.objects.get(kind="live_change")
    api(rita).post(f"/api/reviews/{review.pk}/reject", {"reason": "No."}, format="json")
    assert LiveChange.objects.get().state == "rejected"


def test_the_api_takes_down(api, alice, part, work, on_x):
    answer = api(alice).post(address(part, "take-down"))
    assert (answer.status_code, answer.json()["state"]) == (201, "queued")
    work()
    assert on_x() == []
    live = api(alice).get(f"/api/deliveries/{part.delivery_id}").json()["live_parts"]
    assert live[0]["deleted_at"] is not None


def test_the_api_lists_and_hides_answers(api, alice, part, answer, sandbox):
    found = api(alice).get(address(part, "replies")).json()["results"]
    assert [(reply["id"], reply["author"]) for reply in found] == [(answer, "troll")]
    assert api(alice).post(address(part, f"replies/{answer}/hide")).status_code == 204
    assert sandbox.posts("troll")[0]["hidden"] is True
    api(alice).post(address(part, f"replies/{answer}/hide"), {"hidden": False}, format="json")
    assert sandbox.posts("troll")[0]["hidden"] is False


def test_what_x_refuses_is_no_error_of_ours(api, alice, part, sandbox):
    sandbox.fault("rate_limit", route="GET /2/users/{id}/mentions")
    answer = api(alice).get(address(part, "replies"))
    assert (answer.status_code, answer.json()["code"]) == (502, "rate_limited")


@pytest.mark.parametrize("act", ["edit", "take-down", "replies/7/hide"])
@pytest.mark.parametrize("who", ["vic", "rita", "gwen"])
def test_the_api_lets_nobody_else_change_anything(api, part, act, who, request):
    caller = request.getfixturevalue(who)
    assert api(caller).post(address(part, act), {"text": "Mine"}, format="json").status_code in {403, 404}
    assert (LiveChange.objects.count(), fresh(part).deleted_at) == (0, None)


@pytest.mark.parametrize("act", ["edit", "take-down", "replies/7/hide"])
def test_the_api_shows_strangers_nothing(api, charlie, other_workspace, part, act):
    assert api(charlie).post(address(part, act), {"text": "Mine"}, format="json").status_code == 404
    assert api(charlie).get(address(part, "replies")).status_code == 404


def test_a_key_without_the_right_to_publish_changes_nothing(api, api_key, part):
    caller = api(api_key("read", "write"))
    for act in ("edit", "take-down", "replies/7/hide"):
        assert caller.post(address(part, act), {"text": "Mine"}, format="json").status_code == 403
