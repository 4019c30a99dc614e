"""/hooks/x: X's challenge and its signature; whoever has no secret learns nothing and changes nothing."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.test import Client

from campaigns.models import InboxCursor
from integrations.views.hooks import MAX_BYTES
from lib.clock import now
from tests.campaigns.cast import add_connection

pytestmark = pytest.mark.django_db
SECRET = "consumer-secret"
LATER = timedelta(minutes=20)
MENTION = {"data": {"event_type": "post.mention.create", "filter": {"user_id": "77"}, "payload": {"text": "Hi"}}}


@pytest.fixture(autouse=True)
def secret(settings):
    settings.X_CONSUMER_SECRET = SECRET


@pytest.fixture
def cursor(in_workspace):
    connection = add_connection(in_workspace, remote_id="77")
    return InboxCursor.objects.create(
        workspace=in_workspace,
        connection=connection,
        kind="mentions",
        next_at=now() + LATER,
        read_at=now() - timedelta(hours=1),
    )


def sign(signed: bytes, secret: str = SECRET) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def call(event, *, secret=SECRET, headers=None):
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    client = Client(enforce_csrf_checks=True)
    signed = {"X-Twitter-Webhooks-Signature": sign(body, secret)} if headers is None else headers
    return client.post("/hooks/x", body, content_type="application/json", headers=signed).status_code


def wait_of(cursor) -> float:
    cursor.refresh_from_db()
    return (cursor.next_at - now()).total_seconds()


def test_the_challenge_is_answered(client):
    answer = client.get("/hooks/x?crc_token=abc")
    assert (answer.status_code, answer.json()) == (200, {"response_token": sign(b"abc")})


@pytest.mark.parametrize("query", ["", "?crc_token=", f"?crc_token={'a' * 401}"])
def test_a_challenge_without_sense_is_refused(client, query):
    assert client.get(f"/hooks/x{query}").status_code == 400


def test_the_challenge_signs_no_event_for_strangers(client, cursor):
    """Both are signed with the same secret: a challenge that is an event would be a signature for it."""
    for body in (json.dumps(MENTION), "{}", " {}", json.dumps(MENTION).replace(" ", "\t")):
        answer = client.get("/hooks/x", {"crc_token": body})
        assert (answer.status_code, answer.content) == (400, b""), body
    token = "MzUxNGQ2-N2Ut_ZTVl+MS00/Y2I3=="
    assert client.get("/hooks/x", {"crc_token": token}).json() == {"response_token": sign(token.encode())}


def test_without_the_secret_there_is_no_such_address(client, settings):
    settings.X_CONSUMER_SECRET = ""
    assert client.get("/hooks/x?crc_token=abc").status_code == 404
    assert call(MENTION, secret="") == 404


def test_a_mention_wakes_the_inbox(cursor):
    assert call(MENTION) == 200
    assert wait_of(cursor) < 1


def test_the_same_again_is_harmless_and_a_flood_costs_no_more(cursor):
    InboxCursor.objects.update(read_at=now())
    assert [call(MENTION) for _ in range(3)] == [200] * 3
    assert 50 < wait_of(cursor) < 61


def test_an_inbox_that_was_never_read_is_read_now(cursor):
    InboxCursor.objects.update(read_at=None)
    call(MENTION)
    assert wait_of(cursor) < 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twitter-Webhooks-Signature": ""},
        {"X-Twitter-Webhooks-Signature": "sha256="},
        {"X-Twitter-Webhooks-Signature": sign(json.dumps(MENTION).encode(), "other")},
        {"X-Twitter-Webhooks-Signature": sign(b"{}")},
        {"X-Twitter-Webhooks-Signature": "sha256=\xe9"},
    ],
)
def test_a_wrong_signature_changes_nothing(cursor, headers):
    assert call(MENTION, headers=headers) == 401
    assert wait_of(cursor) > 1000


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"data": MENTION["data"] | {"event_type": "post.delete"}}, 200),
        ({"data": MENTION["data"] | {"filter": {"user_id": "78"}}}, 200),
        ({"data": MENTION["data"] | {"filter": {"user_id": "77 "}}}, 200),
        ({"data": MENTION["data"] | {"filter": {"user_id": 77}}}, 200),
        ({"data": MENTION["data"] | {"filter": None}}, 200),
        ({"data": MENTION["data"] | {"event_type": ["post.mention.create"]}}, 200),
        ({"data": []}, 200),
        ({}, 200),
        ([], 400),
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b" " * (MAX_BYTES + 1), 413),
    ],
)
def test_what_we_do_not_know_is_left_alone(cursor, event, status):
    assert call(event) == status
    assert wait_of(cursor) > 1000
