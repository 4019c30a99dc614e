import gzip
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib.public_http import Fetched, FetchError, check_public, fetch

BODY = b"0123456789" * 20


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))  # type: ignore[attr-defined]
        name, _, rest = self.path.lstrip("/").partition("?")
        getattr(self, name.split("/")[0])(rest)

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"content_length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def plain(self, _rest: str) -> None:
        self._send(BODY, content_type="text/plain; charset=gb2312", etag='"one"', last_modified="Sat")

    def path_itself(self, _rest: str) -> None:
        self._send(self.path.encode())

    def gzipped(self, _rest: str) -> None:
        self._send(gzip.compress(BODY), content_encoding="gzip")

    def deflated(self, _rest: str) -> None:
        self._send(zlib.compress(BODY), content_encoding="deflate")

    def bomb(self, _rest: str) -> None:
        self._send(gzip.compress(b"0" * 5_000_000), content_encoding="gzip")

    def endless(self, _rest: str) -> None:
        self.send_response(200)
        self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(gzip.compress(BODY))
        self._drip()

    def layers(self, _rest: str) -> None:
        self._send(gzip.compress(gzip.compress(BODY)), content_encoding="gzip, gzip")

    def damaged(self, _rest: str) -> None:
        self._send(b"no gzip at all", content_encoding="gzip")

    def half_packed(self, _rest: str) -> None:
        self._send(gzip.compress(BODY)[:-12], content_encoding="gzip")

    def chunked(self, _rest: str) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"32\r\n" + BODY[:50] + b"\r\n0\r\n\r\n")

    def broken_chunks(self, _rest: str) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"32\r\n" + BODY[:20])
        self.close_connection = True

    def short(self, _rest: str) -> None:
        self._send(BODY[:20], content_length="200")
        self.close_connection = True

    def trickle(self, _rest: str) -> None:
        self.send_response(200)
        self.send_header("content-length", "200")
        self.end_headers()
        self._drip()

    def slow_headers(self, _rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        self._drip()

    def _drip(self) -> None:
        for _ in range(200):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def silent(self, _rest: str) -> None:
        time.sleep(20)

    def to(self, rest: str) -> None:
        self._send(b"", 302, location=rest)

    def round(self, _rest: str) -> None:
        self._send(b"", 301, location="/round")

    def unchanged(self, _rest: str) -> None:
        self._send(b"", 304 if self.headers["If-None-Match"] == '"one"' else 200, etag='"one"')

    def gone(self, _rest: str) -> None:
        self._send(b"secret words of the server", 410)

    def busy(self, rest: str) -> None:
        self._send(b"", 429, retry_after=rest)

    def cookie(self, _rest: str) -> None:
        self._send(b"", 302, location="/plain", set_cookie="a=b")

    def log_message(self, *args: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(running: Server, settings) -> str:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    running.seen.clear()
    return f"http://127.0.0.1:{running.server_port}"


@pytest.fixture
def closed(server: str, settings) -> str:
    """The same server, without permission for this machine."""
    settings.OUTBOUND_ALLOW_CIDRS = []
    return server


@pytest.fixture
def names(monkeypatch) -> dict[str, list[list[str]]]:
    """A resolver: for each name the answers it gives one after the other (the last one for ever)."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host not in known:
            # The numbers of an address need no resolver; anything else would ask the internet.
            return real(host, port, *args, **kwargs | {"flags": socket.AI_NUMERICHOST})
        answers = known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [info for address in addresses for info in real(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def refusal(url: str, **limits) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(url, **limits)
    return caught.value


# --- reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"), [("plain", BODY), ("gzipped", BODY), ("deflated", BODY), ("chunked", BODY[:50])]
)
def test_an_answer_is_read_whole_however_it_is_packed(server, path, body):
    assert fetch(f"{server}/{path}").body == body


def test_what_the_server_said_about_the_answer_comes_along(server):
    answer = fetch(f"{server}/plain")
    facts = (answer.status, answer.content_type, answer.charset, answer.etag, answer.modified)
    assert facts == (200, "text/plain", "gb2312", '"one"', "Sat")


def test_what_did_not_change_is_not_sent_again(server):
    answer = fetch(f"{server}/unchanged", etag='"one"')
    assert (answer.status, answer.body, answer.etag) == (304, b"", '"one"')


def test_the_last_date_is_sent_along(server, running):
    fetch(f"{server}/plain", modified="Sat, 01 Jan 2026 00:00:00 GMT")
    assert running.seen[0]["If-Modified-Since"] == "Sat, 01 Jan 2026 00:00:00 GMT"


def test_path_and_query_arrive_as_bytes_that_http_allows(server):
    assert (
        fetch(f"{server}/path_itself/ä b?q=咖 啡&x=%20").body
        == b"/path_itself/%C3%A4%20b?q=%E5%92%96%20%E5%95%A1&x=%20"
    )


def test_a_fragment_stays_here(server):
    assert fetch(f"{server}/path_itself?a=1#part").body == b"/path_itself?a=1"


def test_proxies_of_the_environment_are_ignored(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert fetch(f"{server}/plain").body == BODY


def test_cookies_are_not_kept(server, running):
    fetch(f"{server}/cookie")
    assert ["Cookie" in headers for headers in running.seen] == [False, False]


# --- limits ---------------------------------------------------------------------------------------------------


def test_an_answer_of_just_the_cap_is_read(server):
    assert fetch(f"{server}/plain", max_bytes=len(BODY)).body == BODY


@pytest.mark.parametrize("path", ["plain", "gzipped"])
def test_an_answer_over_the_cap_is_refused(server, path):
    assert refusal(f"{server}/{path}", max_bytes=len(BODY) - 1).code == "too_large"


def test_the_cap_counts_what_was_packed(server):
    assert refusal(f"{server}/bomb", max_bytes=100_000).code == "too_large"


def test_what_follows_the_packed_answer_is_not_waited_for(server):
    assert fetch(f"{server}/endless", timeout_s=2).body == BODY


def test_packing_in_layers_is_refused(server):
    assert refusal(f"{server}/layers").code == "encoding"


def test_damaged_packing_is_refused(server):
    assert refusal(f"{server}/damaged").code == "encoding"


@pytest.mark.parametrize("path", ["short", "broken_chunks", "half_packed"])
def test_an_answer_that_breaks_off_is_no_answer(server, path):
    assert refusal(f"{server}/{path}").code == "broken"


@pytest.mark.parametrize("path", ["silent", "trickle", "slow_headers"])
def test_the_deadline_holds_however_slowly_it_comes(server, path):
    started = time.monotonic()
    assert refusal(f"{server}/{path}", timeout_s=0.25).code == "too_slow"
    assert time.monotonic() - started < 10


def test_a_server_that_is_not_there_is_said_so(server):
    assert refusal("http://127.0.0.1:9/").code == "no_answer"


def test_a_refusal_carries_its_status_and_none_of_its_words(server):
    error = refusal(f"{server}/gone")
    assert (error.code, error.status) == ("http_410", 410)
    assert "secret" not in error.message + error.raw


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("999999999", 86_400), ("tomorrow", None), ("", None)])
def test_the_wait_that_a_server_asks_for_is_kept_within_a_day(server, value, seconds):
    assert refusal(f"{server}/busy?{value}").retry_after_s == seconds


# --- redirects ------------------------------------------------------------------------------------------------


def test_a_redirect_is_followed_and_its_end_is_named(server):
    assert fetch(f"{server}/to?/plain").url == f"{server}/plain"


def test_redirects_come_to_an_end(server, running):
    assert refusal(f"{server}/round", redirects=3).code == "redirects"
    assert len(running.seen) == 4


@pytest.mark.parametrize(
    "target", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "//192.168.0.1/"]
)
def test_a_redirect_to_a_private_address_is_refused(server, target):
    assert refusal(f"{server}/to?{target}").code == "not_public"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/"])
def test_a_redirect_to_another_scheme_is_refused(server, target):
    assert refusal(f"{server}/to?{target}").code == "bad_url"


# --- addresses ------------------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2001:db8::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_refused(host, settings):
    settings.OUTBOUND_ALLOW_CIDRS = []
    assert refusal(f"http://{host}/").code == "not_public"


def test_loopback_needs_permission(closed, running):
    assert refusal(f"{closed}/plain").code == "not_public"
    assert running.seen == []


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]"])
def test_a_public_address_passes(host):
    check_public(f"https://{host}/")


def test_one_private_answer_spoils_all(names, closed):
    names["mixed.example"] = [["8.8.8.8", "10.0.0.1"]]
    assert refusal("http://mixed.example/").code == "not_public"


def test_a_name_is_resolved_once_and_the_call_goes_there(names, server, running):
    names["feed.example"] = [["127.0.0.1"], ["10.0.0.1"]]
    answer = fetch(f"http://feed.example:{running.server_port}/plain")
    assert answer.body == BODY
    assert running.seen[0]["Host"] == f"feed.example:{running.server_port}"


def test_a_redirect_resolves_its_name_anew(names, server, running):
    names["feed.example"] = [["127.0.0.1"], ["10.0.0.1"]]
    url = f"http://feed.example:{running.server_port}"
    assert refusal(f"{url}/to?{url}/plain").code == "not_public"


def test_the_second_address_is_tried_where_the_first_is_silent(names, server, running, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8", "::1/128"]
    names["feed.example"] = [["::1", "127.0.0.1"]]
    assert fetch(f"http://feed.example:{running.server_port}/plain").body == BODY


def test_a_name_in_other_letters_is_asked_for_in_ascii(names, server, running):
    names["xn--kaffeerstung-bjb.example"] = [["127.0.0.1"]]
    fetch(f"http://Kaffeeröstung.example:{running.server_port}/plain")
    assert running.seen[0]["Host"].startswith("xn--kaffeerstung-bjb.example")


def test_digits_of_other_scripts_are_the_same_digits(names, closed):
    assert refusal("http://１２７.０.０.１/").code == "not_public"


def test_a_name_that_nobody_knows_is_said_so(names, closed):
    assert refusal("http://nowhere.invalid/").code == "unknown_host"


@pytest.mark.parametrize("port", [22, 25, 6379, 65535])
def test_other_ports_than_the_webs_are_refused(port):
    assert refusal(f"http://8.8.8.8:{port}/").code == "port"


@pytest.mark.parametrize("port", [80, 443, 8080, 8443])
def test_the_webs_ports_pass(port):
    check_public(f"http://8.8.8.8:{port}/")


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "file:///etc/passwd", "javascript:alert(1)", "http://", "http://[::1", "http://a:99999/"),
        *("http://a\x00b/", "http://" + "ä" * 300 + "/", "http://8.8.8.8/" + "a" * 2000),
    ],
)
def test_what_is_no_web_address_is_refused(url):
    assert refusal(url).code == "bad_url"


@pytest.mark.parametrize("url", ["http://user@8.8.8.8/", "http://user:word@8.8.8.8/", "http://:@8.8.8.8/"])
def test_names_and_passwords_in_the_address_are_refused(url):
    assert refusal(url).code == "credentials"


# --- TLS ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """For feed.example; its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feed.example")])
    made = datetime.now(UTC)
    alternatives = [x509.DNSName("feed.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(made - timedelta(days=1))
        .not_valid_after(made + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "feed.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(certificate.public_bytes(pem) + secret)
    return path


@pytest.fixture
def tls_port(certificate: Path, settings) -> Iterator[int]:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_certificate_is_checked_for_the_name_although_the_call_goes_to_a_number(
    names, tls_port, certificate, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    names["feed.example"] = names["other.example"] = [["127.0.0.1"]]
    assert isinstance(fetch(f"https://feed.example:{tls_port}/plain"), Fetched)
    assert refusal(f"https://other.example:{tls_port}/plain").code == "certificate"


def test_a_certificate_that_nobody_vouches_for_is_refused(names, tls_port):
    names["feed.example"] = [["127.0.0.1"]]
    assert refusal(f"https://feed.example:{tls_port}/plain").code == "certificate"
