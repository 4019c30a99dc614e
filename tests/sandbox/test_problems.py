"""The answers of X when it refuses, to the letter: products match on these words."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox, photo

PROBLEMS = "https://api.twitter.com/2/problems/"
POST = "POST /2/tweets"


def plain(status: int, title: str, detail: str) -> dict[str, Any]:
    return {"title": title, "detail": detail, "type": "about:blank", "status": status}


def invalid(parameter: str, value: str, message: str) -> dict[str, Any]:
    return {
        "errors": [{"parameters": {parameter: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }


def check(answer: requests.Response, status: int, body: dict[str, Any]) -> None:
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_an_unknown_token_is_unauthorized(alice: Client) -> None:
    alice.token = "nonsense"
    check(alice.create("Hello"), 401, plain(401, "Unauthorized", "Unauthorized"))


def test_an_expired_token_is_unauthorized_in_the_same_words(sandbox: Sandbox) -> None:
    short = sandbox.sign_in("alice", expires_in=1)
    sandbox.advance(2)
    check(short.create("Hello"), 401, plain(401, "Unauthorized", "Unauthorized"))


def test_a_missing_scope_is_forbidden(sandbox: Sandbox) -> None:
    reader = sandbox.sign_in("alice", scopes="tweet.read users.read")
    check(reader.create("Hello"), 403, plain(403, "Forbidden", "You are not permitted to perform this action."))


def test_the_same_words_again_are_duplicate_content(alice: Client) -> None:
    alice.post_id("Hello")
    detail = "You are not allowed to create a Tweet with duplicate content."
    check(alice.create("Hello"), 403, plain(403, "Forbidden", detail))


def test_an_unasked_reply_is_not_allowed(alice: Client, bob: Client) -> None:
    detail = (
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the "
        "author of the post you are replying to."
    )
    check(alice.reply("Buy", bob.post_id("Hello")), 403, plain(403, "Forbidden", detail))


def test_a_reply_to_nothing_is_not_visible(alice: Client) -> None:
    detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
    check(alice.reply("Hello?", "12"), 403, plain(403, "Forbidden", detail))


def test_a_quote_is_not_permitted(alice: Client) -> None:
    answer = alice.create("Look", quote_tweet_id=alice.post_id("First"))
    check(answer, 403, plain(403, "Forbidden", "You are not permitted to perform this action."))


def test_a_post_of_someone_else_cannot_be_deleted(alice: Client, bob: Client) -> None:
    answer = alice.call("DELETE", f"/2/tweets/{bob.post_id('Mine')}")
    check(answer, 403, plain(403, "Forbidden", "You are not allowed to delete this Tweet."))


def test_a_closed_window_is_too_many_requests(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("rate_limit", route=POST, seconds=60)
    for answer in (alice.create("Hello"), alice.create("Hello")):
        check(answer, 429, plain(429, "Too Many Requests", "Too Many Requests"))
        assert answer.headers["x-rate-limit-remaining"] == "0"


def test_a_monthly_cap_names_product_and_period(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("usage_cap", route=POST)
    body = {
        "account_id": 1,
        "product_name": "standard-basic",
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": PROBLEMS + "usage-capped",
    }
    check(alice.create("Hello"), 429, body)


def test_empty_credit_names_the_account(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=0)
    body = {
        "account_id": alice.id,
        "title": "CreditsDepleted",
        "detail": f"Your enrolled account [{alice.id}] does not have any credits to fulfill this request.",
        "type": PROBLEMS + "credits",
    }
    check(alice.create("Hello"), 402, body)


def test_ordered_empty_credit_looks_like_the_real_thing(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("credits_depleted", route=POST)
    ordered = alice.create("Hello")
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=0)
    check(alice.create("Hello"), 402, ordered.json())


def test_a_client_outside_a_project_is_told_where_to_enrol(sandbox: Sandbox, alice: Client) -> None:
    sandbox.fault("client_not_enrolled", route=POST)
    body = {
        "client_id": "sandbox-client",
        "detail": "When authenticating requests to the API v2 endpoints, you must use keys and tokens from an App "
        "that is attached to a Project.",
        "reason": "client-not-enrolled",
        "required_enrollment": "Appropriate Level of API Access",
        "registration_url": "https://developer.x.com/en/docs/projects/overview",
        "title": "Client Forbidden",
        "type": PROBLEMS + "client-forbidden",
    }
    check(alice.create("Hello"), 403, body)


def test_the_enrolment_of_a_client_can_fail_before_there_is_a_token(sandbox: Sandbox) -> None:
    sandbox.fault("client_not_enrolled")
    form = {"grant_type": "refresh_token", "client_id": "phone"}
    answer = requests.post(f"{sandbox.url}/x/2/oauth2/token", data=form, timeout=30)
    assert (answer.status_code, answer.json()["client_id"]) == (403, "phone")


def test_an_unknown_path_is_not_found(sandbox: Sandbox) -> None:
    check(requests.get(f"{sandbox.url}/x/2/nothing", timeout=30), 404, plain(404, "Not Found", "Not Found"))


def test_a_known_path_with_another_method_is_not_allowed(sandbox: Sandbox) -> None:
    answer = requests.put(f"{sandbox.url}/x/2/tweets", timeout=30)
    check(answer, 405, plain(405, "Method Not Allowed", "Method Not Allowed"))


CREATE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"text": "", "media": {"media_ids": []}},
        invalid("media.media_ids", "[]", "$.media.media_ids: must be 1 to 4 items"),
    ),
    ({"text": ""}, invalid("text", "", "Your Tweet text must not be empty.")),
    (
        {"text": "a" * 281},
        invalid("text", "a" * 281, "Your Tweet text is too long. It must be at most 280 characters."),
    ),
    ({"text": 7}, invalid("text", "7", "$.text: expected a string")),
    ({"text": "x", "poll": []}, invalid("poll", "[]", "$.poll: expected an object")),
    (
        {"text": "x", "poll": {"options": ["a", "b"]}},
        invalid("poll.duration_minutes", "", "$.poll.duration_minutes: is missing but it is required"),
    ),
    (
        {"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 4}},
        invalid("poll.duration_minutes", "4", "$.poll.duration_minutes: must be 5 to 10080"),
    ),
    (
        {"text": "x", "reply_settings": "all"},
        invalid(
            "reply_settings",
            "all",
            "$.reply_settings: does not have a value in the enumeration "
            "['following', 'mentionedUsers', 'subscribers', 'verified']",
        ),
    ),
    (
        {"text": "x", "reply": {"in_reply_to_tweet_id": "a"}},
        invalid(
            "reply.in_reply_to_tweet_id",
            "a",
            "$.reply.in_reply_to_tweet_id: does not match the regex pattern ^[0-9]{1,19}$",
        ),
    ),
    (
        {"text": "x", "colour": "red"},
        invalid(
            "colour",
            "red",
            "$.colour: is not defined in the schema and the schema does not allow additional properties",
        ),
    ),
    (
        {"text": "x", "card_uri": "card://1", "poll": {"options": ["a", "b"], "duration_minutes": 5}},
        invalid("card_uri", "card://1", "poll and card_uri are mutually exclusive."),
    ),
    (
        {"text": "x", "media": {"media_ids": ["12"]}},
        invalid("media.media_ids", "['12']", "Your media IDs are invalid."),
    ),
]


@pytest.mark.parametrize(("body", "problem"), CREATE)
def test_a_wrong_post_is_told_what_is_wrong(alice: Client, body: dict[str, Any], problem: dict[str, Any]) -> None:
    check(alice.call("POST", "/2/tweets", json=body), 400, problem)


READS: list[tuple[str, dict[str, Any]]] = [
    ("/2/tweets", invalid("ids", "", "The number of values in `ids` must be 1 to 100.")),
    (
        "/2/tweets?ids=x",
        invalid("ids", "x", "The `ids` query parameter value [x] does not match ^[0-9]{1,19}$"),
    ),
    (
        "/2/users/1/tweets?max_results=4",
        invalid("max_results", "4", "The `max_results` query parameter value [4] is not between 5 and 100"),
    ),
    (
        "/2/users/1/tweets?pagination_token=x",
        invalid("pagination_token", "x", "The `pagination_token` is not valid."),
    ),
    (
        "/2/users/1/tweets?start_time=x",
        invalid("start_time", "x", "Invalid 'start_time':'x'. Use RFC 3339."),
    ),
    (
        "/2/users/1/tweets?exclude=x",
        invalid("exclude", "x", "The `exclude` query parameter value [x] is not one of [replies,retweets]"),
    ),
    (
        "/2/users/me?verbose=1",
        invalid(
            "verbose",
            "1",
            "The query parameter [verbose] is not one of "
            "[expansions,media.fields,place.fields,poll.fields,post.fields,tweet.fields,user.fields]",
        ),
    ),
]


@pytest.mark.parametrize(("path", "problem"), READS)
def test_a_wrong_read_is_told_what_is_wrong(alice: Client, path: str, problem: dict[str, Any]) -> None:
    check(alice.call("GET", path), 400, problem)


def test_a_body_that_is_no_json_has_a_reason(alice: Client) -> None:
    answer = alice.call("POST", "/2/tweets", data=b"{", headers={"Content-Type": "application/json"})
    check(answer, 400, {"title": "Invalid Request", "detail": "not JSON", "status": 400})


def test_a_field_not_permitted_is_an_error_beside_the_data(alice: Client, bob: Client) -> None:
    post_id = alice.post_id("Hello")
    answer = bob.get(f"/2/tweets/{post_id}", tweet_fields="non_public_metrics").json()
    name = "non_public_metrics"
    assert answer["errors"] == [
        {
            "resource_id": post_id,
            "parameter": "id",
            "resource_type": "tweet",
            "section": "data",
            "title": "Field Authorization Error",
            "value": post_id,
            "detail": f"Sorry, you are not authorized to access '{name}' on the Tweet with id : [{post_id}].",
            "type": PROBLEMS + "not-authorized-for-field",
            "field": name,
        }
    ]


MISSING: list[tuple[Callable[[Client], requests.Response], str, str, int]] = [
    (lambda client: client.get("/2/tweets", ids="12"), "tweet", "ids", 200),
    (lambda client: client.get("/2/tweets/12"), "tweet", "id", 200),
    (lambda client: client.get("/2/users/12/tweets"), "user", "id", 200),
    (lambda client: client.get("/2/users/12/mentions"), "user", "id", 200),
]


@pytest.mark.parametrize(("act", "kind", "parameter", "status"), MISSING)
def test_reading_what_is_not_there_is_a_partial_error(
    alice: Client, act: Callable[[Client], requests.Response], kind: str, parameter: str, status: int
) -> None:
    problem = {
        "value": "12",
        "detail": f"Could not find {kind} with {parameter}: [12].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": "12",
        "type": PROBLEMS + "resource-not-found",
    }
    check(act(alice), status, {"errors": [problem]})


@pytest.mark.parametrize(("method", "path", "parameter"), [("DELETE", "", "id"), ("PUT", "/hidden", "tweet_id")])
def test_acting_on_what_is_not_there_is_a_404_with_the_same_words(
    alice: Client, method: str, path: str, parameter: str
) -> None:
    answer = alice.call(method, f"/2/tweets/12{path}", json={"hidden": True})
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.json()["detail"] == f"Could not find tweet with {parameter}: [12]."


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"x","\\ud800":1}',
        b'{"text":"x","colour":"\\udfff"}',
        b'{"text":"x","reply":"\\ud800"}',
        b'{"text":"x","poll":{"options":["a","\\ud800"],"duration_minutes":5}}',
    ],
)
def test_half_a_character_can_be_complained_about(sandbox: Sandbox, alice: Client, body: bytes) -> None:
    answer = alice.call("POST", "/2/tweets", data=body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")
    assert sandbox.posts("alice") == []


def test_problems_are_utf_8_and_not_escaped(alice: Client) -> None:
    answer = alice.call("POST", "/2/tweets", data=json.dumps({"text": "x", "größe": "字"}).encode())
    assert "größe".encode() in answer.content
    assert answer.json()["errors"][0]["parameters"] == {"größe": ["字"]}


def test_alt_text_of_unknown_media_names_the_id(alice: Client) -> None:
    answer = alice.call("POST", "/2/media/metadata", json={"id": "12"})
    check(answer, 400, invalid("id", "12", "The media id is invalid or has expired."))


def test_a_mix_of_media_is_told_the_rule(sandbox: Sandbox, alice: Client) -> None:
    media_id = photo(alice)
    answer = alice.create("Look", media={"media_ids": [media_id, media_id]})
    check(
        answer,
        400,
        invalid("media.media_ids", repr([media_id] * 2), "Attach up to 4 photos, or 1 GIF, or 1 video."),
    )
