"""The way out for SDKs: what it refuses, and when it gives up."""

import gzip
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from lib.http_sdk import LimitedTransport, LiveCallsOff, NotPublic, open_client
from lib.public_http import is_this_machine


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        # Some hang up in the middle.
        with suppress(OSError):
            getattr(self, f"say_{self.path.strip('/')}")()

    def say_hello(self) -> None:
        self._begin(200)
        self.wfile.write(b"hello")

    def say_redirect(self) -> None:
        self.send_response(302)
        self.send_header("location", "/hello")
        self.end_headers()

    def say_flood(self) -> None:
        self._begin(200)
        for _ in range(64):
            self.wfile.write(b"x" * 1024)

    def say_bomb(self) -> None:
        self.send_response(200)
        self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(gzip.compress(b"0" * 5_000_000))

    def say_asked(self) -> None:
        self._begin(200)
        self.wfile.write(self.headers["accept-encoding"].encode())

    def say_drip(self) -> None:
        self._begin(200)
        for _ in range(400):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.05)

    def _begin(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_reads_what_is_there(url):
    assert open_client().get(f"{url}/hello").text == "hello"


def test_it_follows_nobody_elsewhere(url):
    assert open_client().get(f"{url}/redirect").status_code == 302


def test_proxies_of_the_environment_are_not_asked(url, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert open_client().get(f"{url}/hello").text == "hello"


def test_too_much_is_not_read(url):
    client = httpx2.Client(transport=LimitedTransport(max_bytes=10_000), trust_env=False)
    with pytest.raises(httpx2.ReadError, match="too large"):
        client.get(f"{url}/flood")


def test_what_trickles_in_ends_with_the_time_for_all(url):
    started = time.monotonic()
    with pytest.raises(httpx2.ReadTimeout, match="too slowly"):
        open_client().get(f"{url}/drip", timeout=0.3)
    assert time.monotonic() - started < 15


def test_addresses_of_users_must_be_public(url, settings):
    with pytest.raises(httpx2.ConnectError) as caught:
        open_client(only_public=True).get(f"{url}/hello")
    assert isinstance(caught.value.__cause__, NotPublic)
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    assert open_client(only_public=True).get(f"{url}/hello").text == "hello"


def test_packed_answers_of_users_addresses_are_not_unfolded(url, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    client = open_client(only_public=True)
    assert client.get(f"{url}/asked").text == "identity"
    with pytest.raises(httpx2.ReadError, match="packed"):
        client.get(f"{url}/bomb")
    assert len(open_client().get(f"{url}/bomb").content) == 5_000_000


def test_live_calls_end_before_the_name_is_looked_up(settings):
    settings.ALLOW_LIVE = False
    with pytest.raises(LiveCallsOff):
        open_client().get("http://api.example.org/")


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("127.0.0.1.nip.io", False),
        ("2130706433", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_letters(host, is_ours):
    assert is_this_machine(host) is is_ours
