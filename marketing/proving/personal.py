"""100,000 people want their report at nine: how many start in a second, how late, and whether any is lost or doubled.

The clock is the real one. Either the whole quarter of an hour of a zone is run, or only its first seconds, at the
same density: nothing is compressed.
"""

import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification
from accounts.scope import all_workspaces_scope
from agents.models import PeriodicTask, PeriodicTurn
from agents.periodic.claims import BATCH, claim_due
from agents.periodic.worker import do_turn
from lib.clock import now
from marketing.proving.crew import TICK_S, Crew
from marketing.proving.limits import GROWTH_MB, LATE_S, PEAK_PER_S, WINDOW_S
from marketing.proving.people import ZONES, Crowd, fill, move_nine

# Caches fill and code is loaded with the first turns; what grows after that is a leak.
WARM_S = 15
PATIENCE_S = 180


@dataclass(frozen=True)
class Seen:
    """One turn that was done: the seconds from its slot to its start, and whether another worker had it before."""

    task_id: UUID
    started_at: datetime
    late_s: float
    is_taken_over: bool


def run(people: int, seconds: float, zones: int, tell: Callable[[str], object]) -> dict[str, float]:
    crowd = fill(people)
    found: dict[str, float] = {"people": people, "scheduled_peak_per_s": scheduled_peak(crowd)}
    found["statements_per_turn"] = statements_per_turn(crowd)
    crew = Crew()
    try:
        crew.wait_ready()
        begun_s = crew.cpu_s()
        runs = [run_zone(crowd, zone, seconds, crew) for zone in ZONES[:zones]]
        cpu_s = crew.cpu_s() - begun_s
    finally:
        crew.stop()
    # Nobody writes any more.
    seen = [turn for zone, nine, _due in runs for turn in seen_turns(crowd.slots[zone], nine)]
    for line in timeline(seen):
        tell(line)
    expected = {pk for _zone, _nine, due in runs for pk in due}
    found |= figures(expected, seen) | {"worker_growth_mb": crew.growth_mb}
    # How busy the machine was with other things: lateness says little where the workers did not get their share.
    return found | {"worker_cpu_ms_per_turn": cpu_s * 1000 / len(seen), "load_average": os.getloadavg()[0]}


def holds(found: dict[str, float]) -> bool:
    return (
        found["lost"] == found["doubled"] == found["unwritten"] == 0
        and found["scheduled_peak_per_s"] <= PEAK_PER_S
        and found["real_peak_per_s"] <= PEAK_PER_S
        and found["late_max_s"] <= LATE_S
        and found["worker_growth_mb"] < GROWTH_MB
    )


def scheduled_peak(crowd: Crowd) -> int:
    """Of all zones: the busiest second, if every turn started exactly when it is due."""
    return max(max(Counter(slots.values()).values()) for slots in crowd.slots.values())


def statements_per_turn(crowd: Crowd) -> float:
    """Of a batch in this process, its share of the claim included; the rows are as they were afterwards."""
    move_nine(ZONES[-1], now() - timedelta(seconds=WINDOW_S))
    with CaptureQueriesContext(connection) as statements:
        claims = claim_due(BATCH).claims
        for claim in claims:
            do_turn(claim)
    with all_workspaces_scope("clean up"):
        Notification.objects.all().delete()
        PeriodicTurn.objects.all().delete()
        PeriodicTask.objects.update(fence=0)
    move_nine(ZONES[-1], now() + timedelta(hours=12))
    return len(statements) / len(claims)


def run_zone(crowd: Crowd, zone: str, seconds: float, crew: Crew) -> tuple[str, datetime, list[UUID]]:
    """The zone, its nine o'clock, and what was due in the stretch."""
    nine = move_nine(zone, now() + timedelta(seconds=5))
    ends = nine + timedelta(seconds=seconds)
    expected = [pk for pk, own in crowd.slots[zone].items() if nine + own < ends]
    is_killed = is_noted = False
    while now() < ends + timedelta(seconds=PATIENCE_S):
        began = time.monotonic()
        crew.tick()
        passed = (now() - nine).total_seconds()
        if not is_noted and passed > min(WARM_S, seconds / 4):
            crew.note_memory()
            is_noted = True
        if not is_killed and passed > seconds / 2:
            crew.kill_one()
            is_killed = True
        if now() > ends and done(expected, nine) == len(expected):
            break
        time.sleep(max(0.0, began + TICK_S - time.monotonic()))
    crew.note_growth()
    # What is due after the stretch must not come into the next one.
    move_nine(zone, nine + timedelta(hours=12))
    return zone, nine, expected


def done(expected: list[UUID], nine: datetime) -> int:
    with all_workspaces_scope("count the done turns"):
        return PeriodicTurn.objects.filter(task__in=expected, wanted_at=nine, status="done").count()


def seen_turns(slots: dict[UUID, timedelta], nine: datetime) -> list[Seen]:
    with all_workspaces_scope("read the turns"):
        rows = PeriodicTurn.objects.filter(wanted_at=nine, status="done").order_by("started_at")
        turns = list(rows.values_list("task_id", "started_at", "task__fence"))
    return [Seen(pk, at, (at - nine - slots[pk]).total_seconds(), fence > 1) for pk, at, fence in turns if pk in slots]


def figures(expected: set[UUID], seen: Sequence[Seen]) -> dict[str, float]:
    """A turn that a killed worker had was claimed in time before; its second start is counted apart."""
    starts = [turn.started_at for turn in seen]
    late = [turn.late_s for turn in seen if not turn.is_taken_over]
    again = [turn.late_s for turn in seen if turn.is_taken_over]
    with all_workspaces_scope("count what was written"):
        written = Counter(Notification.objects.filter(kind="proof").values_list("path", flat=True))
    return {
        "expected": len(expected),
        "started": len(seen),
        "lost": len(expected - {turn.task_id for turn in seen}),
        "doubled": sum(written.values()) - len(written) + len(seen) - len({turn.task_id for turn in seen}),
        "unwritten": len(seen) - len(written),
        "real_peak_per_s": busiest(starts),
        "late_p50_s": statistics.median(late),
        "late_p99_s": statistics.quantiles(late, n=100, method="inclusive")[98],
        "late_max_s": max(late),
        "taken_over": len(again),
        "taken_over_max_s": max(again, default=0.0),
    }


def timeline(seen: Sequence[Seen]) -> list[str]:
    """Of each ten seconds: how many started, and the latest of them."""
    parts: dict[int, list[float]] = {}
    for turn in seen:
        parts.setdefault(int((turn.started_at - seen[0].started_at).total_seconds() // 10), []).append(turn.late_s)
    return [f"{part * 10:>5} s  {len(late):>4} started, at most {max(late):.1f} s late" for part, late in parts.items()]


def busiest(starts: Sequence[datetime]) -> int:
    """Of all stretches of one second, wherever they begin; the starts in rising order."""
    most, first = 0, 0
    for last, start in enumerate(starts):
        while start - starts[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most
