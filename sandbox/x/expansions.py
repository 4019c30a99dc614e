"""The `includes` beside the posts: authors, media, polls, referenced posts."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from sandbox.clock import iso
from sandbox.x import accounts, earnings, entities, media, posts, users
from sandbox.x.render import View, may_see_private, media_of, named, post_json


def includes(view: View, found: list[sqlite3.Row]) -> dict[str, list[dict[str, Any]]]:
    parts = {
        "users": _users(view, found),
        "media": _media(view, found) if _expands(view, "attachments.media_keys") else [],
        "polls": _polls(view, found) if _expands(view, "attachments.poll_ids") else [],
        named(view.reading, "tweets"): _referenced(view, found),
    }
    return {name: items for name, items in parts.items() if items}


def _expands(view: View, *names: str) -> bool:
    return any(view.reading.asks("expansions", name) for name in names)


def _users(view: View, found: list[sqlite3.Row]) -> list[dict[str, Any]]:
    ids: set[int] = set()
    if _expands(view, "author_id", "username"):
        ids |= {post["account_id"] for post in found}
    if _expands(view, "in_reply_to_user_id"):
        ids |= {post["replied_to_account"] for post in found if post["replied_to_account"]}
    if _expands(view, "entities.mentions.username"):
        handles = {handle for post in found for handle in entities.mentioned_handles(post["text"])}
        ids |= {account["id"] for handle in handles if (account := accounts.find(view.call.db, handle))}
    rows = [row for user_id in sorted(ids) if (row := accounts.by_id(view.call.db, user_id))]
    return [users.user_json(view.call, view.reading, row) for row in rows]


def _media(view: View, found: list[sqlite3.Row]) -> list[dict[str, Any]]:
    return [_media_json(view, post, item) for post in found for item in media_of(view.call.db, post)]


def _media_json(view: View, post: sqlite3.Row, item: sqlite3.Row) -> dict[str, Any]:
    kind, key = media.KINDS[item["category"]], media.media_key(item)
    url = f"http://{view.call.request.host}/x/i/media/{key}"
    is_photo = kind == "photo"
    offered: dict[str, Callable[[], Any]] = {
        "url": lambda: url if is_photo else None,
        "preview_image_url": lambda: None if is_photo else url,
        "width": lambda: item["width"],
        "height": lambda: item["height"],
        "duration_ms": lambda: item["duration_ms"],
        "alt_text": lambda: item["alt_text"],
        "public_metrics": lambda: (
            None if is_photo else {"view_count": earnings.counts_of(view.call.world, post, view.call.now).video_views}
        ),
        "non_public_metrics": lambda: None if is_photo else _playbacks(view, post),
    }
    fields = {name: value() for name, value in offered.items() if view.reading.asks("media.fields", name)}
    return {"media_key": key, "type": kind, **{name: value for name, value in fields.items() if value is not None}}


def _playbacks(view: View, post: sqlite3.Row) -> dict[str, int] | None:
    if not may_see_private(view.call, post):
        return None
    views = earnings.counts_of(view.call.world, post, view.call.now).video_views
    kept = {0: 1.0, 25: 0.62, 50: 0.41, 75: 0.27, 100: 0.18}
    return {f"playback_{percent}_count": int(views * share) for percent, share in kept.items()}


def _polls(view: View, found: list[sqlite3.Row]) -> list[dict[str, Any]]:
    return [_poll_json(view, post, json.loads(post["poll"])) for post in found if post["poll"]]


def _poll_json(view: View, post: sqlite3.Row, poll: dict[str, Any]) -> dict[str, Any]:
    ends_at = post["created_at"] + poll["duration_minutes"] * 60
    votes = earnings.counts_of(view.call.world, post, view.call.now).likes
    options = [
        {"position": place, "label": label, "votes": votes // (place + 1)}
        for place, label in enumerate(poll["options"], start=1)
    ]
    offered = {
        "duration_minutes": poll["duration_minutes"],
        "end_datetime": iso(ends_at),
        "voting_status": "closed" if view.call.now >= ends_at else "open",
    }
    asked = {name: value for name, value in offered.items() if view.reading.asks("poll.fields", name)}
    return {"id": str(post["id"]), "options": options, **asked}


def _referenced(view: View, found: list[sqlite3.Row]) -> list[dict[str, Any]]:
    if not _expands(view, "referenced_tweets.id", "referenced_posts", "referenced_tweets.id.author_id"):
        return []
    ids = {target for post in found for target in (post["replied_to"], post["quoted"]) if target}
    rows = [row for post_id in sorted(ids) if (row := posts.find(view.call.db, post_id))]
    return [post_json(view, row) for row in rows]
