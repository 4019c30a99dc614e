"""The sandbox's models for every test of the agents: without keys, all roles are answered by its writer."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from accounts.models import Workspace
from agents.llm.types import Payer
from sandbox.testing import start_sandbox
from tests.sandbox.cast import Sandbox

PROVIDERS = ("ANTHROPIC", "OPENAI", "GEMINI", "OPENROUTER")


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    url, process = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield Sandbox(url, process)
    process.terminate()
    process.wait(10)


@pytest.fixture
def sandbox(sandbox_process: Sandbox, settings) -> Sandbox:
    """One process for all tests, emptied before each; the product is pointed at it by settings alone."""
    sandbox_process.post("/reset")
    for name in PROVIDERS:
        setattr(settings, f"{name}_API_KEY", "")
    settings.SANDBOX_LLM_URL = sandbox_process.url
    settings.ALLOW_LIVE = False
    return sandbox_process


@pytest.fixture
def payer(workspace: Workspace) -> Callable[..., Payer]:
    """`payer(run_id=…)`: Roastery pays; each call has a key of its own unless one is given."""

    def make(**fields) -> Payer:
        return Payer(**{"workspace": workspace, "key": str(uuid4()), **fields})

    return make
