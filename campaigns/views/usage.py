"""What paid networks cost: sums of a month, and every entry as a file."""

from collections.abc import Iterator
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import Perm
from accounts.models import UsageEntry, Workspace
from accounts.usage_queries import GROUPS, costs_by, entries_of, month_summary
from accounts.web import MemberRequest, member_view
from campaigns.usage_names import label_costs, names_of
from lib.clock import now
from lib.csv_cells import csv_lines

HEADINGS = {"day": "Day, UTC", "kind": "What for", "campaign": "Campaign", "connection": "Account"}
COLUMNS = ["at", "kind", "status", "usd", "campaign", "connection", "key"]
FIRST_MONTH = date(2020, 1, 1)


@member_view(Perm.VIEW)
def usage(request: MemberRequest) -> HttpResponse:
    workspace, month = request.actor.workspace, _month(request)
    by = request.GET.get("by", "")
    by = by if by in GROUPS else "day"
    costs = costs_by(entries_of(workspace, month), by)
    most = max((cost.spent_micro + cost.reserved_micro for cost in costs), default=0)
    labels = label_costs(workspace, by, [cost.of for cost in costs])
    context = {
        "budget": month_summary(workspace, month),
        "by": by,
        "groups": HEADINGS,
        "heading": HEADINGS[by],
        "rows": [
            (label, cost, 100 * (cost.spent_micro + cost.reserved_micro) // most if most else 0)
            for label, cost in zip(labels, costs, strict=True)
        ],
        "month": month,
        "earlier": _earlier(month),
        "later": _later(month),
    }
    return render(request, "campaigns/usage.html", context)


@member_view(Perm.VIEW)
def usage_export(request: MemberRequest) -> HttpResponse:
    month = _month(request)
    lines = csv_lines([COLUMNS, *_csv_rows(request.actor.workspace, month)])
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="usage-{month:%Y-%m}.csv"'
    return response


def _csv_rows(workspace: Workspace, month: date) -> Iterator[list[str]]:
    entries = list(entries_of(workspace, month).order_by("created_at"))
    campaigns = names_of(workspace, "campaign", {entry.campaign_id for entry in entries})
    connections = names_of(workspace, "connection", {entry.connection_id for entry in entries})
    for entry in entries:
        names = [_name(campaigns, entry.campaign_id), _name(connections, entry.connection_id)]
        yield [*_facts(entry), *names, entry.key]


def _facts(entry: UsageEntry) -> list[str]:
    amount = f"{entry.amount_micro // 1_000_000}.{entry.amount_micro % 1_000_000:06}"
    return [entry.created_at.isoformat(), entry.kind, entry.status, amount]


def _name(names: dict, pk: object) -> str:
    return names.get(pk, str(pk)) if pk else ""


def _month(request: HttpRequest) -> date:
    """The month the address names as 2026-11, or this one."""
    this = now().date().replace(day=1)
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return this
    return month if FIRST_MONTH <= month <= this else this


def _earlier(month: date) -> date | None:
    if month <= FIRST_MONTH:
        return None
    return month.replace(year=month.year - 1, month=12) if month.month == 1 else month.replace(month=month.month - 1)


def _later(month: date) -> date | None:
    """None where it has not begun."""
    following = (
        month.replace(year=month.year + 1, month=1) if month.month == 12 else month.replace(month=month.month + 1)
    )
    return following if following <= now().date() else None
