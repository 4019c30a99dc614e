"""The way out: one loop per process, streamed files, deadlines, and tokens that appear nowhere."""

import io
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from social.networks.port import Failure, NetworkError, OutgoingMedia, OutgoingPart
from social.networks.telegram import api, wire
from social.networks.telegram.client import TelegramClient
from tests.sandbox.cast import picture

TOKEN = "123456:AAE-a_secret_token_of_a_bot"
SECRET = TOKEN.partition(":")[2]


class Server(ThreadingHTTPServer):
    """Takes one kind of answer for everything, and remembers what it was sent."""

    answer = b'{"ok":true,"result":{"message_id":7,"chat":{"id":1,"type":"private"}}}'
    pace_s = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
        self.send_response(200)
        self.send_header("content-length", str(len(self.server.answer)))
        self.end_headers()
        time.sleep(self.server.pace_s)
        self.wfile.write(self.server.answer)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server(settings):
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.TELEGRAM_API_BASE_URL = f"http://127.0.0.1:{server.server_port}"
    settings.TELEGRAM_TIMEOUT_S = 5
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(server) -> TelegramClient:
    return TelegramClient(TOKEN, 1)


class Counted(io.BytesIO):
    """A file that remembers the largest piece it was asked for."""

    largest = 0

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        self.largest = max(self.largest, len(chunk))
        return chunk


def video(file: io.IOBase, size: int) -> OutgoingMedia:
    return OutgoingMedia(lambda: file, "video/mp4", "video", size, name="secret-plan.mp4")


def failure_of(call, *args, **options) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        call(*args, **options)
    return caught.value


# --- calls ---------------------------------------------------------------------------------------------------


def test_a_message_is_one_call(client, server):
    client.publish(OutgoingPart("Hello"))
    assert server.paths == [f"/bot{TOKEN}/sendMessage"]


def test_what_is_not_given_is_not_sent(client, server):
    client.publish(OutgoingPart("Hello"))
    assert server.bodies == [b"chat_id=1&text=Hello"]


def test_bots_share_the_connections(client, server):
    TelegramClient(TOKEN.replace("123456", "654321"), 1).publish(OutgoingPart("Hello"))
    client.publish(OutgoingPart("Hello"))
    assert sum(thread.name == "telegram" for thread in threading.enumerate()) == 1


def test_many_threads_call_at_once(client, server):
    server.pace_s = 0.1
    with ThreadPoolExecutor(10) as pool:
        ids = [answer.remote_id for answer in pool.map(client.publish, [OutgoingPart("Hello")] * 10)]
    assert ids == ["7"] * 10


def test_a_forked_process_makes_a_loop_of_its_own(client, server):
    client.publish(OutgoingPart("Before"))
    child = os.fork()
    if child == 0:
        os._exit(0 if client.publish(OutgoingPart("In the child")).remote_id == "7" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert client.publish(OutgoingPart("After")).remote_id == "7"


def test_a_call_ends_at_its_deadline_however_slowly_the_answer_trickles(client, server, settings):
    settings.TELEGRAM_TIMEOUT_S, server.pace_s = 0.3, 30
    began = time.monotonic()
    error = failure_of(TelegramClient(TOKEN, 1).publish, OutgoingPart("Hello"))
    assert (error.failure, error.code) == (Failure.UNKNOWN, "timeout")
    assert time.monotonic() - began < 15


def test_an_answer_without_end_is_not_read(client, server, monkeypatch):
    monkeypatch.setattr(wire, "MAX_BYTES", 1000)
    server.answer = b"[" + b"1," * 1000 + b"1]"
    assert failure_of(client.publish, OutgoingPart("Hello")).failure is Failure.UNKNOWN


def test_proxies_of_the_environment_are_not_used(client, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert client.publish(OutgoingPart("Hello")).remote_id == "7"


# --- files ---------------------------------------------------------------------------------------------------


def test_a_file_is_read_in_pieces_while_it_is_sent(client, server):
    size = 3 * 1024 * 1024
    file = Counted(b"x" * size)
    client.publish(OutgoingPart("", media=(video(file, size),)))
    assert 0 < file.largest <= 128 * 1024
    assert server.bodies[0].count(b"x" * size) == 1


def test_the_length_is_announced_even_where_a_storage_cannot_seek(client, server):
    reader, writer = os.pipe()
    os.write(writer, b"x" * 5000)
    os.close(writer)
    with open(reader, "rb") as pipe:
        client.publish(OutgoingPart("", media=(video(pipe, 5000),)))
    assert int(server.headers[0]["content-length"]) > 5000
    assert b"x" * 5000 in server.bodies[0]


def test_our_names_of_files_stay_with_us(client, server):
    client.publish(OutgoingPart("", media=(video(io.BytesIO(b"xx"), 2),)))
    assert b"secret-plan" not in server.bodies[0]
    assert b'filename="video.mp4"' in server.bodies[0]


def test_files_are_closed_afterwards(client, server):
    file = io.BytesIO(b"xx")
    client.publish(OutgoingPart("", media=(video(file, 2),)))
    assert file.closed


def test_files_are_closed_after_a_failure_too(client, server, settings):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    files = [io.BytesIO(b"xx"), io.BytesIO(b"xx")]
    failure_of(client.publish, OutgoingPart("", media=tuple(video(file, 2) for file in files)))
    assert all(file.closed for file in files)


@pytest.mark.parametrize("announced", [100, 10_000])
def test_a_file_of_another_length_than_announced_is_never_live(cafe, announced):
    file = io.BytesIO(b"x" * 5000)
    error = failure_of(cafe.client().publish, OutgoingPart("", media=(video(file, announced),)))
    assert (error.failure, error.code) == (Failure.REJECTED, "file_changed")
    assert cafe.messages() == []


def test_a_file_that_cannot_be_opened_is_never_sent(cafe):
    def gone() -> io.BytesIO:
        raise FileNotFoundError("gone")

    error = failure_of(cafe.client().publish, OutgoingPart("", media=(OutgoingMedia(gone, "", "video", 5),)))
    assert (error.failure, error.code) == (Failure.TEMPORARY, "file_unreadable")


class Lost(Exception):
    pass


class Breaking(io.RawIOBase):
    """Ends in an error of ours, such as a lost claim."""

    def read(self, _size: int = -1) -> bytes:
        raise Lost


def test_an_error_of_ours_inside_a_file_comes_out_as_itself(cafe):
    with pytest.raises(Lost):
        cafe.client().publish(OutgoingPart("", media=(video(Breaking(), 5000),)))
    assert cafe.messages() == []


# --- secrets -------------------------------------------------------------------------------------------------


@pytest.fixture
def everything_logged(caplog):
    """All that any library says, with the levels that the product sets."""
    caplog.set_level(logging.DEBUG)
    return caplog


def test_a_call_logs_no_token(client, server, everything_logged):
    client.publish(OutgoingPart("", media=(video(io.BytesIO(picture()), len(picture())),)))
    assert SECRET not in everything_logged.text


def test_a_failed_call_logs_no_token(client, settings, everything_logged):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    failure_of(client.publish, OutgoingPart("Hello"))
    assert SECRET not in everything_logged.text


def test_a_failure_shows_no_token(client, server):
    server.answer = f"<html>/bot{TOKEN}/sendMessage</html>".encode()
    error = failure_of(client.publish, OutgoingPart("Hello"))
    assert SECRET not in f"{error} {error.message} {error.raw} {error!r}"


def test_no_object_shows_its_token(server):
    shown = repr(wire._Caller.of(TOKEN)) + repr(TelegramClient(TOKEN, 1)) + str(wire._Caller.of(TOKEN))
    assert SECRET not in shown


def test_an_address_that_cannot_be_used_shows_no_token(settings):
    settings.TELEGRAM_API_BASE_URL = "nonsense"
    error = failure_of(api.get_me, TOKEN)
    assert error.failure is Failure.TEMPORARY
    assert SECRET not in error.raw
