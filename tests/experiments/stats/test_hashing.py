import json
from pathlib import Path

import pytest

from experiments.stats.hashing import (
    NO_VARIATION,
    assign,
    bucket_of,
    bucket_ranges,
    choose_variation,
    equal_weights,
    fnv1a32,
    gb_hash,
    in_namespace,
)

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "experiments" / "hashing_growthbook.json"
# Who takes part by conditions, force or mode is decided before hashing.
TARGETING = {"Force variation from context", "Skips experiments in QA mode", "Prerequisite condition fails"}


@pytest.fixture(scope="module")
def vectors():
    if not VECTORS.exists():
        pytest.skip("the vectors of GrowthBook's SDK are not here")
    return {name.split(" ")[0]: rows for name, rows in json.loads(VECTORS.read_text()).items()}


def test_hashes_are_those_of_the_sdk(vectors):
    assert [gb_hash(*row[:3]) for row in vectors["hash"]] == [row[3] for row in vectors["hash"]]


def test_ranges_are_those_of_the_sdk(vectors):
    for name, question, expected in vectors["getBucketRange"]:
        found = bucket_ranges(*question)
        assert len(found) == len(expected), name
        assert [pytest.approx(row) for row in expected] == found, name


def test_variations_are_those_of_the_sdk(vectors):
    for name, number, ranges, expected in vectors["chooseVariation"]:
        assert choose_variation(number, ranges) == expected, name


def test_namespaces_are_those_of_the_sdk(vectors):
    for name, unit, namespace, expected in vectors["inNamespace"]:
        assert in_namespace(unit, namespace) == expected, name


def test_equal_weights_are_those_of_the_sdk(vectors):
    for count, expected in vectors["getEqualWeights"]:
        assert equal_weights(count) == pytest.approx(expected, abs=1e-8)


def test_experiments_run_as_in_the_sdk(vectors):
    rows = [row for row in vectors["run"] if row["name"] not in TARGETING]
    assert len(rows) >= 30
    for row in rows:
        found = assign(row["experiment"], row["context"]["attributes"])
        assert (found != NO_VARIATION) == row["in_experiment"], row["name"]
        assert row["experiment"]["variations"][max(found, 0)] == row["value"], row["name"]


@pytest.mark.parametrize(("text", "expected"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_fnv_gives_the_published_values(text, expected):
    assert fnv1a32(text) == expected


def test_characters_beyond_ascii_are_hashed_by_utf_16_units():
    assert fnv1a32("é") == (0x811C9DC5 ^ 0xE9) * 0x01000193 % 2**32
    high = (0x811C9DC5 ^ 0xD83D) * 0x01000193 % 2**32
    assert fnv1a32("😀") == (high ^ 0xDE00) * 0x01000193 % 2**32
    assert fnv1a32("\ud83d") == high


def test_an_unknown_version_gives_no_bucket():
    assert gb_hash("s", "u", 3) is None
    assert bucket_of("s", "u", 3, [(0, 1)]) == NO_VARIATION


def test_more_coverage_moves_no_unit():
    units = [str(number) for number in range(500)]
    before = {}
    for coverage in (0.1, 0.4, 0.8, 1.0):
        experiment = {"key": "k", "variations": ["a", "b", "c"], "coverage": coverage, "hashVersion": 2}
        after = {unit: found for unit in units if (found := assign(experiment, {"id": unit})) != NO_VARIATION}
        assert {unit: after.get(unit) for unit in before} == before
        before = after
    assert len(before) == len(units)


def test_two_shares_of_a_namespace_exclude_each_other():
    units = [str(number) for number in range(1000)]
    shares = [{unit for unit in units if in_namespace(unit, ("n", *ends))} for ends in ((0, 0.4), (0.4, 1))]
    assert not shares[0] & shares[1]
    assert shares[0] | shares[1] == set(units)


@pytest.mark.parametrize(
    ("change", "attributes"),
    [
        ({}, {}),
        ({}, {"id": ""}),
        ({"variations": ["only"]}, {"id": "1"}),
        ({"active": False}, {"id": "1"}),
        ({"hashAttribute": "company"}, {"id": "1"}),
        ({"coverage": 0}, {"id": "1"}),
        ({"filters": [{"seed": "s", "attribute": "company", "ranges": [[0, 1]]}]}, {"id": "1"}),
        ({"filters": [{"seed": "s", "ranges": []}]}, {"id": "1"}),
        ({"namespace": ["n", 0, 0]}, {"id": "1"}),
    ],
)
def test_a_unit_that_takes_no_part_gets_no_variation(change, attributes):
    assert assign({"key": "k", "variations": ["a", "b"]} | change, attributes) == NO_VARIATION
