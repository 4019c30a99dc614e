"""Each refusal and fault of Telegram, over real HTTP, and what the engine is told about it."""

from datetime import timedelta

import pytest
from telegram.error import NetworkError as TheirError
from telegram.error import RetryAfter

from lib.clock import now
from social.networks.port import Failure, NetworkError, OutgoingPart
from social.networks.telegram import api
from social.networks.telegram.errors import from_exception, scrub

SEND = "sendMessage"


@pytest.fixture
def failed_write(cafe):
    def send() -> NetworkError:
        with pytest.raises(NetworkError) as caught:
            cafe.client().publish(OutgoingPart("Hello"))
        return caught.value

    return send


@pytest.fixture
def failed_read(cafe):
    def read() -> NetworkError:
        with pytest.raises(NetworkError) as caught:
            api.get_me(cafe.token)
        return caught.value

    return read


@pytest.fixture
def refuse(cafe):
    """The next message is refused with these words."""

    def order(status: int, description: str, **extra) -> None:
        body = {"ok": False, "error_code": status, "description": description, **extra}
        cafe.fault("status", SEND, status=status, body=body)

    return order


# fault, its parameters, what a write means, what a read means, code
FAULTS = [
    ("accept_then_drop", {}, Failure.UNKNOWN, Failure.TEMPORARY, "connection_lost"),
    ("drop_before_accept", {}, Failure.UNKNOWN, Failure.TEMPORARY, "connection_lost"),
    ("html_5xx", {"status": 502}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("html_5xx", {"status": 503}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("status", {"status": 500}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("status", {"status": 408}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("status", {"status": 302}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("status", {"status": 200, "body": {"ok": True}}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("status", {"status": 200, "body": [1]}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("html_5xx", {"status": 200}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("json_list_error", {}, Failure.UNKNOWN, Failure.TEMPORARY, "unclear_answer"),
    ("html_5xx", {"status": 400}, Failure.TEMPORARY, Failure.TEMPORARY, "edge_refused"),
    ("html_5xx", {"status": 401}, Failure.TEMPORARY, Failure.TEMPORARY, "edge_refused"),
    ("html_5xx", {"status": 403}, Failure.TEMPORARY, Failure.TEMPORARY, "edge_refused"),
    ("html_5xx", {"status": 404}, Failure.TEMPORARY, Failure.TEMPORARY, "edge_refused"),
    ("html_5xx", {"status": 413}, Failure.REJECTED, Failure.REJECTED, "too_large"),
    ("status", {"status": 413}, Failure.REJECTED, Failure.REJECTED, "too_large"),
    ("html_5xx", {"status": 429}, Failure.RATE_LIMIT, Failure.RATE_LIMIT, "rate_limited"),
    ("retry_after", {"seconds": 3}, Failure.RATE_LIMIT, Failure.RATE_LIMIT, "rate_limited"),
    ("status", {"status": 409}, Failure.TEMPORARY, Failure.TEMPORARY, "conflict"),
    ("token_expired", {}, Failure.UNAUTHORIZED, Failure.UNAUTHORIZED, "bad_token"),
]


@pytest.mark.parametrize(("kind", "params", "failure", "_read", "code"), FAULTS)
def test_a_failed_write_is_sorted(cafe, failed_write, kind, params, failure, _read, code):
    cafe.fault(kind, SEND, **params)
    error = failed_write()
    assert (error.failure, error.code) == (failure, code)


@pytest.mark.parametrize(("kind", "params", "_write", "failure", "code"), FAULTS)
def test_a_failed_read_never_leaves_anything_open(cafe, failed_read, kind, params, _write, failure, code):
    cafe.fault(kind, "getMe", **params)
    error = failed_read()
    assert (error.failure, error.code) == (failure, code)


REFUSALS = [
    (403, "Forbidden: bot was kicked from the channel chat", Failure.UNAUTHORIZED, "bot_kicked"),
    (403, "Forbidden: bot was kicked from the supergroup chat", Failure.UNAUTHORIZED, "bot_kicked"),
    (403, "Forbidden: bot is not a member of the channel chat", Failure.UNAUTHORIZED, "bot_kicked"),
    (403, "Forbidden: the group chat was deleted", Failure.UNAUTHORIZED, "chat_gone"),
    (403, "Forbidden: bot was blocked by the user", Failure.UNAUTHORIZED, "bot_blocked"),
    (403, "Forbidden: bot can't initiate conversation with a user", Failure.UNAUTHORIZED, "bot_blocked"),
    (403, "Forbidden: user is deactivated", Failure.REJECTED, "user_gone"),
    (403, "Forbidden: bot can't send messages to bots", Failure.REJECTED, "invalid"),
    (400, "Bad Request: need administrator rights in the channel chat", Failure.UNAUTHORIZED, "not_admin"),
    (400, "Bad Request: not enough rights to send text messages to the chat", Failure.UNAUTHORIZED, "not_admin"),
    (400, "Bad Request: have no rights to send a message", Failure.UNAUTHORIZED, "not_admin"),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN", Failure.UNAUTHORIZED, "not_admin"),
    (400, "Bad Request: CHAT_ADMIN_REQUIRED", Failure.UNAUTHORIZED, "not_admin"),
    (400, "Bad Request: chat not found", Failure.REJECTED, "chat_not_found"),
    (400, "Bad Request: message thread not found", Failure.REJECTED, "topic_not_found"),
    (400, "Bad Request: TOPIC_DELETED", Failure.REJECTED, "topic_not_found"),
    (400, "Bad Request: TOPIC_CLOSED", Failure.REJECTED, "topic_closed"),
    (400, "Bad Request: message to be replied not found", Failure.REJECTED, "reply_gone"),
    (400, "Bad Request: message is too long", Failure.REJECTED, "too_long"),
    (400, "Bad Request: message caption is too long", Failure.REJECTED, "too_long"),
    (400, "Bad Request: file of size 9 bytes is too big for a photo", Failure.REJECTED, "too_large"),
    (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", Failure.REJECTED, "invalid"),
    (429, "Too Many Requests: retry later", Failure.RATE_LIMIT, "rate_limited"),
]


@pytest.mark.parametrize(("status", "words", "failure", "code"), REFUSALS)
def test_a_refusal_is_told_by_its_words(refuse, failed_write, status, words, failure, code):
    refuse(status, words)
    error = failed_write()
    assert (error.failure, error.code) == (failure, code)


def test_a_refusal_of_unknown_meaning_is_shown_in_telegrams_words(refuse, failed_write):
    refuse(400, "Bad Request: wrong type of the web page content")
    assert failed_write().message == "Telegram refused it: wrong type of the web page content."


def test_words_on_a_page_of_something_in_between_mean_nothing(cafe, failed_write):
    cafe.fault("html_5xx", SEND, status=502)
    assert failed_write().failure is Failure.UNKNOWN
    page = "Bad Gateway (502). Parsing the server response b'chat not found, too long, too many requests' failed"
    assert from_exception(TheirError(page), is_write=True).failure is Failure.UNKNOWN


def test_an_error_of_the_server_stays_open_whatever_it_says(refuse, failed_write):
    refuse(500, "Internal Server Error: chat not found")
    assert failed_write().failure is Failure.UNKNOWN


def test_a_user_reads_what_to_do_and_staff_what_telegram_said(refuse, failed_write):
    refuse(403, "Forbidden: bot was kicked from the channel chat")
    error = failed_write()
    assert (
        error.message == "The bot is not in this chat any more. Add it again as an admin, then connect the chat again."
    )
    assert error.raw == "Forbidden: Forbidden: bot was kicked from the channel chat"
    assert error.http_status == 403


# --- waiting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "at_least"), [(7, 6), (1, 0.5), (3600, 3590)])
def test_a_flood_says_when_it_ends(cafe, failed_write, seconds, at_least):
    cafe.fault("flood", SEND, seconds=seconds)
    wait = failed_write().retry_at - now()
    assert timedelta(seconds=at_least) < wait <= timedelta(seconds=seconds)


def test_no_flood_stops_a_chat_for_years(cafe, failed_write):
    cafe.fault("flood", SEND, seconds=10**8)
    assert failed_write().retry_at - now() <= timedelta(hours=25)


def test_a_limit_without_an_end_waits_a_minute(refuse, failed_write):
    refuse(429, "Too Many Requests")
    assert timedelta(seconds=50) < failed_write().retry_at - now() <= timedelta(minutes=1)


def test_the_libraries_whole_seconds_are_understood_too(monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "0")
    with pytest.warns(DeprecationWarning, match="PTB_TIMEDELTA"):
        wait = from_exception(RetryAfter(30), is_write=True).retry_at - now()
    assert timedelta(seconds=25) < wait <= timedelta(seconds=30)


# --- the rest ------------------------------------------------------------------------------------------------


def test_a_group_that_moved_says_where_to(cafe, failed_write):
    cafe.fault("migrate_to_chat_id", SEND, chat_id=-100777)
    error = failed_write()
    assert (error.failure, error.code, error.moved_to) == (Failure.TEMPORARY, "chat_moved", "-100777")


def test_nobody_listening_means_never_sent(cafe, settings, failed_write):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9/tg"
    error = failed_write()
    assert (error.failure, error.code) == (Failure.TEMPORARY, "unreachable")


@pytest.mark.parametrize("method", ["slow_headers", "accept_then_hang", "slow_body"])
def test_an_answer_that_comes_too_late_leaves_a_message_open(cafe, settings, failed_write, method):
    settings.TELEGRAM_TIMEOUT_S = 0.5
    cafe.fault(method, SEND, seconds=3)
    error = failed_write()
    assert (error.failure, error.code) == (Failure.UNKNOWN, "timeout")


def test_a_read_that_takes_too_long_is_simply_read_again(cafe, settings, failed_read):
    settings.TELEGRAM_TIMEOUT_S = 0.5
    cafe.fault("slow_headers", "getMe", seconds=3)
    assert failed_read().failure is Failure.TEMPORARY


@pytest.mark.parametrize(
    "text",
    ["POST https://api.telegram.org/bot123456:AAE-secret_token/getMe", "token 123456:AAE-secret_token is bad"],
)
def test_no_token_is_left_in_a_text(text):
    assert "secret" not in scrub(text)
