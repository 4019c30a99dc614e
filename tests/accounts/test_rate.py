"""GCRA against a plain simulation, with real rows; the crowd of processes is in test_rate_races."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import rate
from accounts.models import RateCell
from accounts.rate import Limit, RateLimited, in_words, require, take

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def posts(burst: int = 3, count: float = 60, per: timedelta = HOUR, cost: int = 1, of: object = "a") -> Limit:
    return Limit(("posts", of), count, per, burst, cost)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_burst_goes_through_and_then_one_each_interval():
    at_once = [take(posts(), at=NOON).ok for _ in range(4)]
    later = [take(posts(), at=after(seconds)).ok for seconds in (59, 60, 61, 119, 120)]
    assert (at_once, later) == ([True, True, True, False], [False, True, False, False, True])


def test_the_answer_says_how_many_are_left():
    assert [take(posts(), at=NOON).remaining for _ in range(3)] == [2, 1, 0]


def test_a_refusal_says_when_it_is_possible_and_is_right():
    for _ in range(3):
        take(posts(), at=NOON)
    refused = take(posts(), at=after(10))
    assert (refused.ok, refused.remaining, refused.retry_after_s) == (False, 0, 50)
    assert not take(posts(), at=after(10 + 49.9)).ok
    assert take(posts(), at=after(10 + 50)).ok


def test_a_refusal_counts_nothing():
    for _ in range(20):
        take(posts(), at=NOON)
    assert take(posts(), at=after(60)).ok


def test_a_long_rest_gives_no_more_than_a_burst():
    take(posts(), at=NOON)
    assert [take(posts(), at=after(86_400)).ok for _ in range(4)] == [True, True, True, False]


def test_an_act_may_cost_several():
    assert take(posts(cost=2), at=NOON).remaining == 1
    assert take(posts(cost=2), at=NOON).retry_after_s == 60
    assert take(posts(cost=1), at=NOON).ok


def test_a_clock_that_goes_back_lets_nothing_more_through():
    for _ in range(3):
        take(posts(), at=NOON)
    assert not take(posts(), at=after(-30)).ok


@pytest.mark.parametrize(("burst", "cost", "count"), [(1, 2, 1), (0, 1, 1), (3, 0, 1), (3, 1, 0)])
def test_a_limit_that_nothing_conforms_to_is_an_error_of_ours(burst, cost, count):
    with pytest.raises(ValueError, match="never conform"):
        posts(burst=burst, cost=cost, count=count)


def test_scopes_are_counted_apart_and_kept_as_digests():
    for of in ("a", "b", ("a", "b"), "ab"):
        assert take(posts(burst=1, of=of), at=NOON).ok
    keys = set(RateCell.objects.values_list("key", flat=True))
    assert len(keys) == 4
    assert {len(key) for key in keys} == {64}


@pytest.mark.parametrize(("one", "other"), [(("a", "bc"), ("ab", "c")), (("1:a",), ("1", "a")), ((1, 23), (12, 3))])
def test_no_two_scopes_are_written_alike(one, other):
    assert Limit(one, 1, HOUR, 1).key != Limit(other, 1, HOUR, 1).key


def test_one_statement_takes_one_or_many():
    for limits in ([posts()], [posts(of=n) for n in range(5)]):
        with CaptureQueriesContext(connection) as queries:
            assert take(*limits, at=NOON).ok
        assert sum("INSERT" in query["sql"] for query in queries) == 1


# --- several at once ---------------------------------------------------------------------------------------


def test_all_limits_are_taken_or_none():
    narrow, wide = posts(burst=1, of="narrow"), posts(burst=10, of="wide")
    assert take(narrow, wide, at=NOON).remaining == 0
    for _ in range(5):
        refused = take(narrow, wide, at=NOON)
        assert (refused.ok, refused.refused_by) == (False, (narrow,))
    assert rate.remaining(wide, NOON) == 9


def test_the_longest_wait_counts_and_all_that_refused_are_named():
    slow, quick, free = posts(1, 1, of="slow"), posts(1, 60, of="quick"), posts(9, of="free")
    take(slow, quick, at=NOON)
    refused = take(slow, quick, free, at=NOON)
    assert refused.retry_after_s == 3600
    assert set(refused.refused_by) == {slow, quick}
    assert rate.remaining(free, NOON) == 9


def test_a_refusal_of_several_leaves_the_transaction_around_it_alive():
    narrow = posts(burst=1, of="narrow")
    with transaction.atomic():
        assert take(narrow, posts(), at=NOON).ok
        assert not take(narrow, posts(), at=NOON).ok
        assert take(posts(), at=NOON).ok
    assert rate.remaining(posts(), NOON) == 1


def test_a_caller_who_undoes_everything_saves_the_savepoint():
    narrow, wide = posts(burst=1, of="narrow"), posts(of="wide")
    take(narrow, wide, at=NOON)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        refused = take(narrow, wide, at=NOON, is_undone=True)
        transaction.set_rollback(True)
    assert not [query for query in queries if "SAVEPOINT" in query["sql"]]
    assert (refused.ok, refused.refused_by, refused.retry_after_s) == (False, (narrow,), 60)
    assert rate.remaining(wide, NOON) == 2


def test_what_is_rolled_back_was_not_taken():
    def fail() -> None:
        with transaction.atomic():
            take(posts(burst=1), at=NOON)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert take(posts(burst=1), at=NOON).ok


def test_looking_takes_nothing():
    assert [rate.remaining(posts(), NOON) for _ in range(3)] == [3, 3, 3]


# --- against a plain simulation ------------------------------------------------------------------------------


class Bucket:
    """The same thing said as a leaky bucket, in whole microseconds: it leaks one act in each interval."""

    def __init__(self, interval_us: int, burst: int) -> None:
        self.interval_us, self.burst, self.level, self.seen = interval_us, burst, 0, 0

    def take(self, at_us: int, cost: int) -> bool:
        self.level, self.seen = max(0, self.level - (at_us - self.seen)), at_us
        wanted = self.level + cost * self.interval_us
        if wanted > self.burst * self.interval_us:
            return False
        self.level = wanted
        return True


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    interval_ms=st.integers(1, 5000),
    burst=st.integers(1, 6),
    acts=st.lists(st.tuples(st.integers(0, 12_000), st.integers(1, 6)), max_size=25),
)
def test_it_is_a_leaky_bucket(interval_ms, burst, acts):
    RateCell.objects.all().delete()
    bucket, passed_ms = Bucket(interval_ms * 1000, burst), 0
    for pause_ms, cost in acts:
        passed_ms += pause_ms
        at, asked = NOON + timedelta(milliseconds=passed_ms), min(cost, burst)
        limit = Limit(("sim",), 1, timedelta(milliseconds=interval_ms), burst, asked)
        expected = bucket.take(passed_ms * 1000, asked)
        taken = take(limit, at=at)
        assert taken.ok == expected
        assert taken.remaining == (burst * bucket.interval_us - bucket.level) // bucket.interval_us


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 100), burst=st.integers(1, 5), pauses=st.lists(st.integers(0, 90_000), max_size=40))
def test_no_window_ever_holds_more_than_its_rate_and_a_burst(count, burst, pauses):
    RateCell.objects.all().delete()
    limit, passed, granted = Limit(("window",), count, MINUTE, burst), 0, []
    for pause in pauses:
        passed += pause
        if take(limit, at=NOON + timedelta(milliseconds=passed)).ok:
            granted.append(passed)
    for start in granted:
        inside = sum(start <= moment < start + 60_000 for moment in granted)
        assert inside <= burst + count


# --- clearing up ---------------------------------------------------------------------------------------------


def test_sweeping_deletes_what_the_clock_overtook_and_changes_no_answer(monkeypatch):
    monkeypatch.setattr(rate, "SWEPT_AT_ONCE", 2)
    for of in range(5):
        take(posts(of=of), at=NOON)
    take(posts(of="busy", burst=1, count=1), at=NOON)
    assert rate.sweep(after(61)) == 5
    assert RateCell.objects.count() == 1
    assert not take(posts(of="busy", burst=1, count=1), at=after(62)).ok
    assert take(posts(of=1), at=after(62)).remaining == 2


# --- at a door -------------------------------------------------------------------------------------------------


def test_a_door_says_when_to_come_back():
    limit = Limit(("door",), 1, HOUR, 1)
    require(limit, text="Too many.")
    with pytest.raises(RateLimited, match=r"Too many\. Try again in 60 minutes\.") as refusal:
        require(limit, text="Too many.")
    assert 3590 < refusal.value.retry_after_s <= 3600


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.001, "1 second"),
        (1.2, "2 seconds"),
        (60, "60 seconds"),
        (61, "2 minutes"),
        (3600, "60 minutes"),
        (3601, "2 hours"),
        (86_400, "24 hours"),
        (86_401, "2 days"),
    ],
)
def test_waits_are_rounded_up(seconds, words):
    assert in_words(seconds) == words
