import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from lib.ids import uuid7


def millis(value: uuid.UUID) -> int:
    return value.int >> 80


@pytest.fixture
def many() -> list[uuid.UUID]:
    return [uuid7() for _ in range(2000)]


def test_every_id_says_that_it_is_of_version_7(many) -> None:
    assert {(value.version, value.variant) for value in many} == {(7, uuid.RFC_4122)}


def test_no_id_comes_twice(many) -> None:
    assert len(set(many)) == len(many)


def test_ids_begin_with_the_time_in_milliseconds() -> None:
    made_at = datetime.fromtimestamp(millis(uuid7()) / 1000, UTC)
    assert abs(datetime.now(UTC) - made_at) < timedelta(seconds=5)


def test_times_in_ids_never_go_back(many) -> None:
    assert [millis(value) for value in many] == sorted(map(millis, many))


def test_id_of_a_later_millisecond_sorts_behind() -> None:
    earlier = uuid7()
    time.sleep(0.002)
    assert earlier < uuid7()


def test_order_as_text_is_the_order_of_time() -> None:
    ids = []
    for _ in range(5):
        ids.append(str(uuid7()))
        time.sleep(0.002)
    assert ids == sorted(ids)


@pytest.mark.parametrize("moment", [0, 2**48 - 1])
def test_version_stays_readable_at_both_ends_of_time(monkeypatch, moment) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: moment * 1_000_000)
    value = uuid7()
    assert (value.version, value.variant, millis(value)) == (7, uuid.RFC_4122, moment)


def test_every_free_bit_is_random(many) -> None:
    low = [value.int & ((1 << 80) - 1) for value in many]
    fixed = [bit for bit in range(80) if len({value >> bit & 1 for value in low}) == 1]
    assert fixed == [62, 63, 76, 77, 78, 79]
