"""Whatever a broken client sends, the answer is a refusal and never a failure of the sandbox."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox import platforms
from sandbox.dispatch import answer
from sandbox.ledger import latest
from sandbox.router import Call, Platform, Route
from sandbox.wire import MalformedBody, Request, Response, json_response, multipart_parts
from sandbox.world import World, open_world
from tests.sandbox.cast import Client, Sandbox

BIG_ID = "9" * 19


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"\\ud800"}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"text":"x","reply":{"in_reply_to_tweet_id":"' + BIG_ID.encode() + b'"}}',
        b'{"text":"x","media":{"media_ids":["' + BIG_ID.encode() + b'"]}}',
        b'{"text":"x","edit_options":{"previous_post_id":"' + BIG_ID.encode() + b'"}}',
        b'{"text":null}',
        b"null",
    ],
)
def test_a_hostile_body_is_refused(alice: Client, body: bytes) -> None:
    status = alice.call("POST", "/2/tweets", data=body, headers={"Content-Type": "application/json"}).status_code
    assert status in (400, 403)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\u202e right to left", "\ufdd0", "'; DROP TABLE x_posts; --"])
def test_strange_characters_are_only_text(sandbox: Sandbox, alice: Client, text: str) -> None:
    alice.post_id(text)
    assert sandbox.posts("alice")[0]["text"] == text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/2/tweets/{BIG_ID}"),
        ("GET", f"/2/tweets?ids={BIG_ID}"),
        ("DELETE", f"/2/tweets/{BIG_ID}"),
        ("GET", "/2/users/1/tweets?max_results=%C2%B2"),
        ("GET", "/2/users/1/tweets?end_time=9999999-01-01"),
        ("GET", f"/2/media/upload?media_id={BIG_ID}"),
        ("GET", f"/alice/status/{BIG_ID}"),
        ("GET", f"/i/media/3_{BIG_ID}"),
        ("POST", f"/2/media/upload/{BIG_ID}/finalize"),
    ],
)
def test_a_hostile_address_is_refused(alice: Client, method: str, path: str) -> None:
    assert alice.call(method, path).status_code in (400, 404)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "OAuth", "OAuth nonsense", 'OAuth oauth_token="x"', "Basic !", "Digest a", "\xff"]
)
def test_a_hostile_authorization_header_is_refused(sandbox: Sandbox, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    assert requests.get(f"{sandbox.url}/x/2/users/me", headers=headers, timeout=30).status_code == 401


@pytest.mark.parametrize("header", ["Basic \xe9\xe9", "Basic /w==", "Basic"])
def test_a_hostile_basic_header_is_refused(sandbox: Sandbox, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = requests.post(f"{sandbox.url}/x/2/oauth2/token", headers=headers, timeout=30)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nno header"),
        ("multipart/form-data; boundary=x", b""),
        ("text/plain", b"hello"),
    ],
)
def test_a_hostile_upload_is_refused(alice: Client, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    assert alice.call("POST", "/2/media/upload", data=body, headers=headers).status_code == 400


def test_parts_keep_their_bytes_names_and_types() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="media"; filename="a.bin"\r\nContent-Type: image/png\r\n\r\n'
        b'\r\n\0--\r\n--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n7\r\n--b--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    parts = multipart_parts(Request("POST", "/", "", headers, body))
    assert (parts["media"].content, parts["media"].content_type) == (b"\r\n\0--", "image/png")
    assert parts["n"].content == b"7"


def test_a_body_that_is_no_json_says_so() -> None:
    with pytest.raises(MalformedBody):
        Request("POST", "/", "", {}, b"{").json()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = open_world(tmp_path, platforms.SCHEMAS)
    yield opened
    opened.store.close()


def fail_half_way(call: Call) -> Response:
    call.db.execute("INSERT INTO x_nonces VALUES ('half', 0)")
    raise RuntimeError("broken on purpose")


def written(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM x_nonces").fetchone()[0])


def test_a_failure_of_the_sandbox_takes_back_what_it_wrote_and_is_in_the_ledger(world: World) -> None:
    broken = Platform(
        "broken", "/b", [Route("GET", "/", fail_half_way)], not_found=lambda status: json_response(status, {})
    )
    delivery = answer(world, [broken], Request("GET", "/b/", "", {}))
    assert delivery.response.status == 500
    assert written(world.store.db) == 0
    assert [(entry["platform"], entry["outcome"]) for entry in latest(world.store.db, 5)] == [("broken", "500")]


def test_a_path_of_no_platform_is_not_found(world: World) -> None:
    assert answer(world, [], Request("GET", "/b", "", {})).response.status == 404
