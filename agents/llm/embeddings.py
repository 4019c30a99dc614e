"""Vectors of texts. Those of different models cannot be compared, so there is no falling back to another one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from agents.llm import circuits, counting, gate, keys_in_use, ledger
from agents.llm.policy import Deadline, may_try_again, pause_s
from agents.llm.pricing import tariff
from agents.llm.routes import Route, plan
from agents.llm.types import ModelError, Payer, Usage

if TYPE_CHECKING:
    from agents.llm.ledger import Held

ROLE = "embed"
# A request may hold more, but an error would lose more then.
AT_ONCE = 256


@dataclass(frozen=True)
class Embedded:
    """One vector per text, in their order. `model` names the space they are in."""

    vectors: tuple[tuple[float, ...], ...]
    model: str
    provider: str
    usage: Usage
    cost_micro: int = 0
    is_sandbox: bool = False
    is_estimated: bool = False


def embed(texts: Sequence[str], *, payer: Payer, models: Sequence[str] = (), dimensions: int | None = None) -> Embedded:
    """Raises ModelError. Empty texts have no vector: leave them out."""
    made = plan(ROLE, models, payer.workspace)
    route, deadline = made.routes[0], Deadline.within(settings.MODEL_DEADLINE_S)
    batch = _Batch(route, payer, made.settings, deadline, dimensions)
    vectors = [
        vector for start in range(0, len(texts), AT_ONCE) for vector in batch.run(texts[start : start + AT_ONCE])
    ]
    return Embedded(
        tuple(vectors),
        route.model.name,
        route.provider.name,
        Usage(input=batch.tokens),
        batch.cost_micro,
        route.is_sandbox,
        batch.is_estimated,
    )


class _Batch:
    def __init__(self, route: Route, payer: Payer, choices: Any, deadline: Deadline, dimensions: int | None) -> None:
        self.route, self.payer, self.choices = route, payer, choices
        self.deadline, self.dimensions = deadline, dimensions
        self.tokens = self.cost_micro = 0
        self.is_estimated = False

    def run(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        tries = 0
        while True:
            tries += 1
            try:
                return self._attempt(texts)
            except ModelError as error:
                wait_s = pause_s(tries, error)
                if not may_try_again(error, tries, wait_s, self.deadline, has_other=False):
                    raise
            time.sleep(wait_s)

    def _attempt(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        had_trouble = circuits.enter(self.route)
        try:
            vectors = self._paid(texts)
        except BaseException as error:
            code = error.code if isinstance(error, ModelError) and not isinstance(error, gate.Crowded) else "stopped"
            if had_trouble and code not in circuits.COUNTS | circuits.KEY_CODES:
                circuits.note_end(self.route, code)
            raise
        if had_trouble:
            circuits.note_success(self.route)
        keys_in_use.note_success(self.route, self.payer.workspace)
        return vectors

    def _paid(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        prices = tariff(self.route.model)
        most = sum(len(text.encode("utf-8", "replace")) + counting.AROUND for text in texts)
        worst = prices.worst_micro(most, 0)
        held = ledger.hold(self.payer, self.choices, self.route, ROLE, prices, worst, deadline=self.deadline.at)
        started = time.monotonic()
        try:
            vectors, told = self._call(texts)
        except ModelError as error:
            is_unknown = getattr(error, "may_have_cost", False)
            self._book(held, None if is_unknown else Usage(), started, error.code, is_estimated=is_unknown)
            if not isinstance(error, gate.Crowded):
                circuits.note_failure(self.route, error)
            keys_in_use.note_failure(self.route, self.payer.workspace, error)
            raise
        except BaseException:
            self._book(held, None, started, "stopped", is_estimated=True)
            raise
        used = Usage(input=told if told is not None else sum(map(counting.guess, texts)))
        self._book(held, used, started, "", is_estimated=told is None)
        return vectors

    def _call(self, texts: Sequence[str]) -> tuple[list[tuple[float, ...]], int | None]:
        from agents.llm.wires.openai_embeddings import embed_texts

        timeout_s = max(0.1, min(settings.MODEL_TIMEOUT_S, self.deadline.left_s))
        with gate.place(self.route, hold_s=2 * timeout_s + 10, deadline=self.deadline.at):
            return embed_texts(self.route, texts, self.dimensions, timeout_s)

    def _book(self, held: "Held", used: Usage | None, started: float, error: str, *, is_estimated: bool) -> None:
        latency_ms = round((time.monotonic() - started) * 1000)
        self.cost_micro += ledger.settle(held, used, error=error, latency_ms=latency_ms, is_estimated=is_estimated)
        self.is_estimated = self.is_estimated or is_estimated
        self.tokens += used.input if used else 0
