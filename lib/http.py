"""The only way out: sessions with timeouts, a size cap, a total deadline and no redirects."""

import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

CONNECT_TIMEOUT_S = 5.0
MAX_BYTES = 5 * 1024 * 1024


class TooLarge(requests.RequestException):
    """The answer is larger than we are willing to read."""


class LimitedAdapter(HTTPAdapter):
    """Gives every call a timeout, sends calls for one host to another, and reads answers with a cap.

    `hosts` maps the start of an address to what replaces it, for SDKs that hard-code theirs.
    """

    def __init__(self, *, timeout_s: float, hosts: Mapping[str, str] | None = None, max_bytes: int = MAX_BYTES) -> None:
        self.timeout_s, self.hosts, self.max_bytes = timeout_s, dict(hosts or {}), max_bytes
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = request.url or ""
        for start, target in self.hosts.items():
            if url.startswith(start):
                request.url = target + url[len(start) :]
        kwargs.update(timeout=(CONNECT_TIMEOUT_S, self.timeout_s), stream=True)
        deadline = time.monotonic() + CONNECT_TIMEOUT_S + self.timeout_s
        response = super().send(request, *args, **kwargs)
        response._content = self._read(response, deadline)
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """The whole body, or an error once it is too long or a peer keeps us waiting byte by byte."""
        body = bytearray()
        for chunk in response.iter_content(64 * 1024):
            body += chunk
            if len(body) > self.max_bytes:
                raise TooLarge(f"more than {self.max_bytes} bytes", response=response)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("the answer came too slowly", response=response)
        return bytes(body)


def limit_session(session: requests.Session, adapter: LimitedAdapter) -> requests.Session:
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.max_redirects = 0
    # No proxies or .netrc from the environment: calls go where settings say.
    session.trust_env = False
    return session


def open_session(timeout_s: float = 10.0, max_bytes: int = MAX_BYTES) -> requests.Session:
    return limit_session(requests.Session(), LimitedAdapter(timeout_s=timeout_s, max_bytes=max_bytes))


def was_never_sent(error: requests.RequestException) -> bool:
    """True when no connection was made, so that the other side cannot have seen the request."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectionError) and type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    }
