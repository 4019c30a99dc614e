"""The neutral words between workflows and providers. No provider's type leaves `agents.llm`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from accounts.models import Workspace

Json = Any


class Stop(StrEnum):
    """Why the model ended."""

    END = "end"
    LENGTH = "length"
    TOOL = "tool"
    # The model, or its provider's filter, declined: never asked again, never asked of another model.
    REFUSAL = "refusal"


@dataclass(frozen=True)
class Tool:
    """What a model may ask for; `schema` is the JSON Schema of its arguments. Asking executes nothing."""

    name: str
    description: str
    schema: Mapping[str, Json]


@dataclass(frozen=True)
class ToolCall:
    """`args` is None where what the model wrote could not be read, or does not fit the schema."""

    id: str
    name: str
    args: Mapping[str, Json] | None
    raw: str = ""


@dataclass(frozen=True)
class ToolResult:
    call_id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Said:
    """One turn. `role` is "user" or "assistant"; results of tools are said by the user."""

    role: str
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Ask:
    """One call: for a role of the catalogue, not for a model.

    With a `schema` the answer's `data` fits it, after at most one round of repair.
    """

    role: str
    system: str
    messages: tuple[Said, ...]
    tools: tuple[Tool, ...] = ()
    schema: Mapping[str, Json] | None = None
    max_output: int = 1024
    # Overrides the role's chain of models: ids of the catalogue.
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """`input` is everything sent, cached or not; `output` everything that came back, reasoning included."""

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Answer:
    text: str
    stop: Stop
    usage: Usage
    model: str
    provider: str
    cost_micro: int = 0
    data: Json = None
    tool_calls: tuple[ToolCall, ...] = ()
    is_sandbox: bool = False
    # The provider did not say what was used.
    is_estimated: bool = False
    latency_ms: int = 0


@dataclass(frozen=True)
class Payer:
    """Whose budget a call is paid from. `key` names the call; each attempt adds a number to it."""

    workspace: Workspace
    key: str
    run_id: UUID | None = None
    run_cap_micro: int | None = None
    campaign_id: UUID | None = None
    campaign_cap_micro: int | None = None
    step_key: str = ""


class ModelError(Exception):
    """The call failed for good, or for now. `text` is for users, `raw` for staff.

    Codes: rate_limited, overloaded, timeout, disconnected, unauthorized, no_credit, bad_request, too_long,
    not_found, refused, empty, bad_output, over_budget, circuit_open, no_model, live_calls_off, server_error.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        raw: str = "",
        is_retryable: bool = False,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(text)
        self.code, self.text, self.raw = code, text, raw
        self.is_retryable, self.retry_after_s, self.usage = is_retryable, retry_after_s, usage


@dataclass
class Partial:
    """What a stream has brought so far; survives its breaking."""

    text: str = ""
    usage: Usage | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
