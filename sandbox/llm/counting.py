"""Anthropic's count_tokens: what a message would take in, without answering it."""

from sandbox.llm import anthropic_request, tokens
from sandbox.llm.completion import read_prompt
from sandbox.router import Call
from sandbox.wire import Response, json_response


def count_tokens(call: Call) -> Response:
    version = call.request.headers.get("anthropic-version") or ""
    _, prompt = read_prompt(call, lambda _, body: anthropic_request.read(body, version, is_count=True))
    return json_response(200, {"input_tokens": tokens.count_prompt(prompt)})
