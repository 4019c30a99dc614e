"""Money of model calls: held back in all totals before an attempt, settled after it, written down for ever."""

import hashlib
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import usage
from accounts.models import Workspace
from accounts.plans import plan_of
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.usage import Budget, BudgetExceeded
from agents.llm.pricing import Tariff
from agents.llm.routes import Route
from agents.llm.types import ModelError, Payer, Usage
from agents.models import AISettings, ModelCall
from lib.clock import now

log = structlog.get_logger(__name__)
KIND = "llm"
# Of a UsageEntry; a longer name of a call is cut by `call_key`.
KEY_ROOM = 100
# After this long nobody is still at work on a call.
LOST_AFTER_S = 60
SWEPT_AT_ONCE = 500


@dataclass(frozen=True)
class Held:
    """One attempt's reservation."""

    payer: Payer
    key: str
    budgets: tuple[Budget, ...]
    reserved_micro: int
    tariff: Tariff


class OverBudget(ModelError):
    """`room_micro`: what the narrowest total has not spent yet."""

    def __init__(self, error: BudgetExceeded, room_micro: int) -> None:
        super().__init__("over_budget", str(error), is_retryable=error.is_held_up)
        self.room_micro = room_micro


def run_scope(run_id: UUID) -> str:
    return f"run:{run_id}"


def ai_scope() -> str:
    return f"ai:{now():%Y-%m}"


def ai_cap(workspace: Workspace, choices: AISettings) -> int | None:
    """The lower of what the workspace chose and what its plan allows; None for no cap."""
    caps = [cap for cap in (choices.monthly_cap_micro, plan_of(workspace).ai_micro) if cap is not None]
    return min(caps, default=None)


def budgets_of(payer: Payer, choices: AISettings) -> tuple[Budget, ...]:
    """All totals that a call counts in; the month and the campaign also count other things."""
    found = [Budget(ai_scope(), ai_cap(payer.workspace, choices), "The monthly budget for AI")]
    if payer.run_id:
        cap = payer.run_cap_micro if payer.run_cap_micro is not None else choices.run_cap_micro
        found.append(Budget(run_scope(payer.run_id), cap, "The budget of this run"))
    if payer.campaign_id:
        found.append(usage.campaign_budget(payer.campaign_id, payer.campaign_cap_micro))
    return (*found, usage.month_budget(payer.workspace))


def hold(
    payer: Payer, choices: AISettings, route: Route, role: str, tariff: Tariff, amount_micro: int, *, deadline: float
) -> Held:
    """Waits while only what others hold back stands in the way, until `deadline` (monotonic). Raises OverBudget."""
    budgets, pause_s = budgets_of(payer, choices), 0.02
    while True:
        try:
            return _hold(payer, budgets, route, role, tariff, amount_micro)
        except BudgetExceeded as error:
            if not error.is_held_up or time.monotonic() + pause_s > deadline:
                raise OverBudget(error, _room(payer.workspace, budgets)) from error
        # Full jitter: many may be waiting for the same place.
        time.sleep(random.uniform(pause_s / 4, pause_s))  # noqa: S311
        pause_s = min(0.4, pause_s * 1.4)


def _hold(
    payer: Payer, budgets: tuple[Budget, ...], route: Route, role: str, tariff: Tariff, amount_micro: int
) -> Held:
    # The scope is a transaction: where the money does not suffice, the row goes as well.
    with workspace_scope(payer.workspace.pk):
        row = _open_row(payer, route, role, tariff, amount_micro)
        usage.reserve(
            payer.workspace,
            usage_key(row.key),
            KIND,
            amount_micro,
            cap_micro=payer.campaign_cap_micro,
            campaign_id=payer.campaign_id,
            further=[budget for budget in budgets if budget.scope.startswith(("ai:", "run:"))],
            warns=False,
        )
    return Held(payer, row.key, budgets, amount_micro, tariff)


def _open_row(payer: Payer, route: Route, role: str, tariff: Tariff, amount_micro: int) -> ModelCall:
    """A run that begins again counts its attempts on."""
    number = 1
    while True:
        row = ModelCall(
            workspace=payer.workspace,
            key=f"{payer.key[:150]}:{number}",
            run_id=payer.run_id,
            step_key=payer.step_key,
            campaign_id=payer.campaign_id,
            role=role,
            provider=route.provider.name,
            model=route.model.name,
            is_sandbox=route.is_sandbox,
            price=tariff.as_json(0),
            reserved_micro=amount_micro,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            number += 1
        else:
            return row


def usage_key(key: str) -> str:
    return f"{KIND}:{key}" if len(key) <= KEY_ROOM else f"{KIND}:{key[: KEY_ROOM - 33]}:{_digest(key)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _room(workspace: Workspace, budgets: tuple[Budget, ...]) -> int:
    with workspace_scope(workspace.pk):
        return min(
            max(0, budget.cap_micro - usage.spent(workspace, budget.scope)[0])
            for budget in budgets
            if budget.cap_micro is not None
        )


def settle(held: Held, used: Usage | None, *, error: str = "", latency_ms: int = 0, is_estimated: bool = False) -> int:
    """Book what it cost, in micro-dollars: `used` at the price of the day, or all that was held back if nobody knows.

    More than was held back is booked too, and said: the bound was wrong then.
    """
    cost = held.reserved_micro if used is None else held.tariff.cost_micro(used)
    if cost > held.reserved_micro:
        log.error("llm_cost_above_reservation", call=held.key, cost=cost, reserved=held.reserved_micro)
        error = error or "above_reservation"
    used = used or Usage()
    fields = {
        "status": ModelCall.Status.FAILED if error and error != "above_reservation" else ModelCall.Status.DONE,
        "error": error,
        "input_tokens": used.input,
        "cached_tokens": used.cached,
        "cache_write_tokens": used.cache_write,
        "output_tokens": used.output,
        "reasoning_tokens": used.reasoning,
        "price": held.tariff.as_json(used.input),
        "is_estimated": is_estimated,
        "latency_ms": latency_ms,
    }
    return cost if _close(held.payer.workspace, held.key, cost, held.budgets, fields) else 0


def _close(
    workspace: Workspace, key: str, cost_micro: int, budgets: tuple[Budget, ...], fields: dict[str, object]
) -> bool:
    with workspace_scope(workspace.pk):
        if cost_micro:
            is_closed = usage.settle(workspace, usage_key(key), cost_micro, budgets=budgets)
        else:
            is_closed = usage.release(workspace, usage_key(key))
        if is_closed:
            ModelCall.objects.filter(workspace=workspace, key=key, status=ModelCall.Status.OPEN).update(
                cost_micro=cost_micro, ended_at=now(), **fields
            )
    return is_closed


def sweep() -> int:
    """Settle what dead workers left: nobody knows what it cost, so all that was held back."""
    before = now() - timedelta(seconds=settings.MODEL_DEADLINE_S + LOST_AFTER_S)
    with all_workspaces_scope("calls of dead workers"):
        lost = list(
            ModelCall.objects.filter(status=ModelCall.Status.OPEN, started_at__lt=before)
            .select_related("workspace")
            .order_by("started_at")[:SWEPT_AT_ONCE]
        )
    fields = {"status": ModelCall.Status.FAILED, "error": "lost", "is_estimated": True}
    return sum(_close(row.workspace, row.key, row.reserved_micro, (), dict(fields)) for row in lost)
