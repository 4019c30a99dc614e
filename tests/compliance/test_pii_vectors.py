"""Against rows that others wrote: recall and precision for China, accuracy for what we claim elsewhere."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from compliance.pii import DECLARED, find

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "agents" / "pii"
ABROAD, CHINA = VECTORS / "presidio_recognizers.jsonl", VECTORS / "cn_pii.jsonl"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the rows are not beside the project")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def outcome(row: dict[str, Any], types: list[str] | None) -> Counter[str]:
    """How many values were found, made up and missed."""
    got = {(found.start, found.end) for found in find(row["text"], types)}
    wanted = {tuple(span) for span in row["spans"]}
    return Counter(tp=len(got & wanted), fp=len(got - wanted), fn=len(wanted - got))


def table(counts: dict[str, Counter[str]]) -> str:
    lines = [f"{name:28} {count['tp']:4} {count['fp']:4} {count['fn']:4}" for name, count in sorted(counts.items())]
    return "\n".join([f"{'type':28} {'tp':>4} {'fp':>4} {'fn':>4}", *lines])


@pytest.mark.parametrize("asked", ["own", "all", "none"])
def test_chinese_values_are_found_and_hard_negatives_left_alone(asked: str) -> None:
    cases = rows(CHINA)
    every = sorted({row["entity"] for row in cases} - {"ANY"})
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in cases:
        own = every if row["entity"] == "ANY" else [row["entity"]]
        counts[row["entity"]] += outcome(row, {"own": own, "all": every, "none": None}[asked])
    total = sum(counts.values(), Counter())

    assert total["tp"] / (total["tp"] + total["fn"]) >= 0.97, table(counts)
    assert total["tp"] / (total["tp"] + total["fp"]) >= 0.98, table(counts)


def test_claimed_types_agree_with_presidio_on_95_rows_of_a_hundred() -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows(ABROAD):
        if row["entity"] in DECLARED:
            got = len(find(row["text"], [row["entity"]]))
            name = "tp" if got == row["count"] else "fp" if got > row["count"] else "fn"
            counts[row["entity"]][name] += 1
    total = sum(counts.values(), Counter())

    assert total.total() >= 770
    assert total["tp"] / total.total() >= 0.95, table(counts)
    poor = {name for name, count in counts.items() if count["tp"] < 0.8 * count.total()}
    # Presidio takes any letter in front of a number for one of Singapore's.
    assert poor <= {"SG_NRIC_FIN"}, table(counts)


def test_places_agree_with_presidio_where_it_gives_them() -> None:
    wrong = [
        row["id"]
        for row in rows(ABROAD)
        if row["entity"] in DECLARED and row["spans"] and outcome(row, [row["entity"]])["tp"] < row["count"]
    ]

    assert len(wrong) <= 8
