"""A11: each of the eleven rules that refuse a conclusion is tested, and its tests pass."""

import re
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
    # One -v makes up for the -q of the project's settings, so that the counts are printed.
    command = [sys.executable, "-m", "pytest", "-v", "--no-header", "-p", "no:cacheprovider", *map(str, files)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    passed = re.search(r"(\d+) passed", found.stdout)
    return [
        at_least("tests of refusals that pass", int(passed.group(1)) if passed else 0, RULES),
        at_most("tests of refusals, exit code", found.returncode, 0),
    ]
