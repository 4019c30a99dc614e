import pytest
from django.db import connections, transaction

from social.models import InboundUpdate, TelegramLink
from social.telegram import handlers
from social.telegram.handlers import UPDATE_HANDLERS, handle_updates
from tests.social.telegram.conftest import BOT_ID

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    def put(number: int, bot_id: int = BOT_ID, kind: str = "poll") -> InboundUpdate:
        return InboundUpdate.objects.create(bot_id=bot_id, update_id=number, kind=kind, payload={"update_id": number})

    return put


@pytest.fixture
def seen(monkeypatch) -> list[int]:
    """The numbers of the updates that a handler has been given."""
    numbers: list[int] = []
    monkeypatch.setitem(UPDATE_HANDLERS, "poll", [lambda update: numbers.append(update.update_id)])
    return numbers


@pytest.fixture
def failing(monkeypatch, seen) -> list[int]:
    """Handling the first update fails after it has written something."""

    def fail(update: InboundUpdate) -> None:
        if update.update_id == 1:
            InboundUpdate.objects.create(bot_id=1, update_id=99, kind="trace", payload={})
            raise ValueError("cannot be read")

    monkeypatch.setitem(UPDATE_HANDLERS, "poll", [*UPDATE_HANDLERS["poll"], fail])
    return seen


def test_updates_are_handled_in_order(heard, seen):
    for number in (3, 1, 2):
        heard(number)
    assert handle_updates(BOT_ID) == 3
    assert seen == [3, 1, 2]


def test_an_update_is_handled_once(heard, seen):
    heard(1)
    handle_updates(BOT_ID)
    handle_updates(BOT_ID)
    assert seen == [1]


def test_all_handlers_of_a_kind_are_called(heard, seen):
    UPDATE_HANDLERS["poll"].append(lambda update: seen.append(-update.update_id))
    heard(5)
    handle_updates(BOT_ID)
    assert seen == [5, -5]


def test_a_kind_that_nobody_handles_is_marked_all_the_same(heard):
    update = heard(1, kind="chat_boost")
    handle_updates(BOT_ID)
    update.refresh_from_db()
    assert update.handled_at


def test_updates_of_other_bots_wait_for_their_turn(heard, seen):
    heard(1, bot_id=5)
    handle_updates(BOT_ID)
    assert seen == []


def test_an_update_that_fails_is_tried_again_before_the_next_one(heard, failing):
    heard(1)
    heard(2)
    assert handle_updates(BOT_ID) == 0
    assert failing == [1]


def test_what_a_failed_handler_wrote_is_undone(heard, failing):
    heard(1)
    handle_updates(BOT_ID)
    assert not InboundUpdate.objects.filter(kind="trace").exists()


def test_after_three_failures_an_update_is_parked_with_its_problem(heard, failing):
    update = heard(1)
    heard(2)
    for _ in range(handlers.MAX_FAILURES):
        handle_updates(BOT_ID)
    update.refresh_from_db()
    assert (update.failures, update.problem) == (3, "ValueError: cannot be read")
    assert update.handled_at
    assert failing == [1, 1, 1, 2]


def test_what_a_handler_says_goes_out_only_after_the_commit(
    heard, seen, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setitem(UPDATE_HANDLERS, "poll", [lambda update: transaction.on_commit(lambda: seen.append(0))])
    heard(1)
    with django_capture_on_commit_callbacks(execute=True):
        handle_updates(BOT_ID)
        assert seen == []
    assert seen == [0]


def test_a_message_in_a_form_we_do_not_know_is_parked_and_no_more(telegram):
    InboundUpdate.objects.create(bot_id=BOT_ID, update_id=1, kind="message", payload={"message": {"text": "/start"}})
    for _ in range(handlers.MAX_FAILURES):
        handle_updates(BOT_ID)
    assert "KeyError" in InboundUpdate.objects.get().problem
    assert not TelegramLink.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_bot_that_another_process_is_busy_with_is_left_alone(heard, seen):
    heard(1)
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [handlers.LOCK_SPACE, f"telegram updates {BOT_ID}"]
        )
        assert handle_updates(BOT_ID) == 0
        cursor.execute("ROLLBACK")
    other.close()
    assert handle_updates(BOT_ID) == 1
