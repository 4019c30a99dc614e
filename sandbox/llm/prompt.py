"""What a model is asked and what it answers, apart from how any provider writes it down."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Part:
    # text, call (of a tool) or result (of one)
    kind: str
    text: str = ""
    # Of a call: what its result will name.
    id: str = ""
    name: str = ""
    # Raw JSON, so that it can be broken.
    arguments: str = ""
    # Anthropic's mark that everything up to here may be cached: 5m or 1h.
    cache_ttl: str | None = None


@dataclass(frozen=True)
class Turn:
    # system, user, assistant or tool
    role: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)


@dataclass(frozen=True)
class Tool:
    name: str
    description: str = ""
    schema: dict[str, Any] = field(default_factory=dict)
    cache_ttl: str | None = None


@dataclass(frozen=True)
class Prompt:
    provider: str
    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    # auto, none, any, or the name of the tool that must be called
    tool_choice: str = "auto"
    # JSON Schema the answer must obey; {} asks for any JSON object.
    schema: dict[str, Any] | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    is_stream: bool = False
    has_stream_usage: bool = True
    is_thinking: bool = False

    @cached_property
    def sha(self) -> str:
        """SHA-256 of everything that shapes the answer."""
        turns = [[turn.role, [[p.kind, p.text, p.name, p.arguments] for p in turn.parts]] for turn in self.turns]
        tools = [[tool.name, tool.description, tool.schema] for tool in self.tools]
        return _digest([self.model, turns, tools, self.tool_choice, self.schema])

    @property
    def system_sha(self) -> str:
        return hashlib.sha256(self.system.encode("utf-8", "replace")).hexdigest()

    @property
    def system(self) -> str:
        return "\n".join(turn.text for turn in self.turns if turn.role == "system")

    @property
    def user(self) -> str:
        return "\n".join(turn.text for turn in self.turns if turn.role == "user")

    @property
    def last_user(self) -> str:
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user" and turn.text), "")

    @property
    def results(self) -> list[str]:
        """What tools have answered since the last words of a person."""
        texts: list[str] = []
        for turn in reversed(self.turns):
            if turn.role == "user" and any(part.kind == "text" for part in turn.parts):
                break
            texts += [part.text for part in reversed(turn.parts) if part.kind == "result"]
        return texts[::-1]

    def tool(self, name: str) -> Tool | None:
        return next((tool for tool in self.tools if tool.name == name), None)


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@dataclass
class Usage:
    """Tokens; `cached`, `written_5m` and `written_1h` are parts of `input`, `reasoning` is part of `output`."""

    input: int = 0
    cached: int = 0
    written_5m: int = 0
    written_1h: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def written(self) -> int:
        return self.written_5m + self.written_1h


@dataclass
class Answer:
    """`stop` is end, tools, length, stop (a stop sequence), refusal or filter."""

    parts: list[Part] = field(default_factory=list)
    stop: str = "end"
    stop_sequence: str | None = None
    refusal: str = ""
    thinking: str = ""
    # Nothing at all: no choice, no block.
    is_empty: bool = False
    # None: the provider forgets to say.
    usage: Usage | None = field(default_factory=Usage)
    has_usage: bool = True

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if part.kind == "text")

    @property
    def calls(self) -> list[Part]:
        return [part for part in self.parts if part.kind == "call"]


def text_answer(text: str) -> Answer:
    return Answer([Part("text", text)] if text else [])


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def call_answer(calls: list[tuple[str, Any]], text: str = "") -> Answer:
    """Calls of tools by (name, arguments); the arguments are an object or raw JSON."""
    said = [Part("text", text)] if text else []
    made = [
        Part("call", name=name, arguments=arguments if isinstance(arguments, str) else json_text(arguments))
        for name, arguments in calls
    ]
    return Answer(said + made, "tools" if made else "end")
