"""What members do with messages on Telegram: views that bots never see, reactions that are told in batches."""

import itertools
from typing import Any

import pytest
import requests

from sandbox.telegram import acts, earnings, messages, people
from sandbox.telegram.earnings import BATCH_SECONDS, EMOJI, LAST_REACTION_SECONDS
from sandbox.telegram.messages import Draft
from sandbox.world import World
from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import Hook, Telegram, TelegramBot
from tests.waiting import wait_for

DAY = 86400
NOON = 20_700 * DAY + 43_200.0
ASKED = ["message_reaction_count", "chat_member"]


@pytest.fixture
def large(telegram: Telegram, bot: TelegramBot) -> int:
    """A channel that many read and the bot administers; what was news is not any more."""
    chat = telegram.chat(username="large", audience=40_000, bots=[bot.username])
    bot.updates(allowed_updates=ASKED)
    bot.updates(offset=2**31)
    return chat


def told(bot: TelegramBot) -> list[dict[str, Any]]:
    found = bot.updates()
    if found:
        bot.updates(offset=found[-1]["update_id"] + 1)
    return [update["message_reaction_count"] for update in found if "message_reaction_count" in update]


def totals(change: dict[str, Any]) -> dict[str, int]:
    return {reaction["type"]["emoji"]: reaction["total_count"] for reaction in change["reactions"]}


def views(sandbox: Sandbox, chat: int | str, *ids: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = sandbox.get("/telegram/views", chat=chat, ids=",".join(map(str, ids)))["views"]
    return shown


# --- reactions ------------------------------------------------------------------------------------------------


def test_reactions_are_told_as_growing_totals(sandbox: Sandbox, bot: TelegramBot, large: int) -> None:
    message_id = bot.send(large, "Fresh coffee")["message_id"]
    seen = []
    for hours in (1, 4, 20):
        sandbox.advance(hours * 3600)
        # One, or two where the clock of the machine has just reached the next batch.
        change = told(bot)[-1]
        assert (change["chat"]["id"], change["message_id"]) == (large, message_id)
        seen.append(totals(change))
    for before, after in itertools.pairwise(seen):
        assert all(count <= after[emoji] for emoji, count in before.items())
        assert sum(before.values()) < sum(after.values())
    assert set(seen[-1]) <= set(EMOJI)


def test_a_bot_that_did_not_ask_or_is_no_administrator_hears_nothing(
    sandbox: Sandbox, telegram: Telegram, bot: TelegramBot, large: int
) -> None:
    silent, member = telegram.bot("silent_bot"), telegram.bot("member_bot")
    telegram.order("/members", chat=large, user="silent_bot", status="administrator")
    telegram.order("/members", chat=large, user="member_bot", status="member")
    silent.updates(offset=2**31)
    member.updates(allowed_updates=ASKED, offset=2**31)
    bot.send(large, "Fresh coffee")
    sandbox.advance(DAY)
    assert told(silent) == told(member) == []
    assert told(bot)


def test_reactions_go_to_a_webhook_too(sandbox: Sandbox, bot: TelegramBot, large: int, hook: Hook) -> None:
    bot.send(large, "Fresh coffee")
    bot.do("setWebhook", url=hook.url, allowed_updates=ASKED)
    sandbox.advance(DAY)
    bot.do("getMe")
    wait_for(lambda: hook.got)
    assert "message_reaction_count" in hook.got[0][0]


def test_messages_without_an_audience_earn_nothing(sandbox: Sandbox, bot: TelegramBot, channel: int) -> None:
    bot.updates(allowed_updates=ASKED)
    bot.send(channel, "Nobody is here")
    sandbox.advance(DAY)
    assert told(bot) == []


def test_a_deleted_message_earns_no_more(sandbox: Sandbox, bot: TelegramBot, large: int) -> None:
    message_id = bot.send(large, "Fresh coffee")["message_id"]
    sandbox.advance(3600)
    assert told(bot)
    bot.do("deleteMessage", chat_id=large, message_id=message_id)
    sandbox.advance(DAY)
    assert told(bot) == []


def test_effects_of_wording_are_seen_in_reactions(sandbox: Sandbox, bot: TelegramBot, large: int) -> None:
    calm = {"builtin": False, "noise": 0, "counting": False}
    sandbox.post("/audience/effects", effects={"question": {"likes": 2}}, **calm)
    plain, asking = (bot.send(large, text)["message_id"] for text in ("Coffee is ready", "Is coffee ready?"))
    sandbox.advance(12 * DAY)
    counts = {change["message_id"]: sum(totals(change).values()) for change in told(bot)}
    assert counts[asking] == pytest.approx(2 * counts[plain], rel=0.03)


# --- without a server -----------------------------------------------------------------------------------------


@pytest.fixture
def still(world: World, monkeypatch: pytest.MonkeyPatch) -> float:
    """Time moves only when a test moves it; it starts at a noon, which is a batch."""
    monkeypatch.setattr(world.clock, "now", lambda: NOON + world.clock.offset)
    return NOON


@pytest.fixture
def chat_id(world: World, still: float) -> int:
    return people.create_chat(world.store.db, "channel", "Large", "link", None, 60_000, still)


def sent(world: World, chat_id: int, text: str = "Fresh coffee") -> int:
    return int(messages.insert(world.store.db, Draft(chat_id, 0, 100_000, text), world.clock.now())["message_id"])


def reactions(world: World, chat_id: int, message_id: int) -> dict[str, int]:
    row = messages.find(world.store.db, chat_id, 0, message_id)
    chat = people.chat(world.store.db, chat_id)
    assert row is not None
    assert chat is not None
    return earnings.reactions_at(world, row, chat, world.clock.now())


def stored(world: World, chat_id: int, message_id: int) -> str:
    row = messages.find(world.store.db, chat_id, 0, message_id)
    assert row is not None
    return str(row["reactions"])


def test_no_emoji_ever_falls(world: World, chat_id: int) -> None:
    ids = [sent(world, chat_id, f"Coffee {number}") for number in range(10)]
    series = []
    for _ in range(60):
        world.clock.advance(1777)
        series.append([reactions(world, chat_id, message_id) for message_id in ids])
    for before, after in itertools.pairwise(series):
        for one, other in zip(before, after, strict=True):
            assert all(count <= other[emoji] for emoji, count in one.items())


def test_every_message_has_favourites_of_its_own(world: World, chat_id: int) -> None:
    ids = [sent(world, chat_id, f"Coffee {number}") for number in range(30)]
    world.clock.advance(5 * DAY)
    found = [reactions(world, chat_id, message_id) for message_id in ids]
    assert {max(one, key=lambda emoji: one[emoji]) for one in found} == set(EMOJI)


def test_what_people_set_themselves_is_never_taken_away(world: World, chat_id: int) -> None:
    message_id = sent(world, chat_id)
    acts.react(world, acts.place_for(world.store.db, chat_id), message_id, {"🤔": 3, EMOJI[0]: 10**6})
    world.clock.advance(DAY)
    found = reactions(world, chat_id, message_id)
    assert (found["🤔"], found[EMOJI[0]]) == (3, 10**6)
    assert set(found) > {"🤔", EMOJI[0]}


def test_between_two_batches_nothing_is_stored(world: World, chat_id: int) -> None:
    message_id = sent(world, chat_id)
    earnings.send_batch(world)
    world.clock.advance(BATCH_SECONDS - 1)
    earnings.send_batch(world)
    assert stored(world, chat_id, message_id) == "{}"
    world.clock.advance(1)
    earnings.send_batch(world)
    assert stored(world, chat_id, message_id) != "{}"


def test_a_long_jump_of_the_clock_leaves_nothing_out(world: World, chat_id: int) -> None:
    message_id = sent(world, chat_id)
    earnings.send_batch(world)
    world.clock.advance(LAST_REACTION_SECONDS + 30 * DAY)
    earnings.send_batch(world)
    first = stored(world, chat_id, message_id)
    assert first != "{}"
    world.clock.advance(30 * DAY)
    earnings.send_batch(world)
    assert stored(world, chat_id, message_id) == first


def test_an_edit_takes_no_view_away(world: World, chat_id: int) -> None:
    message_id = sent(world, chat_id, "Is 5 enough? 🎉")
    world.clock.advance(DAY)
    chat = people.chat(world.store.db, chat_id)
    row = messages.find(world.store.db, chat_id, 0, message_id)
    assert row is not None
    assert chat is not None
    before = earnings.counts_of(world, row, chat, world.clock.now())
    edited = messages.change(world.store.db, row, world.clock.now(), text="Plain", entities="[]")
    assert earnings.counts_of(world, edited, chat, world.clock.now()) == before


@pytest.mark.parametrize(
    ("draft", "has_link"),
    [
        ({"text": "See http://127.0.0.1:8000/l/x"}, True),
        ({"text": "example.com", "entities": [{"type": "url", "offset": 0, "length": 11}]}, True),
        ({"text": "here", "entities": [{"type": "text_link", "offset": 0, "length": 4, "url": "http://a.b"}]}, True),
        ({"text": "a", "keyboard": {"inline_keyboard": [[{"text": "b", "url": "http://a.b"}]]}}, True),
        ({"text": "a", "keyboard": {"inline_keyboard": [[{"text": "b", "callback_data": "c"}]]}}, False),
        ({"text": "bold", "entities": [{"type": "bold", "offset": 0, "length": 4}]}, False),
    ],
)
def test_clicks_need_something_to_click(world: World, chat_id: int, draft: dict[str, Any], has_link: bool) -> None:
    row = messages.insert(world.store.db, Draft(chat_id, 0, 100_000, **draft), world.clock.now())
    chat = people.chat(world.store.db, chat_id)
    assert chat is not None
    facts = earnings.facts_of(row, chat)
    assert facts.has_link is has_link
    assert "://" not in facts.text
    clicks = earnings.counts_of(world, row, chat, world.clock.now() + DAY).link_clicks
    assert (clicks > 0) is has_link


# --- views ----------------------------------------------------------------------------------------------------


def test_views_grow_and_only_the_door_tells_them(sandbox: Sandbox, bot: TelegramBot, large: int) -> None:
    message = bot.send(large, "Fresh coffee")
    seen = []
    for hours in (0, 1, 24):
        sandbox.advance(hours * 3600)
        [one] = views(sandbox, "@large", message["message_id"])
        assert one["id"] == message["message_id"]
        assert 0 <= one["forwards"] <= one["views"]
        seen.append(one["views"])
    assert seen[0] >= 1
    assert seen == sorted(set(seen))
    edited = bot.do("editMessageText", chat_id=large, message_id=message["message_id"], text="Fresh tea")
    assert not {"views", "forwards", "forward_count"} & (set(message) | set(edited))


def test_messages_that_are_gone_have_no_views(sandbox: Sandbox, bot: TelegramBot, large: int) -> None:
    message_id = bot.send(large, "Fresh coffee")["message_id"]
    bot.do("deleteMessage", chat_id=large, message_id=message_id)
    none = {"views": None, "forwards": None}
    assert views(sandbox, large, message_id, 99) == [{"id": message_id, **none}, {"id": 99, **none}]


def test_without_ids_nothing_is_counted(sandbox: Sandbox, large: int) -> None:
    assert views(sandbox, large) == []


@pytest.mark.parametrize("query", ["", "chat=nowhere&ids=1", "chat=@large&ids=x"])
def test_a_question_that_makes_no_sense_is_refused(sandbox: Sandbox, large: int, query: str) -> None:
    answer = requests.get(f"{sandbox.url}/_sandbox/telegram/views?{query}", timeout=30)
    assert answer.status_code == 400
