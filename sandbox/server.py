"""The threaded HTTP server: sockets, keep-alive, and the spoiled deliveries."""

import socket
import sys
import threading
import time
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.dispatch import Delivery, answer
from sandbox.router import Platform
from sandbox.wire import Request, Response, Stream
from sandbox.world import World

MAX_BODY_BYTES = 64 * 1024 * 1024
BODY_SLICES = 10


class SandboxServer(ThreadingHTTPServer):
    daemon_threads = True
    # A storm opens hundreds of connections in one moment; the default backlog is 5.
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], world: World, platforms: list[Platform]) -> None:
        self.world = world
        self.platforms = platforms
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that hang up are part of the exercise; anything else is our own mistake.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query, self.headers, body)  # type: ignore[arg-type]
        started = time.perf_counter()
        delivery = answer(self.server.world, self.server.platforms, request)
        elapsed_ms = int((time.perf_counter() - started) * 1000)
        self._deliver(delivery, elapsed_ms)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def _read_body(self) -> bytes | None:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            self._refuse(411)
            return None
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdigit()):
            self._refuse(400)
            return None
        if int(length) > MAX_BODY_BYTES:
            self._refuse(413)
            return None
        body = self.rfile.read(int(length))
        # A client that died half-way has asked for nothing.
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.wfile.write(self._head(Response(status), 0) + b"\r\n")

    def _deliver(self, delivery: Delivery, elapsed_ms: int) -> None:
        if delivery.mode in ("hang", "drop"):
            # Ends early when the server stops, so that a hang never delays the exit.
            self.server.world.stopping.wait(delivery.seconds)
            return self._hang_up()
        if delivery.mode == "slow_headers":
            self.server.world.stopping.wait(delivery.seconds)
        head = self._head(delivery.response, elapsed_ms)
        if delivery.response.stream is not None:
            self.wfile.write(head + b"\r\n")
            return self._stream(delivery.response.stream, delivery.seconds if delivery.mode == "slow_body" else 0.0)
        if delivery.mode == "cut":
            self.wfile.write(head + b"\r\n" + delivery.response.body[: len(delivery.response.body) // 2])
            return self._hang_up()
        if delivery.mode == "slow_body":
            self.wfile.write(head + b"\r\n")
            return self._trickle(delivery.response.body, delivery.seconds)
        self.wfile.write(head + b"\r\n" + delivery.response.body)
        return None

    def _head(self, response: Response, elapsed_ms: int) -> bytes:
        reason = responses.get(response.status, "Unknown")
        size = "transfer-encoding: chunked" if response.stream else f"content-length: {len(response.body)}"
        lines = [f"HTTP/1.1 {response.status} {reason}", size]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines.append(f"x-response-time: {elapsed_ms}")
        if self.close_connection:
            lines.append("connection: close")
        return "\r\n".join([*lines, ""]).encode("latin-1", "replace")

    def _stream(self, stream: Stream, slow_seconds: float) -> None:
        pause = stream.pause_seconds + slow_seconds / max(1, len(stream.pieces))
        for piece in stream.pieces:
            if pause:
                self.server.world.stopping.wait(pause)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if stream.silence_seconds:
            self.server.world.stopping.wait(stream.silence_seconds)
        if stream.is_cut:
            return self._hang_up()
        self.wfile.write(b"0\r\n\r\n")
        return None

    def _trickle(self, body: bytes, seconds: float) -> None:
        size = max(1, -(-len(body) // BODY_SLICES))
        for start in range(0, len(body), size):
            self.server.world.stopping.wait(seconds / BODY_SLICES)
            self.wfile.write(body[start : start + size])
            self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the ledger is the log."""


def serve_until_stopped(server: SandboxServer) -> None:
    """Blocks until world.stopping is set; hanging answers end with it."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="accept")
    thread.start()
    server.world.stopping.wait()
    server.shutdown()
    thread.join()
    server.server_close()
    server.world.store.close()
