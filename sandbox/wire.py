"""HTTP messages as plain values, so that platform code never touches sockets."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl


class MalformedBody(Exception):
    """The request body is not what its content type says."""


@dataclass(frozen=True)
class Part:
    name: str
    content: bytes
    content_type: str
    filename: str = ""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def host(self) -> str:
        return self.headers.get("Host") or "127.0.0.1"

    @property
    def content_type(self) -> str:
        return (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        if self.content_type != "application/x-www-form-urlencoded":
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        try:
            return json.loads(self.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise MalformedBody("not JSON") from error

    def digest(self) -> str:
        head = f"{self.method} {self.path}?{self.raw_query}\n".encode()
        return hashlib.sha256(head + self.body).hexdigest()


@dataclass
class Stream:
    """A body sent piece by piece, each piece on its own as soon as its pause is over."""

    pieces: list[bytes]
    pause_seconds: float = 0.0
    # The connection ends without the end of the body.
    is_cut: bool = False
    # Silence before it ends.
    silence_seconds: float = 0.0


@dataclass
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # Stands in for the body.
    stream: Stream | None = None


class Refusal(Exception):
    """The platform's own error answer; what was written before it stays written."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(status: int, data: Any, headers: dict[str, str] | None = None) -> Response:
    # What is shown back may hold half a surrogate pair, which has no bytes.
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(status, body, {"content-type": "application/json; charset=utf-8", **(headers or {})})


def html_response(status: int, page: str) -> Response:
    return Response(
        status,
        page.encode(),
        {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'",
            "referrer-policy": "no-referrer",
        },
    )


def redirect(url: str) -> Response:
    return Response(302, b"", {"location": url})


def multipart_parts(request: Request) -> dict[str, Part]:
    """Parts by name. Bytes are cut, never decoded: the email package would rewrite line ends in media."""
    boundary = _header_parameter(request.headers.get("Content-Type") or "", "boundary")
    if not boundary:
        raise MalformedBody("multipart without boundary")
    parts = {}
    for chunk in (b"\r\n" + request.body).split(b"\r\n--" + boundary.encode())[1:]:
        if chunk.startswith(b"--"):
            break
        head, separator, content = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator:
            raise MalformedBody("multipart part without a header")
        part = _part(head.decode("utf-8", "replace"), content)
        parts[part.name] = part
    return parts


def _part(head: str, content: bytes) -> Part:
    fields = {}
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    name = _header_parameter(fields.get("content-disposition", ""), "name")
    filename = _header_parameter(fields.get("content-disposition", ""), "filename")
    return Part(name, content, fields.get("content-type", ""), filename)


def _header_parameter(value: str, name: str) -> str:
    message = Message()
    message["content-type"] = value
    found = message.get_param(name)
    return found if isinstance(found, str) else ""
