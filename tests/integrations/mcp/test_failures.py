"""Wrong tokens at /mcp, counted by the address they come from."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from accounts.scope import workspace_scope
from integrations.mcp import failures
from integrations.mcp.failures import Failures, address_of
from integrations.mcp.limits import BODY_BYTES
from integrations.models import McpServer
from lib.clock import shifted
from tests.integrations.mcp.rows import add_token

Send = Callable[..., requests.Response]
LIST = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {}})
ATTACKER, OTHER = "198.51.100.7", "198.51.100.8"


@pytest.fixture
def send(endpoint, settings, monkeypatch) -> Send:
    """From an address, as our proxy says; three failures a minute are let through."""
    settings.TRUSTED_PROXIES = 1
    monkeypatch.setattr(failures, "PER_MINUTE", 3)

    def post(token: str | None, address: str = ATTACKER, data: object = LIST) -> requests.Response:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "X-Forwarded-For": f"203.0.113.9, {address}",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return requests.post(endpoint, data=data, headers=headers, timeout=60)

    return post


def codes(send: Send, token: str | None, times: int) -> list[int]:
    return [send(token).status_code for _ in range(times)]


@pytest.mark.django_db(transaction=True)
def test_an_address_guesses_only_so_often_and_others_go_on(send, server) -> None:
    known, unknown = add_token(server), add_token(server)
    assert send(known).status_code == 200
    assert codes(send, "mcp_wrong", 4) == [401] * 4
    refused = send("mcp_other")
    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limited")
    assert refused.json()["error_description"].startswith("Too many wrong tokens from this address. Try again in ")
    assert 0 < int(refused.headers["Retry-After"]) <= 21
    # Behind the same address: a token that opened before does so, one that nobody knows yet waits.
    assert (send(known).status_code, send(unknown).status_code) == (200, 429)
    assert [send(token, OTHER).status_code for token in (unknown, "mcp_wrong")] == [200, 401]
    # Without a token nothing is looked up: it is told where to ask for one.
    assert codes(send, None, 2) == [401] * 2


@pytest.mark.django_db(transaction=True)
def test_good_tokens_are_not_counted_and_those_that_end_are(send, server) -> None:
    token = add_token(server)
    assert codes(send, token, 5) == [200] * 5
    with workspace_scope(server.workspace_id):
        McpServer.objects.filter(pk=server.pk).update(status="suspended", suspended_by="staff")
    assert codes(send, token, 5) == [403] * 4 + [429]


@pytest.mark.django_db(transaction=True)
def test_a_body_without_an_end_is_cut_and_of_strangers_not_read(send, server) -> None:
    token, chunk = add_token(server), b" " * 65_536
    chunks = [chunk] * (BODY_BYTES // len(chunk) + 1)
    assert send(token, data=iter(chunks)).status_code == 413
    assert send("mcp_wrong", data=iter(chunks)).status_code == 401


def test_only_so_much_is_remembered(monkeypatch) -> None:
    monkeypatch.setattr(failures, "MOST_REMEMBERED", 3)
    found = Failures()
    for token in ("a", "b", "c", "a", "d"):
        found.note_good(token)
    assert list(found.opened) == [hash(token) for token in ("c", "a", "d")]
    for number in range(3):
        found.shut_out(f"192.0.2.{number}", 20)
    with shifted(timedelta(seconds=21)):
        found.shut_out(ATTACKER, 20)
    assert list(found.shut_until) == [ATTACKER]


@pytest.mark.parametrize(
    ("trusted", "said", "address"),
    [
        (0, ["192.0.2.1"], "10.0.0.1/32"),
        (1, [], "10.0.0.1/32"),
        (1, ["192.0.2.1"], "192.0.2.1/32"),
        (1, ["192.0.2.1, 192.0.2.2"], "192.0.2.2/32"),
        (1, ["192.0.2.1", "192.0.2.2"], "192.0.2.2/32"),
        (2, ["192.0.2.1, 192.0.2.2"], "192.0.2.1/32"),
        (5, ["192.0.2.1, 192.0.2.2"], "192.0.2.1/32"),
        (1, ["2001:db8::1:2:3:4"], "2001:db8::/64"),
        (1, ["::ffff:192.0.2.1"], "192.0.2.1/32"),
        (1, ["unknown"], ""),
    ],
)
def test_whose_address_it_is(settings, trusted: int, said: list[str], address: str) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = [(b"x-forwarded-for", one.encode()) for one in said]
    assert address_of({"type": "http", "headers": headers, "client": ("10.0.0.1", 5000)}) == address


def test_an_address_may_be_missing() -> None:
    assert address_of({"type": "http", "headers": [], "client": None}) == ""
