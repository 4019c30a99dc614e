"""Bots, people and chats of the sandbox's Telegram, and the calls they make over real HTTP."""

import io
import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests
from PIL import Image

from tests.sandbox.cast import Sandbox

DEMO_TOKEN = "100000:sandbox-demo-bot-token"
DANA = 5_000_001


@dataclass
class Telegram:
    """The Telegram doors of a running sandbox."""

    sandbox: Sandbox

    def order(self, path: str, **body: Any) -> Any:
        return self.sandbox.post(f"/telegram{path}", **body)

    def refusal(self, path: str, **body: Any) -> str:
        answer = requests.post(f"{self.sandbox.url}/_sandbox/telegram{path}", json=body, timeout=10)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    def messages(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.get("/telegram/messages", **query)["messages"]
        return found

    def texts(self, **query: Any) -> list[str]:
        return [message["text"] for message in self.messages(**query) if not message["service"]]

    def bot(self, username: str = "press_bot", **order: Any) -> "TelegramBot":
        made = self.order("/bots", username=username, **order)
        return TelegramBot(self.sandbox, made["token"], made["id"], username)

    def demo_bot(self) -> "TelegramBot":
        return TelegramBot(self.sandbox, DEMO_TOKEN, 100_000, "demo_rostrum_bot")

    def chat(self, kind: str = "channel", **order: Any) -> int:
        return int(self.order("/chats", type=kind, **{"title": "News", **order})["id"])

    def user(self, username: str, **order: Any) -> int:
        return int(self.order("/users", username=username, **{"name": username.capitalize(), **order})["id"])

    def page(self, path: str = "", **query: Any) -> requests.Response:
        return requests.get(f"{self.sandbox.url}/tg/web/{path}", params=query, timeout=10)

    def submit(self, act: str, **form: Any) -> requests.Response:
        return requests.post(f"{self.sandbox.url}/tg/web/-/{act}", data=form, timeout=10, allow_redirects=False)


@dataclass
class TelegramBot:
    """A bot that calls the API as clients do: forms, JSON values in them, uploads as parts."""

    sandbox: Sandbox
    token: str
    id: int
    username: str

    @property
    def url(self) -> str:
        return f"{self.sandbox.url}/tg/bot{self.token}"

    def call(self, method: str, *, files: Any = None, wait: float = 30, **parameters: Any) -> requests.Response:
        form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        return requests.post(f"{self.url}/{method}", data=form, files=files, timeout=wait)

    def do(self, method: str, **parameters: Any) -> Any:
        answer = self.call(method, **parameters)
        assert answer.status_code == 200, answer.text
        assert answer.json()["ok"] is True
        return answer.json()["result"]

    def error(self, method: str, **parameters: Any) -> tuple[int, str]:
        body = self.call(method, **parameters).json()
        assert body["ok"] is False
        return body["error_code"], body["description"]

    def bad(self, method: str, **parameters: Any) -> str:
        """The words after "Bad Request: "."""
        status, description = self.error(method, **parameters)
        assert status == 400, description
        return description.removeprefix("Bad Request: ")

    def send(self, chat: int | str, text: str, **parameters: Any) -> dict[str, Any]:
        sent: dict[str, Any] = self.do("sendMessage", chat_id=chat, text=text, **parameters)
        return sent

    def photo(self, chat: int | str, content: bytes | None = None, **parameters: Any) -> dict[str, Any]:
        files = {"photo": ("p.jpg", content or picture(), "image/jpeg")}
        sent: dict[str, Any] = self.do("sendPhoto", chat_id=chat, files=files, **parameters)
        return sent

    def album(self, chat: int | str, items: list[dict[str, Any]], **parts: bytes) -> requests.Response:
        files = {name: (f"{name}.jpg", content, "image/jpeg") for name, content in parts.items()}
        return self.call("sendMediaGroup", chat_id=chat, media=items, files=files or None)

    def updates(self, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.do("getUpdates", **parameters)
        return found


def picture(size: tuple[int, int] = (40, 30), colour: str = "teal", kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


class Hook:
    """A webhook that keeps what it is sent and answers with the statuses it was given, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.got: list[tuple[dict[str, Any], str | None]] = []
        self.statuses = list(statuses)
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((json.loads(body), self.headers.get("X-Telegram-Bot-Api-Secret-Token")))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
