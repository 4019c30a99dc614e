"""A web server whose answers a test writes down: feeds, pages and pictures on 127.0.0.1."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ITEM = "<item><guid>{id}</guid><title>{title}</title><link>https://example.com/{id}</link>{more}</item>"


def item(name: str, title: str = "", day: int = 0, more: str = "") -> str:
    date = f"<pubDate>{day:02} Nov 2026 10:00:00 GMT</pubDate>" if day else ""
    return ITEM.format(id=name, title=title or f"Title of {name}", more=date + more)


def rss(*items: str) -> bytes:
    head = '<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
    return f"{head}<title>Roast news</title>{''.join(items)}</channel></rss>".encode()


class FeedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def put(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        self.pages[path] = (status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def paths(self) -> list[str]:
        return [path for path, _headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: FeedServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        status, body, headers = self.server.pages.get(self.path, (404, b"", {}))
        if headers.get("etag") and headers["etag"] == self.headers["If-None-Match"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in ({"content-length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def running() -> Iterator[FeedServer]:
    server = FeedServer()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
