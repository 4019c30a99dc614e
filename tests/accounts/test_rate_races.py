"""A crowd of real processes at one cell: never more than the rate, and no deadlock between those that want several."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import RateCell
from accounts.rate import Limit, take
from tests.campaigns.engine.workers import answers_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROCESSES, TRIES = 6, 15


def limit(of: str, burst: int) -> Limit:
    return Limit((of,), 1, HOUR, burst)


@pytest.mark.django_db(transaction=True)
def test_a_crowd_never_takes_more_than_the_burst():
    def work(_number: int) -> int:
        return sum(take(limit("one", 20), at=NOON).ok for _ in range(TRIES))

    assert sum(answers_of(work, PROCESSES)) == 20


@pytest.mark.django_db(transaction=True)
def test_a_crowd_that_wants_two_in_either_order_takes_both_or_none():
    def work(number: int) -> int:
        wanted = [limit("wide", 1000), limit("narrow", 20)]
        if number % 2:
            wanted.reverse()
        return sum(take(*wanted, at=NOON).ok for _ in range(TRIES))

    assert sum(answers_of(work, PROCESSES)) == 20
    cells = dict(RateCell.objects.values_list("key", "tat"))
    assert {cells[limit(of, 20).key] - NOON for of in ("wide", "narrow")} == {20 * HOUR}
