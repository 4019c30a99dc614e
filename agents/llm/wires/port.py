"""What a wire gets and gives: neutral words on one side, one provider's SDK on the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from agents.llm.routes import Route
from agents.llm.types import Ask, ModelError, Partial, Stop, ToolCall, Usage


@dataclass(frozen=True)
class Call:
    route: Route
    ask: Ask
    max_output: int
    timeout_s: float
    # The same for every attempt of one call.
    idempotency_key: str
    attempt: int = 1

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotency-Key": self.idempotency_key, "X-Attempt": str(self.attempt)}

    def has(self, capability: str) -> bool:
        return capability in self.route.model.capabilities


@dataclass(frozen=True)
class Reply:
    """`usage` is None where the provider did not say."""

    text: str
    stop: Stop
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass
class Listener:
    """Collects what a stream brings, and passes the text on."""

    on_text: Callable[[str], None] | None = None
    partial: Partial = field(default_factory=Partial)

    def hear(self, text: str) -> None:
        if not text:
            return
        self.partial.text += text
        if self.on_text:
            self.on_text(text)


class Wire(Protocol):
    """Raises WireError; whatever else it raises is a defect, or came from `on_text`."""

    def complete(self, call: Call) -> Reply: ...

    def stream(self, call: Call, listener: Listener) -> Reply: ...


class WireError(ModelError):
    """`may_have_cost`: the provider has the request and may have answered it, without our hearing the answer."""

    may_have_cost = False
