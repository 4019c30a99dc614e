"""Talks MCP to somebody else's server: a look at its tools, and one call. Each is a connection of its own."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import structlog

from lib.http_sdk import LiveCallsOff, NotPublic, TooLarge
from lib.text import storable

T = TypeVar("T")
MAX_BYTES = 1024 * 1024
LOOK_S, CALL_S = 15.0, 20.0
MAX_PAGES, MAX_TOOLS = 5, 100
MAX_TEXT = 200_000
log = structlog.get_logger(__name__)


class OutsideError(Exception):
    """Why there is no answer; the text is safe to show."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class ToolChanged(OutsideError):
    """It is no longer what an admin allowed."""

    def __init__(self) -> None:
        super().__init__("This tool has changed since it was allowed. An admin has to look at it again.")


@dataclass(frozen=True)
class Described:
    """A tool as its server describes it."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    text: str
    is_error: bool


def list_tools(url: str, secret: str) -> list[Described]:
    """Raises OutsideError. What is more than a hundred, or more than a megabyte, is refused."""

    return _talk(url, secret, _look, LOOK_S)


async def _look(client: Any) -> list[Described]:
    found: list[Described] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [Described(one.name, one.description or "", one.input_schema) for one in page.tools]
        cursor = page.next_cursor
        if not cursor:
            break
    return found[:MAX_TOOLS]


def call_tool(
    url: str, secret: str, name: str, args: Mapping[str, Any], *, is_same: Callable[[Described], bool]
) -> Answer:
    """Only while the server still describes the tool as it did (`is_same`). Raises OutsideError or ToolChanged."""

    async def call(client: Any) -> Answer:
        from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult

        described = next((one for one in await _look(client) if one.name == name), None)
        if described is None or not is_same(described):
            raise ToolChanged
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=dict(args)))
        # Not the SDK's own `call_tool`: it would check the answer by a schema of theirs, at our cost.
        result = await client.session.send_request(request, CallToolResult)
        return Answer(_text_of(result), bool(result.is_error))

    return _talk(url, secret, call, CALL_S)


def _text_of(result: Any) -> str:
    pieces = [one.text if one.type == "text" else f"({one.type} left out)" for one in result.content]
    if not pieces and result.structured_content is not None:
        pieces = [json.dumps(result.structured_content, ensure_ascii=False)]
    return storable("\n".join(pieces))[:MAX_TEXT]


def _talk(url: str, secret: str, act: Callable[[Any], Awaitable[T]], limit_s: float) -> T:
    # Half a second to import: only where somebody else's server is talked to.
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    from integrations.outside.transport import open_client

    headers = {"User-Agent": "Rostrum"} | ({"Authorization": secret} if secret else {})

    async def talk() -> T:
        with anyio.fail_after(limit_s):
            async with (
                open_client(headers=headers, timeout_s=limit_s, max_bytes=MAX_BYTES) as http,
                Client(streamable_http_client(url, http_client=http), read_timeout_seconds=limit_s) as client,
            ):
                return await act(client)

    try:
        return anyio.run(talk)
    # The SDK lets many kinds through, some of them in groups: all of them mean that there is no answer.
    except Exception as error:
        log.info("outside_mcp_failed", kind=type(error).__name__, cause=[type(one).__name__ for one in _leaves(error)])
        raise _as_outside(error) from error


def _as_outside(error: BaseException) -> OutsideError:
    found = (_meaning(one) for one in _leaves(error))
    return next((one for one in found if one), OutsideError("It does not answer as an MCP server does."))


def _meaning(error: BaseException) -> OutsideError | None:
    if isinstance(error, OutsideError):
        return error
    if isinstance(error, NotPublic):
        return OutsideError(str(error))
    texts: dict[type[BaseException], str] = {
        LiveCallsOff: "Calls to other machines are switched off here.",
        TooLarge: "Its answer is too large.",
        TimeoutError: "It took too long to answer.",
    }
    text = next((text for kind, text in texts.items() if isinstance(error, kind)), "")
    if text:
        return OutsideError(text)
    status = getattr(error, "status", None)
    hint = " Check the secret." if status in {401, 403} else ""
    return OutsideError(f"It refused with HTTP {status}.{hint}") if status else None


def _leaves(error: BaseException) -> list[BaseException]:
    """What is inside groups and behind causes, innermost included."""
    found, seen = [error], {id(error)}
    for one in found:
        inner = [*getattr(one, "exceptions", ()), one.__cause__, one.__context__]
        new = [more for more in inner if more is not None and id(more) not in seen]
        seen.update(map(id, new))
        found.extend(new)
    return found
