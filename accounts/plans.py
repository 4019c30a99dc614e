"""What a workspace's plan allows: one table of limits, asked by whatever makes something grow.

A limit never deletes: what is over it after a change of plan stays, and does not grow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models import Meter, Role, User, Workspace
from lib.clock import now
from lib.ids import uuid7
from lib.money import dollars

MICRO = 1_000_000
# How many workspaces on the default plan one person may own, where that plan has limits.
MOST_GIVEN = 3


@dataclass(frozen=True)
class Limit:
    """`label` in the plural; `one` for a limit of 1. `is_monthly`: counted by `count`, from zero each UTC month."""

    label: str
    one: str
    is_monthly: bool = False


LIMITS: dict[str, Limit] = {
    "members": Limit("members", "member"),
    "connections": Limit("connected accounts", "connected account"),
    "posts": Limit("published posts a month", "published post a month", is_monthly=True),
    "watches": Limit("watched things per person", "watched thing per person"),
    "tasks": Limit("periodic tasks per person", "periodic task per person"),
    "briefs": Limit("briefs a month", "brief a month", is_monthly=True),
    "watch_reads": Limit("readings of watched things a month", "reading a month", is_monthly=True),
    "mcp_servers": Limit("MCP servers", "MCP server"),
    "mcp_calls": Limit("MCP calls a month", "MCP call a month", is_monthly=True),
    "outside_servers": Limit("outside tool servers", "outside tool server"),
    "webhooks": Limit("webhook endpoints", "webhook endpoint"),
    "storage_mb": Limit("MB of media", "MB of media"),
}


@dataclass(frozen=True)
class Plan:
    """`limits` by the names of LIMITS; what is not named has none."""

    name: str
    label: str
    text: str
    limits: Mapping[str, int]
    # The shortest time between two turns of a periodic task.
    min_every_s: int
    # What calls to models may cost in a UTC month; None for no cap but the workspace's own.
    ai_micro: int | None


PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan(
            "free",
            "Free",
            "For trying it out, and for one person.",
            {
                "members": 3,
                "connections": 2,
                "posts": 50,
                "watches": 10,
                "tasks": 3,
                "briefs": 100,
                "watch_reads": 10_000,
                "mcp_servers": 1,
                "mcp_calls": 1_000,
                "outside_servers": 1,
                "webhooks": 1,
                "storage_mb": 500,
            },
            min_every_s=3600,
            ai_micro=2 * MICRO,
        ),
        Plan(
            "pro",
            "Pro",
            "For a team that publishes every day.",
            {
                "members": 10,
                "connections": 15,
                "posts": 2_000,
                "watches": 100,
                "tasks": 20,
                "briefs": 2_000,
                "watch_reads": 200_000,
                "mcp_servers": 10,
                "mcp_calls": 50_000,
                "outside_servers": 5,
                "webhooks": 10,
                "storage_mb": 20_000,
            },
            min_every_s=900,
            ai_micro=50 * MICRO,
        ),
        # What an installation of one's own has. The few limits keep one person from harming the others.
        Plan(
            "business",
            "Business",
            "For agencies and installations of one's own.",
            {"watches": 1_000, "tasks": 200},
            min_every_s=60,
            ai_micro=None,
        ),
    )
}
# Filled by the apps that own the things: how much of a limit a workspace uses, inside its scope.
COUNTERS: dict[str, Callable[[Workspace], int]] = {
    "members": lambda workspace: workspace.memberships.exclude(role=Role.GUEST).count(),
}


class PlanLimit(ValidationError):
    """The plan has no room. A ValidationError, so that every door shows it; the API answers 403 `plan_limit`."""

    def __init__(self, text: str, *, what: str, limit: int) -> None:
        super().__init__(text, code="plan_limit")
        self.what, self.limit = what, limit


def plan_of(workspace: Workspace) -> Plan:
    """The plan of this moment: one that has ended, or that nobody knows any more, is the installation's default."""
    is_over = workspace.plan_until is not None and workspace.plan_until <= now()
    return PLANS.get("" if is_over else workspace.plan) or PLANS[settings.DEFAULT_PLAN]


def limit_of(workspace: Workspace, what: str) -> int | None:
    """None for no limit."""
    if what not in LIMITS:
        raise KeyError(what)
    return plan_of(workspace).limits.get(what)


def require_room(workspace: Workspace, what: str, used: int | Callable[[], int], wanted: int = 1) -> None:
    """Raises PlanLimit where `wanted` more do not fit.

    `used` as a function is asked under a lock that holds to the end of the transaction: of two at the same time
    that want the last place, one gets it. Call it inside the workspace's scope, before inserting.
    """
    limit = limit_of(workspace, what)
    if limit is None:
        return
    if callable(used):
        _lock(workspace, what)
        used = used()
    if used + wanted > limit:
        raise PlanLimit(_no_room(workspace, what, limit), what=what, limit=limit)


def require_own_room(owner: User) -> None:
    """Raises PlanLimit where one more workspace on the plan that everybody is given would be too much.

    Any number of them would have any number of times its limits. In a transaction: of two at once one may not fit.
    """
    given = PLANS[settings.DEFAULT_PLAN]
    if given.ai_micro is None:
        return
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    owned = Workspace.objects.filter(memberships__user=owner, memberships__role=Role.OWNER)
    if sum(plan_of(workspace) is given for workspace in owned) >= MOST_GIVEN:
        text = f"You own {MOST_GIVEN} workspaces on the {given.label} plan, which is the most."
        raise PlanLimit(text, what="workspaces", limit=MOST_GIVEN)


def count(workspace: Workspace, name: str, n: int = 1) -> int:
    """Count `n` more of a monthly limit: this month's number then. Raises PlanLimit, and counts nothing, past it.

    One statement, exact however many count at the same time. Inside the workspace's scope.
    """
    if not LIMITS[name].is_monthly:
        raise ValueError(f"{name} is not counted by the month.")
    limit = limit_of(workspace, name)
    number = _add(workspace, name, n, limit) if limit is None or n <= limit else None
    if number is None:
        raise PlanLimit(_no_room(workspace, name, limit or 0), what=name, limit=limit or 0)
    return number


def count_done(workspace: Workspace, name: str) -> None:
    """Count what has happened and cannot be refused any more, past the limit, too."""
    _add(workspace, name, 1, None)


def _add(workspace: Workspace, name: str, n: int, limit: int | None) -> int | None:
    """The number then; None where it would pass the limit. A first row is not held against it."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [uuid7(), workspace.pk, name, this_month(), n, limit, limit])
        row = cursor.fetchone()
    return int(row[0]) if row else None


COUNT = """
INSERT INTO accounts_meter AS meter (id, workspace_id, name, month, count) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, name, month) DO UPDATE SET count = meter.count + excluded.count
WHERE %s::bigint IS NULL OR meter.count + excluded.count <= %s::bigint
RETURNING count
"""


def counted(workspace: Workspace, name: str) -> int:
    """This month's number."""
    row = Meter.objects.filter(workspace=workspace, name=name, month=this_month()).values_list("count", flat=True)
    return row.first() or 0


def require_pace(workspace: Workspace, every_s: float) -> None:
    """Raises PlanLimit where a task would come more often than the plan allows."""
    least = plan_of(workspace).min_every_s
    if every_s < least:
        text = f"The {plan_of(workspace).label} plan repeats a task every {in_words(least)} at most."
        better = next((plan for plan in _better(workspace) if plan.min_every_s < least), None)
        more = f" {better.label}: every {in_words(better.min_every_s)}." if better else ""
        raise PlanLimit(text + more, what="min_every_s", limit=least)


def used_of(workspace: Workspace, what: str) -> int | None:
    """How much of it the workspace uses; None where nobody can say one number."""
    if LIMITS[what].is_monthly:
        return counted(workspace, what)
    counter = COUNTERS.get(what)
    return counter(workspace) if counter else None


def in_words(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            number = seconds // size
            return name if number == 1 else f"{number} {name}s"
    return f"{seconds} seconds"


def ai_words(plan: Plan) -> str:
    return "no cap" if plan.ai_micro is None else dollars(plan.ai_micro)


def _better(workspace: Workspace) -> list[Plan]:
    names = list(PLANS)
    return [PLANS[name] for name in names[names.index(plan_of(workspace).name) + 1 :]]


def _no_room(workspace: Workspace, what: str, limit: int) -> str:
    text = f"The {plan_of(workspace).label} plan has {_amount(what, limit)}, and no more room."
    for plan in _better(workspace):
        more = plan.limits.get(what)
        if more is None:
            return f"{text} {plan.label} has no such limit."
        if more > limit:
            return f"{text} {plan.label} has {_amount(what, more)}."
    return text


def _amount(what: str, number: int) -> str:
    kind = LIMITS[what]
    return f"{number:,} {kind.one if number == 1 else kind.label}"


def this_month() -> date:
    """The first day of the UTC month, as meters name it."""
    return now().date().replace(day=1)


def _lock(workspace: Workspace, what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", [f"plan:{what}", str(workspace.pk)])
