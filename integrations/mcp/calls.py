"""One call: counted, checked, done in one transaction inside the caller's workspace, and recorded.

All of this runs in a thread (`integrations.mcp.threads`) and knows nothing of the protocol.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from django.http import Http404
from psycopg.errors import QueryCanceled

from accounts import audit, plans
from accounts.idempotency import claim_key, keep_answer
from accounts.scope import workspace_scope
from integrations.mcp.auth import Caller
from integrations.mcp.errors import CallFailed, Failure, check_arguments, failure_of
from integrations.mcp.limits import RESULT_BYTES, TOO_LARGE, TOO_LONG, Deadline, take_call
from integrations.mcp.registry import EFFECT_ARGUMENTS, JSON, Blocks, PromptDef, ResourceDef, ToolDef
from integrations.mcp.usage import count_use

log = structlog.get_logger(__name__)
T = TypeVar("T")
S = TypeVar("S", bound=str | bytes)
DONE = 200


class Unknown(Exception):
    """Nothing of this name for this caller, whatever others may have."""


@dataclass(frozen=True)
class Answer:
    """Either `data`, with its JSON as `text`, or `blocks`."""

    text: str = ""
    data: JSON | None = None
    blocks: list[JSON] = field(default_factory=list)
    is_replay: bool = False
    is_dry_run: bool = False


def call_tool(caller: Caller, tool: ToolDef, args: JSON, deadline: Deadline) -> Answer | Failure:
    def work() -> Answer:
        check_arguments(tool.validator, args)
        return _act(caller, tool, args) if tool.has_effect else _answer(tool.do(caller.actor, args))

    def record(answer: Answer) -> None:
        if tool.has_effect and not answer.is_replay and not answer.is_dry_run:
            audit.record("mcp.call", caller.server, by=caller.actor, server=caller.server.name, tool=tool.name)

    return _run(caller, tool.name, work, deadline, record)


def read_resource(
    caller: Caller, resource: ResourceDef, params: dict[str, str], deadline: Deadline
) -> str | bytes | Failure:
    """Raises Unknown where nothing of theirs stands at the address."""

    def work() -> str | bytes:
        try:
            content = resource.read(caller.actor, params)
        except Http404 as error:
            raise Unknown(resource.name) from error
        return _fitting(content if isinstance(content, str | bytes) else _json(content))

    return _run(caller, f"resource:{resource.name}", work, deadline)


def get_prompt(caller: Caller, prompt: PromptDef, args: dict[str, str], deadline: Deadline) -> list[JSON] | Failure:
    """Messages as MCP writes them."""

    def work() -> list[JSON]:
        check_prompt(prompt, args)
        said = prompt.render(caller.actor, args)
        return [{"role": "user", "content": {"type": "text", "text": said}}] if isinstance(said, str) else said

    return _run(caller, f"prompt:{prompt.name}", work, deadline)


def check_prompt(prompt: PromptDef, args: dict[str, str]) -> None:
    missing = [one.name for one in prompt.arguments if one.required and not args.get(one.name, "").strip()]
    if missing:
        raise CallFailed(Failure("invalid", "Some arguments are missing.", {name: ["Needed."] for name in missing}))


def complete(
    caller: Caller, definition: PromptDef | ResourceDef, place: str, typed: str, deadline: Deadline
) -> list[str] | Failure:
    """No call, and so not counted; it ends like one."""
    suggest = definition.complete
    if suggest is None:
        return []
    try:
        with workspace_scope(caller.actor.workspace.pk):
            _stop_statements(deadline)
            return [str(value) for value in suggest(caller.actor, place, typed)]
    except Exception as error:
        return TOO_LONG if _was_stopped(error) else failure_of(error)


def begin_talk(caller: Caller) -> Failure | None:
    """The limits of any call, for one that speaks with its client on the way."""
    try:
        take_call(caller.server)
        with workspace_scope(caller.server.workspace_id):
            _require_calls(caller)
    except Exception as error:
        return failure_of(error)
    return None


def end_talk(caller: Caller, name: str, started: float, *, failed: bool, has_effect: bool) -> None:
    """One call, however often it asked back. It has happened: the month's last place may be gone meanwhile."""
    server = caller.server
    with workspace_scope(server.workspace_id):
        if has_effect and not failed:
            audit.record("mcp.call", server, by=caller.actor, server=server.name, tool=name)
        count_use(server, name, failed=failed, ms=_ms_since(started))
        if not failed:
            plans.count_done(server.workspace, "mcp_calls")
    _log(caller, name, started, "error" if failed else "")


def _run(
    caller: Caller,
    name: str,
    work: Callable[[], T],
    deadline: Deadline,
    record: Callable[[T], None] = lambda _result: None,
) -> T | Failure:
    server, started = caller.server, time.monotonic()
    try:
        take_call(server)
    except Exception as error:
        # Not counted as used: a flood would write with each refusal.
        return failure_of(error)
    try:
        with workspace_scope(server.workspace_id):
            _stop_statements(deadline)
            _require_calls(caller)
            result = work()
            deadline.require_commit()
            record(result)
            # After the audit's lock, in each call: two that take them crosswise would stop each other.
            count_use(server, name, failed=False, ms=_ms_since(started))
            plans.count(server.workspace, "mcp_calls")
    except Unknown:
        raise
    except Exception as error:
        failure = TOO_LONG if _was_stopped(error) else failure_of(error)
        with workspace_scope(server.workspace_id):
            count_use(server, name, failed=True, ms=_ms_since(started))
        _log(caller, name, started, failure.code)
        return failure
    _log(caller, name, started, "")
    return result


def _require_calls(caller: Caller) -> None:
    """No work that could not be counted at its end: there the last call of the month is given away exactly."""
    workspace = caller.server.workspace
    if plans.limit_of(workspace, "mcp_calls") is not None:
        plans.require_room(workspace, "mcp_calls", plans.counted(workspace, "mcp_calls"))


def _log(caller: Caller, name: str, started: float, problem: str) -> None:
    server = caller.server
    ids = {"server": str(server.pk), "workspace": str(server.workspace_id)}
    log.info("mcp_call", name=name, ms=_ms_since(started), problem=problem or None, **ids)


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _stop_statements(deadline: Deadline) -> None:
    """A thread that waits for the database cannot be stopped; its statement can."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(max(1, round(deadline.left_s * 1000)))])


def _was_stopped(error: Exception) -> bool:
    return isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled)


# --- tools with an effect -------------------------------------------------------------------------------------


def _act(caller: Caller, tool: ToolDef, args: JSON) -> Answer:
    own = {name: value for name, value in args.items() if name not in EFFECT_ARGUMENTS}
    if args.get("dry_run"):
        return _try(caller, tool, own)
    if not args.get("idempotency_key"):
        return _answer(tool.do(caller.actor, own))
    return _once(caller, tool, own, args["idempotency_key"])


def _try(caller: Caller, tool: ToolDef, args: JSON) -> Answer:
    with transaction.atomic():
        answer = _answer(tool.do(caller.actor, args))
        transaction.set_rollback(True)
    return replace(answer, is_dry_run=True)


def _once(caller: Caller, tool: ToolDef, args: JSON, key: str) -> Answer:
    request = f"{tool.name} {json.dumps(args, sort_keys=True)}".encode()
    by = f"mcp:{caller.server.pk}"
    row, is_new = claim_key(caller.actor.workspace, by, key, request, field="idempotency_key")
    if not is_new:
        return replace(_kept(row.body), is_replay=True)
    answer = _answer(tool.do(caller.actor, args))
    keep_answer(row, DONE, {"data": answer.data, "blocks": answer.blocks})
    return answer


def _kept(body: Any) -> Answer:
    return Answer(blocks=body["blocks"]) if body["data"] is None else _answer(body["data"])


# --- results --------------------------------------------------------------------------------------------------


def _answer(result: JSON | Blocks) -> Answer:
    if isinstance(result, Blocks):
        _fitting(_json(result.blocks))
        return Answer(blocks=result.blocks)
    text = _fitting(_json(result))
    return Answer(text, json.loads(text))


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _fitting(content: S) -> S:
    size = len(content.encode()) if isinstance(content, str) else len(content)
    if size > RESULT_BYTES:
        raise CallFailed(TOO_LARGE)
    return content
