"""A model that works with tools: a fixed list, a bounded number of rounds, and no effect without a person's yes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jsonschema

from accounts.access import Perm
from agents.llm.types import Ask, Said, Tool, ToolCall, ToolResult
from agents.models import Interrupt, Step
from agents.runs.errors import RunFailed
from agents.runs.refusals import as_failure, refusals

if TYPE_CHECKING:
    from agents.runs.flow import Flow

MAX_CALLS = 8
MAX_RESULT = 8_000


@dataclass(frozen=True)
class ToolSpec:
    """`do(args)` answers JSON. An effect runs inside `flow.act`, after somebody with `perm` approved the call.

    `is_outside`: it calls somebody else's server, outside of any transaction and at most once. What that says may try
    to steer the model, so once it has answered, every further call outside asks a person, whatever it does.
    """

    schema: Mapping[str, Any]
    do: Callable[[dict[str, Any]], Any]
    has_effect: bool = False
    perm: Perm = Perm.REVIEW
    description: str = ""
    is_outside: bool = False


def run_agent(
    flow: "Flow",
    key: str,
    ask: Ask,
    *,
    tools: Mapping[str, ToolSpec],
    agent: str = "",
    max_rounds: int = 8,
    is_streamed: bool = False,
    is_tainted: bool = False,
) -> dict[str, Any]:
    """The model's last answer, as `flow.ask` has it. Raises RunFailed("max_rounds"), and what the calls raise.

    `is_tainted`: the messages hold what came from outside.
    """
    offered = tuple(Tool(name, spec.description, spec.schema) for name, spec in tools.items())
    messages = ask.messages
    for number in range(1, max_rounds + 1):
        turn = replace(ask, messages=messages, tools=offered)
        answer = flow.ask(f"{key} {number}", turn, agent=agent, is_streamed=is_streamed)
        calls = tuple(_as_call(call) for call in answer["tool_calls"])
        if not calls:
            return answer
        results = tuple(
            _use(flow, f"{key} {number}.{nth}", nth, call, tools, is_tainted) for nth, call in enumerate(calls, 1)
        )
        is_tainted = is_tainted or any(call.name in tools and tools[call.name].is_outside for call in calls)
        said = Said("assistant", answer["text"], tool_calls=calls)
        messages = (*messages, said, Said("user", tool_results=results))
    raise RunFailed("max_rounds", f"The assistant did not come to an end within {max_rounds} rounds.")


def _as_call(call: Mapping[str, Any]) -> ToolCall:
    args = call["args"]
    return ToolCall(call["id"], call["name"], args if isinstance(args, Mapping) else None, call.get("raw", ""))


def _use(
    flow: "Flow", key: str, nth: int, call: ToolCall, tools: Mapping[str, ToolSpec], is_tainted: bool
) -> ToolResult:
    spec = tools.get(call.name)
    if spec is None:
        return _refused(call, f"There is no tool called {call.name[:60]}. Use one of: {', '.join(tools)}.")
    if nth > MAX_CALLS:
        return _refused(call, f"No more than {MAX_CALLS} calls at once.")
    if problem := _problem(call, spec):
        return _refused(call, problem)
    args = dict(call.args or {})
    if spec.is_outside and (spec.has_effect or is_tainted):
        return _reach(flow, key, call, spec, args)
    return _change(flow, key, call, spec, args) if spec.has_effect else _look(flow, key, call, spec, args)


def _problem(call: ToolCall, spec: ToolSpec) -> str:
    """Why it cannot be done as written; checked here again, whatever checked it before."""
    if call.args is None:
        return "The arguments are not a JSON object that fits the tool's schema."
    error = next(jsonschema.Draft202012Validator(spec.schema).iter_errors(dict(call.args)), None)
    return f"The arguments do not fit: {error.message[:300]}" if error else ""


def _look(flow: "Flow", key: str, call: ToolCall, spec: ToolSpec, args: dict[str, Any]) -> ToolResult:
    def do() -> dict[str, Any]:
        try:
            return {"result": spec.do(args)}
        except refusals() as error:
            return {"error": as_failure(error).text}

    found = flow.step(key, do, kind=Step.Kind.TOOL, input={"tool": call.name, "args": args})
    return _refused(call, found["error"]) if "error" in found else _done(call, found["result"])


def _change(flow: "Flow", key: str, call: ToolCall, spec: ToolSpec, args: dict[str, Any]) -> ToolResult:
    asked = f"{key} approval"
    if refusal := _declined(flow, asked, call, spec, args):
        return refusal
    try:
        result = flow.act(key, tool=call.name, args=args, do=lambda: spec.do(args), approval=asked)
    except RunFailed as error:
        return _refused(call, error.text)
    return _done(call, result)


def _reach(flow: "Flow", key: str, call: ToolCall, spec: ToolSpec, args: dict[str, Any]) -> ToolResult:
    """With a person's yes, noted before the call is made: after a kill nobody knows, and it is not made again."""
    asked, begun = f"{key} approval", f"{key} begin"
    if refusal := _declined(flow, asked, call, spec, args):
        return refusal
    was_begun = begun in flow.done
    try:
        flow.act(begun, tool=call.name, args=args, do=lambda: {"is_begun": True}, approval=asked)
    except RunFailed as error:
        return _refused(call, error.text)

    def do() -> dict[str, Any]:
        if was_begun:
            return {"error": "The worker died meanwhile: nobody knows whether this was done. It is not done again."}
        if flow.run.replay_of:
            return {"error": "A replay makes no calls like this one."}
        try:
            return {"result": spec.do(args)}
        except refusals() as error:
            return {"error": as_failure(error).text}

    found = flow.step(key, do, kind=Step.Kind.TOOL, input={"tool": call.name, "args": args})
    return _refused(call, found["error"]) if "error" in found else _done(call, found["result"])


def _declined(flow: "Flow", asked: str, call: ToolCall, spec: ToolSpec, args: dict[str, Any]) -> ToolResult | None:
    """None where a person said yes."""
    said = flow.approve(asked, action=call.name, args=args, reason=f"Use {call.name}", perm=spec.perm)
    if said["answer"] == Interrupt.Answer.APPROVED:
        return None
    return _refused(call, f"A person declined this. {said['given'].get('note', '')}".strip())


def _done(call: ToolCall, result: Any) -> ToolResult:
    return ToolResult(call.id, json.dumps(result, ensure_ascii=False)[:MAX_RESULT])


def _refused(call: ToolCall, why: str) -> ToolResult:
    return ToolResult(call.id, why, is_error=True)
