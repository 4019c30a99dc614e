"""Locks that outlive transactions."""

import os
import signal

import pytest
from django.db import connection, transaction

from lib.locks import HOLDER, held_lock, transaction_lock
from tests.campaigns.engine.workers import PROCESSES, start
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("key", [7_301_999, "a name"])
def test_only_one_holds_it_and_gives_it_back(key):
    with held_lock(key) as first:
        with held_lock(key) as second, held_lock("another") as other:
            assert (first, second, other) == (True, False, True)
        with transaction.atomic(), transaction_lock(key) as inside:
            assert not inside
    with held_lock(key) as again:
        assert again


def test_it_stands_through_transactions_of_its_holder():
    with held_lock("a name"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with held_lock("a name") as second:
            assert not second


def test_lock_of_a_transaction_stays_to_its_end():
    with transaction.atomic():
        with transaction_lock("a name") as is_held:
            assert is_held
        with held_lock("a name") as second:
            assert not second
    with held_lock("a name") as third:
        assert third


def test_error_inside_gives_it_back():
    with pytest.raises(ValueError, match="inside"), held_lock("a name"):
        raise ValueError("inside")
    with held_lock("a name") as again:
        assert again


def hold(name: str, held) -> None:
    with held_lock(name):
        held.put(True)
        signal.pause()


def test_holder_that_is_killed_leaves_the_way_free():
    held = PROCESSES.SimpleQueue()
    process = start(hold, "a name", held)
    assert held.get()
    with held_lock("a name") as second:
        assert not second
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    wait_for(is_free)


def is_free() -> bool:
    with held_lock("a name") as is_held:
        return is_held


def test_holder_is_known_by_its_name():
    with held_lock("a name"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [HOLDER])
        # A pooler tells the server of another name only when that connection is used again.
        assert cursor.fetchone()[0] >= 1
