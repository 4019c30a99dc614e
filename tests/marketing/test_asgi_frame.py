"""What answers beside Django's leave with: the headers of every answer, and the name that logs and tasks know."""

import asyncio
from uuid import UUID

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from marketing.asgi_frame import HEADERS, Framed

YEAR = "max-age=31536000"


def named(_request: Request) -> JSONResponse:
    return JSONResponse(structlog.contextvars.get_contextvars(), headers={"X-Frame-Options": "ALLOWALL"})


def streamed(_request: Request) -> StreamingResponse:
    return StreamingResponse(iter([b"one", b"two"]))


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
