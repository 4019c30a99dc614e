"""The program in docs/api.md works as it stands, from a text to a planned post, also where it is held up."""

import io
import re
import time
import uuid
from collections.abc import Callable
from http.client import responses
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.test import Client
from requests.adapters import BaseAdapter

from campaigns.models import Campaign, Delivery, Post
from campaigns.services import create_campaign
from compliance.models import Review
from compliance.reviews.decisions import approve_review
from tests.campaigns.cast import add_connection

pytestmark = pytest.mark.django_db
(PROGRAM,) = re.findall(r"```python\n(.*?)```", (settings.BASE_DIR / "docs/api.md").read_text(), re.DOTALL)
FUNCTIONS = PROGRAM.partition("account = ")[0]
Answer = tuple[int, dict[str, str]]


class Inside(BaseAdapter):
    """Brings a request to the application without a network. `before` may answer in its place."""

    def __init__(self, before: Callable[[requests.PreparedRequest], Answer | None] = lambda request: None) -> None:
        super().__init__()
        self.before = before
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        self.sent.append(request)
        if instead := self.before(request):
            return made(request, instead[0], instead[1], b"{}")
        parts = urlsplit(request.url)
        names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
        found = Client().generic(
            request.method, f"{parts.path}?{parts.query}", request.body or b"", "application/json", **names
        )
        return made(request, found.status_code, dict(found.items()), found.content)

    def close(self) -> None:
        pass


def made(request: requests.PreparedRequest, status: int, headers: dict[str, str], body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason, response.request, response.url = (
        status,
        responses[status],
        request,
        request.url,
    )
    response.headers.update(headers)
    response.raw = io.BytesIO(body)
    return response


@pytest.fixture
def run(workspace, api_key, monkeypatch):
    """Runs the program, or some of it, with this adapter: its names, and `waited`."""

    def start(inside: Inside, code: str = PROGRAM) -> dict:
        names: dict = {"waited": []}
        monkeypatch.setattr(requests.Session, "get_adapter", lambda session, url: inside)
        monkeypatch.setattr(time, "sleep", names["waited"].append)
        text = code.replace("https://rostrum.example", "http://testserver")
        exec(text.replace("rk_…", api_key("read", "write", "publish")), names)
        return names

    return start


@pytest.fixture
def connection(workspace, in_workspace):
    return add_connection(workspace)


def test_the_program_brings_a_text_to_the_calendar(run, rita_actor, connection) -> None:
    run(Inside())
    assert [part.text for part in Post.objects.get().parts.all()] == ["The autumn roast is here: plum and cocoa."]
    assert Delivery.objects.get().state == "in_review"
    review = Review.objects.get()
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    found = Delivery.objects.get()
    assert Campaign.objects.get().status == "running"
    assert (found.state, found.scheduled_at.isoformat()) == ("scheduled", "2027-10-01T06:00:00+00:00")


def test_what_is_held_up_is_sent_again_under_its_key(run, connection) -> None:
    refusals = [(503, {}), (429, {"Retry-After": "7"})]

    def busy(request: requests.PreparedRequest) -> Answer | None:
        return refusals.pop() if request.url.endswith("/api/campaigns") and refusals else None

    inside = Inside(busy)
    assert run(inside)["waited"] == [7, 4]
    keys = [one.headers["Idempotency-Key"] for one in inside.sent if one.url.endswith("/api/campaigns")]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert Campaign.objects.count() == 1


def test_all_pages_are_read(run, alice_actor, in_workspace) -> None:
    for number in range(5):
        create_campaign(by=alice_actor, name=f"Week {number}")
    rows = run(Inside(), FUNCTIONS)["rows"]
    assert [row["name"] for row in rows("/api/campaigns?page_size=2")] == [f"Week {n}" for n in (4, 3, 2, 1, 0)]


def test_a_refusal_says_what_is_wrong(run, connection) -> None:
    names = run(Inside())
    for said, asked in {
        "409 stale": {"method": "PATCH", "path": names["path"], "json": {}, "headers": {"If-Match": '"0"'}},
        "400 invalid.*valid UUID": {"method": "POST", "path": "/api/posts", "json": {"connections": ["x"]}},
        "404 not_found": {"method": "GET", "path": f"/api/posts/{uuid.uuid4()}"},
        "403 permission_denied": {"method": "GET", "path": "/api/keys"},
    }.items():
        with pytest.raises(RuntimeError, match=said):
            names["call"](**asked)
