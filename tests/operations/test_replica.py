"""Reading from a real streaming replica of the test's own server."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import MethodType
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from marketing import replica
from marketing.backups.programs import program
from marketing.embedded import scratch_folder
from marketing.monitoring import watched
from marketing.placement import make_private, postgres_account
from marketing.processes import spawn, stop_all
from marketing.replica import ALIAS, SEEN, VIEWS, ReplicaRouter, lag_s, reading_from_replica
from social.models import Connection
from tests.campaigns.cast import add_connection
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


class Copy:
    """A standby in a folder of its own, which follows the server of DATABASE_URL."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.account = folder, postgres_account()
        (self.primary,) = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"]
        command = [program("pg_basebackup"), "-h", self.primary, "-U", "postgres", "-D", str(folder / "data"), "-R"]
        identity = {} if self.account is None else {"user": self.account.uid, "group": self.account.gid}
        subprocess.run([*command, "--checkpoint=fast", "--no-sync"], check=True, cwd=folder, **identity)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "max_connections": "200",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as output:
            self.process = spawn(
                [program("postgres"), "-D", folder / "data", *words], output=output, account=self.account
            )

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def answers(self) -> bool:
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="module")
def copy() -> Iterator[Copy]:
    if "host=" not in os.environ["DATABASE_URL"]:
        pytest.skip("the database is not a server of ours")
    folder = make_private(Path(tempfile.mkdtemp(prefix="replica-", dir=scratch_folder())), postgres_account())
    copy = Copy(folder)
    wait_for(copy.answers, what=(folder / "log").read_text)
    yield copy
    stop_all([copy.process])
    shutil.rmtree(folder)


@pytest.fixture
def following(copy: Copy, settings, monkeypatch) -> Iterator[Copy]:
    """The product as if REPLICA_URL had named it."""
    settings.REPLICA_URL, settings.REPLICA_LAG_S = "set", 60
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "marketing.replica.ReplicaMiddleware"]
    monkeypatch.setitem(
        connections.databases, ALIAS, {**connections["default"].settings_dict, "HOST": str(copy.folder)}
    )
    # Django's guard of tests knows only what was there when the test began.
    connections[ALIAS].ensure_connection = MethodType(connect, connections[ALIAS])
    monkeypatch.setitem(router.__dict__, "routers", [ReplicaRouter()])
    forget()
    yield copy
    connections[ALIAS].close()
    del connections[ALIAS]
    forget()


def connect(wrapper: BaseDatabaseWrapper) -> None:
    """As Django does it without its guard."""
    if wrapper.connection is None:
        with wrapper.wrap_database_errors:
            wrapper.connect()


def forget() -> None:
    SEEN.until = 0.0


def test_same_rows_are_seen_under_the_same_scope(following, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        add_connection(workspace, "ours")
    with workspace_scope(other_workspace.pk):
        add_connection(other_workspace, "theirs")

    def seen() -> list[str]:
        return [row.handle for row in Connection.objects.order_by("handle")]

    def seen_inside(scope) -> list[str]:
        with reading_from_replica() as is_reading, scope:
            assert is_reading
            assert Connection.objects.db == ALIAS
            return seen()

    wait_for(lambda: seen_inside(all_workspaces_scope("test")) == ["ours", "theirs"])
    assert seen_inside(workspace_scope(workspace.pk)) == ["ours"]
    with reading_from_replica():
        assert seen() == []
        with workspace_scope(workspace.pk):
            with workspace_scope(other_workspace.pk):
                assert seen() == ["theirs"]
            assert seen() == ["ours"]
        assert seen() == []
    assert Connection.objects.db == "default"


def test_writes_go_to_the_first_database_and_rows_from_the_copy_too(following, workspace):
    wait_for(lambda: found_there(workspace))
    with reading_from_replica():
        row = Workspace.objects.get(pk=workspace.pk)
        row.name = "Renamed"
        row.save(update_fields=["name"])
    assert Workspace.objects.get(pk=workspace.pk).name == "Renamed"


def found_there(workspace: Workspace) -> bool:
    with reading_from_replica():
        return Workspace.objects.filter(pk=workspace.pk).exists()


def test_pages_that_only_read_ask_it(following, alice_client, workspace, monkeypatch):
    wait_for(lambda: found_there(workspace))
    for path, is_asked in ((f"/w/{workspace.slug}/results", True), (f"/w/{workspace.slug}/links", False)):
        with recorded(ALIAS) as statements:
            assert alice_client.get(path).status_code == 200
        assert bool(statements) == is_asked, path


class recorded:
    """The statements of one connection."""

    def __init__(self, alias: str) -> None:
        self.connection, self.statements = connections[alias], []

    def __enter__(self) -> list[str]:
        self.wrapper = self.connection.execute_wrapper(self.note)
        self.wrapper.__enter__()
        return self.statements

    def note(self, execute, sql, params, many, context):
        if "pg_is_in_recovery" not in sql:
            self.statements.append(sql)
        return execute(sql, params, many, context)

    def __exit__(self, *error: object) -> None:
        self.wrapper.__exit__(*error)


def test_one_that_is_behind_or_away_is_left_alone(following, alice_client, workspace, settings):
    wait_for(lambda: found_there(workspace))
    with following.admin() as admin:
        admin.execute("SELECT pg_wal_replay_pause()")
        with workspace_scope(workspace.pk):
            add_connection(workspace)
        settings.REPLICA_LAG_S = 0
        wait_for(lambda: forget() or lag_s() > 0)
        with reading_from_replica() as is_reading:
            assert not is_reading
        admin.execute("SELECT pg_wal_replay_resume()")
    wait_for(lambda: forget() or lag_s() == 0)
    settings.REPLICA_LAG_S = 60
    # It went away between two looks: the page asks the first database instead.
    lag_s()
    connections[ALIAS].close()
    connections[ALIAS].settings_dict["HOST"] = "/nowhere"
    assert alice_client.get(f"/w/{workspace.slug}/results").status_code == 200
    assert lag_s() == float("inf")
    assert watched.measure()["replica_lag_s"] == watched.FOR_EVER_S


def test_without_one_nothing_is_measured(settings):
    settings.REPLICA_URL = ""
    assert lag_s() is None
    with reading_from_replica() as is_reading:
        assert not is_reading


def names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from names(one.url_patterns, f"{prefix}{one.namespace}:" if one.namespace else prefix)
        elif one.name:
            yield f"{prefix}{one.name}"


def test_every_named_page_exists():
    # The search's page comes with its app.
    assert replica.VIEWS - set(names(get_resolver().url_patterns)) <= {"integrations:search"}
    assert len(VIEWS) > 10
