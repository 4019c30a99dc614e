"""A few seconds of `manage.py load` against the server as the image starts it."""

import json
import time
from io import StringIO
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from accounts.scope import all_workspaces_scope
from campaigns.models import Post
from marketing.benching import load
from marketing.benching.load import Account, Addresses, Ledger, Person, percentiles, prepare, run_load
from marketing.benching.programs import server
from marketing.management.commands.load import Command
from marketing.stack import INSIDE


def person(to: str, ledger: Ledger) -> Person:
    return Person(Account("nobody@example.org", "nowhere"), Addresses(to), ledger, time.monotonic(), 1)


@pytest.mark.parametrize(
    ("times", "p50", "p95"), [([], 0, 0), ([7.0], 7, 7), ([1.0, 3.0], 2, 2.9), ([float(n) for n in range(101)], 50, 95)]
)
def test_percentiles(times: list[float], p50: float, p95: float) -> None:
    assert percentiles(times) == {"p50_ms": p50, "p95_ms": p95}


def test_the_ledger_counts_by_kind_and_keeps_the_first_problems(monkeypatch) -> None:
    monkeypatch.setattr(load, "MAX_PROBLEMS", 2)
    ledger = Ledger()
    for number in range(4):
        ledger.note("page", 10.0, "" if number == 0 else f"broke {number}")
    ledger.note("api", 30.0)
    found = ledger.summary(2.0)
    assert (found["requests"], found["errors"], found["requests_per_s"]) == (5, 3, 2.5)
    assert {kind: of["requests"] for kind, of in found["by_kind"].items()} == {"api": 1, "page": 4}
    assert found["problems"] == ["page: broke 1", "page: broke 2"]


def test_a_server_that_is_not_there_is_a_problem() -> None:
    ledger = Ledger()
    assert person("http://127.0.0.1:1", ledger).send("page", "GET", "http://127.0.0.1:1/") is None
    assert ledger.problems == ["page: ConnectionError"]


@pytest.mark.django_db
def test_teams_come_with_rows_and_one_mcp_server_each(monkeypatch) -> None:
    monkeypatch.setattr(load, "TEAM", 2)
    first, second, third = prepare(3, rows=2)
    assert first.slug == second.slug != third.slug
    assert [bool(account.mcp_token) for account in (first, second, third)] == [True, False, True]
    with all_workspaces_scope("test"):
        assert Post.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_people_use_the_server_of_the_image_without_an_error(child_env, settings, monkeypatch, tmp_path: Path) -> None:
    # The server is a process of its own and does not know the quick one of the tests.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    monkeypatch.setattr(load, "THINKS_S", (0.0, 0.2))
    monkeypatch.setenv("DATABASE_URL", child_env["DATABASE_URL"])
    # As in an own stack: where the servers listen is heard all the same.
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    accounts = prepare(3, rows=3)
    with server("web", tmp_path / "web.log", {"WEB_CONCURRENCY": "1", "APP_DATA": str(tmp_path)}) as web:
        assert [requests.get(web + path, timeout=30).text for path in ("/livez", "/readyz")] == ["ok\n", "ok\n"]
        found = run_load(accounts, Addresses(web), 4.0)
        ledger = Ledger()
        assert person(web, ledger).send("page", "GET", f"{web}/nowhere") is None
    assert found["problems"] == []
    assert found["by_kind"]["log in"]["requests"] >= 2
    assert found["requests"] > found["by_kind"]["log in"]["requests"]
    assert ledger.problems[0].startswith(f"page: 404 GET {web}/nowhere")


@pytest.mark.parametrize("words", [{"users": 0, "minutes": 1.0}, {"users": 1, "minutes": 0.0}])
def test_nobody_and_no_time_are_refused(words: dict) -> None:
    with pytest.raises(CommandError, match="At least one user"):
        call_command("load", **words)


@pytest.mark.parametrize(("errors", "code"), [(0, 0), (2, 1)])
def test_the_command_ends_with_1_at_any_error(monkeypatch, settings, tmp_path, errors: int, code: int) -> None:
    settings.APP_DATA = tmp_path
    (tmp_path / "web.log").write_text("ZeroDivisionError")
    monkeypatch.setenv(INSIDE, "http://127.0.0.1:1")
    summary = {"errors": errors, "by_kind": {"page": {"requests": 3, "p50_ms": 1.0, "p95_ms": 2.0}}}
    monkeypatch.setattr(Command, "_run", lambda _self, _users, _seconds: summary)
    out, wrong = StringIO(), StringIO()
    try:
        call_command("load", stdout=out, stderr=wrong)
        ended = 0
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == code
    assert json.loads(out.getvalue().splitlines()[-1]) == summary
    assert ("ZeroDivisionError" in wrong.getvalue()) == bool(errors)
