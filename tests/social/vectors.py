from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "twitter-text"


NOT_THERE = "X's conformance suite is not at hand"


def suite(name: str, *sections: str) -> list[dict[str, Any]]:
    """The rows of X's own conformance suite; for many of them in one test, which is skipped where it is missing."""
    path = FOLDER / f"{name}.yml"
    if not path.exists():
        pytest.skip(NOT_THERE)
    read = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [row for section in sections for row in read["tests"][section]]


def rows(name: str, section: str) -> list[Any]:
    """As parameters of a test, or one skipped test."""
    if not (FOLDER / f"{name}.yml").exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=NOT_THERE))]
    return [pytest.param(row, id=row["description"]) for row in suite(name, section)]
