"""One more round where a model's answer cannot be used: it is told what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from agents.llm import schemas
from agents.llm.types import Ask, Json, ModelError, Said, Stop, Tool, ToolCall, ToolResult
from agents.llm.wires.port import Reply

log = structlog.get_logger(__name__)
NOT_DONE = "Not done, because another call beside it was wrong. Call it again if you still want it."


@dataclass(frozen=True)
class Judged:
    """`again` is what to ask next, where the answer cannot be used; `reason` says why, for staff."""

    reply: Reply
    data: Json = None
    again: Ask | None = None
    reason: str = ""


def judge(ask: Ask, reply: Reply) -> Judged:
    if reply.stop == Stop.REFUSAL:
        return Judged(replace(reply, tool_calls=()))
    if reply.tool_calls:
        return _judge_calls(ask, reply)
    if ask.schema is not None:
        return _judge_data(ask, ask.schema, reply)
    return Judged(reply)


def last_word(judged: Judged) -> Judged:
    """After the round of repair. Raises ModelError bad_output; a call of an unknown tool is never handed on."""
    if judged.again is None:
        return judged
    if judged.reason.startswith("unknown tool") and judged.reply.text.strip():
        log.warning("llm_unknown_tool", reason=judged.reason)
        return Judged(replace(judged.reply, tool_calls=(), stop=Stop.END))
    raise ModelError("bad_output", "The model's answer cannot be used.", raw=judged.reason)


# --- tools ------------------------------------------------------------------------------------------------


def _judge_calls(ask: Ask, reply: Reply) -> Judged:
    tools = {tool.name: tool for tool in ask.tools}
    faults = {call.id: fault for call in reply.tool_calls if (fault := _fault(call, tools))}
    if not faults:
        return Judged(reply)
    results = tuple(ToolResult(call.id, faults.get(call.id, NOT_DONE), is_error=True) for call in reply.tool_calls)
    calls = tuple(replace(call, args=call.args or {}) for call in reply.tool_calls)
    turns = (Said("assistant", reply.text, tool_calls=calls), Said("user", tool_results=results))
    # What cannot be repaired by better arguments comes first.
    reason = min(faults.values(), key=lambda fault: not fault.startswith("unknown tool"))
    log.warning("llm_bad_tool_call", reason=reason)
    return Judged(reply, again=replace(ask, messages=(*ask.messages, *turns)), reason=reason)


def _fault(call: ToolCall, tools: Mapping[str, Tool]) -> str:
    tool = tools.get(call.name)
    if tool is None:
        return f"unknown tool {call.name[:80]!r}; there are: {', '.join(tools) or 'none'}"
    if call.args is None:
        return "the arguments are not a JSON object"
    return schemas.misfit(call.args, {"type": "object", **tool.schema})


# --- structured output ------------------------------------------------------------------------------------


def _judge_data(ask: Ask, schema: Mapping[str, Json], reply: Reply) -> Judged:
    try:
        data = schemas.value_from(reply.text)
        reason = schemas.misfit(data, schema)
    except (ValueError, RecursionError) as error:
        data, reason = None, f"not JSON: {error}"
    if not reason:
        return Judged(reply, data=data)
    if reply.stop == Stop.LENGTH:
        # It would be cut off again.
        raise ModelError("bad_output", "The model's answer was longer than allowed.", raw=reason)
    log.warning("llm_bad_data", reason=reason)
    words = f"That does not fit: {reason}. Answer again with the corrected JSON value alone."
    turns = (Said("assistant", reply.text), Said("user", words))
    return Judged(reply, again=replace(ask, messages=(*ask.messages, *turns)), reason=reason)
