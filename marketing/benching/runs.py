"""A run of three steps with a question in it: our engine, LangGraph with its Postgres saver, and bare guarded UPDATEs.

All on the same server. LangGraph lives in an environment of its own, made on demand; it never fails a benchmark.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from accounts.access import Actor
from accounts.scope import workspace_scope
from agents.models import Interrupt, Run
from agents.runs.flow import Flow
from agents.runs.services import answer_interrupt, start_run
from agents.runs.worker import advance
from agents.workflows.registry import Workflow, register
from marketing.storming.crowd import Crowd

RUNS = 60
WARM_UP = 5
PACKAGES = ("langgraph==1.2.22", "langgraph-checkpoint-postgres==3.2.0", "psycopg[binary]==3.3.4")
INSTALL_S, RUN_S = 180, 120
SCHEMA = "bench_langgraph"


def runs_ratio(world: Crowd) -> dict[str, float]:
    """Milliseconds of one run at the median, from its start to its end, the answer included."""
    author, reviewer = world.team()
    register(Workflow("bench", "Benchmark", _three_steps))
    with bare_runs() as bare_run:
        ours, bare = _medians(lambda: _our_run(author, reviewer), bare_run)
    found = {
        "run_three_steps_engine_ms": ours,
        "run_three_steps_bare_sql_ms": bare,
        "run_engine_to_bare_sql": ours / bare,
        "queries_per_run": float(_count_queries(author, reviewer)),
    }
    for durability, ms in _langgraph().items():
        found |= {f"run_three_steps_langgraph_{durability}_ms": ms, f"run_engine_to_langgraph_{durability}": ours / ms}
    return found


def _medians(*works: Callable[[], None]) -> list[float]:
    """In turn, so that what else the machine does meets all of them."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(RUNS + WARM_UP):
        for work, taken in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            if number >= WARM_UP:
                taken.append((time.perf_counter() - started) * 1000)
    return [statistics.median(taken) for taken in times]


# --- ours -------------------------------------------------------------------------------------------------


def _three_steps(flow: Flow) -> int:
    first = int(flow.step("one", lambda: 1))
    said = flow.approve("two", action="go on", args={"first": first})
    return int(flow.step("three", lambda: 2 if said["answer"] == "approved" else 0))


def _our_run(author: Actor, reviewer: Actor) -> None:
    with workspace_scope(author.workspace.pk):
        run = start_run("bench", {}, by=author)
    advance(run.pk)
    with workspace_scope(author.workspace.pk):
        asked = Interrupt.objects.get(run=run)
    answer_interrupt(asked, "approved", by=reviewer)
    assert advance(run.pk) == Run.Status.SUCCEEDED


def _count_queries(author: Actor, reviewer: Actor) -> int:
    with CaptureQueriesContext(connection) as captured:
        _our_run(author, reviewer)
    return len(captured)


# --- bare -------------------------------------------------------------------------------------------------


@contextmanager
def bare_runs() -> Iterator[Callable[[], None]]:
    """Six guarded UPDATEs, each its own transaction: the least that survives a crash between any two."""
    with psycopg.connect(_dsn(), autocommit=True) as opened:
        # Not temporary: what is not logged costs less and survives nothing.
        opened.execute("DROP TABLE IF EXISTS bench_run")
        opened.execute("CREATE TABLE bench_run (id serial PRIMARY KEY, version int, state text)")
        try:
            yield partial(_bare_run, opened)
        finally:
            opened.execute("DROP TABLE bench_run")


def _bare_run(opened: psycopg.Connection) -> None:
    row = opened.execute("INSERT INTO bench_run (version, state) VALUES (0, '') RETURNING id").fetchone()
    assert row is not None
    for version in range(6):
        done = opened.execute(
            "UPDATE bench_run SET version = version + 1, state = %s WHERE id = %s AND version = %s",
            [str(version), row[0], version],
        )
        assert done.rowcount == 1


def _dsn() -> str:
    found = connection.settings_dict
    words = {name: found[key] for name, key in {"dbname": "NAME", "user": "USER", "host": "HOST"}.items()}
    words |= {"port": found["PORT"], "password": found["PASSWORD"]}
    return psycopg.conninfo.make_conninfo("", **{name: value for name, value in words.items() if value})


# --- LangGraph --------------------------------------------------------------------------------------------


def _langgraph() -> dict[str, float]:
    """Milliseconds by durability; nothing where it cannot be had."""
    try:
        python = _environment()
        with psycopg.connect(_dsn(), autocommit=True) as opened:
            opened.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
            try:
                words = [str(python), "-c", SCRIPT, _dsn(), SCHEMA, str(RUNS)]
                done = subprocess.run(words, check=True, capture_output=True, timeout=RUN_S)  # noqa: S603
            finally:
                opened.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(SCHEMA)))
    except subprocess.CalledProcessError as error:
        return _skip(error.stderr.decode()[-400:] or str(error))
    except (subprocess.SubprocessError, OSError, psycopg.Error) as error:
        return _skip(str(error))
    return {name: float(ms) for name, ms in json.loads(done.stdout).items()}


def _environment() -> Path:
    folder = Path(settings.BASE_DIR) / "var" / "bench-langgraph"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = " ".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    for words in ([sys.executable, "-m", "venv", str(folder)], [str(python), "-m", "pip", "install", "-q", *PACKAGES]):
        subprocess.run(words, check=True, capture_output=True, timeout=INSTALL_S)  # noqa: S603
    stamp.write_text(wanted)
    return python


def _skip(reason: str) -> dict[str, float]:
    sys.stderr.write(f"Without LangGraph: {reason}.\n")
    return {}


SCRIPT = """
import json, statistics, sys, time
from typing import TypedDict
import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from psycopg.rows import dict_row
dsn, schema, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
class State(TypedDict, total=False):
    first: int
    said: str
    last: int
graph = StateGraph(State)
graph.add_node("one", lambda state: {"first": 1})
graph.add_node("two", lambda state: {"said": interrupt({"first": state["first"]})})
graph.add_node("three", lambda state: {"last": 2 if state["said"] == "approved" else 0})
for a, b in ((START, "one"), ("one", "two"), ("two", "three"), ("three", END)):
    graph.add_edge(a, b)
options = f"-csearch_path={schema}"
opened = psycopg.connect(dsn, autocommit=True, prepare_threshold=0, row_factory=dict_row, options=options)
saver = PostgresSaver(opened)
saver.setup()
app = graph.compile(checkpointer=saver)
found = {}
for durability in ("sync", "async"):
    times = []
    for number in range(count + 5):
        config = {"configurable": {"thread_id": f"{durability} {number}"}}
        started = time.perf_counter()
        app.invoke({}, config, durability=durability)
        done = app.invoke(Command(resume="approved"), config, durability=durability)
        assert done["last"] == 2, done
        if number >= 5:
            times.append((time.perf_counter() - started) * 1000)
    found[durability] = statistics.median(times)
print(json.dumps(found))
"""
