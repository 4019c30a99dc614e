"""Ordered faults in the words of each provider, and what they do to an answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.llm import calls, problems, tokens
from sandbox.llm.filling import fill
from sandbox.llm.prompt import Answer, Part, Prompt, Usage, call_answer, text_answer
from sandbox.router import Call
from sandbox.wire import Response, json_response

CONTEXT_MESSAGES = {
    "anthropic": "prompt is too long: 1000001 tokens > 1000000 maximum",
    "openai": "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "gemini": "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    "openrouter": "This endpoint's maximum context length is 1000000 tokens. However, you requested about 1000001"
    " tokens. Please reduce the length of either one.",
}
REFUSAL = "I’m sorry, but I can’t help with that request."


def fail(call: Call) -> Response | None:
    if call.fault is None or call.caller is None:
        return None
    if call.caller.record_id:
        calls.record_fault(call.db, call.caller.record_id, call.fault.kind)
    answer = _ANSWERS.get(call.fault.kind)
    return answer(call, call.caller.provider, call.fault.params) if answer else None


def _expired(call: Call, provider: str, params: dict[str, Any]) -> Response:
    return problems.error(call, provider, 401)


def _wait(call: Call, provider: str, params: dict[str, Any]) -> Response:
    response = problems.error(call, provider, int(params.get("status", 429)))
    response.headers["retry-after"] = str(params.get("seconds", 7))
    return response


def _http(call: Call, provider: str, params: dict[str, Any]) -> Response:
    status = int(params.get("status", 500))
    body = params.get("body")
    if isinstance(body, dict | list):
        response = json_response(status, body)
    elif body == "context_length_exceeded":
        response = problems.error(
            call, provider, status, CONTEXT_MESSAGES[provider], code=body, param=_input_name(call)
        )
    elif isinstance(body, str) and body.endswith("_error"):
        response = problems.error(call, provider, status, kind=body)
    else:
        response = problems.error(call, provider, status, body)
    response.headers.update({str(k).lower(): str(v) for k, v in params.get("headers", {}).items()})
    return response


def _input_name(call: Call) -> str:
    return "input" if call.route.pattern.endswith("/responses") else "messages"


def _no_quota(call: Call, provider: str, params: dict[str, Any]) -> Response:
    if provider == "anthropic":
        return problems.error(call, provider, 402)
    if provider == "openai":
        words = "You exceeded your current quota, please check your plan and billing details."
        return problems.error(call, provider, 429, words, kind="insufficient_quota", code="insufficient_quota")
    return problems.error(call, provider, 402 if provider == "openrouter" else 429)


def _inside_200(call: Call, provider: str, params: dict[str, Any]) -> Response | None:
    if call.request.json().get("stream") is True:
        # Streams tell it between two events.
        return None
    return json_response(200, inside_error(call, params))


_ANSWERS: dict[str, Callable[[Call, str, dict[str, Any]], Response | None]] = {
    "http": _http,
    "status": _http,
    "token_expired": _expired,
    "rate_limit": _wait,
    "retry_after": _wait,
    "insufficient_quota": _no_quota,
    "error_inside_200": _inside_200,
}


def inside_error(call: Call, params: dict[str, Any]) -> Any:
    provider = call.caller.provider
    status = int(params.get("status", 529 if provider == "anthropic" else 502))
    return problems.body(
        provider, status, params.get("message", "Provider returned error"), request_id=call.caller.request_id
    )


def spoil(call: Call, prompt: Prompt, answer: Answer) -> Answer:
    """The answer as the fault makes it, before it is counted."""
    change = _CHANGES.get(call.fault.kind) if call.fault else None
    return change(call.fault.params, prompt, answer) if change and call.fault else answer


def spoil_usage(call: Call, answer: Answer) -> Answer:
    if call.fault is None:
        return answer
    if call.fault.kind == "usage_missing":
        return replace(answer, has_usage=False)
    if call.fault.kind == "usage_cached_tokens":
        told = {"input": 1_000, "cached": 900, "output": 10, **call.fault.params.get("usage", {})}
        return replace(answer, usage=Usage(**{name: int(value) for name, value in told.items()}))
    return answer


def _malformed(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    if not prompt.tools:
        return text_answer('{"text": "cut off')
    name = params.get("name") or prompt.tools[0].name
    return call_answer([(name, params.get("arguments", '{"text": "cut off'))])


def _unknown_tool(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    return call_answer([(params.get("name", "no_such_tool"), params.get("args", {"all": True}))])


def _tool_loop(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    tool = prompt.tool(params.get("name", "")) or (prompt.tools[0] if prompt.tools else None)
    if tool is None:
        return _unknown_tool(params, prompt, answer)
    return call_answer([(tool.name, params.get("args", fill(tool.schema, prompt)))])


def _empty(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    return Answer(is_empty=True)


def _refuse(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    if prompt.provider == "gemini":
        return Answer(stop="filter")
    return Answer(stop="refusal", refusal=params.get("message", REFUSAL))


def _filter(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    kept = "".join(tokens.pieces(answer.text)[: int(params.get("after_tokens", 3))])
    return Answer([Part("text", kept)] if kept else [], "filter")


def _wide_text(params: dict[str, Any], prompt: Prompt, answer: Answer) -> Answer:
    return text_answer(params.get("text", "热玛吉")) if prompt.schema is None else answer


_CHANGES: dict[str, Callable[[dict[str, Any], Prompt, Answer], Answer]] = {
    "malformed_json_tool_args": _malformed,
    "unknown_tool": _unknown_tool,
    "tool_loop": _tool_loop,
    "empty_choices": _empty,
    "refusal": _refuse,
    "content_filter": _filter,
    "utf8_split_across_chunks": _wide_text,
}
