"""People who come by themselves: as many as each post has earned by now on the sandbox's clock."""

import secrets
import sqlite3
import sys
import threading
import traceback
from dataclasses import dataclass, field
from typing import Any

from sandbox import tastes
from sandbox.router import Call
from sandbox.visitors import landings, links, manners, personas
from sandbox.visitors.crowd import Crowd
from sandbox.visitors.links import Source
from sandbox.visitors.report import merge
from sandbox.wire import Response, json_response
from sandbox.world import World

LOOK_SECONDS = 1.0
# A clock that jumps brings its people over several looks.
MAX_AT_ONCE = 300
MAX_BOTS = 20
USUAL = {"bots": 0.1, "repeat": 0.15}
# Long after the last click.
EVER = 10.0**9


@dataclass
class Due:
    source: Source
    bots: int
    numbers: range


@dataclass
class Plan:
    token: str
    seed: int
    crowd: Crowd
    dues: list[Due] = field(default_factory=list)


def start(world: World) -> None:
    threading.Thread(target=_watch, args=(world,), name="visitors", daemon=True).start()


def obey_flag(world: World, *, is_given: bool) -> None:
    """What the command line of the last start switched on ends with it; what an order switched on stays."""
    saved = tastes.read_setting(world.store.db, "visitors")
    if is_given:
        switch_on(world, {}, is_flag=True)
    elif saved and saved["is_flag"]:
        switch_on(world, {}, is_on=False)


def order(call: Call, body: dict[str, Any]) -> Response:
    manners.refuse_unknown(body, ("on", "seed", *manners.MANNERS, *manners.TELLING))
    switch_on(call.world, body, is_on=bool(body.get("on", True)))
    return show(call)


def switch_on(world: World, body: dict[str, Any], *, is_on: bool = True, is_flag: bool = False) -> None:
    wishes = {**USUAL, **{name: value for name, value in body.items() if name != "on"}}
    manners.parse_manners(wishes)
    manners.whole(wishes, "seed", 1, 0, 2**31)
    saved = {"on": is_on, "is_flag": is_flag, "token": secrets.token_hex(4), "wishes": wishes}
    tastes.save_setting(world.store.db, "visitors", saved)


def show(call: Call) -> Response:
    saved = tastes.read_setting(call.db, "visitors") or {"on": False}
    return json_response(200, {"on": saved["on"], **(tastes.read_setting(call.db, "visitors_report") or {})})


def _watch(world: World) -> None:
    while not world.stopping.wait(LOOK_SECONDS):
        try:
            look(world)
        except sqlite3.ProgrammingError:
            # The store was closed: the process is ending.
            return
        except Exception:  # the next look may do better
            traceback.print_exc(file=sys.stderr)


def look(world: World) -> None:
    with world.store.transaction():
        plan = _plan(world)
    if plan is None:
        return
    for due in plan.dues:
        _send(plan, due)
    with world.store.transaction() as db:
        saved = tastes.read_setting(db, "visitors")
        # Another order, or a reset, has come meanwhile: this was another crowd.
        if saved and saved["token"] == plan.token:
            before = tastes.read_setting(db, "visitors_report") or {}
            tastes.save_setting(db, "visitors_report", merge(before, plan.crowd.report.as_json()))


def _plan(world: World) -> Plan | None:
    """Whom to send; noted as sent before they leave, so that nobody comes twice."""
    db, now = world.store.db, world.clock.now()
    saved = tastes.read_setting(db, "visitors")
    if not saved or not saved["on"]:
        return None
    ways = manners.parse_manners(saved["wishes"])
    plan = Plan(saved["token"], saved["wishes"].get("seed", 1), Crowd(world, ways, landings.every(db)))
    room = MAX_AT_ONCE
    for source in links.live_sources(world, {}, ways.hosts):
        due = _due(world, source, now, room, ways.bots)
        if due.bots or due.numbers:
            room -= len(due.numbers)
            plan.dues.append(due)
            db.execute("INSERT OR REPLACE INTO audience_sent VALUES (?,?)", (source.key, due.numbers.stop))
    return plan if plan.dues else None


def _due(world: World, source: Source, now: float, room: int, share_of_bots: float) -> Due:
    row = world.store.db.execute("SELECT people FROM audience_sent WHERE source = ?", (source.key,)).fetchone()
    sent = row["people"] if row else 0
    bots = 0
    if row is None and share_of_bots:
        bots = min(MAX_BOTS, max(1, round(source.clicks_at(world, now + EVER) * share_of_bots)))
    wanted = max(sent, source.clicks_at(world, now))
    return Due(source, bots, range(sent, min(wanted, sent + room)))


def _send(plan: Plan, due: Due) -> None:
    crowd, source, key = plan.crowd, due.source, f"{plan.seed}:{due.source.key}"
    bots = [
        (personas.bot(key, number, source.network), source.urls[number % len(source.urls)])
        for number in range(due.bots)
    ]
    crowd.everybody(lambda pair: crowd.send_bot(*pair), bots)
    visitors = []
    for number in due.numbers:
        person = personas.person(key, number)
        visitors.append(crowd.visitor(person, source.urls[int(person.choice * len(source.urls))], source.network))
    crowd.everybody(crowd.send, visitors)
    crowd.everybody(crowd.send_again, [visitor for visitor in visitors if crowd.returns(visitor)])
