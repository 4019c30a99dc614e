"""The way out for SDKs built on httpx2: no redirects, no proxies of the environment, a size cap and a total time."""

import os
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import certifi
import httpcore2
import httpx2
from django.conf import settings

from lib.public_http import FetchError, is_this_machine, public_addresses

CONNECT_TIMEOUT_S = 5.0
MAX_BYTES = 20 * 1024 * 1024


class LiveCallsOff(Exception):
    """ALLOW_LIVE is off and the host is not this machine."""


class NotPublic(httpcore2.ConnectError):
    """A user's own address leads somewhere that is not on the public internet."""


class TooLarge(httpx2.ReadError):
    """The answer is larger than we are willing to read."""


def open_client(*, only_public: bool = False) -> httpx2.Client:
    """`only_public`: for addresses that users supply, pinned to the addresses that were looked at."""
    return httpx2.Client(
        transport=LimitedTransport(only_public=only_public), follow_redirects=False, trust_env=False, timeout=60
    )


_total_s: ContextVar[float | None] = ContextVar("total_s", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """How long an answer may take as a whole; otherwise as long as one read."""
    token = _total_s.set(seconds)
    try:
        yield
    finally:
        _total_s.reset(token)


class LimitedTransport(httpx2.HTTPTransport):
    def __init__(self, *, only_public: bool = False, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes, self.only_public = max_bytes, only_public
        # The parent's own constructor cannot take a backend.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where()),
            max_connections=200,
            max_keepalive_connections=20,
            keepalive_expiry=30,
            network_backend=GuardedBackend(only_public=only_public),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        limit_s = _total_s.get() or request.extensions.get("timeout", {}).get("read") or 60.0
        deadline = time.monotonic() + limit_s
        if self.only_public:
            # Packed, a few bytes could unfold to any number.
            request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        if self.only_public and response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise httpx2.ReadError("the answer is packed, which nobody asked for")
        response.stream = _LimitedStream(response.stream, deadline, self.max_bytes)  # type: ignore[arg-type]
        return response


class _LimitedStream(httpx2.SyncByteStream):
    """Ends an answer that is too long, or that trickles in for longer than the whole call may take."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: float, max_bytes: int) -> None:
        self._stream, self._deadline, self._left = stream, deadline, max_bytes

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise TooLarge("the answer is too large")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer came too slowly")
            yield piece

    def close(self) -> None:
        self._stream.close()


class GuardedBackend(httpcore2.SyncBackend):
    """The last door before a socket."""

    def __init__(self, *, only_public: bool) -> None:
        self.only_public = only_public

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        if not settings.ALLOW_LIVE and not is_this_machine(host):
            raise LiveCallsOff(host)
        timeout = min(timeout or CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
        fault: Exception | None = None
        for address in self._addresses(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault or httpcore2.ConnectError("no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        if not self.only_public:
            return [host]
        name = f"[{host}]" if ":" in host else host
        try:
            return public_addresses(f"{'http' if port in (80, 8080) else 'https'}://{name}:{port}/")
        except FetchError as error:
            raise NotPublic(error.message) from error
