from datetime import timedelta

import pytest

from accounts.scope import workspace_scope
from lib.clock import now, shifted
from social import tasks
from social.models import Bot, BotReceiver, InboundUpdate
from social.telegram import receiver
from social.telegram.handlers import UPDATE_HANDLERS
from tests.social.telegram.conftest import BOT, BOT_ID

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(telegram) -> BotReceiver:
    return BotReceiver.objects.get(bot_id=BOT_ID)


@pytest.fixture
def lease(telegram):
    """Takes the lease of the instance's bot."""

    def claim() -> BotReceiver | None:
        return receiver.claim_next()

    return claim


def update(number: int, text: str = "hello") -> dict:
    return {"update_id": number, "message": {"message_id": number, "text": text, "chat": {"id": 1, "type": "private"}}}


def kept() -> list[int]:
    return list(InboundUpdate.objects.values_list("update_id", flat=True))


def test_what_a_person_writes_is_kept_as_telegram_sent_it(telegram):
    telegram.write("Good morning", bot=BOT)
    telegram.hear()
    heard = InboundUpdate.objects.get()
    assert (heard.bot_id, heard.kind, heard.content["text"]) == (BOT_ID, "message", "Good morning")
    assert heard.payload["update_id"] == heard.update_id


def test_what_was_heard_is_not_heard_again(telegram):
    telegram.write("Good morning", bot=BOT)
    telegram.hear()
    telegram.hear()
    assert len(kept()) == 1


def test_an_update_that_telegram_repeats_is_kept_once(telegram):
    telegram.write("Good morning", bot=BOT)
    telegram.hear()
    telegram.fault("updates_repeated", "getUpdates", n=1)
    telegram.hear()
    assert len(kept()) == 1


def test_the_receiver_learns_the_bots_name(row):
    assert row.username == BOT


def test_a_lease_keeps_others_away(lease):
    assert lease().bot_id == BOT_ID
    assert lease() is None


def test_a_lease_that_has_run_out_is_free(lease):
    lease()
    with shifted(receiver.LEASE + timedelta(seconds=1)):
        assert lease().bot_id == BOT_ID


def test_a_lease_is_given_back(lease, row):
    receiver.receive(lease())
    row.refresh_from_db()
    assert row.lease_until is None


def test_updates_and_position_are_kept_together(telegram, lease, row):
    mine = lease()
    receiver.append_polled(mine, [update(7), update(8)])
    row.refresh_from_db()
    assert (sorted(kept()), row.next_update) == ([7, 8], 9)


def test_who_lost_the_lease_keeps_what_it_heard_and_moves_nothing(telegram, lease, row):
    lost = lease()
    with shifted(receiver.LEASE + timedelta(seconds=1)):
        lease()
    before = row.next_update
    receiver.append_polled(lost, [update(7)])
    row.refresh_from_db()
    assert (kept(), row.next_update) == ([7], before)


def test_the_same_updates_appended_twice_are_kept_once(telegram):
    receiver.append_updates(BOT_ID, [update(7), update(8)])
    receiver.append_updates(BOT_ID, [update(8), update(9)])
    assert sorted(kept()) == [7, 8, 9]


def test_what_postgres_cannot_store_is_left_out(telegram):
    receiver.append_updates(BOT_ID, [update(7, "a\x00b\ud800c") | {"extra": ["\x00", {"\x00k": None}]}])
    heard = InboundUpdate.objects.get()
    assert heard.content["text"] == "abc"
    assert heard.payload["extra"] == ["", {"k": None}]


def test_two_bots_may_count_alike(telegram):
    receiver.append_updates(BOT_ID, [update(7)])
    receiver.append_updates(BOT_ID + 1, [update(7)])
    assert kept() == [7, 7]


def test_after_a_week_of_silence_lower_numbers_are_heard_as_well(telegram, row):
    BotReceiver.objects.update(next_update=10**15)
    telegram.write("Are you there?", bot=BOT)
    telegram.hear()
    row.refresh_from_db()
    assert (len(kept()), row.next_update) == (1, kept()[0] + 1)


def test_more_than_one_batch_is_heard_in_one_go(telegram, settings, monkeypatch):
    monkeypatch.setattr(receiver, "BATCH", 2)
    for number in range(5):
        telegram.write(f"Message {number}", bot=BOT)
    telegram.hear()
    assert len(kept()) == 5


# --- which bots are asked -----------------------------------------------------------------------------------


def test_the_instances_bot_is_due_at_every_tick(lease):
    BotReceiver.objects.update(polled_at=now())
    assert lease().bot_id == BOT_ID


def test_an_own_bot_that_said_nothing_waits(own_bot, lease):
    BotReceiver.objects.update(polled_at=now())
    assert receiver.claim_next([BOT_ID]) is None
    with shifted(receiver.IDLE + timedelta(seconds=1)):
        assert receiver.claim_next([BOT_ID]).bot_id == own_bot.bot_id


def test_an_own_bot_that_spoke_is_asked_again_at_once(own_bot, telegram):
    telegram.write("Hello", bot=own_bot.username)
    telegram.hear()
    assert receiver.claim_next([BOT_ID]).bot_id == own_bot.bot_id


def test_a_bot_that_somebody_waits_for_is_asked_at_once(own_bot):
    BotReceiver.objects.update(polled_at=now())
    receiver.wake(own_bot.bot_id)
    assert receiver.claim_next([BOT_ID]).bot_id == own_bot.bot_id


def test_who_waits_longest_comes_first(own_bot):
    BotReceiver.objects.filter(bot_id=BOT_ID).update(polled_at=now() - timedelta(minutes=1))
    BotReceiver.objects.filter(bot_id=own_bot.bot_id).update(polled_at=now() - timedelta(minutes=2))
    assert receiver.claim_next().bot_id == own_bot.bot_id


def test_without_a_token_no_instance_bot_is_asked(telegram, settings):
    settings.TELEGRAM_BOT_TOKEN = ""
    receiver.ensure_instance_receiver()
    assert not BotReceiver.objects.exists()


def test_another_token_replaces_the_instances_bot(telegram, settings):
    settings.TELEGRAM_BOT_TOKEN = "100001:another-bot-token"
    receiver.ensure_instance_receiver()
    assert [row.bot_id for row in BotReceiver.objects.all()] == [100_001]


# --- trouble ------------------------------------------------------------------------------------------------


def test_a_telegram_that_is_away_is_noted_and_asked_later(telegram, settings, row):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    receiver.receive_all()
    row.refresh_from_db()
    assert row.problem
    assert row.lease_until is None
    assert receiver.claim_next() is None


def test_a_problem_that_is_over_is_forgotten(telegram, row):
    BotReceiver.objects.update(problem="Telegram was away.", polled_at=None)
    telegram.hear()
    row.refresh_from_db()
    assert row.problem == ""


def test_a_bot_is_left_alone_for_as_long_as_telegram_asks(telegram, row):
    telegram.fault("retry_after", "getUpdates", seconds=30)
    receiver.receive_all()
    row.refresh_from_db()
    assert row.lease_until > now() + timedelta(seconds=10)


def test_a_token_that_ended_stops_the_bots_connections(telegram, chat_connection, own_bot, workspace, reloaded):
    with workspace_scope(workspace.pk):
        Bot.objects.update(token=f"{own_bot.bot_id}:revoked-at-botfather")
    telegram.hear()
    assert reloaded(chat_connection).status == "reconnect"
    assert "Add the bot again" in reloaded(chat_connection).status_text


def test_a_bot_that_is_broken_does_not_keep_the_others_from_being_heard(telegram, own_bot, settings):
    settings.TELEGRAM_BOT_TOKEN = f"{BOT_ID}:not-the-token-of-this-bot"
    telegram.write("Hello", bot=own_bot.username)
    telegram.hear()
    assert [heard.bot_id for heard in InboundUpdate.objects.all()] == [own_bot.bot_id]


# --- what is left over --------------------------------------------------------------------------------------


def test_updates_whose_task_was_lost_are_found_again(telegram, celery_eager):
    InboundUpdate.objects.create(bot_id=BOT_ID, update_id=1, kind="message", payload=update(1))
    tasks.receive_updates()
    assert InboundUpdate.objects.get().handled_at


def test_handled_updates_are_forgotten_after_a_week(telegram):
    for number, days in ((1, 8), (2, 6)):
        handled_at = now() - timedelta(days=days)
        InboundUpdate.objects.create(bot_id=BOT_ID, update_id=number, kind="message", payload={}, handled_at=handled_at)
    InboundUpdate.objects.create(bot_id=BOT_ID, update_id=3, kind="message", payload={}, received_at=handled_at)
    tasks.forget_updates()
    assert sorted(kept()) == [2, 3]


def test_every_kind_with_a_handler_is_asked_for():
    assert set(UPDATE_HANDLERS) <= set(receiver.KINDS)
