"""How often a caller may ask: who is counted as one, what the headers say, and when it begins anew."""

import pytest
from django.core.cache.backends.redis import RedisCache
from django.urls import path
from rest_framework.response import Response

from accounts.rest import LIMIT_HEADERS, ApiView
from accounts.services import create_api_key
from accounts.throttling import AuthThrottle, CallerThrottle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.test_throttles")]


class Open(ApiView):
    permission_classes = []

    def get(self, request):
        return Response("here")


class Door(ApiView):
    authentication_classes = []
    permission_classes = []
    throttle_classes = [AuthThrottle]

    def get(self, request):
        return Response("come in")


urlpatterns = [path("api/open", Open.as_view()), path("api/door", Door.as_view())]


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the throttles read; the test moves them."""
    seconds = [1_000_000.0]
    monkeypatch.setattr(CallerThrottle, "timer", staticmethod(lambda: seconds[0]))
    return seconds


@pytest.fixture
def three_a_minute(monkeypatch, clock):
    monkeypatch.setattr(CallerThrottle, "rate", "3/min", raising=False)
    return clock


def limits(answer) -> list[int]:
    return [int(answer[name]) for name in LIMIT_HEADERS]


def test_headers_count_down_to_the_refusal(api, alice, three_a_minute):
    answers = [api(alice).get("/api/open") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [limits(answer) for answer in answers] == [[3, 2, 60], [3, 1, 60], [3, 0, 60], [3, 0, 60], [3, 0, 60]]


def test_refused_caller_is_told_the_seconds_until_the_next_is_free(api, alice, three_a_minute):
    for _ in range(3):
        api(alice).get("/api/open")
        three_a_minute[0] += 10
    answer = api(alice).get("/api/open")
    assert (answer.status_code, int(answer["Retry-After"]), limits(answer)[2]) == (429, 30, 30)


def test_caller_who_waits_that_long_is_let_in(api, alice, three_a_minute):
    for _ in range(4):
        answer = api(alice).get("/api/open")
    three_a_minute[0] += int(answer["Retry-After"]) - 1
    assert api(alice).get("/api/open").status_code == 429
    three_a_minute[0] += 1
    assert limits(api(alice).get("/api/open")) == [3, 2, 60]


def test_refused_requests_do_not_lengthen_the_wait(api, alice, three_a_minute):
    for _ in range(3):
        api(alice).get("/api/open")
    for _ in range(5):
        three_a_minute[0] += 10
        api(alice).get("/api/open")
    three_a_minute[0] += 10
    assert api(alice).get("/api/open").status_code == 200


def test_window_slides_with_the_oldest_request(api, alice, three_a_minute):
    for _ in range(3):
        api(alice).get("/api/open")
        three_a_minute[0] += 25
    # The first of the three is 75 seconds old by now, the second 50.
    assert limits(api(alice).get("/api/open")) == [3, 0, 10]


def test_people_are_counted_apart_though_they_share_an_address(api, alice, bob, three_a_minute):
    for _ in range(3):
        api(alice).get("/api/open")
    assert limits(api(bob).get("/api/open"))[1] == 2


def test_keys_of_one_person_are_counted_apart_and_from_the_person(
    api, alice, alice_actor, in_workspace, three_a_minute
):
    first, second = (create_api_key("Key", ["read"], by=alice_actor)[1] for _ in range(2))
    for caller in (alice, first, second):
        assert limits(api(caller).get("/api/open"))[1] == 2


def test_sessions_and_tokens_of_one_person_are_counted_together(api, alice, alice_client, three_a_minute):
    api(alice).get("/api/open")
    assert limits(alice_client.get("/api/open"))[1] == 1


def test_nobody_is_counted_by_address(api, three_a_minute):
    first = [api().get("/api/open", REMOTE_ADDR="192.0.2.1") for _ in range(4)]
    other = api().get("/api/open", REMOTE_ADDR="192.0.2.2")
    assert [first[-1].status_code, other.status_code] == [429, 200]


def test_wrong_keys_are_counted_by_address(api, three_a_minute):
    answers = [api(f"rk_unknown{n}").get("/api/open") for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]


def test_door_counts_addresses_and_not_people(api, alice, bob, three_a_minute):
    answers = [api(caller).get("/api/door") for caller in (alice, bob, None, alice)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_door_is_counted_apart_from_the_rest(api, three_a_minute):
    for _ in range(3):
        api().get("/api/door")
    assert api().get("/api/open").status_code == 200


def test_without_redis_callers_go_on_and_nobody_logs_in(api, alice, monkeypatch):
    monkeypatch.setattr(CallerThrottle, "cache", RedisCache("redis://127.0.0.1:1/0", {}))
    answer, refused = api(alice).get("/api/open"), api(alice).get("/api/door")
    assert (answer.status_code, answer.has_header("RateLimit-Limit")) == (200, False)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
