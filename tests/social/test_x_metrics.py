"""Numbers of posts, the account's own timeline and its followers, read from X over real HTTP."""

from datetime import UTC, datetime

import pytest

from social.networks.port import Billed, Failure, NetworkError
from social.networks.x import metrics
from social.networks.x.client import XClient

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PUBLIC = {"impressions", "likes", "replies", "reposts", "quotes", "bookmarks"}
PRIVATE = {"link_clicks", "profile_clicks"}
DAY = 86_400


@pytest.fixture
def account(sandbox):
    sandbox.post("/accounts", handle="roastery", followers=200_000)
    return sandbox.sign_in("roastery")


@pytest.fixture
def bills() -> list[Billed]:
    return []


@pytest.fixture
def client(account, bills) -> XClient:
    return XClient(account.token, remote_id=account.id, on_billed=bills.append)


def test_a_post_of_ours_shows_public_and_private_numbers(client, account, sandbox):
    pk = account.post_id("5 reasons? https://example.com/a")
    sandbox.advance(3600)
    numbers = client.read_metrics([pk]).posts[pk]
    assert set(numbers.metrics) == PUBLIC | PRIVATE
    assert numbers.metrics["impressions"] > numbers.metrics["likes"] > 0
    assert numbers.missing == {"video_views": "not_here"}


def test_reading_numbers_is_billed_by_the_caller(client, account, bills):
    client.read_metrics([account.post_id("Held back before")])
    assert bills == []


def test_a_hundred_posts_are_one_call(client, account, sandbox):
    ids = [account.post_id(f"Post {number}") for number in range(3)]
    before = len(sandbox.ledger())
    assert set(client.read_metrics(ids).posts) == set(ids)
    assert len(sandbox.ledger()) == before + 1


def test_posts_that_are_gone_are_named(client, account):
    here, gone = account.post_id("Here"), account.post_id("Gone")
    account.call("DELETE", f"/2/tweets/{gone}")
    found = client.read_metrics([here, gone, "12345"])
    assert (set(found.posts), found.gone) == ({here}, {gone, "12345"})


def test_old_posts_show_public_numbers_only(client, account, sandbox):
    pk = account.post_id("Old news")
    sandbox.advance(31 * DAY)
    fresh = XClient(sandbox.sign_in("roastery").token, remote_id=account.id)
    for with_private in (True, False):
        numbers = fresh.read_metrics([pk], with_private=with_private).posts[pk]
        assert set(numbers.metrics) == PUBLIC
        assert {numbers.missing[name] for name in PRIVATE} == {"not_granted"}


def test_posts_of_others_keep_their_private_numbers(client, sandbox):
    pk = sandbox.sign_in("dana").post_id("Mine alone")
    assert set(client.read_metrics([pk]).posts[pk].metrics) == PUBLIC


def test_the_answer_tells_of_the_rate_window(client, account):
    windows = client.read_metrics([account.post_id("Window")]).windows
    assert {window.scope for window in windows} >= {"user"}
    assert all(0 <= window.remaining <= window.limit for window in windows)


def test_a_whole_post_that_is_kept_back_counts_as_missing_from_the_answer():
    """Real X may leave out a post whose private numbers are not ours to see."""
    error = {"resource_id": "7", "type": "https://api.twitter.com/2/problems/not-authorized-for-field"}
    found = metrics.readings({"errors": [error]}, ())
    assert (found.posts, found.gone) == ({}, frozenset())


def test_views_of_films_are_added_up():
    media = [
        {"media_key": "7_1", "public_metrics": {"view_count": 40}},
        {"media_key": "7_2", "public_metrics": {"view_count": 2}},
        {"media_key": "3_1"},
    ]
    post = {"id": "1", "attachments": {"media_keys": ["7_1", "7_2", "3_1"]}, "public_metrics": {"like_count": 0}}
    numbers = metrics.readings({"data": [post], "includes": {"media": media}}, ()).posts["1"]
    assert numbers.metrics == {"likes": 0, "video_views": 42}
    assert numbers.missing["impressions"] == "not_yet"


@pytest.mark.parametrize(
    "body", [{"data": [{"public_metrics": {}}]}, {"data": 7}, {"data": [{"id": "1", "public_metrics": 3}]}]
)
def test_an_answer_of_another_shape_is_one_failure(body):
    with pytest.raises((LookupError, TypeError, AttributeError)):
        metrics.readings(body, ())


def test_a_rate_limit_says_when_it_ends(client, account, sandbox):
    sandbox.fault("rate_limit", route="GET /2/tweets")
    with pytest.raises(NetworkError) as caught:
        client.read_metrics([account.post_id("Slow down")])
    assert caught.value.failure is Failure.RATE_LIMIT
    assert caught.value.retry_at is not None


# --- timeline and followers ---------------------------------------------------------------------------------


def test_the_timeline_is_read_from_a_post_or_a_moment_on_the_oldest_first(client, account):
    ids = [account.post_id(f"Post {number}") for number in range(3)]
    assert [post.remote_id for post in client.read_timeline(since=LONG_AGO)] == ids
    assert [post.remote_id for post in client.read_timeline(ids[0])] == ids[1:]
    assert client.read_timeline(ids[2]) == []


def test_posts_read_from_the_timeline_are_billed_once_a_day_each(client, account, bills):
    pk = account.post_id("Billed")
    client.read_timeline(since=LONG_AGO)
    assert bills == [Billed("x.post_read", 5000, f"post:{pk}")]


def test_texts_come_as_they_were_written(client, account):
    account.post_id("Tea & <cake> https://example.com/a")
    assert client.read_timeline(since=LONG_AGO)[0].text == "Tea & <cake> https://example.com/a"


def test_followers_are_counted(client):
    assert client.read_followers() == 200_000
