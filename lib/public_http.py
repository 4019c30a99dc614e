"""Reads addresses that users supply. Only public ones, resolved once and connected to as resolved.

Between a look at a name and the connection, its owner could point it elsewhere: so there is no second look.
"""

import codecs
import ipaddress
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TypeVar
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import certifi
import idna
from django.conf import settings

MAX_BYTES = 5 * 1024 * 1024
# Of an answer that nobody reads.
MAX_REPLY_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0
READ_BYTES = 64 * 1024
MAX_URL = 2000
MAX_WAIT_S = 86_400
PORTS = {80, 443, 8080, 8443}
REDIRECTS = {301, 302, 303, 307, 308}
PACKED = {"gzip", "x-gzip", "deflate"}
# Python's encodings of single names, which take hours for a page.
FOR_HOSTS = {"idna", "punycode"}
REDIRECTED = "The address leads somewhere else. Enter the one that it leads to."
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")
# Of IPv6 only what is handed out worldwide; all embeddings of IPv4 lie outside or are taken out here.
UNICAST = ipaddress.ip_network("2000::/3")
NOT_PUBLIC = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        # Where a cloud answers its machines' questions, although the address looks public.
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        # Teredo and its neighbours, documentation, 6to4.
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]


class FetchError(Exception):
    """Why nothing was read: `code` is stable, `message` is safe to show, `raw` is for staff."""

    def __init__(
        self, code: str, message: str, *, raw: str = "", status: int | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.raw = code, message, raw
        self.status, self.retry_after_s = status, retry_after_s


@dataclass(frozen=True)
class Fetched:
    """`url` is where the last redirect led. Status 304 comes without a body."""

    url: str
    status: int
    body: bytes
    content_type: str
    charset: str
    etag: str
    modified: str


@dataclass(frozen=True)
class Reply:
    """An answer of any status. `body` is its beginning; without any where the connection broke after the head."""

    status: int
    body: bytes
    retry_after_s: int | None


@dataclass(frozen=True)
class _Request:
    method: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class _Target:
    """A checked address: where to connect, and what to call it."""

    parts: SplitResult
    host: str
    port: int
    addresses: list[str]

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == (443 if self.parts.scheme == "https" else 80)
        return name if is_default else f"{name}:{self.port}"

    @property
    def path(self) -> str:
        path = quote(self.parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = quote(self.parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
        return f"{path}?{query}" if query else path


def fetch(
    url: str,
    *,
    max_bytes: int = MAX_BYTES,
    timeout_s: float = 15.0,
    accept: str = "*/*",
    etag: str = "",
    modified: str = "",
    redirects: int = 5,
) -> Fetched:
    """GET, without cookies or proxies; `timeout_s` and `max_bytes` hold for everything together. Raises FetchError."""
    deadline = time.monotonic() + timeout_s
    headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "Rostrum", "Connection": "close"}
    headers |= {"If-None-Match": etag} if etag else {}
    headers |= {"If-Modified-Since": modified} if modified else {}
    for _ in range(redirects + 1):
        target = _check(url)
        answer = _call(target, _Request("GET", headers), deadline, partial(_answer, target, deadline, max_bytes))
        if isinstance(answer, Fetched):
            return answer
        url = answer
    raise FetchError("redirects", "The address leads from one place to the next without an end.")


def post(url: str, body: bytes, headers: dict[str, str], *, timeout_s: float = 10.0) -> int:
    """The status of the answer, which is 2xx; what it says is not kept. No redirects. Raises FetchError."""
    target, deadline = _check(url), time.monotonic() + timeout_s
    answer = _call(target, _posted(body, headers), deadline, partial(_answer, target, deadline, MAX_REPLY_BYTES))
    if isinstance(answer, str):
        raise FetchError("redirects", REDIRECTED)
    return answer.status


def exchange(url: str, body: bytes, headers: dict[str, str], *, timeout_s: float = 10.0) -> Reply:
    """POST, and what was answered, also where it was no. No redirects. Raises FetchError where nobody answered."""
    deadline = time.monotonic() + timeout_s
    return _call(_check(url), _posted(body, headers), deadline, partial(_reply, deadline))


def _posted(body: bytes, headers: dict[str, str]) -> _Request:
    own = {"User-Agent": "Rostrum", "Connection": "close", "Content-Length": str(len(body))}
    return _Request("POST", own | headers, body)


def check_url(url: str) -> None:
    """The spelling only, without a look at any server. Raises FetchError."""
    _read(url)


def check_public(url: str) -> None:
    """Raises FetchError where `fetch` would refuse to connect."""
    _check(url)


def public_addresses(url: str) -> list[str]:
    """Where a client of another library may connect for this address: as resolved once. Raises FetchError."""
    return _check(url).addresses


# --- where to ---------------------------------------------------------------------------------------------


def _check(url: str) -> _Target:
    parts, host, port = _read(url)
    addresses = _resolve(host, port)
    allowed = [_is_allowed(address) for address in addresses]
    if not all(ok or _is_public(address) for ok, address in zip(allowed, addresses, strict=True)):
        raise FetchError("not_public", "This address is not on the public internet.", raw=f"{host}: {addresses}")
    if port not in PORTS and not all(allowed):
        raise FetchError("port", "Only the usual ports of the web are read: 80, 443, 8080 and 8443.")
    return _Target(parts, host, port, [str(address) for address in addresses])


def _read(url: str) -> tuple[SplitResult, str, int]:
    refusal = FetchError("bad_url", "This is not a web address. It begins with http:// or https://.")
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = _ascii_host(parts.hostname or "")
    except ValueError as error:
        raise refusal from error
    if parts.scheme not in {"http", "https"} or not host or len(url) > MAX_URL:
        raise refusal
    if parts.username is not None or parts.password is not None:
        raise FetchError("credentials", "Leave the name and the password out of the address.")
    return parts, host, port


def _ascii_host(host: str) -> str:
    """Raises ValueError (IDNAError is one) for names that no resolver takes."""
    if any(ord(char) <= 32 or ord(char) == 127 for char in host):
        raise ValueError(host)
    return host if host.isascii() else idna.encode(host, uts46=True).decode()


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError("unknown_host", "There is no such web server. Check the address.", raw=str(error)) from error
    # One of each, in the resolver's order.
    return [ipaddress.ip_address(text) for text in dict.fromkeys(str(info[4][0]) for info in found)]


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in UNICAST:
        return False
    return not any(address in block for block in NOT_PUBLIC)


def _is_allowed(address: Address) -> bool:
    return any(address in block for block in allowed_networks())


def is_this_machine(host: str) -> bool:
    """By its letters alone: looking a name up would already be a call."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_carry_secrets(url: str) -> bool:
    """Whether nobody on the way can read along: https, or nothing on the way. Expects an address that was checked."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_this_machine(parts.hostname or "")


def allowed_networks() -> list[Network]:
    """The operator's own networks. Raises ValueError where the setting cannot be read."""
    return [ipaddress.ip_network(text) for text in settings.OUTBOUND_ALLOW_CIDRS]


# --- the call ---------------------------------------------------------------------------------------------


def _call(target: _Target, request: _Request, deadline: float, read: Callable[[HTTPResponse], T]) -> T:
    try:
        with _connect(target, deadline) as connection:
            connection.putrequest(request.method, target.path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": target.host_header, **request.headers}.items():
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            return read(connection.getresponse())
    except ssl.SSLCertVerificationError as error:
        message = "Its certificate is not valid, so nobody knows whether this is the right server."
        raise FetchError("certificate", message, raw=str(error)) from error
    except (OSError, HTTPException, ValueError) as error:
        _check_time(deadline)
        if isinstance(error, TimeoutError):
            raise _too_slow() from error
        raise FetchError("broken", "The connection broke before the answer was complete.", raw=repr(error)) from error


@contextmanager
def _connect(target: _Target, deadline: float) -> Iterator[HTTPConnection]:
    raw = _open_socket(target, deadline)
    # Each read has a time limit of its own; this one ends them all, however slowly single bytes trickle in.
    watched = raw.dup()
    alarm = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, [watched])
    alarm.daemon = True
    alarm.start()
    connection = HTTPConnection(target.host, target.port)
    try:
        if target.parts.scheme == "https":
            context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
            raw = context.wrap_socket(raw, server_hostname=target.host)
        connection.sock = raw
        yield connection
    finally:
        alarm.cancel()
        connection.close()
        raw.close()
        watched.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _open_socket(target: _Target, deadline: float) -> socket.socket:
    fault: OSError | None = None
    for address in target.addresses:
        _check_time(deadline)
        left = deadline - time.monotonic()
        try:
            opened = socket.create_connection((address, target.port), timeout=min(CONNECT_TIMEOUT_S, left))
        except OSError as error:
            fault = error
            continue
        opened.settimeout(max(0.1, deadline - time.monotonic()))
        return opened
    message = "Its server does not answer."
    raise FetchError("no_answer", message, raw=repr(fault)) from fault


def _answer(target: _Target, deadline: float, max_bytes: int, response: HTTPResponse) -> Fetched | str:
    """The answer, or where it sends us."""
    url = target.parts.geturl()
    location = response.headers.get("Location")
    if response.status in REDIRECTS and location:
        return urljoin(url, location)
    if response.status >= 300 and response.status != 304:
        raise _refused(response)
    body = b"" if response.status == 304 else _read_body(response, deadline, max_bytes)
    head: Message = response.headers
    return Fetched(
        url=url,
        status=response.status,
        body=body,
        content_type=head.get_content_type(),
        charset=_charset_of(head),
        etag=head.get("ETag", ""),
        modified=head.get("Last-Modified", ""),
    )


def _charset_of(head: Message) -> str:
    """Empty where none is named, or something else than a text's."""
    name = head.get_content_charset() or ""
    return name if name and is_charset(name) else ""


def is_charset(name: str) -> bool:
    """Whether text may be decoded by this name of a stranger's: it exists, and is as quick as reading."""
    try:
        b"a".decode(name)
    except UnicodeDecodeError:
        # Wide characters want more than one byte.
        return True
    except (LookupError, ValueError):
        return False
    return codecs.lookup(name).name not in FOR_HOSTS


def _reply(deadline: float, response: HTTPResponse) -> Reply:
    body = bytearray()
    # The status says whether it was taken; what follows is only shown.
    with suppress(OSError, HTTPException, FetchError):
        for piece in _pieces(response, deadline):
            body += piece
            if len(body) >= MAX_REPLY_BYTES:
                break
    return Reply(response.status, bytes(body[:MAX_REPLY_BYTES]), _retry_after_s(response))


def _refused(response: HTTPResponse) -> FetchError:
    reasons = {404: "There is nothing at this address.", 410: "It says that this was taken down for good."}
    return FetchError(
        f"http_{response.status}",
        reasons.get(response.status, f"Its server refused with HTTP {response.status}."),
        status=response.status,
        retry_after_s=_retry_after_s(response),
    )


def _retry_after_s(response: HTTPResponse) -> int | None:
    after = response.headers.get("Retry-After", "")
    return min(int(after), MAX_WAIT_S) if after.isascii() and after.isdigit() else None


def _read_body(response: HTTPResponse, deadline: float, max_bytes: int) -> bytes:
    body = bytearray()
    for piece in _unpacked(response, deadline, max_bytes):
        body += piece
        if len(body) > max_bytes:
            raise FetchError("too_large", f"It is larger than {max_bytes / 1024**2:.1f} MB.")
    return bytes(body)


def _unpacked(response: HTTPResponse, deadline: float, max_bytes: int) -> Iterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        yield from _pieces(response, deadline)
        return
    # Layers of packing would multiply; we asked for one.
    if encoding not in PACKED:
        raise FetchError("encoding", "Its server packs the answer in a way that we did not ask for.")
    decoder = zlib.decompressobj(wbits=47 if encoding != "deflate" else 15)
    for piece in _pieces(response, deadline):
        try:
            # Never more than one byte over the cap at a time, whatever a few packed bytes unfold to.
            yield decoder.decompress(piece, max_bytes + 1)
        except zlib.error as error:
            raise FetchError("encoding", "The packed answer is damaged.", raw=str(error)) from error
        if decoder.unconsumed_tail:
            raise FetchError("too_large", f"It is larger than {max_bytes / 1024**2:.1f} MB.")
        # What follows would be kept and copied with each piece, and counted by nobody.
        if decoder.eof:
            return
    if not decoder.eof:
        raise FetchError("broken", "The connection broke before the answer was complete.")


def _pieces(response: HTTPResponse, deadline: float) -> Iterator[bytes]:
    while piece := response.read1(READ_BYTES):
        _check_time(deadline)
        yield piece
    _check_time(deadline)
    if response.length:
        raise FetchError("broken", "The connection broke before the answer was complete.")


def _check_time(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise _too_slow()


def _too_slow() -> FetchError:
    return FetchError("too_slow", "Its server took too long to answer.")
