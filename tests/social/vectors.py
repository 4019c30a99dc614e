from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "twitter-text"


def rows(name: str, section: str) -> list[Any]:
    """The rows of X's own conformance suite, or one skipped test where it is not at hand."""
    path = FOLDER / f"{name}.yml"
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="X's conformance suite is not at hand"))]
    suite = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [pytest.param(row, id=row["description"]) for row in suite["tests"][section]]
