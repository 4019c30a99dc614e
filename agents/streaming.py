"""A run as a stream of server-sent events that can be taken up again where it broke.

`id` of a step is its number; of a piece of text that is still being written `<number of its step>.<bytes so far>`.
A connection ends after a minute: clients of event streams come back by themselves, with the last id they saw.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import StreamingHttpResponse

from accounts.scope import workspace_scope
from agents.models import Run, Step
from agents.runs.partial import read_partial
from agents.runs.queries import run_status

LOOK_S = 0.15
# The database is asked less often than Valkey, unless text has stopped coming.
STEPS_EVERY = 3
KEEP_ALIVE_S = 10.0
CONNECTION_S = 55.0


@dataclass(frozen=True)
class Position:
    """After which step, and how far into the text of the one being written."""

    step: int = 0
    byte: int = 0

    @classmethod
    def parse(cls, text: str) -> "Position":
        """A made-up id starts from the beginning."""
        step, _, byte = text.strip().partition(".")
        if not (step.isascii() and step.isdigit() and len(step) < 10):
            return cls()
        return cls(int(step), int(byte) if byte.isascii() and byte.isdigit() and len(byte) < 10 else 0)


def event_stream(run: Run, last_event_id: str) -> StreamingHttpResponse:
    events = run_events(run.workspace_id, run.pk, Position.parse(last_event_id))
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    # A proxy that collects answers would show nothing until the end.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def run_events(
    workspace_id: UUID, run_id: UUID, after: Position, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """Bytes of a text/event-stream; holds no connection to the database while it sleeps."""
    ends, spoken, looks = clock() + CONNECTION_S, clock(), 0
    state = ""
    while True:
        found: list[bytes] = []
        if looks % STEPS_EVERY == 0:
            with workspace_scope(workspace_id):
                run = Run.objects.filter(pk=run_id).first()
                steps = list(Step.objects.filter(run_id=run_id, n__gt=after.step).order_by("n")) if run else []
                status = run_status(run) if run else None
            for step in steps:
                found.append(_event("step", _step_data(step), str(step.n)))
                after = Position(step.n)
            told = _told(status)
            if told != state:
                found.append(_event("status", told))
                state = told
            if status is None or run is None or run.is_ended:
                yield b"".join([*found, _event("end", json.dumps(status, ensure_ascii=False, default=str))])
                return
            connection.close()
        text, reached = read_partial(run_id, after.step + 1, after.byte)
        if text:
            after = Position(after.step, reached)
            found.append(_event("text", json.dumps({"text": text}, ensure_ascii=False), f"{after.step}.{after.byte}"))
        if found:
            spoken = clock()
            yield b"".join(found)
        elif clock() - spoken > KEEP_ALIVE_S:
            spoken = clock()
            yield b": still here\n\n"
        if clock() > ends:
            yield b"retry: 100\n\n"
            return
        looks += 1
        time.sleep(LOOK_S)


def _told(status: dict[str, Any] | None) -> str:
    names = ("status", "progress", "current_agent", "waiting_on")
    return json.dumps({name: status[name] for name in names}, ensure_ascii=False, default=str) if status else "{}"


def _step_data(step: Step) -> str:
    """What a watcher needs; inputs and outputs are read from the run's page."""
    text = (step.output or {}).get("text", "") if isinstance(step.output, dict) and step.kind == Step.Kind.LLM else ""
    data = {
        "n": step.n,
        "key": step.key,
        "kind": step.kind,
        "agent": step.agent,
        "text": text,
        "cost_micro": step.cost_micro,
        "error": step.error,
    }
    return json.dumps(data, ensure_ascii=False, default=str)


def _event(name: str, data: str, id: str = "") -> bytes:
    head = f"id: {id}\n" if id else ""
    # JSON holds no line break, so the data is one line.
    return f"{head}event: {name}\ndata: {data}\n\n".encode()
