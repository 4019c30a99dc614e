import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from marketing.database_state import has_pending_migrations
from marketing.placement import local_urls, service_home
from marketing.supervisor import PATIENCE_S
from tests.up_stack import CHOSEN_BY_UP, ROOT, START_S, Stack, commands_in_session
from tests.waiting import wait_for

pytestmark = [pytest.mark.up]


@pytest.fixture
def stack(prepared: Stack) -> Stack:
    return prepared.started()


def refused(data: Path, **environ: str) -> str:
    second = Stack(data, environ)
    second.start()
    assert second.process is not None
    assert second.process.wait(START_S) == 1
    wait_for(lambda: "Error" in second.output)
    return second.output


def database(stack: Stack) -> str:
    return local_urls(stack.data)["DATABASE_URL"]


def test_every_part_is_alive(stack: Stack) -> None:
    answer = stack.wait_well()
    assert {name: part["ok"] for name, part in answer["parts"].items()} == {
        "web": True,
        "database": True,
        "cache": True,
        "worker": True,
        "scheduler": True,
        "models": True,
    }


def test_sandbox_answers_at_the_printed_address(stack: Stack) -> None:
    address = re.search(r"Sandbox +(http://\S+)", stack.output)[1]
    stack.wait(lambda: requests.get(address, timeout=10).status_code < 500)


def test_mcp_answers_at_the_printed_address_also_after_it_was_killed(stack: Stack) -> None:
    address = re.search(r"MCP +(http://\S+)", stack.output)[1]
    answer = requests.post(address, timeout=START_S)
    assert answer.status_code == 401
    assert address.replace("/mcp", "/.well-known/oauth-protected-resource/mcp") in answer.headers["WWW-Authenticate"]
    # All else there are pages, and no body without a limit.
    page = http.client.HTTPConnection(urlsplit(address).netloc, timeout=START_S)
    page.putrequest("POST", "/livez")
    page.putheader("Content-Length", str(10**12))
    page.endheaders()
    assert page.getresponse().status == 413
    os.kill(stack.child("marketing.asgi_server"), signal.SIGKILL)
    assert requests.post(address, timeout=START_S).status_code == 401


def test_schema_is_complete(stack: Stack) -> None:
    assert not has_pending_migrations(database(stack))


def test_other_commands_use_the_running_database(stack: Stack) -> None:
    given = {name: value for name, value in os.environ.items() if name not in CHOSEN_BY_UP}
    shown = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "accounts"],
        env={**given, "APP_DATA": str(stack.data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[X] 0001_squashed" in shown.stdout


def test_secrets_never_reach_the_output(stack: Stack) -> None:
    values = [line.split("=", 1)[1] for line in (stack.data / "secrets.env").read_text().splitlines()]
    assert not [value for value in values if value in stack.output]


def test_second_copy_in_the_same_folder_is_refused(stack: Stack) -> None:
    assert f"already runs there (process {stack.pid})" in refused(stack.data)


def test_taken_port_is_named(stack: Stack, tmp_path: Path) -> None:
    port = stack.url.rpartition(":")[2]
    assert f"PORT={port}: another program is listening" in refused(tmp_path / "other", PORT=port)


def test_killed_worker_is_started_again(stack: Stack) -> None:
    stack.wait_well()
    killed = stack.child("celery", "worker")
    os.kill(killed, signal.SIGKILL)
    stack.wait(lambda: "worker    stopped unexpectedly (killed by SIGKILL)" in stack.output)
    stack.wait(lambda: re.search(r"celery .*worker", " ".join(stack.leftovers().values())))
    assert stack.child("celery", "worker") != killed


def test_callers_wait_instead_of_being_refused_while_the_web_server_restarts(stack: Stack) -> None:
    os.kill(stack.child("gunicorn"), signal.SIGKILL)
    stack.wait(lambda: "web       stopped unexpectedly" in stack.output)
    assert requests.get(f"{stack.url}/healthz", timeout=START_S).status_code in {200, 503}


def test_killed_database_comes_back_with_its_rows(stack: Stack) -> None:
    with psycopg.connect(database(stack)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivor AS SELECT 1 AS one")
    os.kill(stack.child("postgres", "-D"), signal.SIGKILL)
    stack.wait(lambda: "postgres  stopped unexpectedly" in stack.output)

    def count() -> int:
        try:
            with psycopg.connect(database(stack)) as connection:
                return connection.execute("SELECT count(*) FROM survivor").fetchone()[0]
        except psycopg.OperationalError:
            return 0

    stack.wait(lambda: count() == 1)


def test_killed_supervisor_takes_everything_down_and_the_next_start_waits_for_that_and_keeps_the_data(
    stack: Stack,
) -> None:
    with psycopg.connect(database(stack)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    secrets = (stack.data / "secrets.env").read_text()
    killed = stack.pid
    stack.end(signal.SIGKILL)
    # A start ends nothing of the last run: it waits, and not for long, for a lock that every child of it held.
    stack.start()
    stack.wait_welcome()
    assert not commands_in_session(killed)
    with psycopg.connect(database(stack)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert (stack.data / "secrets.env").read_text() == secrets
    assert stack.wait_well()["status"] == "ok"


def test_signal_stops_everything_and_leaves_nothing_behind(stack: Stack) -> None:
    started = time.monotonic()
    assert stack.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 100
    assert stack.leftovers() == {}
    assert not list((service_home(stack.data) / "run").glob("*.sock"))
    assert not (service_home(stack.data) / "postgres/postmaster.pid").exists()


def test_signal_during_the_start_stops_it(prepared: Stack) -> None:
    if prepared.is_running():
        prepared.end(signal.SIGTERM)
    prepared.start()
    prepared.wait(lambda: "Starting" in prepared.output)
    assert prepared.end(signal.SIGINT) == 0
    assert prepared.leftovers() == {}


def test_second_signal_is_not_patient(stack: Stack) -> None:
    assert stack.process is not None
    os.kill(stack.child("celery", "worker"), signal.SIGSTOP)  # a worker that never answers
    stack.process.send_signal(signal.SIGINT)
    stack.wait(lambda: "Stopping" in stack.output)
    time.sleep(PATIENCE_S)
    started = time.monotonic()
    assert stack.end(signal.SIGINT) == 0
    assert time.monotonic() - started < 60
    assert stack.leftovers() == {}
