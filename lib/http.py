"""The only way out: sessions with timeouts, a size cap, a total deadline and no redirects."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

# Told of each call while it is made: given its method and address, and then called with the status.
Watcher = Callable[[str, str], AbstractContextManager[Callable[[int], None]]]
WATCHERS: list[Watcher] = []
CONNECT_TIMEOUT_S = 5.0
MAX_BYTES = 5 * 1024 * 1024
READ_BYTES = 64 * 1024


class TooLarge(requests.RequestException):
    """The answer is larger than we are willing to read."""


class LimitedAdapter(HTTPAdapter):
    """Gives every call a timeout and reads the answer at once, with a cap and a deadline."""

    def __init__(self, *, timeout_s: float, max_bytes: int = MAX_BYTES) -> None:
        self.timeout_s, self.max_bytes = timeout_s, max_bytes
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        with ExitStack() as stack:
            tell = [stack.enter_context(watch(request.method or "", request.url or "")) for watch in WATCHERS]
            response = self._send(request, *args, **kwargs)
            for note in tell:
                note(response.status_code)
        return response

    def _send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.update(timeout=(CONNECT_TIMEOUT_S, self.timeout_s), stream=True)
        deadline = time.monotonic() + CONNECT_TIMEOUT_S + self.timeout_s
        response = super().send(request, *args, **kwargs)
        try:
            response._content = self._read(response, deadline)
        except requests.RequestException:
            response.close()
            raise
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """The whole body, or an error once it is too long or a peer keeps us waiting byte by byte."""
        body = bytearray()
        while chunk := _read_some(response):
            body += chunk
            if len(body) > self.max_bytes:
                raise TooLarge(f"more than {self.max_bytes} bytes", response=response)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("the answer came too slowly", response=response)
        return bytes(body)


def _read_some(response: requests.Response) -> bytes:
    try:
        # What has arrived so far: `read` would wait for all it was asked for, however slowly that trickles in.
        return bytes(response.raw.read1(READ_BYTES, decode_content=True))
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error, response=response) from error


class LimitedSession(requests.Session):
    """`hosts` maps the start of an address to what replaces it, for SDKs that hard-code theirs.

    It is replaced before the request is signed: OAuth 1.0a covers the address.
    """

    def __init__(self, adapter: LimitedAdapter, hosts: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.hosts = dict(hosts or {})
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.max_redirects = 0
        # No proxies or .netrc from the environment: calls go where settings say.
        self.trust_env = False

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        for start, target in self.hosts.items():
            if url.startswith(f"{start}/"):
                url = target + url[len(start) :]
        return super().request(method, url, *args, **kwargs)


def open_session(
    timeout_s: float = 10.0, *, max_bytes: int = MAX_BYTES, hosts: Mapping[str, str] | None = None
) -> LimitedSession:
    return LimitedSession(LimitedAdapter(timeout_s=timeout_s, max_bytes=max_bytes), hosts)


def was_never_sent(error: requests.RequestException) -> bool:
    """True when no connection was made, so that the other side cannot have seen the request."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectionError) and type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    }
