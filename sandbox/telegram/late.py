"""Messages whose request was cut off but which arrive all the same, some time later."""

import json
import sqlite3

from sandbox import ledger
from sandbox.telegram import messages, people
from sandbox.telegram.messages import Draft
from sandbox.telegram.sending import effect_of
from sandbox.wire import Request
from sandbox.world import World


def land_due(world: World) -> None:
    """Dated when they were due: nobody can tell them from messages sent on their own."""
    db = world.store.db
    due = db.execute("SELECT * FROM tg_late WHERE due_at <= ? ORDER BY due_at, id", (world.clock.now(),)).fetchall()
    for row in due:
        db.execute("DELETE FROM tg_late WHERE id = ?", (row["id"],))
        _land(db, row)


def _land(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    bot = people.user(db, row["bot_id"])
    assert bot is not None
    sent = [messages.insert(db, Draft(**draft), row["due_at"]) for draft in json.loads(row["drafts"])]
    ledger.write(
        db,
        ledger.Entry(
            row["due_at"],
            "telegram",
            Request(row["method"], row["path"], "", {}, row["drafts"].encode()),
            "late",
            bot["username"],
            str(bot["id"]),
            effect_of([(one["chat_id"], one["message_id"], one["text"]) for one in sent]),
            "late_accept",
        ),
    )
