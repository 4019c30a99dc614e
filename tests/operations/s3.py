"""A bucket service: as much of S3 as backups and storages use, path-style, on this machine."""

import base64
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS_KEY, SECRET_KEY = "operator", "a secret that never travels"
MODIFIED = "Sun, 22 Nov 2026 00:00:00 GMT"
# Small, so that every list takes pages.
PAGE = 3


class S3Server(ThreadingHTTPServer):
    """`objects` by "bucket/key"; `calls` as "METHOD bucket/key"."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3Server

    def do_PUT(self) -> None:
        if name := self._name():
            self.server.objects[name] = content = self._content()
            assert self.headers["x-amz-checksum-crc32"] == base64.b64encode(zlib.crc32(content).to_bytes(4)).decode()
            self._answer(200, headers={"ETag": '"1"'})

    def do_GET(self) -> None:
        if name := self._name():
            show = self._object if "/" in name.rstrip("/") else self._list
            show(name.rstrip("/"))

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        if name := self._name():
            self.server.objects.pop(name, None)
            self._answer(204)

    def log_message(self, format: str, *args: object) -> None: ...

    def _name(self) -> str:
        """Of what is asked for; empty when the caller was refused."""
        name = unquote(urlsplit(self.path).path).removeprefix("/")
        self.server.calls.append(f"{self.command} {name}")
        if f"Credential={ACCESS_KEY}/" in self.headers.get("Authorization", ""):
            return name
        self._content()
        self._refuse(403, "InvalidAccessKeyId")
        return ""

    def _content(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _object(self, name: str) -> None:
        content, headers = self.server.objects.get(name), {"Last-Modified": MODIFIED, "ETag": '"1"'}
        if content is None:
            self._refuse(404, "NoSuchKey")
        elif wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            begin, end = int(first), min(int(last or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {begin}-{end}/{len(content)}"
            self._answer(206, content[begin : end + 1], headers)
        else:
            self._answer(200, content, headers)

    def _list(self, bucket: str) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        prefix, after = query.get("prefix", ""), query.get("continuation-token") or query.get("marker") or ""
        names = (name.removeprefix(f"{bucket}/") for name in self.server.objects if name.startswith(f"{bucket}/"))
        shown = {_shown(name, prefix, query.get("delimiter", "")) for name in names if name.startswith(prefix)}
        page = sorted(name for name in shown if name > after)
        entries = "".join(
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
            if name.endswith("/")
            else f"<Contents><Key>{escape(name)}</Key></Contents>"
            for name in page[:PAGE]
        )
        if len(page) > PAGE:
            last = escape(page[PAGE - 1])
            entries += f"<NextMarker>{last}</NextMarker><NextContinuationToken>{last}</NextContinuationToken>"
            entries += "<IsTruncated>true</IsTruncated>"
        self._answer(200, f"<ListBucketResult>{entries}</ListBucketResult>".encode())

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _shown(name: str, prefix: str, delimiter: str) -> str:
    """The name, or the folder below the prefix that it is in."""
    rest = name.removeprefix(prefix)
    return prefix + rest.partition(delimiter)[0] + delimiter if delimiter and delimiter in rest else name


@contextmanager
def s3_server() -> Iterator[S3Server]:
    with S3Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
