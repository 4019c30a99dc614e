"""A program that knows the protocol, and a person who says yes."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Workspace
from tests.integrations.servers.conftest import make_server, offered  # noqa: F401 fixtures

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REDIRECT = "https://client.example/callback"
METADATA = {"client_name": "Scribe", "redirect_uris": [REDIRECT, "http://127.0.0.1/back?a=1"]}


class Program:
    """What a client of ours does, over the test client of somebody who is not logged in."""

    def __init__(self) -> None:
        self.http = Client()
        self.client_id = ""

    def post(self, path: str, **data: Any):
        return self.http.post(path, urlencode(data), content_type="application/x-www-form-urlencoded")

    def register(self, **changes: Any):
        answer = self.http.post("/oauth/register", METADATA | changes, content_type="application/json")
        self.client_id = answer.json().get("client_id", "")
        return answer

    def ask(self, **changes: Any) -> str:
        """The address that a person's browser is sent to; None leaves a part out."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": "read draft",
            "state": "s=t&a te",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": settings.MCP_URL,
        } | changes
        return "/oauth/authorize?" + urlencode({key: value for key, value in asked.items() if value is not None})

    def change(self, shown: str, /, **changes: Any):
        data = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": shown,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            "resource": settings.MCP_URL,
        } | changes
        return self.post("/oauth/token", **{key: value for key, value in data.items() if value is not None})

    def refresh(self, secret: str, /, **changes: Any):
        data = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": secret} | changes
        return self.post("/oauth/token", **data)


def told(answer) -> dict[str, str]:
    """What the redirect tells the program."""
    assert answer.status_code == 302, answer.content.decode()
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture
def program(db) -> Program:
    found = Program()
    found.register()
    return found


@pytest.fixture
def allow(bob_client: Client, workspace: Workspace) -> Callable[..., Any]:
    def say_yes(address: str, *, groups: tuple[str, ...] = ("read", "draft"), by: Client = bob_client, **changes: Any):
        data = {"workspace": str(workspace.pk), "groups": groups, "allow": "1"} | changes
        return by.post(address, data)

    return say_yes


@pytest.fixture
def code(program: Program, allow) -> str:
    return told(allow(program.ask()))["code"]


@pytest.fixture
def tokens(program: Program, code: str) -> dict[str, Any]:
    return program.change(code).json()
