"""Strangers at the doors of results: links, pixel, conversions, shared pages, reports."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from accounts.scope import workspace_scope
from analytics.models import Conversion, Event
from analytics.shares import share_page
from analytics.tracking.links import create_link
from analytics.tracking.tracking import change_tracking

pytestmark = pytest.mark.django_db
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0", "accept-language": "de"}
HOSTILE = [
    "a\r\nSet-Cookie: stolen=1",
    "\x00",
    "=1+1",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "\u202egpj.exe",
    "9" * 3000,
    "NaN",
    "-Infinity",
    "1e999999999",
    "-0",
    "💥" * 500,
]


@pytest.fixture
def pixel(alice_actor, workspace) -> str:
    with workspace_scope(workspace.pk):
        return f"/t/{change_tracking(by=alice_actor, currency='EUR').pixel_key}.gif"


@pytest.fixture
def link(bob_actor, workspace):
    with workspace_scope(workspace.pk):
        return create_link("https://acme.example/shop", by=bob_actor, utm=False)


def test_the_pixel_stays_a_picture_whatever_is_written_into_it(pixel: str, workspace) -> None:
    client = Client(headers=PERSON)
    for field in ("key", "goal", "value", "rcid", "view"):
        for text in HOSTILE:
            answer = client.get(pixel, {"key": f"k{len(text)}", "value": "1", field: text})
            assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif"), (field, text)
            assert "stolen" not in answer.cookies


def test_a_key_with_line_breaks_that_is_used_twice_breaks_no_header(pixel: str) -> None:
    client = Client(headers=PERSON)
    for value in ("1", "2"):
        answer = client.get(pixel, {"key": "a\r\nSet-Cookie: stolen=1", "value": value})
        assert answer.status_code == 200
    assert "used for another" in answer["X-Outcome"]


@pytest.mark.parametrize(
    "referrer", ["http://[", "http://[::1", "https://a\x00b/", "//" + "x" * 5000, "http://a:99999999/"]
)
def test_a_broken_referrer_breaks_neither_pixel_nor_link(pixel: str, link, referrer: str) -> None:
    client = Client(headers={**PERSON, "referer": referrer})
    assert client.get(pixel, {"key": "k"}).status_code == 200
    assert client.get(f"/l/{link.code}").status_code == 302


def test_headers_of_a_visitor_cannot_break_the_redirect(link) -> None:
    for text in HOSTILE:
        said = text.encode("utf-8", "ignore").decode("latin-1").replace("\r\n", " ")
        headers = {
            "user-agent": said,
            "accept-language": said,
            "referer": said,
            "purpose": said,
            "x-forwarded-for": said,
        }
        answer = Client(headers={**headers, "cookie": f"rostrum_visitor={said}"}).get(f"/l/{link.code}")
        assert answer.status_code == 302, text
        assert answer["Location"].startswith("https://acme.example/shop"), text


@pytest.mark.parametrize(
    "body", ["5", "null", '"text"', "[]", "[[]]", "{}", '{"conversions": 5}', '{"conversions": [null]}']
)
def test_a_body_that_is_no_object_is_a_400(api, bob, body: str) -> None:
    answer = api(bob).post("/api/conversions", body, content_type="application/json")
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize(
    "row",
    [
        {"value": "NaN"},
        {"value": "Infinity"},
        {"value": "99999999999"},
        {"value": "1e400"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-14:00"},
        {"goal": "\x00"},
        {"data": {"a": "\x00"}},
        {"data": {"a": "x" * 5000}},
        {"visitor": "x"},
        {"key": ""},
    ],
)
def test_a_conversion_that_makes_no_sense_is_a_400(api, bob, workspace, row: dict) -> None:
    answer = api(bob).post("/api/conversions", {"key": "k", **row}, format="json")
    assert answer.status_code == 400, answer.content
    with workspace_scope(workspace.pk):
        assert not Conversion.objects.exists()


def test_a_body_of_ten_megabytes_is_refused(api, bob) -> None:
    body = json.dumps({"conversions": [{"key": "k", "data": {"a": "x" * 10_000_000}}]})
    assert api(bob).post("/api/conversions", body, content_type="application/json").status_code in {400, 413}


def test_a_click_of_another_workspace_is_nobodys(api, bob, link, charlie_actor, other_workspace, workspace) -> None:
    with workspace_scope(other_workspace.pk):
        change_tracking(by=charlie_actor)
        theirs = create_link("https://rival.example/", by=charlie_actor, utm=False)
    click = Client(headers=PERSON).get(f"/l/{theirs.code}")["Location"].split("rcid=")[1]
    with workspace_scope(other_workspace.pk):
        visitor = Event.objects.get(kind="click").visitor
    booked = api(bob).post("/api/conversions", {"key": "k", "click": click, "visitor": visitor}, format="json").json()
    assert booked["conversions"][0]["click"] is None


@pytest.mark.parametrize("name", ["campaign", "connection"])
def test_a_shared_page_never_shows_more_when_what_it_showed_is_gone(alice_actor, workspace, name: str) -> None:
    """A page that was narrowed to one campaign does not become the page of the whole workspace."""
    with workspace_scope(workspace.pk):
        _, token = share_page("dashboard", {name: str(uuid4())}, by=alice_actor)
    assert Client().get(f"/shared/{token}").status_code == 404


def test_a_filter_that_narrowed_nothing_is_not_shared(bob_client) -> None:
    """The address bar may say anything; what is shared is what the page showed."""
    said = bob_client.post("/results/shared/new?kind=dashboard&campaign=nonsense&connection=1", {"days": "3"})
    token = said.content.decode().split("/shared/")[1].split('"')[0].split("<")[0]
    assert Client().get(f"/shared/{token}").status_code == 200
