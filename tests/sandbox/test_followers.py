"""Followers on X and members on Telegram: they come with time and with reach, and never go."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.audience import Counts, new_followers
from sandbox.telegram import acts, messages, people
from sandbox.telegram import earnings as telegram_earnings
from sandbox.telegram.messages import Draft as Message
from sandbox.world import World
from sandbox.x import accounts, earnings, posts
from sandbox.x.posts import Draft
from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.telegram_cast import Telegram, TelegramBot

DAY = 86400
START = 1_790_000_000.0


def counts(profile_clicks: int) -> Counts:
    return Counts(0, 0, 0, 0, 0, 0, 0, profile_clicks, 0)


# --- the pure function ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-DAY, 400 * DAY), st.floats(-DAY, 400 * DAY), st.lists(st.integers(0, 500)))
def test_followers_only_come(base: int, one: float, other: float, clicks: list[int]) -> None:
    early, late = sorted((one, other))
    earned = [counts(number) for number in clicks]
    before, after = (new_followers(base, START, START + age, earned) for age in (early, late))
    assert 0 <= before <= after
    assert new_followers(base, START, START + late, [*earned, counts(100)]) == after + 15


def test_nobody_follows_on_the_first_day_of_nothing() -> None:
    assert new_followers(10_000, START, START, []) == 0
    assert new_followers(10_000, START, START + 10 * DAY, []) == 50


# --- X --------------------------------------------------------------------------------------------------------


@pytest.fixture
def write(world: World) -> Callable[..., Any]:
    def insert(text: str = "Fresh coffee", at: float = START, previous: Any = None) -> Any:
        db = world.store.db
        account = accounts.ensure(db, "large", START, followers=500_000)
        return posts.insert(db, Draft(account, None, text, previous=previous), at)

    return insert


def followers(world: World, at: float) -> int:
    account = accounts.find(world.store.db, "large")
    assert account is not None
    return earnings.followers_of(world, account, at)


def test_posts_bring_followers(world: World, write: Callable[..., Any]) -> None:
    write()
    alone = followers(world, START + 3 * DAY)
    write("More coffee", START + DAY)
    both = followers(world, START + 3 * DAY)
    assert 500_000 == followers(world, START) < alone < both


def test_followers_are_a_function_of_time_that_grows(world: World, write: Callable[..., Any]) -> None:
    for number in range(3):
        write(f"Coffee {number}", START + number * DAY)
    moments = [START + hours * 3600 for hours in range(0, 200, 7)]
    series = [followers(world, moment) for moment in moments]
    assert series == sorted(series)
    assert [followers(world, moment) for moment in moments] == series


def test_a_post_that_is_gone_keeps_whom_it_brought(world: World, write: Callable[..., Any]) -> None:
    post = write()
    before = followers(world, START + DAY)
    world.store.db.execute("UPDATE x_posts SET deleted_at = ? WHERE id = ?", (START + DAY, post["id"]))
    assert followers(world, START + DAY) == before
    # What it would have brought later is lost.
    alone = new_followers(500_000, START, START + 30 * DAY, [])
    assert before < followers(world, START + 30 * DAY) <= before + alone


def test_an_edited_post_brings_nobody_twice(world: World, write: Callable[..., Any]) -> None:
    first = write()
    before = followers(world, START + 1800)
    write("Fresh tea", START + 1800, previous=first)
    assert followers(world, START + 1800) == before
    assert followers(world, START + 3600) >= before


def test_the_count_of_an_account_grows_with_the_clock(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="large", followers=900_000)
    large = sandbox.sign_in("large", expires_in=10**7)

    def count() -> int:
        answer = large.get("/2/users/me", user_fields="public_metrics").json()
        return int(answer["data"]["public_metrics"]["followers_count"])

    seen = [count()]
    large.post_id("Fresh coffee")
    for hours in (1, 6, 24):
        sandbox.advance(hours * 3600)
        seen.append(count())
    assert seen == sorted(set(seen))
    assert f"{seen[-1]:,} followers" in large.call("GET", "/large").text


# --- posts made by hand ---------------------------------------------------------------------------------------


def test_a_post_made_by_hand_is_found_in_the_timeline(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("By the app")
    made = sandbox.post("/posts", account="alice", text="By hand, see https://example.com")
    found = alice.timeline(since_id=first, tweet_fields="public_metrics,created_at,entities")["data"]
    assert [post["id"] for post in found] == [made["id"]]
    assert found[0]["entities"]["urls"][0]["expanded_url"] == "https://example.com"
    assert alice.timeline(until_id=made["id"])["data"][0]["id"] == first


def test_a_post_made_by_hand_costs_nothing_and_is_no_call(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/posts", account="alice", text="By hand")
    assert sandbox.ledger() == []
    assert sandbox.get("/apps")["apps"][0]["spent_micro"] == 0


def test_a_post_made_by_hand_may_answer(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("A question")
    made = sandbox.post("/posts", account="bob", text="An answer", in_reply_to=first)
    assert (made["account"], made["in_reply_to"]) == ("bob", first)


def test_nobody_says_the_same_twice_by_hand_either(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Hello")
    answer = alice.sandbox.get("/posts")["posts"]
    with pytest.raises(requests.HTTPError, match="400"):
        sandbox.post("/posts", account="alice", text="Hello")
    assert sandbox.get("/posts")["posts"] == answer


@pytest.mark.parametrize(
    "order", [{}, {"account": "alice"}, {"text": "x"}, {"account": "a b", "text": "x"}, {"account": "a", "text": 3}]
)
def test_a_post_that_makes_no_sense_is_refused(sandbox: Sandbox, order: dict[str, Any]) -> None:
    with pytest.raises(requests.HTTPError, match="400"):
        sandbox.post("/posts", **order)
    assert sandbox.get("/posts") == {"posts": []}


# --- Telegram -------------------------------------------------------------------------------------------------


@pytest.fixture
def large_chat(world: World) -> int:
    return people.create_chat(world.store.db, "channel", "Large", "link", None, 200_000, START)


def members(world: World, chat_id: int, at: float) -> int:
    chat = people.chat(world.store.db, chat_id)
    assert chat is not None
    return telegram_earnings.member_count(world, chat, at)


def send(world: World, chat_id: int, text: str, at: float) -> Any:
    return messages.insert(world.store.db, Message(chat_id, 0, 100_000, text), at)


def test_messages_bring_members(world: World, large_chat: int) -> None:
    quiet = members(world, large_chat, START + 3 * DAY)
    send(world, large_chat, "Fresh coffee", START)
    series = [members(world, large_chat, START + hours * 3600) for hours in range(0, 72, 5)]
    assert series == sorted(series)
    assert series[0] == 200_000
    assert members(world, large_chat, START + 3 * DAY) > quiet == 200_300


def test_a_message_that_is_gone_keeps_whom_it_brought(world: World, large_chat: int) -> None:
    message = send(world, large_chat, "Fresh coffee", START)
    before = members(world, large_chat, START + DAY)
    messages.delete(world.store.db, message, START + DAY)
    assert members(world, large_chat, START + DAY) == before


@pytest.mark.parametrize("created_at", [None, START])
def test_a_chat_without_an_audience_or_a_birthday_does_not_grow(world: World, created_at: float | None) -> None:
    db = world.store.db
    for audience in (0, 500) if created_at is None else (0,):
        chat_id = people.create_chat(db, "channel", "Small", "link", None, audience, created_at)
        send(world, chat_id, "Fresh coffee", START)
        assert members(world, chat_id, START + 900 * DAY) == audience


def test_a_group_that_moves_takes_everybody_with_it(world: World) -> None:
    now = world.clock.now()
    chat_id = people.create_chat(world.store.db, "group", "Large", "link", None, 300_000, now - 50 * DAY)
    before = members(world, chat_id, now)
    moved = acts.migrate(world, chat_id)
    assert before == 307_500 == members(world, moved, now)


def test_an_order_lets_people_join_by_a_link(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, channel: int
) -> None:
    bot.updates(allowed_updates=["chat_member"])
    bot.updates(offset=-1)
    invite = bot.do("createChatInviteLink", chat_id=channel, name="leaflet", member_limit=4)["invite_link"]
    joined = sandbox.post("/audience/join", link=invite, people=3)
    assert joined == {"joined": 3, "chat": channel, "member_count": bot.do("getChatMemberCount", chat_id=channel)}
    told = [update["chat_member"] for update in bot.updates() if "chat_member" in update]
    assert [one["invite_link"]["name"] for one in told] == ["leaflet"] * 3
    assert [one["new_chat_member"]["status"] for one in told] == ["member"] * 3
    assert len({one["new_chat_member"]["user"]["id"] for one in told}) == 3
    # One place is left.
    assert sandbox.post("/audience/join", link=invite, people=5)["joined"] == 1


@pytest.mark.parametrize("order", [{}, {"link": "http://127.0.0.1/none"}, {"link": "x", "people": 0}])
def test_joining_nothing_is_refused(sandbox: Sandbox, order: dict[str, Any]) -> None:
    with pytest.raises(requests.HTTPError, match="400"):
        sandbox.post("/audience/join", **order)
