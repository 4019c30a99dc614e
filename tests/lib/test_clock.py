import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from lib.clock import boot_seconds, now, shifted

HOUR = timedelta(hours=1)


def is_about(moment: datetime, expected: datetime) -> bool:
    return abs(moment - expected) < timedelta(seconds=5)


def test_now_is_aware_and_in_utc() -> None:
    assert now().tzinfo is UTC
    assert is_about(now(), datetime.now(UTC))


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_everything_inside_a_shift_happens_later_or_earlier(by) -> None:
    with shifted(by):
        assert is_about(now(), datetime.now(UTC) + by)


def test_shifts_add_up() -> None:
    with shifted(HOUR), shifted(2 * HOUR):
        assert is_about(now(), datetime.now(UTC) + 3 * HOUR)


def test_after_a_shift_the_time_is_as_before() -> None:
    with shifted(HOUR):
        with shifted(HOUR):
            pass
        assert is_about(now(), datetime.now(UTC) + HOUR)
    assert is_about(now(), datetime.now(UTC))


def test_shift_ends_also_with_an_error() -> None:
    with pytest.raises(ZeroDivisionError), shifted(HOUR):
        _ = 1 / 0
    assert is_about(now(), datetime.now(UTC))


def test_shift_is_not_seen_by_another_thread() -> None:
    seen: list[datetime] = []
    with shifted(HOUR):
        thread = threading.Thread(target=lambda: seen.append(now()))
        thread.start()
        thread.join()
    assert is_about(seen[0], datetime.now(UTC))


def test_boot_seconds_pass_like_real_ones_whatever_the_shift() -> None:
    before = boot_seconds()
    with shifted(HOUR):
        time.sleep(0.02)
        assert 0.02 <= boot_seconds() - before < 5


def test_boot_seconds_count_the_time_asleep_where_the_system_can() -> None:
    awake = time.monotonic()
    assert boot_seconds() >= awake


def test_boot_seconds_exist_where_the_system_cannot(monkeypatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert boot_seconds() == pytest.approx(time.monotonic(), abs=1)
