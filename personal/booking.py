"""Who pays for a shared reading: those who watch, a share for each watch.

Two meters of the month, moved by one statement for a whole batch: `watch_reads` counts the values that were read for
a workspace, `watch_micro` holds its share of what they cost. Shares are whole micro-dollars and add up exactly. A
workspace whose plan has no readings left takes no part; where nobody is left, nothing is read.
"""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Count

from accounts.models import Meter, Workspace
from accounts.plans import counted, limit_of, this_month
from lib.ids import uuid7
from personal.models import Watch, WatchValue

READS, COST = "watch_reads", "watch_micro"
MONTH_S = 30 * 86_400
Watching = dict[UUID, dict[UUID, int]]


@dataclass(frozen=True)
class Use:
    """What watching takes of a workspace: in this month so far, and in a whole one."""

    reads: int
    cost_micro: int
    limit: int | None
    expected: int

    @property
    def is_too_much(self) -> bool:
        return self.limit is not None and self.expected > self.limit


def use_of(workspace: Workspace) -> Use:
    """Inside the workspace's scope."""
    values = WatchValue.objects.filter(pk__in=Watch.objects.filter(workspace=workspace).values("value"))
    by_pace = values.order_by().values_list("every_s").annotate(number=Count("pk"))
    return Use(
        reads=counted(workspace, READS),
        cost_micro=counted(workspace, COST),
        limit=limit_of(workspace, READS),
        expected=sum(MONTH_S // every_s * number for every_s, number in by_pace),
    )


def payers(value_ids: list[UUID]) -> Watching:
    """By value, how many watches each workspace has that may still read. Expects the all-workspaces scope."""
    rows = Watch.objects.filter(value__in=value_ids, workspace__is_suspended=False).order_by()
    counted = list(rows.values_list("value_id", "workspace_id").annotate(watches=Count("pk")))
    left = _with_room({workspace_id for _, workspace_id, _ in counted})
    found: Watching = defaultdict(dict)
    for value_id, workspace_id, watches in counted:
        if workspace_id in left:
            found[value_id][workspace_id] = watches
    return dict(found)


def _with_room(ids: set[UUID]) -> set[UUID]:
    used = dict(
        Meter.objects.filter(workspace__in=ids, name=READS, month=this_month()).values_list("workspace_id", "count")
    )
    workspaces = Workspace.objects.filter(pk__in=ids)
    limits = {workspace.pk: limit_of(workspace, READS) for workspace in workspaces}
    return {pk for pk, limit in limits.items() if limit is None or used.get(pk, 0) < limit}


def book(costs: dict[UUID, int]) -> None:
    """Micro-dollars by value that was read. Expects the all-workspaces scope."""
    reads: dict[UUID, int] = defaultdict(int)
    spent: dict[UUID, int] = defaultdict(int)
    for value_id, watching in payers(list(costs)).items():
        for workspace_id, share in shares(costs[value_id], watching).items():
            reads[workspace_id] += 1
            spent[workspace_id] += share
    _count([(pk, READS, n) for pk, n in reads.items()] + [(pk, COST, n) for pk, n in spent.items() if n])


def shares(cost_micro: int, watching: dict[UUID, int]) -> dict[UUID, int]:
    """By workspace, for its watches. What does not divide goes one by one to the first by id: the sum is exact."""
    total = sum(watching.values())
    each, rest = divmod(cost_micro, total)
    found = {}
    for workspace_id, watches in sorted(watching.items()):
        extra = min(rest, watches)
        found[workspace_id] = each * watches + extra
        rest -= extra
    return found


COUNT = """
INSERT INTO accounts_meter AS meter (id, workspace_id, name, month, count)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::date[], %s::bigint[])
    AS added (id, workspace_id, name, month, n)
ORDER BY workspace_id, name
ON CONFLICT (workspace_id, name, month) DO UPDATE SET count = meter.count + excluded.count
"""


def _count(added: list[tuple[UUID, str, int]]) -> None:
    """In one order, so that two batches never wait for each other crosswise."""
    if not added:
        return
    workspaces, names, numbers = zip(*added, strict=True)
    ids, months = [uuid7() for _ in added], [this_month()] * len(added)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [ids, list(workspaces), list(names), months, list(numbers)])
