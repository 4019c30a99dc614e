"""What posts earn: a pure function that only grows, and the fields it is read in."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.audience import Facts, arrived, counts_at, expected_reach, features, hour_factor
from tests.sandbox.cast import Client, Sandbox

START = 1_790_000_000.0
DAY = 86400
FACTS = st.builds(
    Facts,
    key=st.text(min_size=1, max_size=12),
    text=st.text(max_size=60),
    created_at=st.floats(START, START + 365 * DAY),
    followers=st.integers(0, 2_000_000),
    has_link=st.booleans(),
    has_media=st.booleans(),
    is_reply=st.booleans(),
)
AGES = st.floats(-DAY, 400 * DAY)


@settings(max_examples=60, deadline=None)
@given(FACTS, AGES, AGES, st.integers(0, 99))
def test_no_count_of_any_post_ever_falls(facts: Facts, one: float, other: float, seed: int) -> None:
    early, late = (asdict(counts_at(facts, facts.created_at + age, seed)) for age in sorted((one, other)))
    assert all(early[name] <= late[name] for name in early)


@settings(max_examples=30, deadline=None)
@given(FACTS, AGES, st.integers(0, 99))
def test_every_count_is_a_number_of_people(facts: Facts, age: float, seed: int) -> None:
    assert min(asdict(counts_at(facts, facts.created_at + age, seed)).values()) >= 0


@settings(max_examples=30, deadline=None)
@given(FACTS, AGES, st.integers(0, 99))
def test_the_same_question_has_the_same_answer(facts: Facts, age: float, seed: int) -> None:
    moment = facts.created_at + age
    assert counts_at(facts, moment, seed) == counts_at(replace(facts), moment, seed)


@settings(max_examples=60, deadline=None)
@given(FACTS, st.integers(0, 99))
def test_clicks_need_a_link_and_views_need_media(facts: Facts, seed: int) -> None:
    counts = counts_at(facts, facts.created_at + DAY, seed)
    assert counts.link_clicks == 0 or facts.has_link
    assert counts.video_views == 0 or facts.has_media


@settings(max_examples=60, deadline=None)
@given(FACTS, st.integers(1, 1_000_000))
def test_more_followers_never_reach_fewer(facts: Facts, more: int) -> None:
    assert expected_reach(replace(facts, followers=facts.followers + more)) > expected_reach(facts)


@given(st.floats(0, 400 * DAY), st.floats(0, 400 * DAY))
def test_what_has_arrived_is_a_share_that_grows(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= arrived(low) <= arrived(high) <= 1


@given(st.floats(0, 2_000_000_000))
def test_the_hour_changes_reach_by_a_third_at_most(moment: float) -> None:
    assert 0.65 <= hour_factor(moment) <= 1.35


@given(st.integers(0, 20_000), st.integers(0, 86_399))
def test_every_day_has_the_same_hours(day: int, second: int) -> None:
    assert hour_factor(day * DAY + second) == pytest.approx(hour_factor(second))


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("5 cups", True), ("20%", True), ("1,200 cups", True), ("3.5 stars", True), ("@shop24", False), ("#top10", False)],
)
def test_numbers_are_seen_but_not_in_names(text: str, is_found: bool) -> None:
    assert ("number" in features(Facts("a:1", text, START, 0))) is is_found


@pytest.mark.parametrize(("tags", "is_crowded"), [(0, False), (2, False), (3, True), (9, True)])
def test_more_than_two_hashtags_are_a_crowd(tags: int, is_crowded: bool) -> None:
    plain = Facts("a:1", "Coffee", START, 1000)
    crowded = replace(plain, text="Coffee" + " #x" * tags)
    assert (expected_reach(crowded) < expected_reach(plain)) is is_crowded


ALL = "public_metrics,non_public_metrics,organic_metrics"


def metrics(client: Client, post_id: str, fields: str = ALL) -> dict[str, Any]:
    data: dict[str, Any] = client.get(f"/2/tweets/{post_id}", tweet_fields=fields).json()["data"]
    return data


@pytest.fixture
def earning(sandbox: Sandbox) -> tuple[Client, str]:
    """A post with a link of a large account, an hour old."""
    sandbox.post("/accounts", handle="large", followers=500_000)
    large = sandbox.sign_in("large")
    post_id = large.post_id("5 reasons? https://example.com 🎉")
    sandbox.advance(3600)
    return large, post_id


def test_the_three_kinds_of_metrics_have_their_own_names(earning: tuple[Client, str]) -> None:
    data = metrics(*earning)
    shared = {"impression_count", "like_count", "reply_count", "retweet_count"}
    assert set(data["public_metrics"]) == shared | {"quote_count", "bookmark_count"}
    assert set(data["organic_metrics"]) == shared | {"url_link_clicks", "user_profile_clicks"}
    private = {"impression_count", "engagements", "url_link_clicks", "user_profile_clicks"}
    assert set(data["non_public_metrics"]) == private


def test_the_three_kinds_of_metrics_agree(earning: tuple[Client, str]) -> None:
    data = metrics(*earning)
    for name in ("impression_count", "like_count", "reply_count", "retweet_count"):
        assert data["organic_metrics"][name] == data["public_metrics"][name]
    for name in ("impression_count", "url_link_clicks", "user_profile_clicks"):
        assert data["organic_metrics"][name] == data["non_public_metrics"][name]


def test_engagements_are_fewer_than_impressions_and_more_than_likes(earning: tuple[Client, str]) -> None:
    data = metrics(*earning)
    private = data["non_public_metrics"]
    assert 0 < data["public_metrics"]["like_count"] < private["engagements"] < private["impression_count"]


def test_a_post_with_a_link_is_clicked(earning: tuple[Client, str]) -> None:
    assert metrics(*earning)["non_public_metrics"]["url_link_clicks"] > 0


def test_every_metric_grows_with_the_clock(sandbox: Sandbox, earning: tuple[Client, str]) -> None:
    early = metrics(*earning)
    sandbox.advance(3000)
    late = metrics(*earning)
    for kind in ALL.split(","):
        assert all(early[kind][name] <= late[kind][name] for name in early[kind])
    assert late["public_metrics"]["impression_count"] > early["public_metrics"]["impression_count"]


def test_the_public_sees_the_public_metrics_of_the_author(earning: tuple[Client, str], bob: Client) -> None:
    author, post_id = earning
    seen, own = (metrics(client, post_id, "public_metrics")["public_metrics"] for client in (bob, author))
    assert seen["impression_count"] <= own["impression_count"]
    assert set(seen) == set(own)


@pytest.mark.parametrize("field", ALL.split(","))
def test_a_kind_of_metrics_is_shown_only_when_asked_for(earning: tuple[Client, str], field: str) -> None:
    data = metrics(*earning, field)
    assert [name for name in data if name.endswith("metrics")] == [field]


def test_a_process_with_the_same_seed_earns_the_same(sandbox: Sandbox, own_sandbox: Sandbox) -> None:
    seen = []
    for house in (sandbox, own_sandbox):
        client = house.sign_in("alice")
        post_id = client.post_id("Nobody looks at me @ all")
        house.advance(60 * DAY)
        later = house.sign_in("alice")
        seen.append(metrics(later, post_id, "public_metrics")["public_metrics"]["like_count"])
    assert seen[0] == pytest.approx(seen[1], abs=1)


def test_deleted_replies_leave_the_count_of_replies(alice: Client) -> None:
    first = alice.post_id("First")
    reply = alice.reply("Second", first).json()["data"]["id"]
    assert metrics(alice, first)["public_metrics"]["reply_count"] == 1
    alice.call("DELETE", f"/2/tweets/{reply}")
    assert metrics(alice, first)["public_metrics"]["reply_count"] == 0
