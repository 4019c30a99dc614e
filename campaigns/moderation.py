"""The front page of staff: what waits, what is late, what was blocked, and who is in trouble."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User, Workspace
from campaigns.admin_account_health import account_of, with_account
from compliance.health import is_in, reasons_of
from compliance.models import AccountHealth, GuardDecision, Review
from lib.clock import now
from social.models import Connection

SHOWN = 5


@dataclass(frozen=True)
class Figure:
    label: str
    number: int
    url: str
    is_urgent: bool = False


@dataclass(frozen=True)
class Row:
    name: str
    note: str
    url: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by the admin for its front page, inside the scope of staff. Each sees what they may open."""
    staff = cast(User, request.user)
    may = {model: staff.has_perm(perm) for model, perm in PERMS.items()}
    figures = [make() for model, makes in FIGURES.items() if may[model] for make in makes]
    lists = [(title, make()) for model, (title, make) in LISTS.items() if may[model]]
    return context | {"figures": figures, "lists": [(title, rows) for title, rows in lists if rows]}


def _url(name: str, query: str = "") -> str:
    return reverse(f"admin:{name}_changelist") + query


def _reviews() -> Any:
    return Review.objects.filter(status=Review.Status.WAITING)


def _late() -> Any:
    return _reviews().filter(due_at__lt=now(), held_at=None)


def _unhealthy() -> Any:
    return AccountHealth.objects.exclude(is_in(AccountHealth.State.HEALTHY))


def _suspended_accounts() -> Any:
    return Connection.objects.filter(status=Connection.Status.SUSPENDED)


def waiting() -> Figure:
    return Figure("Reviews waiting", _reviews().count(), _url("compliance_review", "?status__exact=waiting"))


def late() -> Figure:
    number = _late().count()
    return Figure("Reviews late", number, _url("compliance_review", "?urgency=late"), bool(number))


def blocked_today() -> Figure:
    start = now().replace(hour=0, minute=0, second=0, microsecond=0)
    number = GuardDecision.objects.filter(verdict="block", at__gte=start).count()
    query = f"?verdict__exact=block&at__year={start.year}&at__month={start.month}&at__day={start.day}"
    return Figure("Blocked today (UTC)", number, _url("compliance_guarddecision", query))


def unhealthy() -> Figure:
    number = _unhealthy().count()
    return Figure("Accounts not healthy", number, _url("compliance_accounthealth", "?current=unhealthy"), bool(number))


def suspended_workspaces() -> Figure:
    number = Workspace.objects.filter(is_suspended=True).count()
    return Figure("Workspaces suspended", number, _url("accounts_workspace", "?is_suspended__exact=1"))


def suspended_accounts() -> Figure:
    query = f"?status__exact={Connection.Status.SUSPENDED}"
    return Figure("Connections suspended", _suspended_accounts().count(), _url("social_connection", query))


def late_rows() -> list[Row]:
    rows = _late().select_related("workspace").order_by("due_at")[:SHOWN]
    return [
        Row(
            f"{row.kind.replace('_', ' ').capitalize()} in {row.workspace}",
            f"{row.get_risk_display()} risk, wanted {row.due_at:%d %b, %H:%M} UTC",
            reverse("admin:compliance_review_change", args=[row.pk]),
        )
        for row in rows
    ]


def unhealthy_rows() -> list[Row]:
    rows = with_account(_unhealthy().select_related("workspace")).order_by("-score", "-changed_at")[:SHOWN]
    return [
        Row(
            f"{account_of(row)}, {row.workspace}",
            " ".join(reasons_of(row)[:1]),
            reverse("admin:compliance_accounthealth_change", args=[row.pk]),
        )
        for row in rows
    ]


def suspended_rows() -> list[Row]:
    rows = Workspace.objects.filter(is_suspended=True).order_by("name")[:SHOWN]
    return [Row(row.name, row.slug, reverse("admin:accounts_workspace_change", args=[row.pk])) for row in rows]


PERMS = {
    "review": "compliance.view_review",
    "decision": "compliance.view_guarddecision",
    "health": "compliance.view_accounthealth",
    "workspace": "accounts.view_workspace",
    "connection": "social.view_connection",
}
FIGURES: dict[str, tuple[Callable[[], Figure], ...]] = {
    "review": (waiting, late),
    "decision": (blocked_today,),
    "health": (unhealthy,),
    "workspace": (suspended_workspaces,),
    "connection": (suspended_accounts,),
}
LISTS: dict[str, tuple[str, Callable[[], list[Row]]]] = {
    "review": ("Reviews that are late", late_rows),
    "health": ("Accounts in trouble", unhealthy_rows),
    "workspace": ("Suspended workspaces", suspended_rows),
}
