"""News for bots: queued per bot, fetched by getUpdates or sent to a webhook."""

import ipaddress
import json
import re
import secrets
import sqlite3
from typing import Any
from urllib.parse import urlsplit

from sandbox.router import Call, NotYet
from sandbox.telegram import parameters, problems
from sandbox.wire import Response
from sandbox.world import World

KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
    "message_reaction_count",
)
# These come only to bots that name them.
ON_REQUEST = ("chat_member", "message_reaction", "message_reaction_count")
MAX_LIMIT = 100
MAX_TIMEOUT = 50
PORTS = (443, 80, 88, 8443)
_SECRET = re.compile(r"[A-Za-z0-9_-]*")


def push(world: World, bot_id: int, kind: str, body: dict[str, Any]) -> None:
    db = world.store.db
    bot = db.execute("SELECT * FROM tg_bots WHERE id = ?", (bot_id,)).fetchone()
    allowed = json.loads(bot["allowed_updates"])
    if kind not in allowed if allowed else kind in ON_REQUEST:
        return
    db.execute("UPDATE tg_bots SET next_update_id = next_update_id + 1 WHERE id = ?", (bot_id,))
    update = {"update_id": bot["next_update_id"], kind: body}
    db.execute("INSERT INTO tg_updates VALUES (?,?,?,0)", (bot_id, update["update_id"], json.dumps(update)))
    world.news.tell()


def pending(db: sqlite3.Connection, bot_id: int, limit: int = MAX_LIMIT) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT body FROM tg_updates WHERE bot_id = ? AND NOT is_done ORDER BY update_id LIMIT ?", (bot_id, limit)
    )
    return [json.loads(row["body"]) for row in rows]


def count_pending(db: sqlite3.Connection, bot_id: int) -> int:
    query = "SELECT count(*) FROM tg_updates WHERE bot_id = ? AND NOT is_done"
    return int(db.execute(query, (bot_id,)).fetchone()[0])


def finish(db: sqlite3.Connection, bot_id: int, before: int) -> None:
    db.execute("UPDATE tg_updates SET is_done = 1 WHERE bot_id = ? AND update_id < ?", (bot_id, before))


def get_updates(call: Call) -> Response:
    """A long poll: asked again at every piece of news until there is an update or its time is up."""
    bot_id, given = call.caller.bot["id"], parameters.of(call)
    # Looked up again: much may have happened while this poll waited.
    bot = call.db.execute("SELECT * FROM tg_bots WHERE id = ?", (bot_id,)).fetchone()
    if bot is None:
        raise problems.unauthorized()
    if bot["webhook_url"]:
        raise problems.conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    poller = str(id(call))
    if not call.is_waiting:
        _take_over(call, poller)
    elif bot["poller"] != poller:
        raise problems.conflict(
            "terminated by other getUpdates request; make sure that only one bot instance is running"
        )
    limit = min(max(given.number("limit", MAX_LIMIT) or MAX_LIMIT, 1), MAX_LIMIT)
    found = [*_repeated(call, bot_id), *pending(call.db, bot_id, limit)][:limit]
    timeout = min(max(given.number("timeout", 0) or 0, 0), MAX_TIMEOUT)
    if not found and call.world.clock.now() < call.now + timeout:
        raise NotYet
    return problems.success(found)


def _take_over(call: Call, poller: str) -> None:
    """The newest poller wins; what it confirms and asks for is kept before it starts to wait."""
    bot_id, offset = call.caller.bot["id"], parameters.of(call).number("offset", 0) or 0
    call.db.execute("UPDATE tg_bots SET poller = ? WHERE id = ?", (poller, bot_id))
    call.world.news.tell()
    _save_allowed(call)
    if offset < 0:
        newest = [update["update_id"] for update in pending(call.db, bot_id, -1)][offset:]
        offset = newest[0] if newest else 0
    finish(call.db, bot_id, offset)


def _repeated(call: Call, bot_id: int) -> list[dict[str, Any]]:
    """Updates that were confirmed already and come once more."""
    if call.fault is None or not call.fault_is("updates_repeated"):
        return []
    rows = call.db.execute(
        "SELECT body FROM tg_updates WHERE bot_id = ? AND is_done ORDER BY update_id DESC LIMIT ?",
        (bot_id, int(call.fault.number("n", 1))),
    ).fetchall()
    return [json.loads(row["body"]) for row in reversed(rows)]


def _save_allowed(call: Call) -> None:
    """Left out: as before. An empty list: the default again."""
    kinds = parameters.of(call).object("allowed_updates")
    if kinds is None:
        return
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise problems.bad_request("can't parse allowed_updates JSON object")
    known = [kind for kind in kinds if kind in KINDS]
    call.db.execute("UPDATE tg_bots SET allowed_updates = ? WHERE id = ?", (json.dumps(known), call.caller.bot["id"]))


def set_webhook(call: Call) -> Response:
    given, bot_id = parameters.of(call), call.caller.bot["id"]
    url, secret = given.text("url").strip(), given.text("secret_token")
    if len(secret) > 256:
        raise problems.bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise problems.bad_request("secret token contains unallowed characters")
    if url:
        _check_hook(url)
    _save_allowed(call)
    _drop_if_asked(call)
    connections = min(max(given.number("max_connections", 40) or 40, 1), 100)
    call.db.execute(
        "UPDATE tg_bots SET webhook_url = ?, secret_token = ?, max_connections = ?, ip_address = ?, failures = 0,"
        " next_try_at = 0, last_error_at = NULL, last_error = NULL, poller = ? WHERE id = ?",
        (url, secret, connections, given.text("ip_address") or None, secrets.token_hex(4), bot_id),
    )
    call.world.news.tell()
    return _done("Webhook was set" if url else "Webhook was deleted")


def _check_hook(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise problems.bad_request("bad webhook: Wrong port number specified in the URL") from None
    if _is_loopback(host) and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https":
        raise problems.bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not host:
        raise problems.bad_request("bad webhook: URL host is empty")
    if (port or 443) not in PORTS:
        raise problems.bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _drop_if_asked(call: Call) -> None:
    if parameters.of(call).flag("drop_pending_updates"):
        call.db.execute("UPDATE tg_updates SET is_done = 1 WHERE bot_id = ?", (call.caller.bot["id"],))


def delete_webhook(call: Call) -> Response:
    was_set = bool(call.caller.bot["webhook_url"])
    _drop_if_asked(call)
    call.db.execute(
        "UPDATE tg_bots SET webhook_url = '', secret_token = '', failures = 0, next_try_at = 0 WHERE id = ?",
        (call.caller.bot["id"],),
    )
    return _done("Webhook was deleted" if was_set else "Webhook is already deleted")


def _done(description: str) -> Response:
    response = problems.success(True)
    # The one place where Telegram says something beside a result.
    response.body = json.dumps({"ok": True, "result": True, "description": description}).encode()
    return response


def get_webhook_info(call: Call) -> Response:
    bot = call.caller.bot
    shown = {
        "url": bot["webhook_url"],
        "has_custom_certificate": False,
        "pending_update_count": count_pending(call.db, bot["id"]),
    }
    if bot["webhook_url"]:
        shown["max_connections"] = bot["max_connections"]
        if bot["ip_address"]:
            shown["ip_address"] = bot["ip_address"]
    if bot["last_error_at"]:
        shown |= {"last_error_date": int(bot["last_error_at"]), "last_error_message": bot["last_error"]}
    if json.loads(bot["allowed_updates"]):
        shown["allowed_updates"] = json.loads(bot["allowed_updates"])
    return problems.success(shown)
