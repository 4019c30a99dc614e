"""The way out for asynchronous SDKs, to public addresses only: as lib.http_sdk, with its guard and its size cap."""

import os
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio.to_thread
import certifi
import httpcore2
import httpx2
from django.conf import settings

from lib.http_sdk import CONNECT_TIMEOUT_S, LiveCallsOff, NotPublic, TooLarge
from lib.public_http import FetchError, is_this_machine, public_addresses


def open_client(*, headers: dict[str, str], timeout_s: float, max_bytes: int) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=PublicTransport(max_bytes),
        headers=headers,
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,
    )


class Refused(httpx2.ReadError):
    """The SDK forgets the status of an answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class PublicTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        # The parent's own constructor cannot take a backend.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where()),
            max_connections=4,
            network_backend=PublicBackend(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # Packed, a few bytes could unfold to any number.
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx2.ReadError("the answer is packed, which nobody asked for")
        # All other errors may be part of the protocol.
        if response.status_code in {401, 403, 429} or response.status_code >= 500:
            await response.aclose()
            raise Refused(response.status_code)
        response.stream = _LimitedStream(response.stream, self.max_bytes)  # type: ignore[arg-type]
        return response


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._stream, self._left = stream, max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise TooLarge("the answer is too large")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class PublicBackend(httpcore2.AnyIOBackend):
    """Looks a name up once, and connects to what was looked at."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        if not settings.ALLOW_LIVE and not is_this_machine(host):
            raise LiveCallsOff(host)
        fault: Exception | None = None
        for address in await anyio.to_thread.run_sync(_addresses, host, port):
            try:
                limit_s = min(timeout or CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
                return await super().connect_tcp(address, port, limit_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault or httpcore2.ConnectError("no address")


def _addresses(host: str, port: int) -> list[str]:
    name = f"[{host}]" if ":" in host else host
    try:
        return public_addresses(f"{'http' if port in (80, 8080) else 'https'}://{name}:{port}/")
    except FetchError as error:
        raise NotPublic(error.message) from error
