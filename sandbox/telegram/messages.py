"""Rows of messages: writing one, finding some."""

import json
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.telegram.access import Place


@dataclass
class Draft:
    """A message that has passed every rule; plain values, so that it can wait in a table."""

    chat_id: int
    owner: int
    sender_id: int | None
    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    # photo, video, animation, document or audio, and its row in tg_files.
    media_kind: str | None = None
    file_id: int | None = None
    album: str | None = None
    thread_id: int | None = None
    reply_to: int | None = None
    keyboard: dict[str, Any] | None = None
    # Flags that are only kept and given back.
    options: dict[str, Any] = field(default_factory=dict)
    service: dict[str, Any] | None = None
    is_silent: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def insert(db: sqlite3.Connection, draft: Draft, now: float) -> sqlite3.Row:
    message_id = next_id(db, draft.chat_id, draft.owner)
    db.execute(
        "INSERT INTO tg_messages (chat_id, owner, message_id, sender_id, sent_at, text, entities, media_kind, media,"
        " album, thread_id, reply_to, keyboard, options, service, is_silent) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            draft.chat_id,
            draft.owner,
            message_id,
            draft.sender_id,
            now,
            draft.text,
            json.dumps(draft.entities),
            draft.media_kind,
            draft.file_id,
            draft.album,
            draft.thread_id,
            draft.reply_to,
            json.dumps(draft.keyboard) if draft.keyboard else None,
            json.dumps(draft.options),
            json.dumps(draft.service) if draft.service else None,
            draft.is_silent,
        ),
    )
    row = find(db, draft.chat_id, draft.owner, message_id)
    assert row is not None
    return row


def next_id(db: sqlite3.Connection, chat_id: int, owner: int) -> int:
    query = "SELECT max(message_id) FROM tg_messages WHERE chat_id = ? AND owner = ?"
    return int(db.execute(query, (chat_id, owner)).fetchone()[0] or 0) + 1


def find(db: sqlite3.Connection, chat_id: int, owner: int, message_id: int | None) -> sqlite3.Row | None:
    """A message that still exists."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM tg_messages WHERE chat_id = ? AND owner = ? AND message_id = ? AND deleted_at IS NULL",
        (chat_id, owner, message_id),
    ).fetchone()
    return row


def find_in(db: sqlite3.Connection, place: Place, message_id: int | None) -> sqlite3.Row | None:
    return find(db, place.chat_id, place.owner, message_id)


def of_chat(db: sqlite3.Connection, chat_id: int | None, owner: int | None = None) -> list[sqlite3.Row]:
    """Everything ever sent, deleted messages included."""
    return db.execute(
        "SELECT * FROM tg_messages WHERE (?1 IS NULL OR chat_id = ?1) AND (?2 IS NULL OR owner = ?2)"
        " ORDER BY chat_id, owner, message_id",
        (chat_id, owner),
    ).fetchall()


def change(db: sqlite3.Connection, message: sqlite3.Row, now: float, **columns: Any) -> sqlite3.Row:
    """An edit: the text as it was goes into the history."""
    was = {"text": message["text"], "entities": json.loads(message["entities"]), "until": now}
    columns = {**columns, "edited_at": now, "history": json.dumps([*json.loads(message["history"]), was])}
    _set(db, message, columns)
    row = find(db, message["chat_id"], message["owner"], message["message_id"])
    assert row is not None
    return row


def delete(db: sqlite3.Connection, message: sqlite3.Row, now: float) -> None:
    _set(db, message, {"deleted_at": now})


def set_reactions(db: sqlite3.Connection, message: sqlite3.Row, reactions: dict[str, int]) -> None:
    _set(db, message, {"reactions": json.dumps(reactions)})


def _set(db: sqlite3.Connection, message: sqlite3.Row, columns: dict[str, Any]) -> None:
    names = ", ".join(f"{name} = ?" for name in columns)
    db.execute(
        f"UPDATE tg_messages SET {names} WHERE chat_id = ? AND owner = ? AND message_id = ?",  # noqa: S608
        (*columns.values(), message["chat_id"], message["owner"], message["message_id"]),
    )
