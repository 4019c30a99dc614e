"""One call to a model through the port (budget, breaker, gate, ledger) against the bare SDK on the same sandbox."""

import statistics
import time
from collections.abc import Callable
from uuid import uuid4

import anthropic
from django.conf import settings

from accounts.models import Workspace
from agents.llm import complete
from agents.llm.types import Ask, Payer, Said

ROUNDS = 100
WARM_UP = 5
MODEL = "sandbox-writer"
WORDS = "Write about coffee."


def llm_ratio(sandbox: str, workspace: Workspace) -> dict[str, float]:
    """Milliseconds at the median. Against a model that thinks for a second, the difference is what counts."""
    settings.SANDBOX_LLM_URL = sandbox
    client = anthropic.Anthropic(api_key="bench", base_url=f"{sandbox}/anthropic", max_retries=0)
    ask = Ask(role="chat", system="", messages=(Said("user", WORDS),), max_output=200, models=(MODEL,))

    def bare() -> None:
        client.messages.create(model=MODEL, max_tokens=200, messages=[{"role": "user", "content": WORDS}])

    def port() -> None:
        complete(ask, payer=Payer(workspace, str(uuid4())))

    # By turns, so that a busy moment of the machine hits both.
    times: dict[Callable[[], None], list[float]] = {bare: [], port: []}
    for number in range(ROUNDS + WARM_UP):
        for work, found in times.items():
            started = time.perf_counter()
            work()
            if number >= WARM_UP:
                found.append((time.perf_counter() - started) * 1000)
    alone, ours = (statistics.median(found) for found in times.values())
    return {"llm_call_bare_sdk_ms": alone, "llm_call_port_ms": ours, "llm_call_port_to_sdk": ours / alone}
