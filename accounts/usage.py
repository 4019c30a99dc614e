"""The usage ledger: what a call may cost is held back before it and settled after it, so that no budget overspends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts.models import UsageEntry, UsageTotal, Workspace
from accounts.services import notify
from lib.clock import now
from lib.money import dollars

Status = UsageEntry.Status
WARN_PERCENTS = (50, 80, 100)
# From here on it is also mailed.
ALERT_PERCENT = 80
# Totals are moved in this order everywhere, the most shared last: two never wait for each other crosswise.
ORDER = ("run", "campaign", "ai", "month")


@dataclass(frozen=True)
class Budget:
    """A total, and the cap that it must not pass; None for no cap."""

    scope: str
    cap_micro: int | None
    name: str = "This budget"


class BudgetExceeded(Exception):
    """Nothing was held back; the text is for users.

    `is_held_up`: it would fit, were it not for what others hold back and may give back yet.
    """

    def __init__(self, budget: Budget, wanted_micro: int, *, is_held_up: bool = False) -> None:
        super().__init__(f"{budget.name} of {dollars(budget.cap_micro or 0)} has no {dollars(wanted_micro)} left.")
        self.budget, self.is_held_up = budget, is_held_up


def month_scope(at: datetime | date) -> str:
    return f"month:{at:%Y-%m}"


def campaign_scope(campaign_id: UUID) -> str:
    return f"campaign:{campaign_id}"


def month_budget(workspace: Workspace) -> Budget:
    return Budget(month_scope(now()), workspace.monthly_cap_micro, "The monthly cap")


def campaign_budget(campaign_id: UUID, cap_micro: int | None) -> Budget:
    return Budget(campaign_scope(campaign_id), cap_micro, "The campaign's budget")


def reserve(
    workspace: Workspace,
    key: str,
    kind: str,
    amount_micro: int,
    *,
    cap_micro: int | None = None,
    campaign_id: UUID | None = None,
    further: Sequence[Budget] = (),
    warns: bool = True,
    **refs: UUID | None,
) -> None:
    """Hold the amount back in the month's budget, the campaign's (`cap_micro`) and `further` ones, or raise
    BudgetExceeded.

    The same key is held back once. `refs`: connection_id, object_id. Without `warns` people are told of passed marks
    when it is settled, as far as `settle` knows the caps.
    """
    budgets = [*further, month_budget(workspace)]
    if campaign_id:
        budgets.append(campaign_budget(campaign_id, cap_micro))
    refs["campaign_id"] = campaign_id
    scopes = [budget.scope for budget in further]
    fresh = UsageEntry(
        workspace=workspace, key=key, kind=kind, amount_micro=amount_micro, month=_month(), scopes=scopes, **refs
    )
    with transaction.atomic():
        UsageEntry.objects.bulk_create([fresh], ignore_conflicts=True)
        entry = UsageEntry.objects.select_for_update(no_key=True).get(workspace=workspace, key=key)
        # A row of somebody earlier has another id.
        if entry.pk != fresh.pk:
            if entry.status != Status.RELEASED:
                return
            entry.kind, entry.amount_micro, entry.month, entry.status = kind, amount_micro, _month(), Status.RESERVED
            entry.save(update_fields=["kind", "amount_micro", "month", "status"])
        for budget in sorted(budgets, key=lambda budget: _rank(budget.scope)):
            _hold(workspace, budget, amount_micro)
            if warns and budget.cap_micro:
                _warn(workspace, budget, with_reserved=True)


def settle(workspace: Workspace, key: str, amount_micro: int | None = None, *, budgets: Iterable[Budget] = ()) -> bool:
    """It happened. Without an amount it cost what was held back. A repeat changes nothing; True where it did.

    `budgets`: those whose marks people are told of now.
    """
    with transaction.atomic(savepoint=False):
        is_closed = _close(workspace, key, Status.SETTLED, amount_micro)
        for budget in budgets if is_closed else ():
            if budget.cap_micro:
                _warn(workspace, budget, with_reserved=False)
    return is_closed


def release(workspace: Workspace, key: str) -> bool:
    """It did not happen, or cost nothing. True where this closed it."""
    return _close(workspace, key, Status.RELEASED, 0)


def record(workspace: Workspace, key: str, kind: str, amount_micro: int, **refs: UUID | None) -> None:
    """A cost that nobody could hold back before (a read). The same key counts once."""
    entry = UsageEntry(
        workspace=workspace,
        key=key,
        kind=kind,
        amount_micro=amount_micro,
        month=_month(),
        status=Status.SETTLED,
        settled_at=now(),
        **refs,
    )
    with transaction.atomic():
        if UsageEntry.objects.filter(workspace=workspace, key=key).exists():
            return
        UsageEntry.objects.bulk_create([entry], ignore_conflicts=True)
        # A row of somebody faster has another id.
        if UsageEntry.objects.filter(pk=entry.pk).exists():
            for scope in _scopes(entry):
                _move(workspace, scope, spent_micro=F("spent_micro") + amount_micro)


def spent(workspace: Workspace, scope: str) -> tuple[int, int]:
    """Spent and held back, in micro-dollars."""
    row = UsageTotal.objects.filter(workspace=workspace, scope=scope).values_list("spent_micro", "reserved_micro")
    return row.first() or (0, 0)


def left(workspace: Workspace, budget: Budget) -> int | None:
    """What may still be spent; None without a cap."""
    if budget.cap_micro is None:
        return None
    return max(0, budget.cap_micro - sum(spent(workspace, budget.scope)))


def _hold(workspace: Workspace, budget: Budget, amount_micro: int) -> None:
    used = Q(used__lte=budget.cap_micro - amount_micro) if budget.cap_micro is not None else Q()
    if not _move(workspace, budget.scope, used, reserved_micro=F("reserved_micro") + amount_micro):
        gone = spent(workspace, budget.scope)[0]
        raise BudgetExceeded(budget, amount_micro, is_held_up=gone + amount_micro <= (budget.cap_micro or 0))


def _warn(workspace: Workspace, budget: Budget, *, with_reserved: bool) -> None:
    """The highest mark that is passed, once for this cap, however many pass it at the same time."""
    cap, (gone, held) = budget.cap_micro or 0, spent(workspace, budget.scope)
    used = gone + held if with_reserved else gone
    mark = max((mark for mark in WARN_PERCENTS if used * 100 >= mark * cap), default=0)
    unheard = Q(warned_percent__lt=mark) | ~Q(warned_cap_micro=cap)
    total = UsageTotal.objects.filter(unheard, workspace=workspace, scope=budget.scope)
    if mark and total.update(warned_percent=mark, warned_cap_micro=cap):
        text = f"{budget.name} is {mark} % used: {dollars(used)} of {dollars(cap)}."
        notify(workspace, "budget", text, path="/usage/", alert=mark >= ALERT_PERCENT)


def _close(workspace: Workspace, key: str, status: str, amount_micro: int | None) -> bool:
    # Nothing here is caught and gone on after: inside another transaction it needs no savepoint.
    with transaction.atomic(savepoint=False):
        entry = UsageEntry.objects.select_for_update(no_key=True).filter(workspace=workspace, key=key).first()
        if entry is None or entry.status != Status.RESERVED:
            return False
        held = entry.amount_micro
        entry.amount_micro = held if amount_micro is None else amount_micro
        entry.status, entry.settled_at = status, now()
        entry.save(update_fields=["amount_micro", "status", "settled_at"])
        for scope in _scopes(entry):
            _move(
                workspace,
                scope,
                reserved_micro=F("reserved_micro") - held,
                spent_micro=F("spent_micro") + entry.amount_micro,
            )
    return True


def _scopes(entry: UsageEntry) -> list[str]:
    campaign = [campaign_scope(entry.campaign_id)] if entry.campaign_id else []
    return sorted([*entry.scopes, *campaign, month_scope(entry.month)], key=_rank)


def _rank(scope: str) -> int:
    return ORDER.index(scope.partition(":")[0])


def _move(workspace: Workspace, scope: str, allowed: Q = Q(), **changes: Any) -> bool:  # noqa: B008
    """Change one total, which is made when it is first needed. False where the condition does not hold."""
    rows = UsageTotal.objects.filter(workspace=workspace, scope=scope)
    free = rows.alias(used=F("spent_micro") + F("reserved_micro")).filter(allowed)
    if free.update(**changes):
        return True
    if rows.exists():
        return False
    UsageTotal.objects.bulk_create([UsageTotal(workspace=workspace, scope=scope)], ignore_conflicts=True)
    return bool(free.update(**changes))


def _month() -> date:
    return now().date().replace(day=1)
