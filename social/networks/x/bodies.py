"""X's JSON, written and read."""

import re
from datetime import UTC, datetime
from typing import Any

import requests

from social.networks.port import Failure, NetworkError, OutgoingPart, SeenPost, Upload

# The page of an attached photo or video, as opposed to any address that has such a word in it.
MEDIA_PAGE = re.compile(r"/status/\d+/(?:photo|video)/\d+$")


def post_body(part: OutgoingPart) -> dict[str, Any]:
    body: dict[str, Any] = {"text": part.text}
    if part.media_ids:
        body["media"] = {"media_ids": list(part.media_ids)}
    if part.poll:
        body["poll"] = {"options": part.poll["options"], "duration_minutes": part.poll["minutes"]}
    if part.reply_to:
        body["reply"] = {"in_reply_to_tweet_id": part.reply_to}
    if part.made_with_ai:
        body["made_with_ai"] = True
    if part.options.get("paid_partnership"):
        body["paid_partnership"] = True
    # Who may answer is decided where a thread begins.
    if part.is_first and part.options.get("reply_settings"):
        body["reply_settings"] = part.options["reply_settings"]
    return body


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seen(body: dict[str, Any], own_id: str) -> SeenPost:
    post, includes = body["data"], body.get("includes", {})
    users = {str(user["id"]): user for user in includes.get("users", [])}
    quoted = {ref["id"] for ref in post.get("referenced_tweets", []) if ref["type"] == "quoted"}
    quoted_authors = {str(tweet.get("author_id")) for tweet in includes.get("tweets", []) if tweet["id"] in quoted}
    mentioned = {str(mention.get("id")) for mention in post.get("entities", {}).get("mentions", [])}
    author_id = str(post.get("author_id", ""))
    return SeenPost(
        remote_id=str(post["id"]),
        author_id=author_id,
        author=users.get(author_id, {}).get("username", ""),
        text=written(post),
        created_at=datetime.fromisoformat(post["created_at"].replace("Z", "+00:00")),
        has_summoned=author_id == own_id or own_id in mentioned | quoted_authors,
        conversation=str(post.get("conversation_id", "")),
    )


def created_id(response: requests.Response) -> str:
    try:
        return str(response.json()["data"]["id"])
    except (ValueError, KeyError, TypeError) as error:
        message = "X accepted the post but its answer names none."
        raise NetworkError(
            Failure.UNKNOWN, "no_id", message, raw=response.text, http_status=response.status_code
        ) from error


def upload_of(data: dict[str, Any]) -> Upload:
    processing = data.get("processing_info") or {"state": "succeeded"}
    if processing["state"] == "failed":
        reason = (processing.get("error") or {}).get("message", "")
        raise NetworkError(Failure.REJECTED, "media_failed", f"X could not process the file. {reason}".strip())
    return Upload(
        remote_id=data["id"],
        is_ready=processing["state"] == "succeeded",
        expires_in_s=int(data.get("expires_after_secs", 86_400)),
        check_after_s=int(processing.get("check_after_secs", 2)),
    )


def written(post: dict[str, Any]) -> str:
    """The text as it was written: X shortens links, appends one for media, escapes &, < and >, and cuts long posts."""
    # Only `note_tweet` has the whole of a long post.
    whole = post.get("note_tweet") or post
    text = str(whole["text"])
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, character)
    for link in whole.get("entities", {}).get("urls", []):
        text = text.replace(link["url"], "" if _is_media(link) else link.get("expanded_url", link["url"]))
    return text.strip()


def _is_media(link: dict[str, Any]) -> bool:
    return "media_key" in link or bool(MEDIA_PAGE.search(link.get("expanded_url", "")))
