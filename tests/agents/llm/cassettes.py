"""Recorded exchanges with providers, told again by a server of this machine, one byte at a time."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "agents"
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="the recordings are not beside the project")


def cassette(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / "cassettes" / f"{name}.json").read_text())


def published_prices(model: str) -> dict[str, Fraction]:
    """USD per token, exact; empty for a model that the table does not know."""
    table = json.loads((VECTORS / "prices" / "model_prices.json").read_text(), parse_float=Fraction)
    for row in table["models"]:
        if re.fullmatch(row["match"].removeprefix("(?i)").strip("^$"), model, re.IGNORECASE):
            return {name: Fraction(price) for name, price in row["prices"].items()}
    return {}


@contextmanager
def telling(exchanges: list[dict[str, Any]], *, step: int = 1) -> Iterator[tuple[str, list[Any]]]:
    """(address, requests so far). Answers in their order: `sse` as it is, `response` as JSON."""
    heard: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told = exchanges[len(heard)]
            heard.append(json.loads(body))
            text = told.get("sse") or json.dumps(told["response"])
            self.send_response(told["status"])
            self.send_header("content-type", told.get("content_type", "application/json"))
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            data = text.encode()
            for start in range(0, len(data), step):
                piece = data[start : start + step]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
