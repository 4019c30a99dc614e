"""Views, members and timelines of a chat, as far as a bot and a person's session can tell them."""

from datetime import UTC, datetime

import pytest

from social.networks.port import Failure, NetworkError

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Reader:
    """A person's session that counts these views, or fails."""

    def __init__(self, views: dict[int, int], failure: Failure | None = None) -> None:
        self.counted, self.failure, self.asked = views, failure, []

    def find_posts(self, chat_id, since, *, topic_id=None, sender_id=None):
        return []

    def views(self, chat_id, message_ids):
        self.asked.append((chat_id, list(message_ids)))
        if self.failure:
            raise NetworkError(self.failure, "failed", "No.")
        return {pk: self.counted[pk] for pk in message_ids if pk in self.counted}


def test_a_bot_alone_cannot_count_views(cafe):
    numbers = cafe.client().read_metrics(["1", "2"]).posts
    assert {(pk, one.missing["impressions"]) for pk, one in numbers.items()} == {
        ("1", "needs_session"),
        ("2", "needs_session"),
    }
    assert not any(one.metrics for one in numbers.values())


def test_a_session_counts_views_of_all_in_one_call(cafe):
    reader = Reader({1: 40, 2: 0})
    numbers = cafe.client(reader=reader).read_metrics(["1", "2", "3"]).posts
    assert (numbers["1"].metrics, numbers["2"].metrics) == ({"impressions": 40}, {"impressions": 0})
    assert (numbers["3"].metrics, numbers["3"].missing) == ({}, {"impressions": "not_here"})
    assert reader.asked == [(cafe.channel_id, [1, 2, 3])]


@pytest.mark.parametrize("failure", [Failure.UNAUTHORIZED, Failure.REJECTED])
def test_a_session_that_is_of_no_use_is_as_good_as_none(cafe, failure):
    numbers = cafe.client(reader=Reader({}, failure)).read_metrics(["1"]).posts
    assert numbers["1"].missing == {"impressions": "needs_session"}


@pytest.mark.parametrize("failure", [Failure.TEMPORARY, Failure.RATE_LIMIT])
def test_a_session_that_has_to_wait_is_asked_again_later(cafe, failure):
    with pytest.raises(NetworkError) as caught:
        cafe.client(reader=Reader({}, failure)).read_metrics(["1"])
    assert caught.value.failure is failure


def test_members_are_counted(cafe):
    before = cafe.client().read_followers()
    cafe.sandbox.post("/telegram/members", chat=cafe.channel_id, user=cafe.person("dana"), status="member")
    assert cafe.client().read_followers() == before + 1


def test_a_bot_has_no_timeline_to_read(cafe):
    assert cafe.client().read_timeline(since=LONG_AGO) == []
