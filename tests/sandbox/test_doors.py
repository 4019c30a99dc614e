"""Each route of X: who may call it, with which scopes, and how often."""

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.test_oauth2 import BASIC

READ = ("tweet.read", "users.read")
WRITE = ("tweet.read", "tweet.write", "users.read")
MODERATE = ("tweet.read", "users.read", "tweet.moderate.write")


@dataclass(frozen=True)
class Door:
    method: str
    path: str
    scopes: tuple[str, ...]
    user_limit: int | None = None
    app_limit: int | None = None
    app_day: int | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


DOORS = [
    Door("POST", "/2/tweets", WRITE, 100, app_day=10_000),
    Door("DELETE", "/2/tweets/1", WRITE, 50),
    Door("GET", "/2/tweets?ids=1", READ, 5_000, 3_500),
    Door("GET", "/2/tweets/1", READ, 900, 450),
    Door("GET", "/2/users/me", READ, 75),
    Door("GET", "/2/users/1/tweets", READ, 900, 10_000),
    Door("GET", "/2/users/1/mentions", READ, 300, 450),
    Door("PUT", "/2/tweets/1/hidden", MODERATE, 50),
    Door("POST", "/2/media/upload/initialize", ("media.write",), 1_875, app_day=180_000),
    Door("POST", "/2/media/upload/1/append", ("media.write",), 1_875, app_day=180_000),
    Door("POST", "/2/media/upload/1/finalize", ("media.write",), 1_875, app_day=180_000),
    Door("GET", "/2/media/upload?media_id=1", ("media.write",), 1_000, app_day=100_000),
    Door("POST", "/2/media/upload", ("media.write",), 500, app_day=50_000),
    Door("POST", "/2/media/metadata", ("media.write",), 500, app_day=50_000),
    Door("POST", "/2/media/subtitles", ("media.write",), 100),
]
BY_USER = [pytest.param(door, id=door.name) for door in DOORS]
BY_APP = [pytest.param(door, id=door.name) for door in DOORS if door.app_limit]
ONLY_BY_USER = [pytest.param(door, id=door.name) for door in DOORS if not door.app_limit]
DAILY = [pytest.param(door, id=door.name) for door in DOORS if door.app_day]
ONE_MISSING = [pytest.param(door, scope, id=f"{door.name} without {scope}") for door in DOORS for scope in door.scopes]
UNAUTHORIZED = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
FORBIDDEN = {
    "title": "Forbidden",
    "detail": "You are not permitted to perform this action.",
    "type": "about:blank",
    "status": 403,
}


def knock(door: Door, client: Client) -> requests.Response:
    return client.call(door.method, door.path)


@pytest.fixture(scope="module")
def house(sandbox_process: Sandbox) -> Sandbox:
    """Doors are only looked at here, so that one reset serves them all."""
    sandbox_process.post("/reset")
    return sandbox_process


def holder(house: Sandbox, scopes: tuple[str, ...]) -> Client:
    return house.sign_in("alice", scopes=list(scopes))


@pytest.mark.parametrize("door", BY_USER)
def test_exactly_the_scopes_of_a_route_open_it(house: Sandbox, door: Door) -> None:
    assert knock(door, holder(house, door.scopes)).status_code in (200, 400, 404)


@pytest.mark.parametrize(("door", "scope"), ONE_MISSING)
def test_without_one_of_its_scopes_a_route_stays_shut(house: Sandbox, door: Door, scope: str) -> None:
    others = ["offline.access", *(name for name in {*WRITE, *MODERATE, "media.write"} if name != scope)]
    answer = knock(door, holder(house, tuple(others)))
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


@pytest.mark.parametrize("door", BY_USER)
def test_a_route_is_shut_for_callers_without_a_token(house: Sandbox, door: Door) -> None:
    answer = requests.request(door.method, f"{house.url}/x{door.path}", timeout=30)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("door", BY_USER)
def test_a_client_secret_is_no_token(house: Sandbox, door: Door) -> None:
    answer = requests.request(door.method, f"{house.url}/x{door.path}", auth=BASIC, timeout=30)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("door", BY_APP)
def test_reading_is_open_to_app_only_tokens_within_the_limit_of_the_app(house: Sandbox, door: Door) -> None:
    answer = knock(door, house.app_client())
    assert (answer.status_code, answer.headers["x-rate-limit-limit"]) == (200, str(door.app_limit))


@pytest.mark.parametrize("door", ONLY_BY_USER)
def test_acting_and_uploading_are_shut_to_app_only_tokens(house: Sandbox, door: Door) -> None:
    answer = knock(door, house.app_client())
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("Authenticating with OAuth 2.0 Application-Only is forbidden")


@pytest.mark.parametrize("door", BY_USER)
def test_the_limit_of_a_user_is_announced(house: Sandbox, door: Door) -> None:
    headers = knock(door, holder(house, door.scopes)).headers
    assert headers["x-rate-limit-limit"] == str(door.user_limit)


@pytest.mark.parametrize("door", DAILY)
def test_the_day_of_the_app_is_announced(house: Sandbox, door: Door) -> None:
    headers = knock(door, holder(house, door.scopes)).headers
    assert headers["x-app-limit-24hour-limit"] == str(door.app_day)


@pytest.mark.parametrize("door", BY_USER)
def test_a_refused_caller_uses_no_window_up(house: Sandbox, door: Door) -> None:
    newcomer = f"u{DOORS.index(door)}"
    knock(door, house.sign_in(newcomer, scopes="like.read"))
    headers = knock(door, house.sign_in(newcomer, scopes=list(door.scopes))).headers
    assert headers["x-rate-limit-remaining"] == str(int(door.user_limit or 0) - 1)


def test_usage_is_announced_per_app(house: Sandbox) -> None:
    answer = house.app_client().get("/2/usage/tweets")
    assert answer.headers["x-rate-limit-limit"] == "50"


@pytest.mark.parametrize("path", ["/2/oauth2/token", "/2/oauth2/revoke"])
def test_token_endpoints_have_no_window(house: Sandbox, path: str) -> None:
    answer = requests.post(f"{house.url}/x{path}", auth=BASIC, timeout=30)
    assert "x-rate-limit-limit" not in answer.headers
    assert answer.headers["api-version"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_of_a_token_is_read_in_any_case(house: Sandbox, scheme: str) -> None:
    token = house.sign_in("alice").token
    headers = {"Authorization": f"{scheme} {token}"}
    assert requests.get(f"{house.url}/x/2/users/me", headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize("change", [str.lower, lambda token: token + "x", lambda token: token[:-1], str.upper])
def test_a_token_must_match_to_the_letter(house: Sandbox, change: Any) -> None:
    client = house.sign_in("alice")
    client.token = change(client.token)
    assert client.get("/2/users/me").status_code == 401


def test_a_refresh_token_opens_no_door(house: Sandbox) -> None:
    client = house.sign_in("alice")
    client.token = client.grant["refresh_token"]
    assert client.get("/2/users/me").status_code == 401
