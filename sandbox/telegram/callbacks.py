"""answerCallbackQuery: what a person sees after pressing a button."""

import sqlite3

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.telegram import parameters, problems
from sandbox.wire import Response

MAX_ANSWER = 200
ANSWER_SECONDS = 15 * 60


def answer_query(call: Call) -> Response:
    given = parameters.of(call)
    press = find(call.db, given.text("callback_query_id"))
    is_own = press is not None and press["bot_id"] == call.caller.bot["id"]
    if press is None or not is_own or press["answered_at"] or call.now - press["pressed_at"] > ANSWER_SECONDS:
        raise problems.bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(given.text("text")) > MAX_ANSWER:
        raise problems.bad_request("MESSAGE_TOO_LONG")
    call.db.execute(
        "UPDATE tg_presses SET answered_at = ?, answer = ?, is_alert = ?, url = ? WHERE id = ?",
        (call.now, given.text("text"), given.flag("show_alert"), given.text("url") or None, press["id"]),
    )
    call.effect = Effect("answer", press["id"], given.text("text"))
    return problems.success(True)


def find(db: sqlite3.Connection, press_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM tg_presses WHERE id = ?", (press_id,)).fetchone()
    return row


def recent(db: sqlite3.Connection, limit: int = 1000) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM tg_presses ORDER BY pressed_at DESC LIMIT ?", (limit,)).fetchall()
