"""Receivers that race, and one that is killed: every update once, none lost. Real processes, real commits."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections, transaction

from accounts.scope import workspace_scope
from social.models import BotReceiver, InboundUpdate, InviteLink
from social.telegram import handlers, receiver
from social.telegram.invites import create_invite_link
from tests.social.telegram.conftest import BOT, BOT_ID
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
RECEIVE = "import django; django.setup(); from social.telegram import receiver; receiver.receive_all()"


def listen_and_handle(_number: int) -> None:
    connections.close_all()
    for _ in range(8):
        BotReceiver.objects.update(polled_at=None)
        receiver.receive_all()
        for bot_id in receiver.bots_with_work():
            handlers.handle_updates(bot_id)


def run_together(act: Callable[[int], None], count: int) -> None:
    context = multiprocessing.get_context("fork")
    connections.close_all()
    runs = [context.Process(target=act, args=(number,)) for number in range(count)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
    assert [run.exitcode for run in runs] == [0] * count


def test_receivers_that_race_hear_and_count_everything_once(telegram, chat_connection, alice_actor):
    link = create_invite_link(chat_connection, by=alice_actor, name="Race")
    for number in range(12):
        telegram.user(f"guest{number}")
        telegram.sandbox.post("/telegram/join", user=f"guest{number}", link=link.url)
        telegram.write(f"Message {number}", bot=BOT)
    before = InboundUpdate.objects.count()
    run_together(listen_and_handle, 3)
    with workspace_scope(link.workspace_id):
        assert InviteLink.objects.get(pk=link.pk).joins == 12
    assert InboundUpdate.objects.count() - before == 24
    assert not InboundUpdate.objects.filter(handled_at=None).exists()


def test_of_receivers_that_race_one_gets_the_lease(telegram):
    context = multiprocessing.get_context("fork")
    results, barrier = context.Queue(), context.Barrier(3)

    def claim(_number: int) -> None:
        connections.close_all()
        barrier.wait(10)
        results.put(receiver.claim_next() is not None)

    run_together(claim, 3)
    assert sorted(results.get(timeout=60) for _ in range(3)) == [False, False, True]


@pytest.fixture
def child(child_env, telegram):
    """Starts a receiver in a process of its own."""
    names = ("TELEGRAM_API_BASE_URL", "TELEGRAM_BOT_TOKEN")
    given = {name: getattr(django_settings, name) for name in names}
    env = {**child_env, **given, "DJANGO_SETTINGS_MODULE": "marketing.settings"}
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        started.append(subprocess.Popen([sys.executable, "-W", "ignore", "-c", RECEIVE], env=env))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def wait_until_blocked() -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def blocked() -> int:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]

    wait_for(blocked)


def wait_until_leased() -> None:
    wait_for(BotReceiver.objects.exclude(lease_until=None).exists)


def test_a_receiver_killed_between_keeping_and_moving_on_loses_and_doubles_nothing(telegram, child):
    for number in range(3):
        telegram.write(f"Message {number}", bot=BOT)
    # The answer comes late enough for us to lock the row that says how far the bot has been heard.
    telegram.fault("slow_headers", "getUpdates", seconds=1)
    process = child()
    wait_until_leased()
    with transaction.atomic():
        BotReceiver.objects.select_for_update().get(bot_id=BOT_ID)
        wait_until_blocked()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    assert InboundUpdate.objects.count() == 0
    telegram.hear()
    assert [update.content["text"] for update in InboundUpdate.objects.all()] == [f"Message {n}" for n in range(3)]
