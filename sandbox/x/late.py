"""Posts whose request was cut off but went through all the same, some time later."""

import json
import sqlite3

from sandbox import ledger
from sandbox.wire import Refusal, Request
from sandbox.world import World
from sandbox.x import accounts, posts
from sandbox.x.create import compose


def land_due(world: World) -> None:
    """Creates what is due, dated when it was due: nobody can tell it from a post made on its own."""
    db = world.store.db
    due = db.execute("SELECT * FROM x_late WHERE due_at <= ? ORDER BY due_at, id", (world.clock.now(),)).fetchall()
    for row in due:
        db.execute("DELETE FROM x_late WHERE id = ?", (row["id"],))
        _land(db, row)


def _land(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    account = accounts.by_id(db, row["account_id"])
    assert account is not None
    try:
        draft = compose(db, row["due_at"], account, row["client_id"], json.loads(row["body"]))
    except Refusal:
        # Its media or its parent has gone meanwhile.
        return
    # No check for duplicates: a request that hangs between servers has already passed it.
    post = posts.insert(db, draft, row["due_at"])
    ledger.write(
        db,
        ledger.Entry(
            row["due_at"],
            "x",
            Request(row["method"], row["path"], "", {}, row["body"].encode()),
            "late",
            account["handle"],
            str(account["id"]),
            ledger.Effect("post", str(post["id"]), post["text"]),
            "late_accept",
        ),
    )
