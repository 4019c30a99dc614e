"""Rate windows by themselves, with a clock of the test's own."""

import sqlite3

import pytest

from sandbox.x.windows import DAY_SECONDS, SHORT_SECONDS, Limits, Window, consume, exhaust, windows_for

START = 1_800_000_000.5
ROUTE = "POST /2/tweets"
SHORT = Window("short", 3, SHORT_SECONDS, "x-rate-limit")
DAY = Window("day", 5, DAY_SECONDS, "x-app-limit-24hour")


def ask(db: sqlite3.Connection, times: int, now: float = START, windows: tuple[Window, ...] = (SHORT,)) -> list[bool]:
    return [consume(db, list(windows), now)[0] for _ in range(times)]


def test_the_last_request_of_a_window_passes_and_the_next_does_not(db: sqlite3.Connection) -> None:
    assert ask(db, 5) == [True, True, True, False, False]


def test_what_is_left_counts_down_to_nothing_and_stays_there(db: sqlite3.Connection) -> None:
    left = [consume(db, [SHORT], START)[1]["x-rate-limit-remaining"] for _ in range(5)]
    assert left == ["2", "1", "0", "0", "0"]


def test_a_window_opens_with_its_first_request_and_not_on_the_quarter_hour(db: sqlite3.Connection) -> None:
    headers = consume(db, [SHORT], START)[1]
    assert headers["x-rate-limit-reset"] == str(int(START) + SHORT_SECONDS)


def test_later_requests_do_not_move_the_end_of_the_window(db: sqlite3.Connection) -> None:
    first = consume(db, [SHORT], START)[1]
    assert consume(db, [SHORT], START + 800)[1]["x-rate-limit-reset"] == first["x-rate-limit-reset"]


@pytest.mark.parametrize(("seconds", "is_open"), [(899.0, False), (899.4, False), (899.5, True), (901.0, True)])
def test_a_full_window_opens_at_the_second_its_header_named(
    db: sqlite3.Connection, seconds: float, is_open: bool
) -> None:
    ask(db, 3)
    assert ask(db, 1, START + seconds) == [is_open]


def test_a_window_that_opened_again_has_its_whole_limit(db: sqlite3.Connection) -> None:
    ask(db, 4)
    assert ask(db, 4, START + SHORT_SECONDS) == [True, True, True, False]


def test_a_request_refused_by_one_window_is_not_counted_in_the_other(db: sqlite3.Connection) -> None:
    ask(db, 6, windows=(SHORT, DAY))
    headers = consume(db, [DAY], START)[1]
    assert headers["x-app-limit-24hour-remaining"] == "1"


def test_a_full_day_refuses_although_the_quarter_hour_is_fresh(db: sqlite3.Connection) -> None:
    ask(db, 3, windows=(SHORT, DAY))
    ask(db, 2, START + SHORT_SECONDS, windows=(SHORT, DAY))
    is_allowed, headers = consume(db, [SHORT, DAY], START + 2 * SHORT_SECONDS)
    assert not is_allowed
    assert headers["x-rate-limit-remaining"] == "3"
    assert headers["x-app-limit-24hour-remaining"] == "0"


def test_a_full_day_opens_after_a_day_and_not_before(db: sqlite3.Connection) -> None:
    ask(db, 5, windows=(DAY,))
    assert ask(db, 1, START + DAY_SECONDS - 1, windows=(DAY,)) == [False]
    assert ask(db, 1, START + DAY_SECONDS, windows=(DAY,)) == [True]


def test_without_windows_everything_passes_and_no_header_is_sent(db: sqlite3.Connection) -> None:
    assert consume(db, [], START) == (True, {})


def test_windows_of_other_names_are_left_alone(db: sqlite3.Connection) -> None:
    ask(db, 4)
    other = Window("other", 3, SHORT_SECONDS, "x-rate-limit")
    assert ask(db, 1, windows=(other,)) == [True]


def test_an_exhausted_window_is_shut_for_the_seconds_ordered(db: sqlite3.Connection) -> None:
    exhaust(db, SHORT, START, 30)
    assert ask(db, 1, START + 29) == [False]
    assert ask(db, 1, START + 30) == [True]


def test_the_header_of_an_exhausted_window_names_its_new_end(db: sqlite3.Connection) -> None:
    exhaust(db, SHORT, START, 30)
    assert consume(db, [SHORT], START)[1]["x-rate-limit-reset"] == str(int(START + 30))


POSTING = Limits(user=100, user_day=2_400, app_day=10_000)


def names(limits: Limits, account_id: str | None) -> list[tuple[str, int]]:
    return [(window.header, window.limit) for window in windows_for(limits, ROUTE, "app", account_id)]


def test_a_user_has_a_quarter_hour_a_day_and_a_share_in_the_day_of_the_app() -> None:
    assert names(POSTING, "7") == [
        ("x-rate-limit", 100),
        ("x-user-limit-24hour", 2_400),
        ("x-app-limit-24hour", 10_000),
    ]


def test_an_app_without_a_user_has_no_day_of_a_user() -> None:
    assert names(POSTING, None) == [("x-app-limit-24hour", 10_000)]


@pytest.mark.parametrize(("account_id", "limit"), [("7", 900), (None, 450)])
def test_users_and_apps_have_different_limits(account_id: str | None, limit: int) -> None:
    assert names(Limits(900, 450), account_id) == [("x-rate-limit", limit)]


def test_a_route_without_limits_has_no_windows() -> None:
    assert names(Limits(), "7") == []


def test_no_two_callers_share_a_short_window() -> None:
    callers = [("app", "1"), ("app", "2"), ("app", None), ("other", None)]
    found = {windows_for(Limits(5, 5), ROUTE, *caller)[0].name for caller in callers}
    assert len(found) == len(callers)


def test_the_day_of_an_app_is_shared_by_its_users_and_not_with_other_apps() -> None:
    callers = [("app", "1"), ("app", "2"), ("other", "1")]
    days = [windows_for(POSTING, ROUTE, *caller)[-1].name for caller in callers]
    assert days[0] == days[1] != days[2]


def test_routes_do_not_share_windows() -> None:
    here, there = (windows_for(Limits(5), route, "app", "1")[0].name for route in (ROUTE, "GET /2/users/me"))
    assert here != there
