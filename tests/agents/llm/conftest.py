"""The port on each wire, against the sandbox: `speaking("gemini").complete(ask)`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as django_settings

from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents import llm
from agents.llm import policy
from agents.llm.types import Answer, Ask, ModelError, Payer, Said, Tool
from agents.models import Circuit, ModelCall
from tests.agents.runs.conftest import define, go, start  # noqa: F401 fixtures
from tests.sandbox.cast import Sandbox

ASK = Ask(role="chat", system="You write short posts.", messages=(Said("user", "Write about coffee."),), max_output=200)
WEATHER = Tool(
    "weather",
    "The weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
)


@dataclass(frozen=True)
class WireCase:
    """A model that is reached over one wire. `platform` is the sandbox's name for its provider."""

    model: str
    platform: str
    setting: str
    path: str
    provider: str


WIRES = {
    "anthropic": WireCase("claude-haiku-5-5", "anthropic", "ANTHROPIC", "/anthropic", "anthropic"),
    "chat": WireCase("gpt-5.4-mini", "openai", "OPENAI", "/openai/v1", "openai-chat"),
    "responses": WireCase("gpt-6-luna", "openai", "OPENAI", "/openai/v1", "openai"),
    "gemini": WireCase("gemini-3.8-flash", "gemini", "GEMINI", "/gemini/v1beta/openai", "gemini"),
    "openrouter": WireCase(
        "anthropic/claude-haiku-5-5", "openrouter", "OPENROUTER", "/openrouter/api/v1", "openrouter"
    ),
}
FOUR = ("anthropic", "chat", "responses", "gemini")


def catalogue_with(change: Callable[[dict[str, Any]], None]) -> str:
    data = yaml.safe_load(Path(django_settings.BASE_DIR, "agents", "models.yaml").read_text())
    change(data)
    return yaml.safe_dump(data)


def _chat_at_openai(data: dict[str, Any]) -> None:
    data["providers"]["openai-chat"] = {**data["providers"]["openai"], "wire": "openai_chat"}
    data["models"]["gpt-5.4-mini"]["provider"] = "openai-chat"


@pytest.fixture
def models_file(tmp_path: Path, settings) -> Callable[..., Path]:
    """Writes the shipped catalogue with a change, and makes it the one in use."""

    def write(change: Callable[[dict[str, Any]], None] = _chat_at_openai) -> Path:
        path = tmp_path / "models.yaml"
        path.write_text(catalogue_with(change))
        settings.MODELS_FILE = str(path)
        return path

    return write


@pytest.fixture
def no_long_pauses(monkeypatch) -> None:
    monkeypatch.setattr(policy, "BASE_S", 0.01)


@dataclass
class Port:
    """One wire, and what the sandbox and the ledger know of its calls."""

    case: WireCase
    sandbox: Sandbox
    workspace: Workspace
    pieces: list[str] = field(default_factory=list)

    def payer(self, **fields: Any) -> Payer:
        return Payer(**{"workspace": self.workspace, "key": f"call-{time.monotonic_ns()}", **fields})

    def ask(self, **fields: Any) -> Ask:
        return replace(ASK, **{"models": (self.case.model,), **fields})

    def complete(self, **fields: Any) -> Answer:
        return llm.complete(self.ask(**fields), payer=self.payer())

    def stream(self, **fields: Any) -> Answer:
        self.pieces = []
        return llm.stream(self.ask(**fields), payer=self.payer(), on_text=self.pieces.append)

    def error(self, call: Callable[..., Answer] | None = None, **fields: Any) -> ModelError:
        with pytest.raises(ModelError) as caught:
            (call or self.complete)(**fields)
        return caught.value

    def fault(self, kind: str, count: int = 1, **params: Any) -> None:
        self.sandbox.fault(kind, platform=self.case.platform, count=count, **params)

    def calls(self) -> list[dict[str, Any]]:
        """What reached the sandbox."""
        found: list[dict[str, Any]] = self.sandbox.get("/llm/calls")["calls"]
        return found

    def rows(self) -> list[ModelCall]:
        with workspace_scope(self.workspace.pk):
            return list(ModelCall.objects.order_by("started_at", "pk"))

    def circuits(self) -> dict[str, Circuit]:
        return {row.name.split(":")[1]: row for row in Circuit.objects.all() if row.name.startswith(self.case.provider)}


@pytest.fixture
def speaking(sandbox: Sandbox, settings, workspace: Workspace, models_file) -> Callable[[str], Port]:
    def point(wire: str) -> Port:
        case = WIRES[wire]
        models_file()
        setattr(settings, f"{case.setting}_BASE_URL", sandbox.url + case.path)
        setattr(settings, f"{case.setting}_API_KEY", "sk-test")
        return Port(case, sandbox, workspace)

    return point
