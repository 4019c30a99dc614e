"""A small browser: cookies, headers, redirects; it opens loopback addresses and nothing else."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, SimpleCookie
from time import time
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from sandbox.addresses import is_loopback

MAX_HOPS = 8
TIMEOUT_SECONDS = 20
MAX_BODY_BYTES = 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


class OffLimits(Exception):
    """The address is not this machine; the text is its host."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    location: str | None = None


@dataclass
class Trail:
    """Where a click led: the last address, and its status."""

    url: str
    status: int = 0
    # The host outside this machine that it was sent to; nobody went there.
    left: str | None = None
    failure: str | None = None
    urls: list[str] = field(default_factory=list)

    @property
    def has_arrived(self) -> bool:
        return self.failure is None and self.left is None and 200 <= self.status < 300


@dataclass
class Browser:
    agent: str
    address: str
    language: str = ""
    keeps_cookies: bool = True
    # Names that stand for a loopback address, as "go.example.com": "127.0.0.1:8000".
    hosts: Mapping[str, str] = field(default_factory=dict)
    jar: dict[str, dict[str, str]] = field(default_factory=dict)

    def follow(self, url: str, referer: str = "", method: str = "GET", max_hops: int = MAX_HOPS) -> Trail:
        trail = Trail(url)
        for _ in range(max_hops):
            trail.urls.append(trail.url)
            try:
                answer = self.open(trail.url, method, {"Referer": encoded(referer)} if referer else {})
            except OffLimits as error:
                trail.left = str(error)
                return trail
            except (OSError, http.client.HTTPException, ValueError) as error:
                trail.failure = type(error).__name__
                return trail
            trail.status = answer.status
            if answer.location is None:
                trail.failure = None if answer.status < 400 else str(answer.status)
                return trail
            trail.url = urljoin(trail.url, answer.location)
        trail.failure = "TooManyRedirects"
        return trail

    def open(
        self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        parts = urlsplit(encoded(url))
        host, port = where(parts, self.hosts)
        # A connection for each request: what a server had closed can then not be asked twice.
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, {**self._headers(parts), **(headers or {})})
            response = connection.getresponse()
            response.read(MAX_BODY_BYTES)
            self._keep(parts, response.headers.get_all("Set-Cookie") or [])
        finally:
            connection.close()
        location = response.headers.get("Location") if response.status in _REDIRECTS else None
        return Answer(response.status, dict(response.headers), location)

    def _headers(self, parts: SplitResult) -> dict[str, str]:
        shown = {
            "Host": parts.netloc.rpartition("@")[2],
            "User-Agent": self.agent,
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            "X-Forwarded-For": self.address,
            "X-Forwarded-Proto": parts.scheme,
            "Connection": "close",
        }
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.get(parts.hostname or "", {}).items())
        if cookies:
            shown["Cookie"] = cookies
        return {**shown, "Accept-Language": self.language} if self.language else shown

    def _keep(self, parts: SplitResult, given: list[str]) -> None:
        """By host: like a browser's, a jar does not tell ports apart."""
        if not self.keeps_cookies:
            return
        jar = self.jar.setdefault(parts.hostname or "", {})
        for line in given:
            try:
                morsels = SimpleCookie(line)
            except CookieError:
                continue
            for name, morsel in morsels.items():
                if _is_over(morsel["max-age"], morsel["expires"]):
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.coded_value


def _is_over(max_age: str, expires: str) -> bool:
    try:
        if max_age:
            return int(max_age) <= 0
        return bool(expires) and parsedate_to_datetime(expires).timestamp() <= time()
    except ValueError:
        return False


def encoded(url: str) -> str:
    """As browsers send an address: what is not ASCII as its bytes."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~|")


def where(parts: SplitResult, hosts: Mapping[str, str]) -> tuple[str, int]:
    """Host and port to connect to; raises OffLimits for any other machine."""
    name = (parts.hostname or "").lower()
    stand_in = hosts.get(parts.netloc.lower()) or hosts.get(name)
    if stand_in is not None:
        parts, name = urlsplit(f"http://{stand_in}"), urlsplit(f"http://{stand_in}").hostname or ""
    if parts.scheme != "http" or not is_loopback(name):
        raise OffLimits(name or "nowhere")
    return name, parts.port or 80
