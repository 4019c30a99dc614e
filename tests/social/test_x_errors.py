"""Each fault of X, over real HTTP, and what the engine is told about it."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from lib.clock import now
from social.networks.port import Failure, NetworkError, OutgoingPart
from social.networks.x.client import XClient
from social.networks.x.errors import from_exception, from_response

POST, ME = "POST /2/tweets", "GET /2/users/me"


@pytest.fixture
def account(sandbox):
    return sandbox.sign_in("roastery")


@pytest.fixture
def client(account) -> XClient:
    return XClient(account.token, remote_id=account.id)


@pytest.fixture
def impatient(account, settings) -> XClient:
    """Waits less than the faults that hang last."""
    settings.X_TIMEOUT_S = 0.8
    return XClient(account.token, remote_id=account.id)


def failed_write(client: XClient, text: str = "Hello") -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        client.publish(OutgoingPart(text=text))
    return caught.value


def failed_read(client: XClient) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        client.me()
    return caught.value


# fault, its parameters, what a write means, what a read means, code
TABLE = [
    ("accept_then_drop", {}, Failure.UNKNOWN, Failure.TEMPORARY, "connection_lost"),
    ("drop_before_accept", {}, Failure.UNKNOWN, Failure.TEMPORARY, "connection_lost"),
    ("html_5xx", {}, Failure.UNKNOWN, Failure.TEMPORARY, "http_503"),
    ("status", {"status": 500}, Failure.UNKNOWN, Failure.TEMPORARY, "http_500"),
    ("status", {"status": 408}, Failure.UNKNOWN, Failure.TEMPORARY, "http_408"),
    ("status", {"status": 302}, Failure.UNKNOWN, Failure.TEMPORARY, "http_302"),
    ("html_5xx", {"status": 403}, Failure.TEMPORARY, Failure.TEMPORARY, "edge_refused"),
    ("json_list_error", {}, Failure.REJECTED, Failure.REJECTED, "invalid"),
    ("status", {"status": 413}, Failure.REJECTED, Failure.REJECTED, "too_large"),
    ("status", {"status": 422}, Failure.REJECTED, Failure.REJECTED, "refused"),
    ("status", {"status": 404}, Failure.REJECTED, Failure.REJECTED, "not_found"),
    ("status", {"status": 403, "body": [1]}, Failure.REJECTED, Failure.REJECTED, "forbidden"),
    ("token_expired", {}, Failure.UNAUTHORIZED, Failure.UNAUTHORIZED, "unauthorized"),
    ("rate_limit", {}, Failure.RATE_LIMIT, Failure.RATE_LIMIT, "rate_limited"),
    ("usage_cap", {}, Failure.PAUSED, Failure.PAUSED, "usage_cap"),
    ("credits_depleted", {}, Failure.PAUSED, Failure.PAUSED, "credits"),
    (
        "status",
        {"status": 403, "body": {"reason": "client-not-enrolled", "title": "Client Forbidden"}},
        Failure.PAUSED,
        Failure.PAUSED,
        "not_enrolled",
    ),
]
IDS = [f"{row[0]}-{row[4]}" for row in TABLE]


@pytest.mark.parametrize(("fault", "params", "write", "_read", "code"), TABLE, ids=IDS)
def test_failed_write_means(sandbox, client, fault, params, write, _read, code):
    sandbox.fault(fault, route=POST, **params)
    error = failed_write(client)
    assert (error.failure, error.code) == (write, code)


@pytest.mark.parametrize(("fault", "params", "_write", "read", "code"), TABLE, ids=IDS)
def test_failed_read_means(sandbox, client, fault, params, _write, read, code):
    sandbox.fault(fault, route=ME, **params)
    error = failed_read(client)
    assert (error.failure, error.code) == (read, code)


@pytest.mark.parametrize("fault", ["accept_then_hang", "slow_headers"])
def test_what_hangs_is_given_up(sandbox, impatient, fault):
    for route in (POST, ME):
        sandbox.fault(fault, route=route, seconds=8)
    write, read = failed_write(impatient), failed_read(impatient)
    assert (write.failure, write.code) == (Failure.UNKNOWN, "timeout")
    assert (read.failure, read.code) == (Failure.TEMPORARY, "timeout")


def test_a_second_post_with_the_same_words_is_a_duplicate(client):
    client.publish(OutgoingPart(text="Twice"))
    assert failed_write(client, "Twice").failure is Failure.DUPLICATE


def test_the_old_words_for_a_duplicate_are_understood(sandbox, client):
    body = {"errors": [{"code": 187, "message": "Status is a duplicate."}]}
    sandbox.fault("status", route=POST, status=403, body=body)
    assert failed_write(client).failure is Failure.DUPLICATE


def test_a_reply_to_somebody_who_did_not_mention_us_is_final(sandbox, client):
    sandbox.fault("not_summoned", route=POST)
    error = failed_write(client)
    assert (error.failure, error.code) == (Failure.REJECTED, "not_summoned")


def test_a_scope_that_was_not_granted_is_final(sandbox):
    reader = sandbox.sign_in("reader", scopes="tweet.read users.read")
    error = failed_write(XClient(reader.token))
    assert (error.failure, error.code) == (Failure.REJECTED, "forbidden")


def test_a_text_that_is_too_long_is_refused_with_xs_own_reason(client):
    error = failed_write(client, "x" * 281)
    assert error.failure is Failure.REJECTED
    assert "too long" in error.message


def test_an_error_carries_what_support_needs(sandbox, client):
    sandbox.fault("credits_depleted", route=POST)
    error = failed_write(client)
    assert error.http_status == 402
    assert "CreditsDepleted" in error.raw
    assert len(error.request_id) == 16


def test_an_address_where_nobody_listens_was_never_asked(client, settings):
    settings.X_API_BASE_URL = "http://127.0.0.1:9"
    error = failed_write(XClient("token"))
    assert (error.failure, error.code) == (Failure.TEMPORARY, "unreachable")


def test_a_body_that_trickles_in_is_cut_off_at_the_deadline(sandbox, client, monkeypatch):
    monkeypatch.setattr("lib.http.CONNECT_TIMEOUT_S", 0.2)
    sandbox.fault("slow_body", route=ME, seconds=12)
    started = now()
    assert failed_read(client).code == "timeout"
    assert now() - started < timedelta(seconds=6)


def test_a_post_whose_answer_trickles_in_is_uncertain(sandbox, client, monkeypatch):
    monkeypatch.setattr("lib.http.CONNECT_TIMEOUT_S", 0.2)
    sandbox.fault("slow_body", route=POST, seconds=12)
    assert failed_write(client).failure is Failure.UNKNOWN
    assert len(sandbox.posts("roastery")) == 1


def test_a_post_that_was_accepted_without_an_id_is_uncertain(sandbox, client):
    sandbox.fault("status", route=POST, status=201, body={"data": {}})
    error = failed_write(client)
    assert (error.failure, error.code) == (Failure.UNKNOWN, "no_id")


@pytest.mark.parametrize("body", [{}, [], {"data": None}, {"data": {"id": "1"}}, {"errors": [{"title": "Gone"}]}])
def test_a_good_status_with_an_unexpected_body_is_temporary(sandbox, client, body):
    sandbox.fault("status", route=ME, status=200, body=body)
    assert failed_read(client).code == "unreadable_answer"


def test_html_with_a_good_status_is_temporary(sandbox, client):
    sandbox.fault("html_5xx", route=ME, status=200)
    assert failed_read(client).code == "unreadable_answer"


def test_a_header_that_tweepy_cannot_read_hides_nothing(sandbox, client):
    headers = {"x-rate-limit-reset": "soon", "x-rate-limit-remaining": "0"}
    sandbox.fault("status", route=POST, status=429, headers=headers)
    assert failed_write(client).failure is Failure.RATE_LIMIT


# --- when to come back --------------------------------------------------------------------------------------


def wait_after(status: int, **headers: str) -> float:
    """Seconds that an answer with these headers asks us to wait; -1 for none."""
    response = requests.Response()
    response.status_code, response._content = status, b"{}"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    retry_at = from_response(response, is_write=False).retry_at
    return round((retry_at - now()).total_seconds()) if retry_at else -1


def in_(**span: int) -> str:
    return str(round((datetime.now(UTC) + timedelta(**span)).timestamp()))


def test_a_shut_window_names_its_reset(sandbox, client):
    sandbox.fault("rate_limit", route=POST, seconds=300)
    wait = failed_write(client).retry_at - now()
    assert timedelta(seconds=295) < wait <= timedelta(seconds=301)


def test_a_used_up_day_waits_for_the_day(sandbox, client):
    sandbox.fault("rate_limit", route=POST, window="24hour", seconds=7000)
    wait = failed_write(client).retry_at - now()
    assert timedelta(seconds=6900) < wait <= timedelta(seconds=7001)


def test_the_longest_of_several_waits_counts():
    reset = {"x_rate_limit_remaining": "0", "x_rate_limit_reset": in_(minutes=5)}
    day = {"x_app_limit_24hour_remaining": "0", "x_app_limit_24hour_reset": in_(hours=3)}
    assert 10_790 <= wait_after(429, **reset, **day, retry_after="60") <= 10_801


def test_a_window_with_something_left_is_no_reason_to_wait():
    assert wait_after(429, x_rate_limit_remaining="3", x_rate_limit_reset=in_(hours=3)) == 60


def test_a_rate_limit_without_headers_waits_a_minute():
    assert wait_after(429) == 60


def test_a_reset_in_the_past_does_not_make_us_spin():
    assert wait_after(429, x_rate_limit_remaining="0", x_rate_limit_reset=in_(hours=-1)) == 1


@pytest.mark.parametrize("value", ["9999999999", "99999999999999999999999", "-5", "²", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_nonsensical_wait_never_stops_an_account_for_years(value):
    assert 0 < wait_after(429, retry_after=value) <= timedelta(hours=25).total_seconds()


def test_an_overload_may_name_a_wait_too():
    assert wait_after(503, retry_after="7") == 7


def test_an_overload_without_one_leaves_the_wait_to_us():
    assert wait_after(503) == -1


def test_a_final_refusal_names_no_wait():
    assert wait_after(403, retry_after="7") == -1


def test_an_error_of_our_own_making_is_still_uncertain_for_a_write():
    assert from_exception(AttributeError("list"), is_write=True).failure is Failure.UNKNOWN
