"""Answers to order: a queue of steps, each for the next call that matches it.

A step is `{"text"|"json"|"calls"|"refusal"|"empty": …}` with, if wanted, `thinking`, `stop`, `usage`, and what it
waits for: `model` ("*" for any, else the scripted model), `key`, `match`, and `times` (1; null for ever).
"""

import json
import re
import sqlite3
from typing import Any

from sandbox.llm.checks import Rejected
from sandbox.llm.prompt import Answer, Part, Prompt, Usage, call_answer, json_text, text_answer

NAME = "sandbox-scripted"
_FIELDS = {
    "text",
    "json",
    "calls",
    "refusal",
    "empty",
    "thinking",
    "stop",
    "usage",
    "model",
    "key",
    "match",
    "times",
}
_SAYINGS = ("text", "json", "calls", "refusal", "empty")
_MATCHES = {"contains", "system_contains", "last_contains", "regex", "tool", "field", "prompt_sha", "wire_stream"}
_STOPS = ("end", "tools", "length", "stop", "refusal", "filter")


def add(db: sqlite3.Connection, steps: Any) -> list[int]:
    if not isinstance(steps, list):
        raise ValueError("steps is a list")
    for step in steps:
        _check(step)
    return [_insert(db, step) for step in steps]


def _insert(db: sqlite3.Connection, step: dict[str, Any]) -> int:
    times = step.get("times", 1)
    cursor = db.execute("INSERT INTO llm_script (step, left) VALUES (?,?)", (json.dumps(step), times))
    return int(cursor.lastrowid or 0)


def _check(step: Any) -> None:
    if not isinstance(step, dict):
        raise ValueError("a step is an object")
    unknown = sorted(set(step) - _FIELDS)
    if unknown:
        raise ValueError(f"a step has no {unknown[0]}; it has {sorted(_FIELDS)}")
    if not any(name in step for name in _SAYINGS):
        raise ValueError(f"a step says one of {_SAYINGS}")
    match = step.get("match", {})
    if not isinstance(match, dict) or set(match) - _MATCHES:
        raise ValueError(f"match has {sorted(_MATCHES)}")
    try:
        re.compile(match.get("regex", ""))
    except re.error as error:
        raise ValueError(f"regex: {error}") from None
    if step.get("stop", "end") not in _STOPS:
        raise ValueError(f"stop is one of {_STOPS}")
    if step.get("times", 1) is not None and not (isinstance(step.get("times", 1), int) and step.get("times", 1) > 0):
        raise ValueError("times is a whole number from 1 on, or null")
    perform(step)


def take(db: sqlite3.Connection, key: str, prompt: Prompt, record_id: int) -> dict[str, Any] | None:
    """The oldest step that matches, used up by asking."""
    for row in db.execute("SELECT * FROM llm_script WHERE left IS NULL OR left > 0 ORDER BY id").fetchall():
        step: dict[str, Any] = json.loads(row["step"])
        if _is_for(step, key, prompt):
            db.execute("UPDATE llm_script SET left = left - 1, used = used + 1 WHERE id = ?", (row["id"],))
            return step
    return None


def _is_for(step: dict[str, Any], key: str, prompt: Prompt) -> bool:
    model = step.get("model", NAME)
    if model not in ("*", prompt.model) or step.get("key", key) != key:
        return False
    match = step.get("match", {})
    whole = "\n".join(turn.text for turn in prompt.turns)
    fields = (prompt.schema or {}).get("properties", {})
    tests = {
        "contains": lambda wanted: wanted in whole,
        "system_contains": lambda wanted: wanted in prompt.system,
        "last_contains": lambda wanted: wanted in prompt.last_user,
        "regex": lambda wanted: re.search(wanted, whole) is not None,
        "tool": lambda wanted: prompt.tool(wanted) is not None,
        "field": lambda wanted: wanted in fields,
        "prompt_sha": lambda wanted: wanted == prompt.sha,
        "wire_stream": lambda wanted: wanted == prompt.is_stream,
    }
    return all(tests[name](wanted) for name, wanted in match.items())


def perform(step: dict[str, Any]) -> Answer:
    if step.get("empty"):
        answer = Answer(is_empty=True)
    elif "refusal" in step:
        answer = Answer(stop="refusal", refusal=str(step["refusal"]))
    elif "calls" in step:
        answer = _calls(step)
    elif "json" in step:
        answer = text_answer(json_text(step["json"]))
    else:
        answer = text_answer(str(step.get("text", "")))
    answer.thinking = str(step.get("thinking", ""))
    answer.stop = step.get("stop", answer.stop)
    if "usage" in step:
        answer.usage = Usage(**{name: int(value) for name, value in step["usage"].items()})
    return answer


def _calls(step: dict[str, Any]) -> Answer:
    answer = call_answer([(str(one["name"]), one.get("args", {})) for one in step["calls"]], str(step.get("text", "")))
    ids = [one.get("id", "") for one in step["calls"]]
    said = [part for part in answer.parts if part.kind != "call"]
    made = [Part("call", id=ids[i], name=p.name, arguments=p.arguments) for i, p in enumerate(answer.calls)]
    return Answer(said + made, "tools")


def nothing_left(prompt: Prompt) -> Rejected:
    return Rejected(f"sandbox: no step of the script is left for this call (prompt {prompt.sha[:12]})")


def show(db: sqlite3.Connection) -> dict[str, Any]:
    rows = db.execute("SELECT * FROM llm_script ORDER BY id").fetchall()
    steps = [{"id": row["id"], "left": row["left"], "used": row["used"], **json.loads(row["step"])} for row in rows]
    return {
        # A step for ever is never left over.
        "remaining": [step for step in steps if step["left"]],
        "steps": steps,
        "used": sum(step["used"] for step in steps),
    }


def clear(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM llm_script")
