"""What several tests share: the vectors beside the project, how many random inputs to try, how near is near."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "experiments"
needs_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason="the vectors of other systems are not beside the project"
)
# FULL_PROOFS=1 tries 500 random inputs of each kind.
FULL = os.environ.get("FULL_PROOFS") == "1"


def trials(few: int) -> int:
    return 500 if FULL else few


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def contract(*commands: str) -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    rows = [json.loads(line) for line in (VECTORS / "lab_contract.jsonl").read_text().splitlines()]
    return [row for row in rows if not commands or row["cmd"] in commands]


def read(value: Any) -> Any:
    """A number of the vectors, where infinity is a word."""
    if isinstance(value, list):
        return [read(each) for each in value]
    return math.inf if value == "inf" else value


def near(value: Any, relative: float = 1e-6, absolute: float = 1e-12) -> Any:
    if value is None:
        return None
    return pytest.approx(read(value), rel=relative, abs=absolute)
