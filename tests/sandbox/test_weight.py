import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.x.links import find_links
from sandbox.x.weight import weighted_length

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "twitter-text"
SECTIONS = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")


def vectors(name: str, *sections: str) -> list[dict[str, Any]]:
    path = VECTORS / name
    if not path.exists():
        return []
    loaded = yaml.safe_load(path.read_text())["tests"]
    return [case for section in sections for case in loaded[section]]


@pytest.mark.skipif(not VECTORS.exists(), reason="the conformance files of X are not beside the project")
def test_weights_agree_with_the_conformance_files() -> None:
    cases = vectors("validate.yml", *SECTIONS)
    wrong = [
        case["description"] for case in cases if weighted_length(case["text"]) != case["expected"]["weightedLength"]
    ]
    assert len(cases) >= 24
    assert wrong == []


@pytest.mark.skipif(not VECTORS.exists(), reason="the conformance files of X are not beside the project")
def test_links_agree_with_the_conformance_files() -> None:
    cases = vectors("extract.yml", "urls")
    wrong = [
        case["description"] for case in cases if [link.text for link in find_links(case["text"])] != case["expected"]
    ]
    assert len(cases) >= 91
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("hello", 5),
        ("你好", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("“quoted”", 8),
        ("👍", 2),
        ("👍🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("©", 1),
        ("©️", 2),
        ("see https://example.com/a?b=c#d now", 31),
        ("看https://example.com吧", 27),
        ("example.com", 23),
        ("a@example.com", 13),
        ("v1.2 and so.on", 14),
    ],
)
def test_text_weighs_what_x_says(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_names_at_the_start_of_a_reply_weigh_nothing() -> None:
    assert weighted_length("@alice @bob hi", is_reply=True) == 2
    assert weighted_length("@alice @bob hi") == 14


@pytest.mark.parametrize(
    "text", ["http://a_b.com", "http://example.notatld", "http://xn--あ.com", "http://" + "a" * 64 + ".com"]
)
def test_what_is_no_host_is_no_link(text: str) -> None:
    assert find_links(text) == []


def test_a_link_knows_its_place_and_gets_a_scheme() -> None:
    [link] = find_links("see example.com/path.")
    assert (link.start, link.end, link.url) == (4, 20, "http://example.com/path")


def test_a_hostile_text_is_read_in_no_time() -> None:
    started = time.process_time()
    find_links("http://example.com/" + "(" * 3000 + "a." * 5000)
    weighted_length("a." * 12_500)
    assert time.process_time() - started < 2
