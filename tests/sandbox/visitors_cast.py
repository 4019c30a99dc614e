"""A product for visitors: short links that split, a pixel, an endpoint for servers; it keeps what it is asked."""

import json
from collections import Counter
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None

    @property
    def cookies(self) -> dict[str, str]:
        return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}


@dataclass
class Shop:
    """/l/<anything> gives a new person the next variant of a and b, and knows it again by its cookie."""

    asked: list[Asked] = field(default_factory=list)
    # What a path answers instead: status and headers.
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    people: int = 0

    def __post_init__(self) -> None:
        shop, lock = self, Lock()

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = json.loads(self.rfile.read(length)) if length else None
                with lock:
                    one = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
                    shop.asked.append(one)
                    status, given = shop.answer(one)
                self.send_response(status)
                for name, value in given.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_HEAD = _serve

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def answer(self, one: Asked) -> tuple[int, dict[str, str]]:
        if one.path in self.answers:
            return self.answers[one.path]
        if not one.path.startswith("/l/"):
            return 200, {}
        if one.method == "HEAD":
            return 302, {"Location": "/_sandbox/landing/spring"}
        person = one.cookies.get("person")
        if person is None:
            person, self.people = str(self.people), self.people + 1
        variant = "ab"[int(person) % 2]
        target = f"/_sandbox/landing/spring?variant={variant}&click=c{person}"
        return 302, {"Location": target, "Set-Cookie": f"person={person}; Path=/; HttpOnly"}

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    @property
    def link(self) -> str:
        return f"{self.url}/l/x"

    def at(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    def count(self) -> Counter[str]:
        return Counter(one.path for one in self.asked)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
