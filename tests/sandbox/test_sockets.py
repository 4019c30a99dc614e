"""Bytes on the wire that no library would send."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.sandbox.cast import Client, Sandbox
from tests.waiting import wait_for


@dataclass
class Wire:
    """A raw connection; the server closes it after the last answer to all that was said."""

    socket: socket.socket

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def read(self, *, is_all_said: bool = True) -> bytes:
        received = b""
        try:
            if is_all_said:
                self.socket.shutdown(socket.SHUT_WR)
            while chunk := self.socket.recv(65536):
                received += chunk
        except OSError:
            pass
        return received

    def statuses(self) -> list[int]:
        lines = self.read().split(b"HTTP/1.1 ")[1:]
        return [int(line[:3]) for line in lines]

    def is_closed(self) -> bool:
        self.socket.settimeout(0.3)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True


def connect(sandbox: Sandbox) -> socket.socket:
    address = urlsplit(sandbox.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=30)


@pytest.fixture
def wire(sandbox: Sandbox) -> Iterator[Wire]:
    with connect(sandbox) as opened:
        yield Wire(opened)


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: sandbox", *lines, "", ""]).encode("latin-1")


def posting(client: Client, text: str, *lines: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    bearer = f"Authorization: Bearer {client.token}"
    return head("POST", "/x/2/tweets", bearer, f"Content-Length: {len(body)}", *lines) + body


def test_two_requests_in_one_packet_get_two_answers_in_order(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    wire.send(posting(alice, "One"), posting(alice, "Two"))
    assert wire.statuses() == [201, 201]
    assert [post["text"] for post in sandbox.posts("alice")] == ["One", "Two"]


def test_a_refusal_between_two_requests_does_not_confuse_them(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    wire.send(posting(alice, "One"), posting(alice, ""), posting(alice, "Two"))
    assert wire.statuses() == [201, 400, 201]


def test_a_request_may_come_byte_by_byte(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    for byte in posting(alice, "Slowly"):
        wire.send(bytes([byte]))
    assert wire.statuses() == [201]


def test_a_body_that_was_never_finished_has_not_happened(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    body = b'{"text":"Hello"}'
    lines = [f"Authorization: Bearer {alice.token}", f"Content-Length: {len(body) + 1}"]
    wire.send(head("POST", "/x/2/tweets", *lines), body)
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.read() == b""
    assert sandbox.ledger() == []


def test_a_head_that_was_never_finished_has_not_happened(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    wire.send(posting(alice, "Hello").partition(b"\r\n\r\n")[0])
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.read() == b""
    assert sandbox.ledger() == []


def test_a_slow_client_holds_up_nobody_else(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    wire.send(head("POST", "/x/2/tweets", "Content-Length: 100"))
    assert alice.create("Hello").status_code == 201


def test_a_client_that_hangs_up_before_the_answer_has_posted(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    sandbox.fault("slow_headers", seconds=0.2)
    wire.send(posting(alice, "Hello"))
    wire.socket.close()
    assert alice.get("/2/users/me").status_code == 200
    wait_for(lambda: sandbox.ledger(effect="post"))
    assert [entry["outcome"] for entry in sandbox.ledger(effect="post")] == ["201"]


@pytest.mark.parametrize(
    "lines",
    [
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: CHUNKED", "Content-Length: 5"],
        ["Transfer-Encoding: gzip, chunked"],
    ],
)
def test_chunks_are_refused_and_what_follows_is_no_request(sandbox: Sandbox, wire: Wire, lines: list[str]) -> None:
    wire.send(head("POST", "/x/2/tweets", *lines), b"0\r\n\r\n", head("GET", "/_sandbox/health"))
    assert wire.statuses() == [411]


@pytest.mark.parametrize("length", ["-1", "+5", "5x", "0x5", "5.0", "5 5", "\xb2"])
def test_a_length_that_is_no_number_is_refused_and_ends_the_connection(wire: Wire, length: str) -> None:
    wire.send(head("POST", "/x/2/tweets", f"Content-Length: {length}"), head("GET", "/_sandbox/health"))
    assert wire.statuses() == [400]


def test_a_body_of_the_largest_size_is_only_refused_by_its_announcement(wire: Wire) -> None:
    wire.send(head("POST", "/x/2/tweets", f"Content-Length: {64 * 1024 * 1024 + 1}"))
    assert wire.statuses() == [413]


def test_a_request_line_without_end_is_refused(wire: Wire) -> None:
    wire.send(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n")
    assert wire.read()[:12] == b"HTTP/1.1 414"


def test_a_header_without_end_is_refused(wire: Wire) -> None:
    wire.send(head("GET", "/_sandbox/health", "X: " + "a" * 70_000))
    assert wire.read()[:12] == b"HTTP/1.1 431"


def test_too_many_headers_are_refused(wire: Wire) -> None:
    wire.send(head("GET", "/_sandbox/health", *(f"X-{number}: 1" for number in range(200))))
    assert wire.read()[:12] == b"HTTP/1.1 431"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"])
def test_a_method_nobody_knows_is_refused(wire: Wire, method: str) -> None:
    wire.send(head(method, "/x/2/tweets"))
    assert wire.read().split()[1] == b"501"


@pytest.mark.parametrize("line", [b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0", b"GET /", b"nonsense line here"])
def test_another_protocol_is_refused_and_the_server_lives_on(sandbox: Sandbox, wire: Wire, line: bytes) -> None:
    wire.send(line, b"\r\n\r\n")
    wire.read()
    assert sandbox.get("/health")["status"] == "ok"
    assert sandbox.ledger() == []


def test_a_connection_is_kept_until_the_client_closes_it(wire: Wire) -> None:
    wire.send(head("GET", "/_sandbox/health"))
    wait_for(lambda: b"HTTP/1.1 200" in wire.socket.recv(65536))
    wire.send(head("GET", "/_sandbox/health"))
    wait_for(lambda: b"HTTP/1.1 200" in wire.socket.recv(65536))


def test_a_client_may_ask_to_close(wire: Wire) -> None:
    wire.send(head("GET", "/_sandbox/health", "Connection: close"))
    assert b"connection: close" in wire.read(is_all_said=False)
    assert wire.is_closed()


def test_an_old_client_gets_one_answer_and_a_closed_connection(wire: Wire) -> None:
    wire.send(b"GET /_sandbox/health HTTP/1.0\r\n\r\n", b"GET /_sandbox/health HTTP/1.0\r\n\r\n")
    assert wire.statuses() == [200]


def test_a_client_that_waits_for_leave_to_send_gets_it(sandbox: Sandbox, alice: Client, wire: Wire) -> None:
    wire.send(posting(alice, "Hello", "Expect: 100-continue"))
    assert wire.statuses() == [100, 201]


@pytest.mark.parametrize(
    "path",
    [
        "/x/../_sandbox/health",
        "/x/2/../2/users/me",
        "/x/2/tweets/%2e%2e/users/me",
        "/x/2//tweets",
        "/x/2/tweets/1/",
        "/x/2/users/me%00",
        "/X/2/users/me",
        "/x%2f2/users/me",
        "/xx/2/users/me",
        "/_sandboxed/health",
        "/x/2/users/me;a=b",
    ],
)
def test_a_path_is_taken_to_the_letter(wire: Wire, path: str) -> None:
    wire.send(head("GET", path))
    assert wire.statuses() == [404]


@pytest.mark.parametrize("key", ["3_..%2f..%2fsandbox.sqlite3", "3_/etc/passwd", "..", "3_-1", "3_%00", "_", "3_1.bin"])
def test_no_name_of_media_leads_out_of_its_folder(wire: Wire, key: str) -> None:
    wire.send(head("GET", f"/x/i/media/{key}"))
    assert wire.statuses() == [404]


def test_a_fragment_of_a_header_is_no_way_to_another_account(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    with connect(sandbox) as opened:
        wire = Wire(opened)
        body = b'{"text":"Whose?"}'
        bearers = [f"Authorization: Bearer {client.token}" for client in (alice, bob)]
        wire.send(head("POST", "/x/2/tweets", *bearers, f"Content-Length: {len(body)}"), body)
        assert wire.statuses() == [201]
    assert [len(sandbox.posts(handle)) for handle in ("alice", "bob")] == [1, 0]


@pytest.mark.parametrize("host", ["[", "a:b:c", "", "evil.example", "a b"])
def test_a_strange_host_is_nothing_but_a_name(alice: Client, host: str) -> None:
    answer = alice.call("GET", "/2/users/me?user.fields=profile_image_url", headers={"Host": host})
    assert answer.status_code == 200


def test_bytes_that_are_no_utf_8_in_a_query_are_replaced(alice: Client) -> None:
    answer = alice.call("GET", "/2/tweets?ids=%ff%fe")
    assert (answer.status_code, answer.json()["errors"][0]["parameters"]) == (400, {"ids": ["��"]})


@pytest.mark.parametrize("depth", [10, 500, 900, 950, 980, 990, 1000, 5000])
def test_nesting_of_any_depth_is_refused(alice: Client, depth: int) -> None:
    body = b'{"text":' + b"[" * depth + b"]" * depth + b"}"
    assert alice.call("POST", "/2/tweets", data=body).status_code == 400


@pytest.mark.parametrize("body", [b'{"text":NaN}', b'{"text":1e999}', b"1" * 5000, b'"text"', b"true", b"[[]]"])
def test_json_that_is_no_post_is_refused(alice: Client, body: bytes) -> None:
    assert alice.call("POST", "/2/tweets", data=body).status_code == 400


def test_the_last_of_two_equal_names_counts(sandbox: Sandbox, alice: Client) -> None:
    alice.call("POST", "/2/tweets", data=b'{"text":"First","text":"Second"}')
    assert sandbox.posts("alice")[0]["text"] == "Second"


def test_a_missing_body_is_an_empty_post(alice: Client) -> None:
    answer = alice.call("POST", "/2/tweets")
    assert answer.json()["errors"][0]["message"] == "Your Tweet text must not be empty."


@pytest.mark.parametrize("path", ["/accounts", "/mentions", "/tokens", "/apps", "/clock", "/faults"])
@pytest.mark.parametrize(
    "body", [b"[]", b"7", b"null", b"{", b'{"handle":{}}', b'{"handle":"\\ud800"}', b'{"advance":NaN}']
)
def test_the_admin_door_refuses_nonsense_without_failing(alice: Client, path: str, body: bytes) -> None:
    with connect(alice.sandbox) as opened:
        wire = Wire(opened)
        wire.send(head("POST", f"/_sandbox{path}", f"Content-Length: {len(body)}", "Connection: close"), body)
        assert wire.statuses() in ([400], [200])
