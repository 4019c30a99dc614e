"""100,000 people in 20,000 workspaces, each with a daily task at nine in one of four zones, a statement per table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from accounts.models import Membership, Role, User, Workspace
from accounts.scope import all_workspaces_scope
from agents.models import PeriodicTask
from agents.periodic.times import next_time, slot
from lib.clock import now
from marketing.benching.fill import copy_rows, id_of
from marketing.proving.app import NAME
from marketing.proving.limits import WINDOW_S

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Los_Angeles")
PER_WORKSPACE = 5
NINE = "0 9 * * *"


@dataclass(frozen=True)
class Crowd:
    """`slots` by zone: the second of its window at which each task starts, by the task's id."""

    people: int
    slots: dict[str, dict[UUID, timedelta]]


def fill(people: int) -> Crowd:
    at = now()
    workspaces = -(-people // PER_WORKSPACE)
    sizes = {"each": PER_WORKSPACE}
    of_person = id_of("n / %(each)s")
    copy_rows(Workspace(name="Proof"), workspaces, sizes, slug="'proof-' || n")
    copy_rows(User(email=""), people, sizes, email="'proof-' || n || '@example.org'")
    copy_rows(Membership(role=Role.EDITOR), people, sizes, id="n + 1", workspace_id=of_person, user_id=id_of("n"))
    task = PeriodicTask(kind=NAME, name="Daily", mode="cron", spec=NINE, window_s=WINDOW_S, time_zone=ZONES[0])
    zone = f"(ARRAY{list(ZONES)})[n / %(each)s %% {len(ZONES)} + 1]"
    copy_rows(task, people, sizes, workspace_id=of_person, user_id=id_of("n"), time_zone=zone)
    return Crowd(people, _plan(at))


def _plan(at: datetime) -> dict[str, dict[UUID, timedelta]]:
    """The first nine o'clock of each, as a service would have planned it."""
    slots: dict[str, dict[UUID, timedelta]] = {zone: {} for zone in ZONES}
    with all_workspaces_scope("fill for a proof"):
        for pk, user_id, zone in PeriodicTask.objects.values_list("pk", "user_id", "time_zone").order_by():
            slots[zone][pk] = slot(user_id, pk, WINDOW_S)
        for zone, found in slots.items():
            wanted = next_time(PeriodicTask(mode="cron", spec=NINE, time_zone=zone), at)
            with connection.cursor() as cursor:
                cursor.execute(PLAN, [wanted, wanted, list(found), list(found.values())])
    with connection.cursor() as cursor:
        for model in (Workspace, User, Membership, PeriodicTask):
            cursor.execute(f"ANALYZE {model._meta.db_table}")
    return slots


PLAN = """
UPDATE agents_periodictask t SET wanted_at = %s, due_at = %s::timestamptz + planned.slot
FROM unnest(%s::uuid[], %s::interval[]) AS planned (id, slot) WHERE planned.id = t.id
"""


def move_nine(zone: str, moment: datetime) -> datetime:
    """Let nine o'clock of that zone be then; every task keeps its second. The real nine follows a day later."""
    with all_workspaces_scope("move the clock of a proof"), connection.cursor() as cursor:
        cursor.execute(MOVE, {"zone": zone, "moment": moment})
    return moment


MOVE = """
UPDATE agents_periodictask SET due_at = %(moment)s + (due_at - wanted_at), wanted_at = %(moment)s
WHERE time_zone = %(zone)s
"""
