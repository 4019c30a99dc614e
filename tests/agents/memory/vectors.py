"""Rows that others wrote, and the measures taken on them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[4] / "shared" / "vectors" / "agents" / "memory"
needs_vectors = pytest.mark.skipif(not FOLDER.exists(), reason="the rows are not beside the project")


def read(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())


def measure(queries: Sequence[dict[str, Any]], search: Callable[[str], list[Any]]) -> dict[str, float]:
    """Recall among the first 5 and 10, the mean reciprocal rank, and how many found nothing."""
    found = [search(query["q"]) for query in queries]
    ranks = [
        ids.index(query["rel"]) if query["rel"] in ids else None for query, ids in zip(queries, found, strict=True)
    ]
    count = len(queries)
    return {
        "r5": sum(rank is not None and rank < 5 for rank in ranks) / count,
        "r10": sum(rank is not None and rank < 10 for rank in ranks) / count,
        "mrr": sum(1 / (rank + 1) for rank in ranks if rank is not None) / count,
        "zero": sum(not ids for ids in found) / count,
    }
