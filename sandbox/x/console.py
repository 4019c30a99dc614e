"""What the admin door does to X: accounts, tokens, apps, mentions."""

import json
import sqlite3
from typing import Any

from sandbox.clock import iso
from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import accounts, posts, tokens
from sandbox.x.create import DUPLICATE_SECONDS
from sandbox.x.posts import Draft

DEFAULT_SCOPES = "tweet.read tweet.write tweet.moderate.write users.read media.write offline.access"


class BadOrder(ValueError):
    """What was asked of the admin door makes no sense; the text says why."""


def create_account(call: Call, body: dict[str, Any]) -> Response:
    followers = body.get("followers")
    if followers is not None and (type(followers) is not int or followers < 0):
        raise BadOrder("followers is a whole number")
    account = accounts.ensure(
        call.db,
        _text(body, "handle"),
        call.now,
        name=body.get("name", ""),
        is_premium=body.get("premium"),
        followers=followers,
    )
    return json_response(201, account_json(account))


def list_accounts(call: Call) -> Response:
    return json_response(200, {"accounts": [account_json(row) for row in accounts.everybody(call.db)]})


def account_json(account: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": str(account["id"]),
        "handle": account["handle"],
        "name": account["name"],
        "premium": bool(account["is_premium"]),
        "followers": account["followers"],
        "oauth1": {"access_token": account["access_token"], "access_token_secret": account["access_secret"]},
    }


def create_tokens(call: Call, body: dict[str, Any]) -> Response:
    """A token pair straight away; the account is made when it is new."""
    account = accounts.ensure(call.db, _text(body, "handle"), call.now)
    client_id = body.get("client_id", accounts.DEFAULT_CLIENT_ID)
    if accounts.app(call.db, client_id) is None:
        raise BadOrder(f"no app {client_id}")
    scopes = body.get("scopes", DEFAULT_SCOPES)
    pair = tokens.issue(
        call.db,
        call.now,
        client_id=client_id,
        account_id=account["id"],
        scope=scopes if isinstance(scopes, str) else " ".join(scopes),
        expires_in=int(body.get("expires_in", tokens.ACCESS_SECONDS)),
    )
    return json_response(201, {**pair, "account": account_json(account)})


def save_app(call: Call, body: dict[str, Any]) -> Response:
    """Makes an app or changes the parts that are given; credit_micro null means unlimited."""
    client_id = _text(body, "client_id")
    accounts.ensure_app(call.db, client_id, body.get("client_secret", accounts.DEFAULT_SECRET))
    changes = {
        "client_secret": body.get("client_secret"),
        "name": body.get("name"),
        "is_public": body.get("public"),
        "redirect_uris": json.dumps(body["redirect_uris"]) if "redirect_uris" in body else None,
        "owner_id": accounts.ensure(call.db, body["owner"], call.now)["id"] if "owner" in body else None,
    }
    for column, value in changes.items():
        if value is not None:
            call.db.execute(f"UPDATE x_apps SET {column} = ? WHERE client_id = ?", (value, client_id))  # noqa: S608
    if "credit_micro" in body:
        _set_credit(call, client_id, body["credit_micro"])
    app = accounts.app(call.db, client_id)
    assert app is not None
    return json_response(201, app_json(app))


def _set_credit(call: Call, client_id: str, credit_micro: int | None) -> None:
    call.db.execute("UPDATE x_apps SET credit_micro = spent_micro + ? WHERE client_id = ?", (credit_micro, client_id))


def list_apps(call: Call) -> Response:
    return json_response(200, {"apps": [app_json(row) for row in accounts.apps(call.db)]})


def app_json(app: sqlite3.Row) -> dict[str, Any]:
    credit = app["credit_micro"]
    return {
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "name": app["name"],
        "public": bool(app["is_public"]),
        "redirect_uris": accounts.redirect_uris(app),
        "bearer_token": app["bearer_token"],
        "oauth1": {"consumer_key": app["consumer_key"], "consumer_secret": app["consumer_secret"]},
        "spent_micro": app["spent_micro"],
        "credit_left_micro": None if credit is None else credit - app["spent_micro"],
    }


def create_mention(call: Call, body: dict[str, Any]) -> Response:
    """Somebody writes a post that mentions, answers or quotes an account."""
    author = accounts.ensure(call.db, _text(body, "from"), call.now)
    target = accounts.ensure(call.db, _text(body, "to"), call.now)
    parent = _existing(call, body.get("in_reply_to"))
    quoted = _existing(call, body.get("quote"))
    plain = f"@{target['handle']} hello" if parent is None and quoted is None else "hello"
    draft = Draft(author, None, body.get("text", plain), parent=parent, quoted=quoted)
    post = posts.insert(call.db, draft, call.now)
    return json_response(201, post_json(post, author["handle"]))


def write_post(call: Call, body: dict[str, Any]) -> Response:
    """{account, text, in_reply_to?}: posted by hand, outside of any app; the API does not know of the request."""
    author = accounts.ensure(call.db, _text(body, "account"), call.now)
    draft = Draft(author, None, _text(body, "text"), parent=_existing(call, body.get("in_reply_to")))
    if posts.is_duplicate(call.db, draft, call.now - DUPLICATE_SECONDS):
        raise BadOrder("the account has just said that")
    return json_response(201, post_json(posts.insert(call.db, draft, call.now), author["handle"]))


def _existing(call: Call, post_id: str | None) -> sqlite3.Row | None:
    if post_id is None:
        return None
    post = posts.find(call.db, post_id)
    if post is None:
        raise BadOrder(f"no post {post_id}")
    return post


def list_posts(call: Call) -> Response:
    handle = call.request.query.get("account")
    account = accounts.find(call.db, handle) if handle else None
    if handle and account is None:
        return json_response(200, {"posts": []})
    names = {row["id"]: row["handle"] for row in accounts.everybody(call.db)}
    rows = posts.posts_of(call.db, account["id"] if account else None)
    return json_response(200, {"posts": [post_json(row, names[row["account_id"]]) for row in rows]})


def post_json(post: sqlite3.Row, handle: str) -> dict[str, Any]:
    """The post as it was sent: raw text, before links are shortened."""
    return {
        "id": str(post["id"]),
        "account": handle,
        "text": post["text"],
        "created_at": iso(post["created_at"]),
        "conversation_id": str(post["conversation_id"]),
        "in_reply_to": post["replied_to"] and str(post["replied_to"]),
        "quoted": post["quoted"] and str(post["quoted"]),
        "media_ids": [str(media_id) for media_id in json.loads(post["media"])],
        "poll": json.loads(post["poll"]) if post["poll"] else None,
        "options": json.loads(post["options"]),
        "replaced_by": post["replaced_by"] and str(post["replaced_by"]),
        "hidden": bool(post["is_hidden"]),
        "deleted": post["deleted_at"] is not None,
    }


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadOrder(f"{name} is required")
    return value
