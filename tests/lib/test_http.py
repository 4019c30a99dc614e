import datetime
import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib.http import TooLarge, open_session, was_never_sent

BODY = b"0123456789" * 20


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/"))()

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"content_length": str(len(body)), "x_port": self._port} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def _port(self) -> str:
        return str(self.client_address[1])

    def plain(self) -> None:
        self._send(BODY)

    def gzipped(self) -> None:
        self._send(gzip.compress(BODY), content_encoding="gzip")

    def bomb(self) -> None:
        self._send(gzip.compress(b"0" * 1_000_000), content_encoding="gzip")

    def chunked(self) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-port", self._port)
        self.end_headers()
        for start in range(0, len(BODY), 50):
            self.wfile.write(b"32\r\n" + BODY[start : start + 50] + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def trickle(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        for start in range(0, len(BODY), 10):
            self.wfile.write(BODY[start : start + 10])
            self.wfile.flush()
            time.sleep(0.5)

    def silent(self) -> None:
        time.sleep(20)
        self._send(BODY)

    def short(self) -> None:
        self._send(BODY[:20], content_length=str(len(BODY)))
        self.close_connection = True

    def moved(self) -> None:
        self._send(b"", 302, location="/plain")

    def empty(self) -> None:
        self._send(b"")

    def host(self) -> None:
        self._send(self.headers["Host"].encode())

    def log_message(self, *args: object) -> None:
        """Quiet."""


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = QuietServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def refusal(server):
    """The error that a path of the server ends in."""

    def get(path: str, **limits) -> requests.RequestException:
        with pytest.raises(requests.RequestException) as caught:
            open_session(**limits).get(server + path)
        return caught.value

    return get


@pytest.mark.parametrize("path", ["/plain", "/gzipped", "/chunked"])
def test_an_answer_is_read_whole_however_it_is_packed(server, path):
    assert open_session().get(server + path).content == BODY


def test_an_empty_answer_is_fine(server):
    assert open_session().get(server + "/empty").text == ""


def test_one_connection_serves_several_calls(server):
    session = open_session()
    ports = {session.get(server + path).headers["x-port"] for path in ("/plain", "/chunked", "/gzipped", "/plain")}
    assert len(ports) == 1


def test_an_answer_of_just_the_cap_is_read(server):
    assert open_session(max_bytes=len(BODY)).get(server + "/plain").content == BODY


@pytest.mark.parametrize("path", ["/plain", "/chunked"])
def test_an_answer_over_the_cap_is_refused(refusal, path):
    assert isinstance(refusal(path, max_bytes=len(BODY) - 1), TooLarge)


def test_the_cap_counts_what_was_packed(refusal):
    assert isinstance(refusal("/bomb", max_bytes=100_000), TooLarge)


def test_silence_ends_with_a_timeout(refusal):
    started = time.monotonic()
    assert isinstance(refusal("/silent", timeout_s=0.3), requests.ReadTimeout)
    assert time.monotonic() - started < 10


def test_a_trickle_ends_at_the_deadline_although_no_single_wait_is_long(refusal, monkeypatch):
    monkeypatch.setattr("lib.http.CONNECT_TIMEOUT_S", 0.1)
    started = time.monotonic()
    assert isinstance(refusal("/trickle", timeout_s=0.6), requests.ReadTimeout)
    assert time.monotonic() - started < 8


def test_an_answer_that_breaks_off_is_no_answer(refusal):
    assert isinstance(refusal("/short"), requests.ConnectionError)


@pytest.mark.parametrize(
    ("path", "limits"),
    [("/short", {}), ("/silent", {"timeout_s": 0.3}), ("/plain", {"max_bytes": 5}), ("/moved", {})],
)
def test_what_reached_the_server_was_sent(refusal, path, limits):
    assert was_never_sent(refusal(path, **limits)) is False


def test_redirects_are_not_followed(refusal):
    assert isinstance(refusal("/moved"), requests.TooManyRedirects)


def test_a_closed_port_was_never_asked():
    with pytest.raises(requests.ConnectionError) as caught:
        open_session().get("http://127.0.0.1:9/")
    assert was_never_sent(caught.value)


def test_a_timeout_while_connecting_was_never_asked():
    assert was_never_sent(requests.ConnectTimeout())


def test_an_error_without_details_may_have_been_sent():
    assert was_never_sent(requests.ConnectionError()) is False


def test_hosts_are_replaced_before_the_request_is_made(server):
    session = open_session(hosts={"https://api.example.com": server})
    answer = session.get("https://api.example.com/host")
    assert answer.text == server.removeprefix("http://")
    assert answer.request.url == f"{server}/host"


def test_a_host_that_only_begins_alike_is_not_replaced(server):
    session = open_session(hosts={"http://127.0.0.1:9": server})
    with pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:99/plain")


def test_proxies_of_the_environment_are_ignored(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert open_session().get(server + "/plain").ok


def self_signed(folder: Path) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "server.pem"
    path.write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()) + certificate.public_bytes(pem))
    return path


def test_a_server_that_is_not_who_it_says_was_never_asked(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    running = QuietServer(("127.0.0.1", 0), Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    with pytest.raises(requests.exceptions.SSLError) as caught:
        open_session().get(f"https://127.0.0.1:{running.server_port}/plain")
    running.shutdown()
    running.server_close()
    assert was_never_sent(caught.value)
