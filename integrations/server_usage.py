"""How much a personal server was used."""

from datetime import date, timedelta
from typing import Any, TypedDict

from django.db.models import Q, Sum

from accounts.access import Actor
from integrations.models import McpServer, McpToken, McpUsage
from integrations.server_access import servers_of
from lib.clock import now

DAYS = 30


class Used(TypedDict):
    calls: int
    errors: int
    # Of one call, on average; None without calls.
    ms: int | None


class UsedTool(Used):
    tool: str


class UsedDay(Used):
    day: date


def usage_by_tool(server: McpServer, days: int = DAYS) -> list[UsedTool]:
    """The most used first."""
    found = [UsedTool(tool=row["tool"], **_used(row)) for row in _sums(server, days, "tool")]
    return sorted(found, key=lambda used: (-used["calls"], used["tool"]))


def usage_by_day(server: McpServer, days: int = DAYS) -> list[UsedDay]:
    """Days on which it was called (UTC), the latest first."""
    found = [UsedDay(day=row["day"], **_used(row)) for row in _sums(server, days, "day")]
    return sorted(found, key=lambda used: used["day"], reverse=True)


def servers_with_calls(by: Actor, days: int = DAYS) -> list[McpServer]:
    """Those the caller may see, each with `calls`; revoked ones last."""
    since = _since(days)
    rows = servers_of(by).annotate(calls=Sum("usage__calls", filter=Q(usage__day__gte=since), default=0))
    return sorted(rows, key=lambda server: server.status == McpServer.Status.REVOKED)


def tokens_of(server: McpServer) -> list[McpToken]:
    """What still opens it, newest first; of a program that was let in by OAuth its one permission."""
    rows = McpToken.objects.filter(server=server, revoked_at=None, used_at=None).select_related("client")
    living = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now())).exclude(kind=McpToken.Kind.ACCESS)
    used = dict(
        McpToken.objects.filter(server=server, kind=McpToken.Kind.ACCESS)
        .exclude(last_used_at=None)
        .order_by("last_used_at")
        .values_list("family", "last_used_at")
    )
    for token in (found := list(living)):
        # A refresh token is not used itself: those that it brought are.
        token.last_used_at = token.last_used_at or used.get(token.family)
    return found


SUMS = {f"{name}_sum": Sum(name) for name in ("calls", "errors", "ms")}


def _sums(server: McpServer, days: int, by: str) -> list[dict[str, Any]]:
    rows = McpUsage.objects.filter(server=server, day__gte=_since(days)).order_by()
    return [dict(row) for row in rows.values(by).annotate(**SUMS)]


def _since(days: int) -> date:
    return now().date() - timedelta(days=days - 1)


def _used(row: dict[str, Any]) -> Used:
    calls = row["calls_sum"]
    return Used(calls=calls, errors=row["errors_sum"], ms=round(row["ms_sum"] / calls) if calls else None)
