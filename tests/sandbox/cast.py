import io
import subprocess
from dataclasses import dataclass
from typing import Any

import requests
from PIL import Image


@dataclass
class Sandbox:
    """The admin door of a running sandbox."""

    url: str
    process: subprocess.Popen[bytes]

    def get(self, path: str, **params: Any) -> Any:
        answer = requests.get(f"{self.url}/_sandbox{path}", params=params, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sandbox{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def advance(self, seconds: float) -> None:
        self.post("/clock", advance=seconds)

    def fault(self, kind: str, **order: Any) -> None:
        params = {
            name: order.pop(name) for name in list(order) if name not in ("platform", "route", "account", "count")
        }
        self.post("/faults", kind=kind, params=params, **order)

    def ledger(self, **query: Any) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.get("/ledger", **query)["entries"]
        return entries

    def posts(self, account: str) -> list[dict[str, Any]]:
        posts: list[dict[str, Any]] = self.get("/posts", account=account)["posts"]
        return posts

    def sign_in(self, handle: str, **order: Any) -> "Client":
        grant = self.post("/tokens", handle=handle, **order)
        return Client(self, grant["access_token"], grant["account"]["id"], handle, grant)

    def app_client(self) -> "Client":
        return Client(self, self.get("/apps")["apps"][0]["bearer_token"], "", "", {})


@dataclass
class Client:
    """Somebody with a token, calling X over real HTTP."""

    sandbox: Sandbox
    token: str
    id: str
    handle: str
    grant: dict[str, Any]

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        options.setdefault("timeout", 10)
        return requests.request(method, f"{self.sandbox.url}/x{path}", headers=headers, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        query = {name.replace("_fields", ".fields"): value for name, value in params.items()}
        return self.call("GET", path, params=query)

    def create(self, text: str | None = None, **fields: Any) -> requests.Response:
        body = fields if text is None else {"text": text, **fields}
        return self.call("POST", "/2/tweets", json=body)

    def post_id(self, text: str, **fields: Any) -> str:
        answer = self.create(text, **fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    def reply(self, text: str, to: str) -> requests.Response:
        return self.create(text, reply={"in_reply_to_tweet_id": to})

    def timeline(self, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/2/users/{self.id}/tweets", **params).json()
        return answer


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), colour: str = "teal", frames: int = 1) -> bytes:
    images = [Image.new("RGB", size, (step, 90, 90)) for step in range(1, frames)]
    buffer = io.BytesIO()
    extra = {"save_all": True, "append_images": images} if images else {}
    Image.new("RGB", size, colour).save(buffer, kind, **extra)
    return buffer.getvalue()


def movie(seconds: float = 2.0) -> bytes:
    """The two boxes of an MP4 that anybody looks at first."""
    times = (1000).to_bytes(4, "big") + int(seconds * 1000).to_bytes(4, "big")
    return b"\0\0\0\x18ftypmp42" + b"\0" * 12 + b"\0\0\0\x6cmoov\0\0\0\x64mvhd" + b"\0" * 12 + times + b"\0" * 80


def upload(client: Client, content: bytes, media_type: str, category: str) -> dict[str, Any]:
    """initialize, one append, finalize; the answer of the last."""
    order = {"media_type": media_type, "media_category": category, "total_bytes": len(content)}
    started = client.call("POST", "/2/media/upload/initialize", json=order).json()["data"]
    append(client, started["id"], content)
    answer = client.call("POST", f"/2/media/upload/{started['id']}/finalize")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def append(client: Client, media_id: str, content: bytes, index: int = 0) -> requests.Response:
    files = {"media": ("blob", content, "application/octet-stream")}
    return client.call("POST", f"/2/media/upload/{media_id}/append", data={"segment_index": str(index)}, files=files)


def photo(client: Client, colour: str = "teal") -> str:
    return str(upload(client, picture(colour=colour), "image/png", "tweet_image")["id"])
