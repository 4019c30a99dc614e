"""Rows of users, bots, chats and members."""

import json
import secrets
import sqlite3
from typing import Any

CHANNEL_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
POST_RIGHTS = ("can_post_messages", "can_edit_messages")
GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics")
ALL_RIGHTS = (*CHANNEL_RIGHTS, *POST_RIGHTS, *GROUP_RIGHTS)
INSIDE = ("creator", "administrator", "member", "restricted")
FIRST_USER_ID = 5_000_001
FIRST_BOT_ID = 7_000_001
# Ids of supergroups and channels: minus 100, then the id that a t.me/c/ link shows.
SUPERGROUP_BASE = -1_000_000_000_000
FIRST_CHAT_ID = 2_000_001


def user(db: sqlite3.Connection, user_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM tg_users WHERE id = ?", (user_id,)).fetchone()
    return row


def named_user(db: sqlite3.Connection, name: str | int) -> sqlite3.Row | None:
    """By id or username."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_users WHERE username = ? OR CAST(id AS TEXT) = ?", (str(name).removeprefix("@"), str(name))
    ).fetchone()
    return row


def users(db: sqlite3.Connection, *, is_bot: bool) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM tg_users WHERE is_bot = ? ORDER BY id", (is_bot,)).fetchall()


def bot_by_token(db: sqlite3.Connection, token: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT b.*, u.username, u.name FROM tg_bots b JOIN tg_users u ON u.id = b.id WHERE b.token = ?", (token,)
    ).fetchone()
    return row


def bots(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT b.*, u.username, u.name FROM tg_bots b JOIN tg_users u ON u.id = b.id ORDER BY b.id"
    ).fetchall()


def create_user(db: sqlite3.Connection, name: str, username: str | None = None, user_id: int | None = None) -> int:
    found = user_id or _next(db, "SELECT max(id) FROM tg_users WHERE is_bot = 0", FIRST_USER_ID)
    db.execute("INSERT INTO tg_users VALUES (?, 0, ?, ?)", (found, name, username))
    return found


def create_bot(db: sqlite3.Connection, username: str, name: str, token: str | None = None) -> int:
    bot_id = int(token.partition(":")[0]) if token else _next(db, "SELECT max(id) FROM tg_bots", FIRST_BOT_ID)
    token = token or f"{bot_id}:{secrets.token_urlsafe(26)}"
    db.execute("INSERT INTO tg_users VALUES (?, 1, ?, ?)", (bot_id, name, username))
    db.execute(
        "INSERT INTO tg_bots (id, token, next_update_id) VALUES (?,?,?)",
        (bot_id, token, 100_000_000 + secrets.randbelow(100_000_000)),
    )
    return bot_id


def _next(db: sqlite3.Connection, query: str, first: int) -> int:
    return max(first, int(db.execute(query).fetchone()[0] or 0) + 1)


def chat(db: sqlite3.Connection, chat_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM tg_chats WHERE id = ?", (chat_id,)).fetchone()
    return row


def named_chat(db: sqlite3.Connection, name: str | int) -> sqlite3.Row | None:
    """By id or username."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_chats WHERE username = ? OR CAST(id AS TEXT) = ?", (str(name).removeprefix("@"), str(name))
    ).fetchone()
    return row


def chats(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM tg_chats ORDER BY id DESC").fetchall()


def create_chat(
    db: sqlite3.Connection,
    kind: str,
    title: str,
    link: str,
    username: str | None = None,
    audience: int = 0,
    now: float | None = None,
) -> int:
    """`kind` may be forum, which is a supergroup with topics; `audience` are members without a name."""
    # Counted over all kinds, so that a group keeps its number when it becomes a supergroup.
    number = _next(db, "SELECT max(abs(id) % 1000000000000) FROM tg_chats", FIRST_CHAT_ID)
    chat_id = -number if kind == "group" else SUPERGROUP_BASE - number
    db.execute(
        "INSERT INTO tg_chats (id, type, title, username, is_forum, audience, primary_link, created_at)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (chat_id, "supergroup" if kind == "forum" else kind, title, username, kind == "forum", audience, link, now),
    )
    return chat_id


def public_id(chat_id: int) -> int:
    """The number in t.me/c/ links."""
    return SUPERGROUP_BASE - chat_id if chat_id < SUPERGROUP_BASE else -chat_id


def member(db: sqlite3.Connection, chat_id: int, user_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_members WHERE chat_id = ? AND user_id = ?", (chat_id, user_id)
    ).fetchone()
    return row


def status(db: sqlite3.Connection, chat_id: int, user_id: int) -> str:
    found = member(db, chat_id, user_id)
    return str(found["status"]) if found else "left"


def rights(found: sqlite3.Row | None) -> dict[str, bool]:
    return json.loads(found["rights"]) if found else {}


def has_right(db: sqlite3.Connection, chat_id: int, user_id: int, right: str) -> bool:
    found = member(db, chat_id, user_id)
    if found is None:
        return False
    is_granted = found["status"] == "administrator" and bool(rights(found).get(right))
    return is_granted or found["status"] == "creator"


def full_rights(chat_type: str, given: dict[str, Any] | None = None) -> dict[str, bool]:
    """Every right that a kind of chat has; what is not given is granted."""
    names = [*CHANNEL_RIGHTS, *(POST_RIGHTS if chat_type == "channel" else GROUP_RIGHTS)]
    granted = {name: name not in ("can_promote_members",) for name in names}
    return {**granted, **{name: bool(value) for name, value in (given or {}).items() if name in granted}}


def set_member(
    db: sqlite3.Connection, chat_id: int, user_id: int, new_status: str, new_rights: dict[str, bool]
) -> None:
    db.execute(
        "INSERT INTO tg_members VALUES (?,?,?,?) ON CONFLICT (chat_id, user_id)"
        " DO UPDATE SET status = excluded.status, rights = excluded.rights",
        (chat_id, user_id, new_status, json.dumps(new_rights if new_status == "administrator" else {})),
    )


def members(db: sqlite3.Connection, chat_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT m.*, u.is_bot, u.name, u.username FROM tg_members m JOIN tg_users u ON u.id = m.user_id"
        " WHERE m.chat_id = ? ORDER BY m.user_id",
        (chat_id,),
    ).fetchall()


def member_count(db: sqlite3.Connection, found: sqlite3.Row) -> int:
    inside = sum(1 for row in members(db, found["id"]) if row["status"] in INSIDE)
    return inside + int(found["audience"])


def has_dialog(db: sqlite3.Connection, bot_id: int, user_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_dialogs WHERE bot_id = ? AND user_id = ?", (bot_id, user_id)
    ).fetchone()
    return row


def open_dialog(db: sqlite3.Connection, bot_id: int, user_id: int, *, is_blocked: bool = False) -> None:
    db.execute(
        "INSERT INTO tg_dialogs VALUES (?,?,?) ON CONFLICT (bot_id, user_id)"
        " DO UPDATE SET is_blocked = excluded.is_blocked",
        (bot_id, user_id, is_blocked),
    )
