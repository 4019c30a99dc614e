"""Links that let people join, each with a name of its own."""

import secrets
import sqlite3
from typing import Any

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.telegram import access, parameters, problems
from sandbox.telegram.access import Place
from sandbox.telegram.render import user_of
from sandbox.wire import Response

MAX_NAME = 32
MAX_MEMBERS = 99_999


def new_link(host: str) -> str:
    """An address of this sandbox, where t.me would stand: it can be opened."""
    return f"http://{host}/tg/web/+{secrets.token_urlsafe(12)}"


def find(db: sqlite3.Connection, link: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM tg_invites WHERE link = ?", (link,)).fetchone()
    return row


def find_by_code(db: sqlite3.Connection, code: str) -> sqlite3.Row | None:
    """By the end of the link, which starts with a plus."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_invites WHERE substr(link, -length(?1)) = ?1", (f"/{code}",)
    ).fetchone()
    return row


def is_open(invite: sqlite3.Row, now: float) -> bool:
    is_expired = invite["expire_date"] is not None and invite["expire_date"] <= now
    is_full = invite["member_limit"] is not None and invite["joined"] >= invite["member_limit"]
    return not (invite["is_revoked"] or is_expired or is_full)


def as_json(db: sqlite3.Connection, invite: sqlite3.Row) -> dict[str, Any]:
    shown = {
        "invite_link": invite["link"],
        "creator": user_of(db, invite["creator_id"]),
        "creates_join_request": bool(invite["creates_join_request"]),
        "is_primary": False,
        "is_revoked": bool(invite["is_revoked"]),
    }
    extra = {name: invite[name] for name in ("name", "expire_date", "member_limit") if invite[name] is not None}
    return {**shown, **extra}


def create_link(call: Call) -> Response:
    place = _manageable(call)
    link = new_link(call.request.host)
    call.db.execute(
        "INSERT INTO tg_invites (link, chat_id, creator_id) VALUES (?,?,?)",
        (link, place.chat_id, call.caller.bot["id"]),
    )
    return _save(call, link, _read_settings(call))


def edit_link(call: Call) -> Response:
    invite = _own(call)
    return _save(call, invite["link"], _read_settings(call))


def revoke_link(call: Call) -> Response:
    invite = _own(call)
    return _save(call, invite["link"], {"is_revoked": True})


def _save(call: Call, link: str, settings: dict[str, Any]) -> Response:
    columns = ", ".join(f"{name} = ?" for name in settings)
    call.db.execute(f"UPDATE tg_invites SET {columns} WHERE link = ?", (*settings.values(), link))  # noqa: S608
    invite = find(call.db, link)
    assert invite is not None
    call.effect = Effect("invite", link, invite["name"] or "")
    return problems.success(as_json(call.db, invite))


def _manageable(call: Call) -> Place:
    place = access.find_place(call)
    if place.is_private:
        raise problems.bad_request("chat is not a group or a channel")
    access.require_right(call, place, "can_invite_users", "manage chat invite link")
    return place


def _own(call: Call) -> sqlite3.Row:
    place = _manageable(call)
    invite = find(call.db, parameters.of(call).text("invite_link"))
    is_own = invite is not None and invite["creator_id"] == call.caller.bot["id"]
    if invite is None or not is_own or invite["chat_id"] != place.chat_id:
        raise problems.bad_request("INVITE_HASH_EXPIRED")
    if invite["is_revoked"]:
        raise problems.bad_request("INVITE_HASH_EXPIRED")
    return invite


def _read_settings(call: Call) -> dict[str, Any]:
    given = parameters.of(call)
    name, limit, expires = given.text("name"), given.number("member_limit"), given.number("expire_date")
    if len(name) > MAX_NAME:
        raise problems.bad_request("invite link name is too long")
    if limit is not None and not 0 <= limit <= MAX_MEMBERS:
        raise problems.bad_request("USAGE_LIMIT_INVALID")
    if limit and given.flag("creates_join_request"):
        raise problems.bad_request("member limit can't be specified for links requiring administrator approval")
    if expires and expires <= call.now:
        raise problems.bad_request("EXPIRE_DATE_INVALID")
    return {
        "name": name or None,
        "member_limit": limit or None,
        "expire_date": expires or None,
        "creates_join_request": given.flag("creates_join_request"),
    }
