"""What a plan gives and how much of it is used: for the page and the API."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.utils.text import capfirst

from accounts import plans
from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.plans import LIMITS, PLANS, Plan


@dataclass(frozen=True)
class Meter:
    """`used` is None where each person has their own, `limit` None where there is none."""

    name: str
    label: str
    used: int | None
    limit: int | None
    is_monthly: bool

    @property
    def percent(self) -> int | None:
        if self.used is None or self.limit is None:
            return None
        return min(100, self.used * 100 // self.limit) if self.limit else 100

    @property
    def is_full(self) -> bool:
        return self.used is not None and self.limit is not None and self.used >= self.limit


def meters_of(by: Actor) -> list[Meter]:
    by.require(Perm.VIEW)
    return [_meter(by.workspace, name) for name in LIMITS]


def _meter(workspace: Workspace, name: str) -> Meter:
    kind = LIMITS[name]
    limit = plans.limit_of(workspace, name)
    return Meter(name, capfirst(kind.label), plans.used_of(workspace, name), limit, kind.is_monthly)


def comparison() -> list[tuple[str, list[tuple[Plan, str]]]]:
    """Rows of what each plan gives, in the order of PLANS."""
    return [
        *(_row(capfirst(kind.label), partial(_words, name)) for name, kind in LIMITS.items()),
        _row("A task repeats at most every", lambda plan: plans.in_words(plan.min_every_s)),
        _row("Calls to models a month", plans.ai_words),
    ]


def _row(label: str, words: Callable[[Plan], str]) -> tuple[str, list[tuple[Plan, str]]]:
    return label, [(plan, words(plan)) for plan in PLANS.values()]


def _words(name: str, plan: Plan) -> str:
    limit = plan.limits.get(name)
    return "no limit" if limit is None else f"{limit:,}"
