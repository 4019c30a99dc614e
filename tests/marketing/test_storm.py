"""A whole storm, as people start it; and the refusals before one."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from marketing import stack
from marketing.management.commands.storm import ENGINE
from marketing.stack import INSIDE, sandbox_inside

ROOT = Path(__file__).resolve().parents[2]
PROMISED = ["deliveries", "published", "unconfirmed", "failed", "lost", "doubled", "kills"]
OURS = {"DATABASE_URL", "REDIS_URL", INSIDE}


@pytest.fixture(scope="module")
def storm() -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "manage.py", "storm", "--deliveries", "12", "--seed", "3", "--timeout", "1000"]
    return subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=1300)


@pytest.fixture(scope="module")
def summary(storm: subprocess.CompletedProcess[str]) -> dict[str, int]:
    last = storm.stdout.splitlines()[-1]
    return json.loads(last)


@pytest.mark.broker
@pytest.mark.storm
def test_storm_ends_well(storm: subprocess.CompletedProcess[str]) -> None:
    assert storm.returncode == 0, storm.stdout + storm.stderr


@pytest.mark.broker
@pytest.mark.storm
def test_last_line_holds_every_promised_number(summary: dict[str, int]) -> None:
    assert [name for name in summary if name in PROMISED] == PROMISED
    assert all(isinstance(summary[name], int) for name in PROMISED)


@pytest.mark.broker
@pytest.mark.storm
def test_nothing_is_lost_or_doubled_or_foreign(summary: dict[str, int]) -> None:
    assert (summary["lost"], summary["doubled"], summary["foreign"]) == (0, 0, 0)


@pytest.mark.broker
@pytest.mark.storm
def test_every_delivery_ends_somewhere(summary: dict[str, int]) -> None:
    assert summary["deliveries"] == 12
    assert summary["published"] + summary["unconfirmed"] + summary["failed"] == 12


@pytest.mark.broker
@pytest.mark.storm
def test_workers_died_in_it_and_most_went_out_all_the_same(summary: dict[str, int]) -> None:
    assert summary["kills"] > 0
    assert summary["published"] > summary["deliveries"] / 2


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.parametrize("command", ["storm", "bench"])
def test_store_that_somebody_else_started_is_never_touched(monkeypatch, command: str, name: str) -> None:
    for variable in OURS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "somewhere://else")
    with pytest.raises(CommandError, match="unset DATABASE_URL and REDIS_URL"):
        call_command(command)


def test_refusal_is_an_exit_code_at_the_terminal() -> None:
    command = [sys.executable, "manage.py", "storm", "--deliveries", "25"]
    environment = {name: value for name, value in os.environ.items() if name != INSIDE}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "starts its own stack" in done.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--deliveries", "0"], "at least 1"),
        (["--deliveries", "-5"], "at least 1"),
        (["--deliveries", "many"], "invalid int value"),
        (["--networks", "x,myspace"], "There is no network 'myspace'"),
        (["--networks", ""], "There is no network ''"),
        (["--seed", "a"], "invalid int value"),
        (["--timeout", "soon"], "invalid float value"),
        (["--wind", "12"], "unrecognized arguments"),
    ],
)
def test_wrong_word_is_refused_before_anything_starts(monkeypatch, words: list[str], why: str) -> None:
    # A stack would be refused too, but in other words.
    monkeypatch.setenv("DATABASE_URL", "somewhere://else")
    with pytest.raises(CommandError, match=why):
        call_command("storm", *words, stdout=StringIO())


def test_stack_is_known_by_the_address_of_its_sandbox(monkeypatch) -> None:
    monkeypatch.delenv(INSIDE, raising=False)
    assert sandbox_inside() == ""
    monkeypatch.setenv(INSIDE, "http://127.0.0.1:1")
    assert sandbox_inside() == "http://127.0.0.1:1"


def test_stack_hands_on_the_exit_code_of_what_ran_inside(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; raise SystemExit(int(os.environ['SEEN']))"]
    assert stack._tend(command, {"SEEN": "5"}, [], tmp_path) == 5


def test_storm_shortens_waits_without_dropping_any() -> None:
    names = ("X_TIMEOUT_S", "LEASE_S", "LATE_ACCEPT_S", "READ_LAG_S", "RETRY_BASE_S")
    assert all(float(ENGINE[name]) > 0 for name in names)
    # A lease that ended inside a call would be taken over while the call still runs.
    assert float(ENGINE["LEASE_S"]) > float(ENGINE["X_TIMEOUT_S"]) + float(ENGINE["LATE_ACCEPT_S"])
