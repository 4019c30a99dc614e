import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketing.embedded import scratch_folder
from marketing.pytest_services import STACKS, WHOLE, scope_of, turn_of, use_own_redis_database

ROOT = Path(__file__).parents[2]
PROBE = """
import json, os, pathlib, pytest, time

@pytest.mark.parametrize("number", range(2))
def test_note_the_addresses(number):
    time.sleep(0.2)
    found = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    (pathlib.Path(__file__).parent / f"seen-{pathlib.Path(__file__).stem}-{number}.json").write_text(json.dumps(found))
"""


def run_pytest(folder: Path, *options: str, **environ: str) -> list[dict[str, str]]:
    # Two files: a worker takes whole ones.
    for name in ("one", "two"):
        (folder / f"test_{name}.py").write_text(PROBE)
    unset = {"DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"}
    given = {name: value for name, value in os.environ.items() if name not in unset}
    plugins = ["-p", "marketing.pytest_services", "-p", "no:django", "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", folder, *plugins, *options, folder],
        env={**given, "PYTHONPATH": str(ROOT), **environ},
        check=True,
        capture_output=True,
    )
    return [json.loads(file.read_text()) for file in folder.glob("seen-*.json")]


def test_run_gets_services_that_are_gone_afterwards(tmp_path: Path) -> None:
    (found,) = {tuple(seen.values()) for seen in run_pytest(tmp_path)}
    folder = Path(found[0].partition("host=")[2]).parent
    assert folder.parent == scratch_folder()
    assert not folder.exists()


def test_parallel_workers_share_the_services_but_not_the_redis_database(tmp_path: Path) -> None:
    seen = run_pytest(tmp_path, "-n", "2")
    assert len({addresses["DATABASE_URL"] for addresses in seen}) == 1
    assert {addresses["REDIS_URL"][-5:] for addresses in seen} == {"?db=1", "?db=2"}


def test_given_services_are_used(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgres://app@db.internal/marketing", "REDIS_URL": "redis://cache.internal/3"}
    assert run_pytest(tmp_path, **given) == [given] * 4


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ("unix:///run/valkey.sock?db=0", "unix:///run/valkey.sock?db=4"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/4"),
        ("redis://:secret@cache:6379/12?ssl=1", "redis://:secret@cache:6379/4?ssl=1"),
    ],
)
def test_worker_changes_only_the_database_number(monkeypatch: pytest.MonkeyPatch, given: str, own: str) -> None:
    monkeypatch.setenv("REDIS_URL", given)
    use_own_redis_database("gw3")
    assert os.environ["REDIS_URL"] == own


def test_a_file_stays_together_and_what_shares_a_stack_does_as_well() -> None:
    assert all((ROOT / file).is_file() for file in STACKS)
    assert len({scope_of(f"{file}::test_{n}") for file in STACKS for n in range(3)}) == len(set(STACKS.values()))
    assert scope_of("tests/lib/test_money.py::test_a") == scope_of("tests/lib/test_money.py::test_b[x]")
    assert scope_of("tests/lib/test_money.py::test_a") != scope_of("tests/lib/test_text.py::test_a")


def test_what_takes_long_begins_early() -> None:
    files = [
        "tests/social/test_api.py",
        "tests/browser/test_guard.py",
        "tests/marketing/test_storm.py",
        "tests/test_pains.py",
    ]
    assert sorted(files, key=lambda file: turn_of(f"{file}::test_a")) == [files[2], files[1], files[3], files[0]]


def test_what_needs_more_than_a_database_is_told_by_its_path() -> None:
    assert all(WHOLE.search(file) for file in STACKS)
    assert WHOLE.search("tests/campaigns/engine/test_crash.py")
    assert not WHOLE.search("tests/lib/test_money.py")
