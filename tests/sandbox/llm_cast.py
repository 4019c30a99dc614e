"""The four wires as tests speak them, over real HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import requests

from sandbox.llm.prompt import Part, Prompt, Tool, Turn
from tests.sandbox.cast import Sandbox

CASSETTES = Path(__file__).resolve().parents[3] / "shared/vectors/agents/cassettes"
MENTIONS = Path(__file__).resolve().parents[3] / "shared/vectors/agents/injection/mentions.jsonl"
KEY = "sk-sandbox-1"
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


def cassette(name: str) -> dict[str, Any]:
    path = CASSETTES / f"{name}.json"
    if not path.exists():
        pytest.skip("the shared vectors are not here")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def mentions(kind: str) -> list[dict[str, Any]]:
    if not MENTIONS.exists():
        pytest.skip("the shared vectors are not here")
    return [row for line in MENTIONS.read_text().splitlines() if (row := json.loads(line))["kind"] == kind]


@dataclass(frozen=True)
class Wire:
    """One way of asking: `ask` makes a body, `text_of` and `calls_of` read an answer."""

    name: str
    platform: str
    path: str
    ask: Callable[..., dict[str, Any]]
    text_of: Callable[[dict[str, Any]], str]
    calls_of: Callable[[dict[str, Any]], list[tuple[str, Any]]]
    delta_of: Callable[[dict[str, Any]], str]

    def __str__(self) -> str:
        return self.name


def _ask_messages(text: str = "Hello there", model: str = "claude-haiku-5-5", **more: Any) -> dict[str, Any]:
    tools = [{"name": tool["name"], "input_schema": tool["schema"]} for tool in more.pop("tools", [])]
    body = {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}
    return {**body, "tools": tools} if tools else body


def _ask_chat(text: str = "Hello there", model: str = "sandbox-writer", **more: Any) -> dict[str, Any]:
    tools = [
        {"type": "function", "function": {"name": tool["name"], "parameters": tool["schema"]}}
        for tool in more.pop("tools", [])
    ]
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}
    return {**body, "tools": tools} if tools else body


def _ask_responses(text: str = "Hello there", model: str = "sandbox-writer", **more: Any) -> dict[str, Any]:
    tools = [
        {"type": "function", "name": tool["name"], "parameters": tool["schema"], "strict": False}
        for tool in more.pop("tools", [])
    ]
    body = {"model": model, "input": text, **more}
    return {**body, "tools": tools} if tools else body


def _messages_text(body: dict[str, Any]) -> str:
    return "".join(block["text"] for block in body["content"] if block["type"] == "text")


def _messages_calls(body: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(block["name"], block["input"]) for block in body["content"] if block["type"] == "tool_use"]


def _chat_text(body: dict[str, Any]) -> str:
    return "".join(choice["message"]["content"] or "" for choice in body["choices"])


def _chat_calls(body: dict[str, Any]) -> list[tuple[str, Any]]:
    calls = [call for choice in body["choices"] for call in choice["message"].get("tool_calls") or []]
    return [(call["function"]["name"], call["function"]["arguments"]) for call in calls]


def _responses_text(body: dict[str, Any]) -> str:
    parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("text", "") for part in parts)


def _responses_calls(body: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(item["name"], item["arguments"]) for item in body["output"] if item["type"] == "function_call"]


def _chat_delta(data: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in data.get("choices", []))


MESSAGES = Wire(
    "anthropic",
    "anthropic",
    "/anthropic/v1/messages",
    _ask_messages,
    _messages_text,
    _messages_calls,
    lambda data: data.get("delta", {}).get("text", "") if data["type"] == "content_block_delta" else "",
)
CHAT = Wire("chat", "openai", "/openai/v1/chat/completions", _ask_chat, _chat_text, _chat_calls, _chat_delta)
RESPONSES = Wire(
    "responses",
    "openai",
    "/openai/v1/responses",
    _ask_responses,
    _responses_text,
    _responses_calls,
    lambda data: data["delta"] if data["type"] == "response.output_text.delta" else "",
)
GEMINI = Wire(
    "gemini", "gemini", "/gemini/v1beta/openai/chat/completions", _ask_chat, _chat_text, _chat_calls, _chat_delta
)
OPENROUTER = Wire(
    "openrouter", "openrouter", "/openrouter/api/v1/chat/completions", _ask_chat, _chat_text, _chat_calls, _chat_delta
)
WIRES = (MESSAGES, CHAT, RESPONSES, GEMINI, OPENROUTER)


@dataclass
class Models:
    """The models of a running sandbox."""

    sandbox: Sandbox

    def post(self, wire: Wire, key: str | None = KEY, headers: dict[str, str] | None = None, **body: Any) -> Any:
        """`body` is the raw request."""
        sent = {"Authorization": f"Bearer {key}"} if key is not None else {}
        if wire is MESSAGES:
            sent["anthropic-version"] = "2026-10-21"
        sent |= headers or {}
        is_stream = body.get("stream") is True
        return requests.post(self.sandbox.url + wire.path, json=body, headers=sent, timeout=30, stream=is_stream)

    def ask(self, wire: Wire, text: str = "Hello there", **more: Any) -> requests.Response:
        key = more.pop("key", KEY)
        answer: requests.Response = self.post(wire, key, **wire.ask(text, **more))
        return answer

    def events(self, wire: Wire, text: str = "Hello there", **more: Any) -> list[dict[str, Any]]:
        """The data of a whole stream."""
        answer = self.ask(wire, text, stream=True, **more)
        assert answer.status_code == 200, answer.text
        return list(parsed(answer.content))

    def fault(self, wire: Wire, kind: str, count: int = 1, **params: Any) -> None:
        order = {"platform": wire.platform, "kind": kind, "count": count, "params": params}
        self.sandbox.post("/faults", **order)

    def script(self, *steps: dict[str, Any]) -> None:
        self.sandbox.post("/llm/script", steps=list(steps))

    def calls(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.get("/llm/calls", **query)["calls"]
        return found

    def anthropic(self, key: str = KEY, **options: Any) -> anthropic.Anthropic:
        return anthropic.Anthropic(
            api_key=key, base_url=f"{self.sandbox.url}/anthropic", max_retries=0, timeout=30, **options
        )

    def openai(self, base: str = "/openai/v1", key: str = KEY) -> openai.OpenAI:
        return openai.OpenAI(api_key=key, base_url=self.sandbox.url + base, max_retries=0, timeout=30)


def parsed(stream: bytes) -> Iterator[dict[str, Any]]:
    for line in stream.decode().splitlines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line.removeprefix("data: "))


def error_of(answer: requests.Response) -> dict[str, Any]:
    """The error itself, in whichever shape it came."""
    body = answer.json()
    found: dict[str, Any] = (body[0] if isinstance(body, list) else body)["error"]
    return found


def prompt(
    user: str = "Hello there",
    system: str = "",
    *,
    schema: dict[str, Any] | None = None,
    tools: tuple[Tool, ...] = (),
    results: tuple[str, ...] = (),
    tool_choice: str = "auto",
) -> Prompt:
    """A prompt without a wire; each of `results` answers a call that was made."""
    turns = [Turn("system", (Part("text", system),))] if system else []
    turns.append(Turn("user", (Part("text", user),)))
    for number, result in enumerate(results):
        name = tools[0].name if tools else "tool"
        turns.append(Turn("assistant", (Part("call", id=f"c{number}", name=name, arguments="{}"),)))
        turns.append(Turn("tool", (Part("result", result, id=f"c{number}"),)))
    return Prompt("anthropic", "sandbox-writer", tuple(turns), tools, tool_choice, schema)
