"""The record of every call of a model: what was sent, who answered, what it took."""

import json
import sqlite3
from typing import Any

from sandbox.clock import iso
from sandbox.llm.prompt import Answer, Prompt
from sandbox.router import Call


def open_record(call: Call, key: str | None) -> int:
    """Written at the door, so that what is refused or spoiled later is on record too."""
    headers = call.request.headers
    attempt = headers.get("X-Attempt") or headers.get("X-Stainless-Retry-Count") or "0"
    cursor = call.db.execute(
        "INSERT INTO llm_calls (at, provider, route, key, attempt, idempotency_key, request) VALUES (?,?,?,?,?,?,?)",
        (
            call.now,
            call.caller.provider if call.caller else "",
            call.route.name,
            key,
            int(attempt) if attempt.isdecimal() else 0,
            headers.get("Idempotency-Key"),
            call.request.body.decode("utf-8", "replace"),
        ),
    )
    return int(cursor.lastrowid or 0)


def record_prompt(db: sqlite3.Connection, record_id: int, prompt: Prompt, behaviour: str, fault: str | None) -> None:
    db.execute(
        "UPDATE llm_calls SET model = ?, behaviour = ?, is_stream = ?, prompt_sha = ?, system_sha = ?, tools = ?,"
        " fault = ? WHERE id = ?",
        (
            prompt.model,
            behaviour,
            prompt.is_stream,
            prompt.sha,
            prompt.system_sha,
            json.dumps([tool.name for tool in prompt.tools]),
            fault,
            record_id,
        ),
    )


def record_fault(db: sqlite3.Connection, record_id: int, fault: str) -> None:
    db.execute("UPDATE llm_calls SET fault = ? WHERE id = ?", (fault, record_id))


def record_answer(db: sqlite3.Connection, record_id: int, answer_id: str, answer: Answer) -> None:
    usage = answer.usage
    db.execute(
        "UPDATE llm_calls SET answer_id = ?, answer = ?, stop = ?, input_tokens = ?, cached_tokens = ?,"
        " written_tokens = ?, output_tokens = ? WHERE id = ?",
        (
            answer_id,
            json.dumps(answer_json(answer), ensure_ascii=False).encode("utf-8", "replace").decode(),
            answer.stop,
            usage and usage.input,
            usage and usage.cached,
            usage and usage.written,
            usage and usage.output,
            record_id,
        ),
    )


def answer_json(answer: Answer) -> dict[str, Any]:
    calls = [{"name": part.name, "arguments": part.arguments} for part in answer.calls]
    return {"text": answer.text, "calls": calls, "refusal": answer.refusal}


def read(
    db: sqlite3.Connection, since: int = 0, limit: int = 1_000, model: str | None = None, key: str | None = None
) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT * FROM llm_calls WHERE id > :since AND (:model IS NULL OR model = :model)"
        " AND (:key IS NULL OR key = :key) ORDER BY id LIMIT :limit",
        {"since": since, "limit": limit, "model": model, "key": key},
    )
    return [as_json(row) for row in rows]


def latest(db: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    return [as_json(row) for row in db.execute("SELECT * FROM llm_calls ORDER BY id DESC LIMIT ?", (limit,))]


def find(db: sqlite3.Connection, record_id: int) -> dict[str, Any] | None:
    row = db.execute("SELECT * FROM llm_calls WHERE id = ?", (record_id,)).fetchone()
    return as_json(row) if row else None


def as_json(row: sqlite3.Row) -> dict[str, Any]:
    entry = dict(row)
    entry["time"] = iso(entry.pop("at"))
    entry["is_stream"] = bool(entry["is_stream"])
    entry["tools"] = json.loads(entry["tools"])
    entry["answer"] = json.loads(entry["answer"]) if entry["answer"] else None
    entry["request"] = _parsed(entry["request"])
    return entry


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
