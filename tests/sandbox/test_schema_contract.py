"""Answers against X's published schema. Old field names become the new ones first: it has only those."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from tests.sandbox.cast import Client, Sandbox, append, movie, photo, picture, upload

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "x-openapi-2.167.json"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the published schema of X is not beside the project")

NEW_NAMES = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "tweets": "posts",
}
POST_FIELDS = (
    "attachments,author_id,community_id,conversation_id,created_at,edit_controls,entities,in_reply_to_user_id,lang,"
    "non_public_metrics,organic_metrics,paid_partnership,possibly_sensitive,public_metrics,referenced_{0},reply_settings"
)
EXPANSIONS = "author_id,attachments.media_keys,attachments.poll_ids,in_reply_to_user_id,entities.mentions.username,{0}"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC.read_text())
    return loaded


def modern(data: Any) -> Any:
    if isinstance(data, dict):
        return {NEW_NAMES.get(name, name): modern(value) for name, value in data.items()}
    if isinstance(data, list):
        return [modern(item) for item in data]
    return data.replace("api.twitter.com", "api.x.com") if isinstance(data, str) else data


def strict(schema: Any) -> Any:
    """Objects with named properties and no word about others are closed, so that an invented field is seen."""
    if isinstance(schema, dict):
        changed = {name: strict(value) for name, value in schema.items() if name != "discriminator"}
        if "properties" in schema and schema.get("type") == "object":
            changed.setdefault("additionalProperties", False)
        return changed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def fits(spec: dict[str, Any]) -> Any:
    components = strict(spec["components"])

    def check(answer: requests.Response, name: str) -> Any:
        schema = {"$ref": f"#/components/schemas/{name}", "components": components}
        jsonschema.Draft202012Validator(schema).validate(modern(answer.json()))
        return answer.json()

    return check


@pytest.fixture
def rich(sandbox: Sandbox, alice: Client, bob: Client) -> dict[str, str]:
    """Posts with everything that can be in one."""
    first = alice.post_id("See https://example.com @bob #now $TWTR", media={"media_ids": [photo(alice)]})
    second = alice.reply("And more", first).json()["data"]["id"]
    poll = alice.post_id("Which?", poll={"options": ["Tea", "Coffee"], "duration_minutes": 60}, community_id="7")
    sandbox.post("/mentions", **{"from": "fan", "to": "alice", "quote": first})
    sandbox.advance(3600)
    return {"first": first, "second": second, "poll": poll}


@pytest.mark.parametrize(("names", "references"), [("tweet", "tweets"), ("post", "posts")])
def test_lookups_and_timelines(alice: Client, rich: dict[str, str], fits: Any, names: str, references: str) -> None:
    referenced = {"tweet": "referenced_tweets.id", "post": "referenced_posts"}[names]
    query = {
        f"{names}_fields": POST_FIELDS.format(references),
        "expansions": EXPANSIONS.format(referenced),
        "media_fields": "alt_text,duration_ms,height,media_key,public_metrics,non_public_metrics,type,url,width",
        "poll_fields": "duration_minutes,end_datetime,voting_status",
        "user_fields": "created_at,description,profile_image_url,public_metrics,verified,verified_type",
    }
    found = fits(alice.get("/2/tweets", ids=",".join([*rich.values(), "12"]), **query), "GetPostsByIdsResponse")
    assert set(found["includes"]) == {"users", "media", "polls", references}
    fits(alice.get(f"/2/tweets/{rich['second']}", **query), "GetPostsByIdResponse")
    fits(alice.get("/2/tweets/12", **query), "GetPostsByIdResponse")
    fits(alice.get(f"/2/users/{alice.id}/tweets", max_results=5, **query), "GetUsersPostsResponse")
    fits(alice.get(f"/2/users/{alice.id}/mentions", **query), "GetUsersMentionsResponse")
    fits(alice.get("/2/users/1/mentions", **query), "GetUsersMentionsResponse")


def test_field_errors(alice: Client, bob: Client, rich: dict[str, str], fits: Any) -> None:
    answer = bob.get("/2/tweets", ids=rich["first"], post_fields="non_public_metrics,organic_metrics")
    assert len(fits(answer, "GetPostsByIdsResponse")["errors"]) == 2


def test_writes(alice: Client, rich: dict[str, str], fits: Any) -> None:
    fits(alice.create("Hello"), "CreatePostsResponse")
    hidden = alice.call("PUT", f"/2/tweets/{rich['second']}/hidden", json={"hidden": True})
    fits(hidden, "HidePostsReplyResponse")
    fits(alice.call("DELETE", f"/2/tweets/{rich['poll']}"), "DeletePostsResponse")


def test_me_and_usage(sandbox: Sandbox, alice: Client, fits: Any) -> None:
    fits(alice.get("/2/users/me", user_fields="public_metrics,created_at,subscription_type"), "GetUsersMeResponse")
    fits(sandbox.app_client().get("/2/usage/tweets"), "GetUsageResponse")


def test_uploads(sandbox: Sandbox, alice: Client, fits: Any) -> None:
    order = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": len(picture())}
    started = fits(alice.call("POST", "/2/media/upload/initialize", json=order), "InitializeMediaUploadResponse")
    media_id = started["data"]["id"]
    fits(append(alice, media_id, picture()), "AppendMediaUploadResponse")
    fits(alice.call("POST", f"/2/media/upload/{media_id}/finalize"), "FinalizeMediaUploadResponse")
    files = {"media": ("p.png", picture("PNG", (9, 9)), "image/png")}
    at_once = alice.call("POST", "/2/media/upload", data={"media_category": "tweet_image"}, files=files)
    fits(at_once, "MediaUploadResponse")
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": "A cup"}}}
    fits(alice.call("POST", "/2/media/metadata", json=metadata), "CreateMediaMetadataResponse")


def test_every_state_of_processing_but_failed(sandbox: Sandbox, alice: Client, fits: Any) -> None:
    # The schema closes processing_info, although failed uploads come with an error in it.
    media_id = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    seen = []
    for _ in range(3):
        data = fits(alice.get("/2/media/upload", media_id=media_id), "GetMediaUploadStatusResponse")["data"]
        seen.append(data["processing_info"]["state"])
        sandbox.advance(1.6)
    assert seen == ["pending", "in_progress", "succeeded"]
    subtitles = {"id": media_id, "media_category": "TweetVideo", "subtitles": {"id": "1", "language_code": "EN"}}
    fits(alice.call("POST", "/2/media/subtitles", json=subtitles), "CreateMediaSubtitlesResponse")


def test_every_field_of_a_new_post_is_known(spec: dict[str, Any], alice: Client) -> None:
    published = spec["components"]["schemas"]["CreatePostsRequest"]["properties"]
    for name in published:
        answer = alice.create(f"About {name}", **{name: object.__name__} if name != "text" else {})
        assert "is not defined in the schema" not in answer.text


@pytest.mark.parametrize(
    ("parameter", "names"),
    [
        ("PostFieldsParameter", "post.fields"),
        ("UserFieldsParameter", "user.fields"),
        ("MediaFieldsParameter", "media.fields"),
    ],
)
def test_every_published_field_may_be_asked_for(
    spec: dict[str, Any], alice: Client, parameter: str, names: str
) -> None:
    fields = spec["components"]["parameters"][parameter]["schema"]["items"]["enum"]
    answer = alice.call("GET", "/2/tweets", params={"ids": "12", names: ",".join(fields)})
    assert answer.status_code == 200


def test_every_published_expansion_may_be_asked_for(spec: dict[str, Any], alice: Client) -> None:
    names = spec["components"]["parameters"]["PostExpansionsParameter"]["schema"]["items"]["enum"]
    assert alice.get("/2/tweets", ids="12", expansions=",".join(names)).status_code == 200
