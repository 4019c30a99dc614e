"""Posts as JSON: fields chosen by the reader, in the old names or the new ones."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from sandbox.clock import iso
from sandbox.router import Call
from sandbox.x import accounts, earnings, entities, media, posts, problems
from sandbox.x.reading import Reading
from sandbox.x.weight import weighted_length

PRIVATE_SECONDS = 30 * 86400
EDIT_SECONDS = 3600
NOTE_WEIGHT = 280
NOTE_PREVIEW = 276
_NEW_NAMES = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "tweets": "posts",
}


def named(reading: Reading, legacy_name: str) -> str:
    return legacy_name if reading.is_legacy else _NEW_NAMES.get(legacy_name, legacy_name)


@dataclass(frozen=True)
class View:
    call: Call
    reading: Reading
    errors: list[dict[str, Any]]

    def wants(self, legacy_name: str) -> bool:
        return self.reading.wants(legacy_name) or self.reading.wants(_NEW_NAMES.get(legacy_name, legacy_name))


def shown(db: sqlite3.Connection, post: sqlite3.Row, host: str, *, is_whole: bool = False) -> entities.Shown:
    """The text as reads return it. A long post is cut; its whole text is in note_tweet."""
    text = post["text"]
    if not is_whole and weighted_length(text, is_reply=post["replied_to"] is not None) > NOTE_WEIGHT:
        text = text[:NOTE_PREVIEW].rsplit(" ", 1)[0]
    return entities.show(text, post["id"], _media_links(db, post, host))


def _media_links(db: sqlite3.Connection, post: sqlite3.Row, host: str) -> list[dict[str, Any]]:
    attached = media_of(db, post)
    if not attached:
        return []
    account = accounts.by_id(db, post["account_id"])
    page = f"{post_url(host, account['handle'] if account else 'i', post['id'])}"
    return [
        {
            "expanded_url": f"{page}/{'photo' if media.KINDS[item['category']] == 'photo' else 'video'}/{number}",
            "display_url": f"pic.x.com/{str(post['id'])[-10:]}",
            "media_key": media.media_key(item),
        }
        for number, item in enumerate(attached, start=1)
    ]


def post_url(host: str, handle: str, post_id: int) -> str:
    return f"http://{host}/x/{handle}/status/{post_id}"


def media_of(db: sqlite3.Connection, post: sqlite3.Row) -> list[sqlite3.Row]:
    ids = json.loads(post["media"])
    return [db.execute("SELECT * FROM x_media WHERE id = ?", (media_id,)).fetchone() for media_id in ids]


def post_json(view: View, post: sqlite3.Row) -> dict[str, Any]:
    text = shown(view.call.db, post, view.call.request.host)
    data: dict[str, Any] = {
        "id": str(post["id"]),
        "text": text.text,
        named(view.reading, "edit_history_tweet_ids"): [str(version) for version in json.loads(post["history"])],
    }
    data.update({name: value for name, value in _plain_fields(view, post).items() if view.wants(name)})
    _add_optional(view, post, text, data)
    if any(view.wants(name) for name in ("public_metrics", "non_public_metrics", "organic_metrics")):
        _add_metrics(view, post, data)
    return data


def _plain_fields(view: View, post: sqlite3.Row) -> dict[str, Any]:
    options = json.loads(post["options"])
    return {
        "author_id": str(post["account_id"]),
        "conversation_id": str(post["conversation_id"]),
        "created_at": iso(post["created_at"]),
        "lang": "zh" if any("\u4e00" <= char <= "\u9fff" for char in post["text"]) else "en",
        "possibly_sensitive": False,
        "reply_settings": options.get("reply_settings", "everyone"),
        "paid_partnership": options.get("paid_partnership", False),
        "made_with_ai": options.get("made_with_ai", False),
        "edit_controls": {
            "edits_remaining": 6 - len(json.loads(post["history"])),
            "is_edit_eligible": view.call.now - post["created_at"] < EDIT_SECONDS,
            "editable_until": iso(post["created_at"] + EDIT_SECONDS),
        },
    }


def _add_optional(view: View, post: sqlite3.Row, text: entities.Shown, data: dict[str, Any]) -> None:
    """Fields that X leaves out when there is nothing to say."""
    db, poll, options = view.call.db, post["poll"], json.loads(post["options"])
    attached = {
        "media_keys": [media.media_key(item) for item in media_of(db, post)],
        "poll_ids": [str(post["id"])] if poll else [],
    }
    references = [("replied_to", post["replied_to"]), ("quoted", post["quoted"])]
    whole = shown(db, post, view.call.request.host, is_whole=True)
    offered = {
        "attachments": {name: keys for name, keys in attached.items() if keys},
        "entities": entities.entities(text, lambda handle: _id_of(db, handle)),
        "in_reply_to_user_id": post["replied_to_account"] and str(post["replied_to_account"]),
        "referenced_tweets": [{"type": kind, "id": str(target)} for kind, target in references if target],
        "community_id": options.get("community_id"),
        "note_tweet": {"text": whole.text, "entities": {"urls": whole.urls}} if whole.text != text.text else None,
    }
    for name, value in offered.items():
        if value and view.wants(name):
            data[named(view.reading, name)] = value


def _id_of(db: sqlite3.Connection, handle: str) -> str | None:
    account = accounts.find(db, handle)
    return str(account["id"]) if account else None


def _add_metrics(view: View, post: sqlite3.Row, data: dict[str, Any]) -> None:
    counts = earnings.counts_of(view.call.world, post, view.call.now)
    shared = {
        "impression_count": counts.impressions,
        "like_count": counts.likes,
        "reply_count": counts.replies + posts.reply_count(view.call.db, post["id"]),
        named(view.reading, "retweet_count"): counts.reposts,
    }
    private = {"url_link_clicks": counts.link_clicks, "user_profile_clicks": counts.profile_clicks}
    if view.wants("public_metrics"):
        spread = {"quote_count": counts.quotes, "bookmark_count": counts.bookmarks}
        data["public_metrics"] = {**shared, **spread}
    offered = {
        "non_public_metrics": {
            "impression_count": counts.impressions,
            "engagements": counts.engagements,
            **private,
        },
        "organic_metrics": {**shared, **private},
    }
    for name, value in offered.items():
        if not view.wants(name):
            continue
        if may_see_private(view.call, post):
            data[name] = value
        else:
            view.errors.append(problems.field_not_authorized(str(post["id"]), name))


def may_see_private(call: Call, post: sqlite3.Row) -> bool:
    """Only the author, and only for thirty days."""
    return bool(call.caller.owns(post["account_id"])) and call.now - post["created_at"] <= PRIVATE_SECONDS
