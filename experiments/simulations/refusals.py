"""A11: each of the eleven rules that refuse a conclusion is tested, and its tests pass."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from experiments.simulations.measures import Measure, at_least, at_most

ROOT = Path(__file__).parents[2]
RULES = 11


def tested() -> list[Measure]:
    """Runs the tests of the services' refusals; nothing where that module or its tests are not installed."""
    files = sorted((ROOT / "tests" / "experiments").glob("**/test_*refusal*.py"))
    if find_spec("experiments.refusals") is None or not files:
        return []
    names = _pytest("--collect-only", *map(str, files)).stdout.count("::")
    failed = _pytest("-x", *map(str, files)).returncode
    return [at_least("tests of refusals", names, RULES), at_most("tests of refusals that fail", float(failed), 0)]


def _pytest(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
