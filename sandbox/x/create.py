"""POST /2/tweets: every rule first, then money, then the post."""

import json
import sqlite3
from typing import Any

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import bodies, links, media, posts, pricing, problems
from sandbox.x.posts import Draft
from sandbox.x.render import shown
from sandbox.x.weight import weighted_length

MAX_WEIGHT = 280
MAX_WEIGHT_PREMIUM = 25_000
DUPLICATE_SECONDS = 86400
EDIT_SECONDS = 3600
MAX_EDITS = 5
EXCLUSIVE = ("media", "poll", "quote_tweet_id", "card_uri", "direct_message_deep_link")
KEPT = (
    "reply_settings",
    "community_id",
    "share_with_followers",
    "made_with_ai",
    "paid_partnership",
    "nullcast",
    "for_super_followers_only",
    "direct_message_deep_link",
    "card_uri",
    "geo",
)


def create_post(call: Call) -> Response:
    body = call.request.json()
    draft = compose(call.db, call.now, call.caller.user, call.caller.client_id, body)
    if posts.is_duplicate(call.db, draft, call.now - DUPLICATE_SECONDS):
        raise problems.duplicate()
    pricing.charge(call, price(draft))
    if call.fault_is("late_accept"):
        _postpone(call, body)
        return Response(503)
    lag = call.fault.number("seconds", 30) if call.fault and call.fault_is("read_lag") else 0.0
    post = posts.insert(call.db, draft, call.now, lag)
    call.effect = Effect("post", str(post["id"]), post["text"])
    return json_response(201, {"data": _answer(call, post)})


def _answer(call: Call, post: sqlite3.Row) -> dict[str, Any]:
    history = [str(version) for version in json.loads(post["history"])]
    text = shown(call.db, post, call.request.host, is_whole=True).text
    return {"id": str(post["id"]), "text": text, "edit_history_tweet_ids": history}


def price(draft: Draft) -> int:
    if links.find_links(draft.text):
        return pricing.POST_WITH_URL
    if draft.parent is not None and draft.parent["account_id"] != draft.account["id"]:
        return pricing.SUMMONED_REPLY
    return pricing.POST


def compose(db: sqlite3.Connection, now: float, account: sqlite3.Row, client_id: str, body: Any) -> Draft:
    """The draft, or the refusal of the first rule it breaks."""
    bodies.check(body, bodies.CREATE_POST)
    given = [name for name in EXCLUSIVE if name in body]
    if len(given) > 1:
        raise problems.invalid(given[1], body[given[1]], f"{' and '.join(given)} are mutually exclusive.")
    if "quote_tweet_id" in body:
        # Quote posts left all self-serve tiers.
        raise problems.forbidden()
    reply = body.get("reply", {})
    draft = Draft(account, client_id, body.get("text", "").replace("\r\n", "\n").strip())
    draft.parent = _parent(db, account, reply)
    draft.excluded_ids = reply.get("exclude_reply_user_ids", [])
    draft.media = media.attachable(db, now, account, body.get("media", {}).get("media_ids", []))
    draft.poll = _poll(body)
    draft.previous = _previous(db, now, account, body)
    draft.options = {name: body[name] for name in KEPT if name in body}
    if reply.get("auto_populate_reply_metadata") and draft.parent:
        draft.text = _address(db, draft)
    _check_length(draft)
    return draft


def _parent(db: sqlite3.Connection, account: sqlite3.Row, reply: dict[str, Any]) -> sqlite3.Row | None:
    if not reply:
        return None
    parent = posts.find(db, reply["in_reply_to_tweet_id"])
    if parent is None:
        raise problems.not_visible()
    if parent["account_id"] != account["id"] and not posts.engages(db, parent, account["id"]):
        raise problems.not_summoned()
    return parent


def _poll(body: dict[str, Any]) -> dict[str, Any] | None:
    poll: dict[str, Any] | None = body.get("poll")
    if poll and len(set(poll["options"])) < len(poll["options"]):
        raise problems.invalid("poll.options", poll["options"], "Poll options must be unique.")
    return poll


def _previous(db: sqlite3.Connection, now: float, account: sqlite3.Row, body: dict[str, Any]) -> sqlite3.Row | None:
    if "edit_options" not in body:
        return None
    previous = posts.find(db, body["edit_options"]["previous_post_id"])
    if not account["is_premium"] or previous is None or previous["account_id"] != account["id"]:
        raise problems.forbidden()
    versions = json.loads(previous["history"])
    first = posts.find(db, versions[0])
    is_too_old = first is None or now - first["created_at"] > EDIT_SECONDS
    if is_too_old or previous["replaced_by"] is not None or len(versions) > MAX_EDITS:
        raise problems.forbidden("You are not allowed to edit this Tweet.")
    return previous


def _address(db: sqlite3.Connection, draft: Draft) -> str:
    assert draft.parent is not None
    author = db.execute("SELECT * FROM x_accounts WHERE id = ?", (draft.parent["account_id"],)).fetchone()
    is_self, prefix = author["id"] == draft.account["id"], f"@{author['handle']}"
    is_there = draft.text.lower().startswith(prefix.lower())
    return draft.text if is_self or is_there else f"{prefix} {draft.text}"


def _check_length(draft: Draft) -> None:
    has_more = bool(draft.media or draft.options.get("card_uri"))
    if not draft.text and not has_more:
        raise problems.invalid("text", "", "Your Tweet text must not be empty.")
    limit = MAX_WEIGHT_PREMIUM if draft.account["is_premium"] else MAX_WEIGHT
    if weighted_length(draft.text, is_reply=draft.parent is not None) > limit:
        raise problems.invalid(
            "text", draft.text, f"Your Tweet text is too long. It must be at most {limit} characters."
        )


def _postpone(call: Call, body: Any) -> None:
    """The connection dies now; the post is made when its time has come."""
    assert call.fault is not None
    call.db.execute(
        "INSERT INTO x_late (due_at, client_id, account_id, body, method, path) VALUES (?,?,?,?,?,?)",
        (
            call.now + call.fault.number("seconds", 5),
            call.caller.client_id,
            call.caller.user["id"],
            json.dumps(body),
            call.request.method,
            call.request.path,
        ),
    )
