"""One call to a model, from the role that is asked to the answer that is paid for.

Not inside a transaction: what is held back must be seen by others while the model thinks.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog
from django.conf import settings

from agents.llm import circuits, counting, gate, keys_in_use, ledger, repair
from agents.llm.ledger import Held, OverBudget
from agents.llm.policy import FALLBACK, Deadline, may_try_again, pause_s
from agents.llm.pricing import tariff
from agents.llm.routes import Plan, Route, plan
from agents.llm.types import Answer, Ask, ModelError, Payer, Stop, Usage
from agents.llm.wires import wire
from agents.llm.wires.port import Call, Listener, Reply

log = structlog.get_logger(__name__)
# Below this an answer says nothing; OpenAI takes no less either.
LEAST_OUTPUT = 16
LEAST_SHRUNK = 64


def complete(ask: Ask, *, payer: Payer, deadline_s: float | None = None) -> Answer:
    """Raises ModelError. A refusal is an answer (`Stop.REFUSAL`)."""
    return _Conversation(ask, payer, None, deadline_s).run()


def stream(ask: Ask, *, payer: Payer, on_text: Callable[[str], None], deadline_s: float | None = None) -> Answer:
    """`on_text` gets the text piece by piece; once it got any, a failure is final.

    What `on_text` raises ends the call and passes through, after what came so far is paid for.
    """
    return _Conversation(ask, payer, on_text, deadline_s).run()


class _Conversation:
    """All rounds, models and tries of one call."""

    def __init__(self, ask: Ask, payer: Payer, on_text: Callable[[str], None] | None, deadline_s: float | None) -> None:
        self.ask, self.payer, self.on_text = ask, payer, on_text
        # Longer ones would look like calls of dead workers.
        self.deadline = Deadline.within(min(deadline_s or settings.MODEL_DEADLINE_S, settings.MODEL_DEADLINE_S))
        self.started = time.monotonic()
        self.shown = ""
        self.cost_micro = 0
        self.usage = Usage()
        self.is_estimated = False
        self.attempts = 0
        self.plan: Plan = plan(ask.role, ask.models, payer.workspace)
        self.idempotency_key = hashlib.sha256(f"{payer.workspace.pk}:{payer.key}".encode()).hexdigest()[:32]

    def run(self) -> Answer:
        route, reply = self._ask(self.ask)
        judged = repair.judge(self.ask, reply)
        if judged.again is not None:
            # Nobody sees the second round being written: it replaces what could not be used.
            self.on_text = None
            route, reply = self._ask(judged.again)
            judged = repair.last_word(repair.judge(judged.again, reply))
        reply = judged.reply
        return Answer(
            text=self.shown if self.shown and reply.stop != Stop.REFUSAL and judged.data is None else reply.text,
            stop=reply.stop,
            usage=self.usage,
            model=route.model.name,
            provider=route.provider.name,
            cost_micro=self.cost_micro,
            data=judged.data,
            tool_calls=reply.tool_calls,
            is_sandbox=route.is_sandbox,
            is_estimated=self.is_estimated,
            latency_ms=round((time.monotonic() - self.started) * 1000),
        )

    # --- which model --------------------------------------------------------------------------------------

    def _ask(self, ask: Ask) -> tuple[Route, Reply]:
        """The first model of the chain that answers and can be afforded; else a shorter answer of the cheapest."""
        failed: ModelError | None = None
        too_dear: list[Route] = []
        routes = self.plan.routes
        for route in routes:
            try:
                return route, self._try(route, ask, has_other=route is not routes[-1])
            except OverBudget as error:
                too_dear.append(route)
                if error.is_retryable:
                    raise
                failed = failed or error
            except ModelError as error:
                if error.code not in FALLBACK or self.shown:
                    raise
                failed = error
                log.warning("llm_fallback", model=route.model.name, code=error.code)
        if too_dear:
            return self._ask_shorter(ask, too_dear)
        assert failed is not None
        raise failed

    def _ask_shorter(self, ask: Ask, routes: Sequence[Route]) -> tuple[Route, Reply]:
        size = counting.most_input(ask)
        route = min(routes, key=lambda one: tariff(one.model).worst_micro(size, ask.max_output))
        while True:
            try:
                return route, self._try(route, ask, has_other=False)
            except OverBudget as error:
                fits = tariff(route.model).most_output(size, error.room_micro)
                if error.is_retryable or fits >= ask.max_output or fits < LEAST_SHRUNK:
                    raise
                log.info("llm_shortened", model=route.model.name, max_output=fits)
                ask = replace(ask, max_output=fits)

    # --- one model ----------------------------------------------------------------------------------------

    def _try(self, route: Route, ask: Ask, *, has_other: bool) -> Reply:
        tries = 0
        while True:
            tries += 1
            try:
                return self._attempt(route, ask)
            except ModelError as error:
                wait_s = pause_s(tries, error)
                if self.shown or not may_try_again(error, tries, wait_s, self.deadline, has_other=has_other):
                    raise
                log.info("llm_retry", model=route.model.name, code=error.code, wait_s=round(wait_s, 3))
            time.sleep(wait_s)

    def _attempt(self, route: Route, ask: Ask) -> Reply:
        if self.deadline.left_s <= 0:
            raise ModelError("timeout", "The model took too long to answer.", is_retryable=True)
        had_trouble = circuits.enter(route)
        try:
            held = self._hold(route, ask)
        except BaseException:
            if had_trouble:
                circuits.give_back(route)
            raise
        try:
            reply = self._call(route, ask, held)
        except BaseException as error:
            code = error.code if isinstance(error, ModelError) and not isinstance(error, gate.Crowded) else "stopped"
            if had_trouble and code not in circuits.COUNTS | circuits.KEY_CODES:
                circuits.note_end(route, code)
            raise
        if had_trouble:
            circuits.note_success(route)
        keys_in_use.note_success(route, self.payer.workspace)
        return reply

    def _hold(self, route: Route, ask: Ask) -> Held:
        prices = tariff(route.model)
        worst = prices.worst_micro(counting.most_input(ask), self._max_output(route, ask))
        return ledger.hold(self.payer, self.plan.settings, route, ask.role, prices, worst, deadline=self.deadline.at)

    def _max_output(self, route: Route, ask: Ask) -> int:
        return max(LEAST_OUTPUT, min(ask.max_output, route.model.max_output))

    def _call(self, route: Route, ask: Ask, held: Held) -> Reply:
        listener = Listener(self._show if self.on_text else None)
        started = time.monotonic()
        try:
            reply = self._over_the_wire(route, ask, listener)
        except ModelError as error:
            self._book_failure(route, ask, held, listener, error, started)
            if error.code == "refused":
                return Reply(error.text, Stop.REFUSAL, Usage())
            raise
        except BaseException:
            # The listener went away, or we are being stopped: what came is paid for.
            self._book(held, self._heard(ask, listener), started, error="stopped", is_estimated=True)
            raise
        used = reply.usage or counting.guess_usage(ask, _all_text(reply))
        self._book(held, used, started, is_estimated=reply.usage is None)
        return reply

    def _over_the_wire(self, route: Route, ask: Ask, listener: Listener) -> Reply:
        timeout_s = max(0.1, min(route.provider.timeout_s or settings.MODEL_TIMEOUT_S, self.deadline.left_s))
        self.attempts += 1
        call = Call(route, ask, self._max_output(route, ask), timeout_s, self.idempotency_key, self.attempts)
        total_s = self.deadline.left_s if self.on_text else timeout_s
        with gate.place(route, hold_s=total_s + timeout_s + 10, deadline=self.deadline.at):
            speak = wire(route.provider.wire)
            if self.on_text is None:
                return speak.complete(call)
            from lib.http_sdk import at_most

            # What is being written may take longer than silence may last.
            with at_most(self.deadline.left_s):
                return speak.stream(call, listener)

    def _show(self, text: str) -> None:
        assert self.on_text is not None
        self.shown += text
        self.on_text(text)

    # --- what it cost -------------------------------------------------------------------------------------

    def _book_failure(
        self, route: Route, ask: Ask, held: Held, listener: Listener, error: ModelError, started: float
    ) -> None:
        """What the provider told, else what we heard; nothing heard and nothing known is all that was held back."""
        used, is_estimated = error.usage or listener.partial.usage, error.usage is None
        if used is None and listener.partial.text:
            used = counting.guess_usage(ask, listener.partial.text)
        if used is None and getattr(error, "may_have_cost", False):
            self._book(held, None, started, error=error.code, is_estimated=True)
        else:
            self._book(held, used or Usage(), started, error=error.code, is_estimated=is_estimated and used is not None)
        error.usage = used
        if not isinstance(error, gate.Crowded):
            circuits.note_failure(route, error)
        keys_in_use.note_failure(route, self.payer.workspace, error)
        log.warning("llm_failed", model=route.model.name, code=error.code, raw=error.raw[:300])

    def _heard(self, ask: Ask, listener: Listener) -> Usage:
        return listener.partial.usage or counting.guess_usage(ask, listener.partial.text)

    def _book(
        self, held: Held, used: Usage | None, started: float, *, error: str = "", is_estimated: bool = False
    ) -> None:
        latency_ms = round((time.monotonic() - started) * 1000)
        self.cost_micro += ledger.settle(held, used, error=error, latency_ms=latency_ms, is_estimated=is_estimated)
        self.is_estimated = self.is_estimated or is_estimated
        if used:
            self.usage = _sum(self.usage, used)


def _all_text(reply: Reply) -> str:
    return reply.text + "".join(call.name + call.raw for call in reply.tool_calls)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input + other.input,
        one.cached + other.cached,
        one.cache_write + other.cache_write,
        one.output + other.output,
        one.reasoning + other.reasoning,
    )
