"""What the admin door does to the models: script, pace, behaviour, and a look at what was sent."""

from typing import Any

from sandbox.llm import behaviours, calls, scripted, settings
from sandbox.router import Call, Door
from sandbox.wire import Refusal, Response, json_response


def show_script(call: Call) -> Response:
    return json_response(200, scripted.show(call.db))


def add_steps(call: Call, body: dict[str, Any]) -> Response:
    return json_response(201, {"ids": scripted.add(call.db, body.get("steps", [body]))})


def clear_script(call: Call) -> Response:
    scripted.clear(call.db)
    return json_response(200, scripted.show(call.db))


def list_calls(call: Call) -> Response:
    query = call.request.query
    try:
        since, limit = int(query.get("since", "0")), int(query.get("limit", "1000"))
    except ValueError:
        raise Refusal(json_response(400, {"error": "since and limit are whole numbers"})) from None
    found = calls.read(call.db, since, limit, query.get("model"), query.get("key"))
    return json_response(200, {"calls": found})


def show_settings(call: Call) -> Response:
    return json_response(200, settings.read(call.db))


def save_settings(call: Call, body: dict[str, Any]) -> Response:
    for name, value in body.items():
        _check_setting(name, value)
        settings.save(call.db, name, value)
    return show_settings(call)


def _check_setting(name: str, value: Any) -> None:
    if name not in settings.DEFAULTS:
        raise ValueError(f"no setting {name}; there are {sorted(settings.DEFAULTS)}")
    if name == "chunk_ms" and not (isinstance(value, int | float) and 0 <= value <= 10_000):
        raise ValueError("chunk_ms is a number of milliseconds up to 10000")
    if name == "behaviour" and value is not None and value not in behaviours.NAMES:
        raise ValueError(f"no behaviour {value}; there are {sorted(behaviours.NAMES)}")


DOORS = (
    Door("/script", show_script, "GET"),
    Door("/script", add_steps),
    Door("/script", clear_script, "DELETE"),
    Door("/calls", list_calls, "GET"),
    Door("/settings", show_settings, "GET"),
    Door("/settings", save_settings),
)
