from collections.abc import Callable
from typing import Any

import pytest

from social.networks.x.entities import Entity, find_cashtags, find_hashtags, find_mentions

from .vectors import rows

Finder = Callable[[str], list[Entity]]


def places(found: list[Entity], name: str) -> list[dict[str, Any]]:
    return [{name: entity.text, "indices": [entity.start, entity.end]} for entity in found]


@pytest.mark.parametrize("row", rows("extract", "mentions"))
def test_mentions_are_those_of_the_conformance_suite(row: dict[str, Any]) -> None:
    assert [entity.text for entity in find_mentions(row["text"])] == row["expected"]


@pytest.mark.parametrize("row", rows("extract", "hashtags") + rows("extract", "hashtags_from_astral"))
def test_hashtags_are_those_of_the_conformance_suite(row: dict[str, Any]) -> None:
    assert [entity.text for entity in find_hashtags(row["text"])] == row["expected"]


@pytest.mark.parametrize("row", rows("extract", "cashtags"))
def test_cashtags_are_those_of_the_conformance_suite(row: dict[str, Any]) -> None:
    assert [entity.text for entity in find_cashtags(row["text"])] == row["expected"]


@pytest.mark.parametrize("row", rows("extract", "mentions_with_indices"))
def test_places_of_mentions_are_those_of_the_suite(row: dict[str, Any]) -> None:
    assert places(find_mentions(row["text"]), "screen_name") == row["expected"]


@pytest.mark.parametrize("row", rows("extract", "hashtags_with_indices"))
def test_places_of_hashtags_are_those_of_the_suite(row: dict[str, Any]) -> None:
    assert places(find_hashtags(row["text"]), "hashtag") == row["expected"]


@pytest.mark.parametrize("row", rows("extract", "cashtags_with_indices"))
def test_places_of_cashtags_are_those_of_the_suite(row: dict[str, Any]) -> None:
    assert places(find_cashtags(row["text"]), "cashtag") == row["expected"]


def test_fullwidth_signs_count_as_signs() -> None:
    assert find_mentions("＠alice") == [Entity("alice", 0, 6)]
    assert find_hashtags("＃咖啡") == [Entity("咖啡", 0, 3)]


def test_places_count_code_points_behind_emoji() -> None:
    assert find_mentions("😀 @alice") == [Entity("alice", 2, 8)]
    assert find_hashtags("😀#tag") == [Entity("tag", 1, 5)]
    assert find_cashtags("😀 $X") == [Entity("X", 2, 4)]


@pytest.mark.parametrize(
    "text", ["me@example.com", "@alice@mastodon.social", "@alice/list", "@aliceé", "@http://x", "@"]
)
def test_no_mention_in(text: str) -> None:
    assert find_mentions(text) == []


@pytest.mark.parametrize(
    "text", ["#123", "#", "a#tag", "&#tag", "#tag#tag", "#tag://x", "#️⃣", "https://a.com/#tag", "\ud83d#tag"]
)
def test_no_hashtag_in(text: str) -> None:
    assert find_hashtags(text) == []


@pytest.mark.parametrize("text", ["$1", "a$X", "$toolong", "$X1", "$"])
def test_no_cashtag_in(text: str) -> None:
    assert find_cashtags(text) == []


def test_retweet_mark_may_stand_before_a_mention() -> None:
    assert find_mentions("RT@alice RT: @bob") == [Entity("alice", 2, 8), Entity("bob", 13, 17)]


def test_hashtag_that_begins_first_stands_against_an_overlapping_link() -> None:
    assert [entity.text for entity in find_hashtags("#caféa.com/#tag")] == ["caféa", "tag"]


@pytest.mark.parametrize("finder", [find_mentions, find_hashtags, find_cashtags])
def test_text_without_signs_holds_nothing(finder: Finder) -> None:
    assert finder("") == finder("plain words") == []
