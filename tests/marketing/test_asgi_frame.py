"""What answers beside Django's leave with: the headers of every answer, and the name that logs and tasks know."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import requests
import structlog
from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route

from marketing.asgi_frame import HEADERS, Framed, Limited
from tests.integrations.mcp.serving import served

YEAR = "max-age=31536000"


def named(_request: Request) -> JSONResponse:
    return JSONResponse(structlog.contextvars.get_contextvars(), headers={"X-Frame-Options": "ALLOWALL"})


def streamed(_request: Request) -> StreamingResponse:
    return StreamingResponse(iter([b"one", b"two"]))


@pytest.fixture
def pages() -> Iterator[str]:
    """Django's pages, with bodies of at most 200,000 bytes, or 100,000 where they do not say how many."""
    limited = Limited(get_asgi_application(), 200_000, 100_000)
    with served(lambda _address: Starlette(routes=[Mount("/", limited)])) as address:
        yield f"{address}/livez"


def test_a_large_body_is_refused_before_it_has_come(pages: str) -> None:
    sent = 0

    def chunks(count: int) -> Iterator[bytes]:
        nonlocal sent
        for _ in range(count):
            yield b"x" * 10_000
            sent += 1

    small, large = requests.post(pages, data=chunks(10), timeout=10), requests.post(pages, data=chunks(11), timeout=10)
    assert (small.status_code, large.status_code) == (200, 413)
    assert (large.headers["Connection"], large.headers["X-Frame-Options"]) == ("close", "DENY")
    # Of one that would never end, no more is read. Whether the answer is still heard is chance.
    with suppress(requests.ConnectionError):
        requests.post(pages, data=chunks(100_000), timeout=10)
    assert sent < 10_000


@pytest.mark.parametrize(("said", "status"), [("200000", 200), ("200001", 413), ("1" * 18, 413)])
def test_a_body_that_is_said_to_be_large_is_not_waited_for(pages: str, said: str, status: int) -> None:
    host, _, port = urlsplit(pages).netloc.partition(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("POST", "/livez")
    connection.putheader("Content-Length", said)
    connection.endheaders(b"x" * 200_000 if status == 200 else b"")
    assert connection.getresponse().status == status
    connection.close()


def ask(address: str, times: int = 1) -> list[httpx.Response]:
    app = Framed(Starlette(routes=[Route("/named", named), Route("/streamed", streamed)]))

    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client:
            headers = {"X-Request-Id": "chosen"}
            return await asyncio.gather(*(client.get(address, headers=headers) for _ in range(times)))

    return asyncio.run(run())


@pytest.mark.parametrize(("address", "status"), [("/named", 200), ("/streamed", 200), ("/nowhere", 404)])
def test_every_answer_has_the_headers(address: str, status: int) -> None:
    (answer,) = ask(address)
    assert answer.status_code == status
    assert {name: answer.headers.get_list(name) for name in HEADERS} == {name: [one] for name, one in HEADERS.items()}


@pytest.mark.parametrize(
    ("seconds", "is_wide", "said"),
    [(0, True, None), (31_536_000, False, YEAR), (31_536_000, True, f"{YEAR}; includeSubDomains")],
)
def test_https_is_remembered_where_it_is_on(settings, seconds: int, is_wide: bool, said: str | None) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = seconds, is_wide
    assert ask("/named")[0].headers.get("Strict-Transport-Security") == said


def test_each_request_has_a_name_of_its_own_and_none_that_a_stranger_chose() -> None:
    answers = ask("/named", times=5)
    names = [answer.headers["X-Request-Id"] for answer in answers]
    assert [answer.json()["request_id"] for answer in answers] == names
    assert len({UUID(name) for name in names}) == 5
    assert structlog.contextvars.get_contextvars() == {}


def test_the_log_has_its_name_and_no_query(caplog) -> None:
    caplog.set_level("INFO")
    (answer,) = ask("/nowhere?token=geheim")
    (entry,) = [one.msg for one in caplog.records if isinstance(one.msg, dict) and "request" in one.msg]
    assert (entry["code"], entry["request"]) == (404, "GET /nowhere")
    assert entry["request_id"] == answer.headers["X-Request-Id"]
