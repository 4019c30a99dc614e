"""The measurement of runs at a tiny size: that it measures what it says."""

import psycopg
import pytest

from accounts.scope import all_workspaces_scope
from agents.models import Run
from agents.workflows.registry import WORKFLOWS
from marketing.benching import runs
from marketing.storming.crowd import Crowd
from tests.sandbox.cast import Sandbox
from tests.social.conftest import sandbox, sandbox_process  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(sandbox: Sandbox, monkeypatch) -> Crowd:  # noqa: F811
    monkeypatch.setattr(runs, "RUNS", 3)
    monkeypatch.setattr(runs, "WARM_UP", 1)
    monkeypatch.setattr(runs, "PACKAGES", ("there-is-no-such-package==0",))
    monkeypatch.setattr(runs, "_environment", not_here)
    yield Crowd(sandbox.url, 1)
    WORKFLOWS.pop("bench", None)


def not_here():
    raise OSError("no index can be reached")


def test_a_run_is_measured_against_bare_updates(world, capsys):
    found = runs.runs_ratio(world)
    ratio = found["run_three_steps_engine_ms"] / found["run_three_steps_bare_sql_ms"]
    assert found["run_engine_to_bare_sql"] == pytest.approx(ratio)
    assert found["queries_per_run"] < 130
    assert "Without LangGraph: no index can be reached." in capsys.readouterr().err
    with all_workspaces_scope("test"):
        assert set(Run.objects.values_list("status", "step_count", "output")) == {(Run.Status.SUCCEEDED, 3, 2)}
        assert Run.objects.count() == 5


def test_the_bare_updates_are_durable_and_guarded_and_leave_no_table(world):
    with psycopg.connect(runs._dsn(), autocommit=True) as opened:
        kind = "SELECT relpersistence FROM pg_class WHERE relname = 'bench_run'"
        with runs.bare_runs() as run:
            run()
            assert opened.execute("SELECT version FROM bench_run").fetchall() == [(6,)]
            assert opened.execute(kind).fetchone() == ("p",)
        assert opened.execute(kind).fetchone() is None
