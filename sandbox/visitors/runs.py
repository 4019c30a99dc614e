"""Orders to click: a crowd of a known size, sent at once, and the truth about it afterwards."""

import json
import sqlite3
import sys
import threading
import traceback
from dataclasses import dataclass
from typing import Any

from sandbox.router import Call, NotYet
from sandbox.visitors import landings, links, manners, personas
from sandbox.visitors.crowd import Crowd
from sandbox.visitors.manners import BadOrder, Manners
from sandbox.wire import Refusal, Response, json_response
from sandbox.world import World

CHOICE = ("urls", "account", "post", "chat", "message_id")
FIELDS = (*CHOICE, "visitors", "seed", "wait", *manners.MANNERS, *manners.TELLING)


@dataclass(frozen=True)
class Goal:
    url: str
    network: str


def click(call: Call, body: dict[str, Any]) -> Response:
    """Asked again while the crowd is on its way, outside of any transaction: it visits this process too."""
    if call.is_waiting:
        return _look(call, call.caller)
    manners.refuse_unknown(body, FIELDS)
    ways = manners.parse_manners(body)
    visitors = manners.whole(body, "visitors", 100, 0, manners.MAX_VISITORS)
    seed = manners.whole(body, "seed", 1, 0, 2**31)
    goals = _goals(call.world, body, ways)
    crowd = Crowd(call.world, ways, landings.every(call.db))
    row = call.db.execute("INSERT INTO audience_runs (report) VALUES ('{}')")
    run_id = int(row.lastrowid or 0)
    threading.Thread(target=_work, args=(crowd, run_id, goals, visitors, seed), daemon=True).start()
    if body.get("wait") is False:
        return json_response(202, {"run": run_id, "done": False})
    call.caller = run_id
    raise NotYet


def _goals(world: World, body: dict[str, Any], ways: Manners) -> list[Goal]:
    urls = manners.typed(body, "urls", list, None)
    if urls is not None:
        goals = [Goal(str(url), "") for url in urls]
    else:
        goals = [
            Goal(url, source.network) for source in links.live_sources(world, body, ways.hosts) for url in source.urls
        ]
    if not goals:
        raise BadOrder("there is no link to this machine to follow")
    return goals


def show(call: Call) -> Response:
    wanted = call.request.query.get("run")
    if wanted is not None:
        return _look(call, int(wanted), is_patient=False)
    rows = call.db.execute("SELECT * FROM audience_runs ORDER BY id")
    return json_response(200, {"runs": [_as_json(row) for row in rows]})


def _look(call: Call, run_id: int, *, is_patient: bool = True) -> Response:
    row = call.db.execute("SELECT * FROM audience_runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise Refusal(json_response(404, {"error": f"no run {run_id}"}))
    if is_patient and not row["is_done"]:
        raise NotYet
    return json_response(200, _as_json(row))


def _as_json(row: sqlite3.Row) -> dict[str, Any]:
    return {"run": row["id"], "done": bool(row["is_done"]), **json.loads(row["report"])}


def _work(crowd: Crowd, run_id: int, goals: list[Goal], visitors: int, seed: int) -> None:
    try:
        send(crowd, goals, visitors, seed)
        report = {"seed": seed, **crowd.report.as_json()}
    except Exception as error:  # whoever waits must hear of it
        traceback.print_exc(file=sys.stderr)
        report = {"seed": seed, "error": f"{type(error).__name__}: {error}"}
    try:
        with crowd.world.store.transaction() as db:
            db.execute("UPDATE audience_runs SET report = ?, is_done = 1 WHERE id = ?", (json.dumps(report), run_id))
    except sqlite3.ProgrammingError:
        # The store was closed: the process is ending.
        return
    crowd.world.news.tell()


def send(crowd: Crowd, goals: list[Goal], visitors: int, seed: int) -> None:
    """Bots first, as they are in truth; then people; then those who come again."""
    key = str(seed)
    bots = []
    for number in range(round(visitors * crowd.manners.bots)):
        goal = goals[number % len(goals)]
        bots.append((personas.bot(key, number, goal.network), goal.url))
    crowd.everybody(lambda pair: crowd.send_bot(*pair), bots)
    crowd_of = []
    for number in range(visitors):
        person = personas.person(key, number)
        goal = goals[int(person.choice * len(goals))]
        crowd_of.append(crowd.visitor(person, goal.url, goal.network))
    crowd.everybody(crowd.send, crowd_of)
    crowd.everybody(crowd.send_again, [visitor for visitor in crowd_of if crowd.returns(visitor)])
