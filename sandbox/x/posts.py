"""Rows of posts: writing one, finding some."""

import hashlib
import json
import sqlite3
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from sandbox.x import accounts, entities
from sandbox.x.ids import next_id


@dataclass
class Draft:
    """A post that has passed every rule but duplicates and money."""

    account: sqlite3.Row
    client_id: str | None
    text: str
    parent: sqlite3.Row | None = None
    quoted: sqlite3.Row | None = None
    media: list[sqlite3.Row] = field(default_factory=list)
    poll: dict[str, Any] | None = None
    # Flags and settings that are only kept and given back.
    options: dict[str, Any] = field(default_factory=dict)
    previous: sqlite3.Row | None = None
    excluded_ids: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Same words to the same place with the same pictures: what X calls duplicate content."""
        words = " ".join(unicodedata.normalize("NFC", self.text).split())
        parts = [words, str(self.parent and self.parent["id"]), json.dumps(self.poll, sort_keys=True)]
        parts += sorted(str(item["sha256"]) for item in self.media)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def insert(db: sqlite3.Connection, draft: Draft, now: float, visible_after: float = 0.0) -> sqlite3.Row:
    post_id = next_id(db, now)
    history = [*json.loads(draft.previous["history"]), post_id] if draft.previous else [post_id]
    parent = draft.parent
    db.execute(
        "INSERT INTO x_posts (id, account_id, client_id, ordinal, text, fingerprint, created_at, visible_at,"
        " conversation_id, replied_to, replied_to_account, quoted, media, poll, options, history)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            post_id,
            draft.account["id"],
            draft.client_id,
            _count(db, draft.account["id"]) + 1,
            draft.text,
            draft.fingerprint,
            now,
            now + visible_after,
            parent["conversation_id"] if parent else post_id,
            parent and parent["id"],
            parent and parent["account_id"],
            draft.quoted and draft.quoted["id"],
            json.dumps([item["id"] for item in draft.media]),
            json.dumps(draft.poll) if draft.poll else None,
            json.dumps(draft.options),
            json.dumps(history),
        ),
    )
    if draft.previous:
        _replace(db, history, post_id)
    _note_mentions(db, draft, post_id)
    post = find(db, post_id)
    assert post is not None
    return post


def _count(db: sqlite3.Connection, account_id: int) -> int:
    row = db.execute(
        "SELECT ordinal FROM x_posts WHERE account_id = ? ORDER BY id DESC LIMIT 1", (account_id,)
    ).fetchone()
    return row["ordinal"] if row else 0


def _replace(db: sqlite3.Connection, history: list[int], post_id: int) -> None:
    for old in history[:-1]:
        db.execute("UPDATE x_posts SET replaced_by = ?, history = ? WHERE id = ?", (post_id, json.dumps(history), old))


def _note_mentions(db: sqlite3.Connection, draft: Draft, post_id: int) -> None:
    """A reply engages the author it answers, unless that author was excluded."""
    ids = [found["id"] for h in entities.mentioned_handles(draft.text) if (found := accounts.find(db, h))]
    if draft.parent and str(draft.parent["account_id"]) not in draft.excluded_ids:
        ids.append(draft.parent["account_id"])
    if draft.quoted:
        ids.append(draft.quoted["account_id"])
    rows = [(account_id, post_id) for account_id in ids if account_id != draft.account["id"]]
    db.executemany("INSERT OR IGNORE INTO x_mentions VALUES (?, ?)", rows)


def find(db: sqlite3.Connection, post_id: int | str) -> sqlite3.Row | None:
    """A post that still exists, in any of its versions."""
    # As text: 19 digits may exceed what an integer of SQLite holds.
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM x_posts WHERE id = CAST(? AS INTEGER) AND deleted_at IS NULL", (str(post_id),)
    ).fetchone()
    return row


def is_duplicate(db: sqlite3.Connection, draft: Draft, since: float) -> bool:
    row = db.execute(
        "SELECT 1 FROM x_posts WHERE account_id = ? AND fingerprint = ? AND created_at > ? AND deleted_at IS NULL",
        (draft.account["id"], draft.fingerprint, since),
    )
    return row.fetchone() is not None


def engages(db: sqlite3.Connection, post: sqlite3.Row, account_id: int) -> bool:
    """Whether the post's author summoned the account in this very post."""
    row = db.execute("SELECT 1 FROM x_mentions WHERE account_id = ? AND post_id = ?", (account_id, post["id"]))
    return row.fetchone() is not None


def reply_count(db: sqlite3.Connection, post_id: int) -> int:
    return int(
        db.execute(
            "SELECT count(*) FROM x_posts WHERE replied_to = ? AND deleted_at IS NULL AND replaced_by IS NULL",
            (post_id,),
        ).fetchone()[0]
    )


def recent(db: sqlite3.Connection, account_id: int | None, limit: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM x_posts WHERE (?1 IS NULL OR account_id = ?1) AND deleted_at IS NULL"
        " AND replaced_by IS NULL ORDER BY id DESC LIMIT ?2",
        (account_id, limit),
    ).fetchall()


def posts_of(db: sqlite3.Connection, account_id: int | None) -> list[sqlite3.Row]:
    """Everything ever accepted, deleted or replaced posts included."""
    return db.execute(
        "SELECT * FROM x_posts WHERE (?1 IS NULL OR account_id = ?1) ORDER BY id", (account_id,)
    ).fetchall()
