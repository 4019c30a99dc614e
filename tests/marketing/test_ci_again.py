"""The second try of what failed, with a program in place of pytest that says how that went."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

AGAIN = Path(__file__).parents[2] / ".ci" / "again"
ONE = "tests/test_a.py::test_b[x y]"
Again = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def again(tmp_path: Path) -> Again:
    def run(failed: list[str], *, exited: int = 1, then: int = 0, left: list[str] | None = None):
        cache = tmp_path / ".pytest_cache" / "v"
        (cache / "cache").mkdir(parents=True)
        (cache / "run").mkdir()
        (cache / "cache" / "lastfailed").write_text(json.dumps(dict.fromkeys(failed, True)))
        (cache / "run" / "exit").write_text(str(exited))
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        after = json.dumps(dict.fromkeys(left or [], True))
        lines = ["#!/bin/sh", "echo asked: $*", f"echo '{after}' > .pytest_cache/v/cache/lastfailed", f"exit {then}"]
        python.write_text("\n".join(lines))
        python.chmod(0o755)
        return subprocess.run([sys.executable, AGAIN], cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_what_passes_then_is_named_and_the_run_is_green(again: Again) -> None:
    done = again([ONE, "tests/test_a.py::test_c"])
    assert done.returncode == 0
    assert "asked: -m pytest --last-failed" in done.stdout
    for name in (ONE, "tests/test_a.py::test_c"):
        assert f"unstable: passed at the second try: {name}\n" in done.stdout


@pytest.mark.parametrize(
    "second", [{"then": 1, "left": [ONE]}, {"then": 1}, {"then": 0, "left": [ONE]}], ids=["fails", "ends", "not found"]
)
def test_what_does_not_pass_then_stays_red(again: Again, second: dict[str, object]) -> None:
    done = again([ONE], **second)
    assert done.returncode == 1
    assert "unstable" not in done.stdout


@pytest.mark.parametrize(
    ("failed", "exited", "why"),
    [
        ([f"tests/test_a.py::test_{number}" for number in range(6)], 1, "6 tests failed"),
        ([], 1, "0 tests failed"),
        ([ONE], 3, "not every test ran"),
        ([ONE], 2, "not every test ran"),
        (["tests/test_a.py"], 1, "files that cannot be loaded"),
    ],
)
def test_no_second_try(again: Again, failed: list[str], exited: int, why: str) -> None:
    done = again(failed, exited=exited)
    assert done.returncode == 1
    assert why in done.stdout
    assert "asked" not in done.stdout


def test_without_a_first_run_there_is_no_second(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, AGAIN], cwd=tmp_path, check=False).returncode == 1
