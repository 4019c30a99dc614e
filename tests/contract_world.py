"""What a contract run needs in an instance: accounts, posts on their way, an integrator; and ids of what is there."""

import random
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from campaigns.demo_content import DEMO_EMAIL, DEMO_PASSWORD

HANDLES = ("contract_one", "contract_two", "contract_three")
TEXTS = [
    f"{what} {when}" for what in ("Decaf is back", "Tasting", "We roast") for when in ("today", "on Friday", "in May")
]
STAFF_EMAIL = "staff@example.com"
# The tenant is that of the document's example.
CHAT, TENANT = "@demo_channel", "shop-17"
# A token lives 15 minutes, a run may be longer.
LOGIN_S = 300
# A run makes and deletes: lists are read again this often.
FRESH_S = 5
PARAMETER = re.compile(r"\{(\w+)\}")
# Lists of ids that the address above them does not answer: where they stand, and in which field.
ELSEWHERE = {
    "user_id": ("/api/auth/me", ""),
    "webhook_delivery_id": ("/api/webhooks/{endpoint_id}/deliveries", "results"),
    "line_id": ("/api/plans/{plan_id}", "lines"),
    "token_id": ("/api/mcp/servers/{server_id}", "tokens"),
    "position": ("/api/deliveries/{delivery_id}", "live_parts"),
    "run_id": ("/v1/threads/{thread_id}/messages", ""),
    "bot_id": ("/api/telegram/bots", "bots"),
    "tenant_id": ("/api/auth/me", "workspaces"),
    "version": ("/v1/assistants/{assistant_id}/versions", "results"),
}
# Fields of bodies that hold such ids.
FIELDS = {
    "assistant_id": "assistant_id",
    "bot": "bot_id",
    "campaign": "campaign_id",
    "connection": "connection_id",
    "connections": "connection_id",
    "contact": "contact_id",
    "deliveries": "delivery_id",
    "delivery": "delivery_id",
    "person": "user_id",
    "post": "post_id",
    "posts": "post_id",
    "project": "project_id",
}
# What examples cannot know.
BODIES = {
    "/api/auth/login": {"email": DEMO_EMAIL, "password": DEMO_PASSWORD},
    "/api/telegram/connect": {"chat": CHAT},
}


class World:
    """An instance with the demo in it. `paths` are those of its OpenAPI document."""

    def __init__(self, base: str, paths: dict[str, Any]) -> None:
        self.base, self.paths = base, paths
        self.token, self.token_at = "", -float(LOGIN_S)
        self.answers: dict[str, tuple[float, Any]] = {}
        self.slug = ""
        self.slug = self.call("GET", "/api/auth/me")["workspaces"][0]["slug"]
        self.lists = dict(found for path in paths for found in _lists(path, paths))

    def bearer(self) -> str:
        if time.monotonic() - self.token_at > LOGIN_S:
            login = BODIES["/api/auth/login"]
            answer = requests.post(f"{self.base}/api/auth/login", json=login, timeout=30)
            self.token, self.token_at = answer.json()["access"], time.monotonic()
        return self.token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; empty where there is none, or an error."""
        headers = {"Authorization": f"Bearer {self.bearer()}", "X-Workspace": self.slug}
        answer = requests.request(method, self.base + path, json=body, headers=headers, timeout=60)
        return answer.json() if answer.ok and answer.content else {}

    # --- ids ----------------------------------------------------------------------------------------------

    def fill_path(self, template: str, given: dict[str, Any]) -> None:
        """Put ids of what is there in the place of made-up ones."""
        for match in PARAMETER.finditer(template):
            name = match[1]
            found = self._ids(name, template[: match.start() - 1], given)
            if found and given.get(name) not in found:
                given[name] = random.choice(found)

    def fill_body(self, body: Any) -> Any:
        if isinstance(body, list):
            return [self.fill_body(one) for one in body]
        if not isinstance(body, dict):
            return body
        return {name: self._filled(name, value) for name, value in body.items()}

    def _filled(self, name: str, value: Any) -> Any:
        found = self._ids(FIELDS[name]) if name in FIELDS and value else []
        if not found:
            return self.fill_body(value)
        return [random.choice(found)] if isinstance(value, list) else random.choice(found)

    def _ids(self, name: str, above: str = "", given: dict[str, Any] | None = None) -> list[Any]:
        if above == "/v1/tenants":
            return [TENANT]
        path, field = ELSEWHERE.get(name) or (above or self.lists.get(name, ""), "results")
        if "get" not in self.paths.get(path, ()):
            path = self.lists.get(name, "")
        chosen = dict(given or {})
        if path != above:
            self.fill_path(path, chosen)
        is_known = path and chosen.keys() >= set(PARAMETER.findall(path))
        return _ids_in(self._read(path.format(**chosen)), field, name) if is_known else []

    def _read(self, path: str) -> Any:
        read_at, answer = self.answers.get(path, (-float(FRESH_S), None))
        if time.monotonic() - read_at > FRESH_S:
            answer = self.call("GET", path)
            self.answers[path] = time.monotonic(), answer
        return answer


def _lists(template: str, paths: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The parameters of an address and the lists that hold them."""
    for match in PARAMETER.finditer(template):
        if "get" in paths.get(template[: match.start() - 1], ()):
            yield match[1], template[: match.start() - 1]


def _ids_in(answer: Any, field: str, name: str) -> list[Any]:
    rows = answer.get(field, answer) if isinstance(answer, dict) else answer
    found = [row.get(name, row.get("id", row.get("key"))) for row in (rows if isinstance(rows, list) else [rows])]
    return [one for one in found if one is not None]


# --- what a newcomer would do first -------------------------------------------------------------------------


def furnish(world: World) -> str:
    """Connect accounts through the sandbox, send posts on their way, and return an integrator's app key."""
    web = _log_in(world, DEMO_EMAIL)
    for handle in HANDLES:
        grant = web.post(f"{world.base}/connections/x/connect", data=_csrf(web), allow_redirects=False, timeout=30)
        asked = urlsplit(grant.headers["Location"])
        form = {**dict(parse_qsl(asked.query)), "handle": handle, "decision": "authorize"}
        web.post(asked._replace(query="").geturl(), data=form, timeout=30).raise_for_status()
    command = world.call("POST", "/api/telegram/codes", {})["command"]
    said = {"from": "dana_demo", "chat": CHAT, "text": command}
    requests.post(f"{asked.scheme}://{asked.netloc}/_sandbox/telegram/write", json=said, timeout=30).raise_for_status()
    account = world.call("GET", "/api/connections")["results"][0]["id"]
    for text in TEXTS:
        post = world.call("POST", "/api/posts", {"parts": [{"text": text}], "connections": [account]})
        world.call("POST", f"/api/posts/{post['id']}/submit")
    for review in world.call("GET", "/api/reviews")["results"][::2]:
        world.call("POST", f"/api/reviews/{review['id']}/approve", {"hash": review["hash"]})
    # Some go out; the others stay approved.
    for delivery in world.call("GET", "/api/deliveries?state=approved")["results"][::2]:
        world.call("POST", f"/api/deliveries/{delivery['id']}/publish")
    return _add_integrator(world)


def _add_integrator(world: World) -> str:
    staff = _log_in(world, STAFF_EMAIL)
    form = {"name": "Contract", "owner": world.call("GET", "/api/auth/me")["id"], **_csrf(staff), "is_active": "on"}
    shown = staff.post(f"{world.base}/admin/accounts/serviceclient/add/", data=form, timeout=30).text
    key = re.search(r"app_[\w-]{20,}", shown)
    assert key, "The admin shows no app key."
    return key[0]


def _log_in(world: World, email: str) -> requests.Session:
    web, path = requests.Session(), f"{world.base}/accounts/login/"
    web.get(path, timeout=30)
    web.post(path, data={"login": email, "password": DEMO_PASSWORD, **_csrf(web)}, timeout=30)
    return web


def _csrf(web: requests.Session) -> dict[str, str]:
    return {"csrfmiddlewaretoken": web.cookies["csrftoken"]}
