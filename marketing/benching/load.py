"""Many people at once, over HTTP: they log in, look around, type, call the API and let assistants in by MCP."""

import random
import re
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from accounts.access import actor_for
from accounts.models import Membership, Role, User
from accounts.scope import workspace_scope
from accounts.services import create_workspace
from integrations.mcp.registry import REGISTRY
from integrations.servers import create_server
from integrations.tool_groups import load_definitions
from marketing.benching.pages import PAGES, fill_pages

TEAM = 10
ROWS = 40
PASSWORD = "one for all of them"  # noqa: S105
# Between two acts, as somebody who reads.
THINKS_S = (2.0, 8.0)
# They come one after another, in this share of the time: a log-in is hashed, and costs more than ten pages.
ARRIVING = 0.2
TIMEOUT_S = 120
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
HTMX = ("/posts?status=in_review", "/campaigns?q=Campaign", "/calendar?view=week", "/inbox?show=done")
MCP_HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Account:
    email: str
    slug: str
    mcp_token: str = ""


@dataclass(frozen=True)
class Addresses:
    web: str
    asgi: str = ""


@dataclass
class Ledger:
    """Every request with its kind, how long it took and what was wrong with it."""

    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, ms: float, problem: str = "") -> None:
        with self.lock:
            self.took_ms[kind].append(ms)
            if problem:
                self.problems.append(f"{kind}: {problem}")

    def summary(self, seconds: float) -> dict[str, Any]:
        every = [ms for times in self.took_ms.values() for ms in times]
        return {
            "requests": len(every),
            "errors": len(self.problems),
            "requests_per_s": round(len(every) / seconds, 2),
            **percentiles(every),
            "by_kind": {kind: {"requests": len(of), **percentiles(of)} for kind, of in sorted(self.took_ms.items())},
            "problems": self.problems[:MAX_PROBLEMS],
        }


def percentiles(times: Sequence[float]) -> dict[str, float]:
    if len(times) < 2:
        return {"p50_ms": round(sum(times), 1), "p95_ms": round(sum(times), 1)}
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return {"p50_ms": round(cuts[9], 1), "p95_ms": round(cuts[18], 1)}


# --- who comes ----------------------------------------------------------------------------------------------


def prepare(users: int, *, rows: int = ROWS) -> list[Account]:
    """In workspaces of ten with rows in every list; the first of each has a personal MCP server."""
    load_definitions()
    return [account for first in range(0, users, TEAM) for account in _team(min(TEAM, users - first), rows)]


def _team(size: int, rows: int) -> list[Account]:
    mark = uuid4().hex[:8]
    people = [User.objects.create_user(f"load-{mark}-{n}@example.org", PASSWORD) for n in range(size)]
    workspace = create_workspace(f"Load {mark}", owner=people[0])
    for person in people[1:]:
        Membership.objects.create(user=person, workspace=workspace, role=Role.EDITOR)
    owner = actor_for(Membership.objects.select_related("user", "workspace").get(user=people[0], workspace=workspace))
    fill_pages(rows, by=owner)
    with workspace_scope(workspace.pk):
        token = create_server("Load", list(REGISTRY.tools)[:5], by=owner)[1]
    return [Account(person.email, workspace.slug, token if person == people[0] else "") for person in people]


# --- what they do -------------------------------------------------------------------------------------------


class Person(threading.Thread):
    def __init__(self, account: Account, to: Addresses, ledger: Ledger, until: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.account, self.to, self.ledger, self.until = account, to, ledger, until
        self.comes_at = time.monotonic()
        self.random = random.Random(seed)  # noqa: S311
        self.session = requests.Session()
        self.home = f"{to.web}/w/{account.slug}"
        self.draft, self.seen, self.words = str(uuid4()), "", "Fresh beans"
        self.bearer = ""
        self.acts: list[Callable[[], Any]] = [self.look] * 8 + [self.filter] * 4 + [self.type] * 4 + [self.call] * 3
        if account.mcp_token and to.asgi:
            self.acts += [self.ask_tools] * 3

    def run(self) -> None:
        time.sleep(max(0.0, self.comes_at - time.monotonic()))
        try:
            self.log_in()
            while True:
                self.random.choice(self.acts)()
                time.sleep(max(0.0, min(self.random.uniform(*THINKS_S), self.until - time.monotonic())))
                if time.monotonic() >= self.until:
                    break
        except Exception as error:
            self.ledger.note("person", 0.0, repr(error)[:300])
            raise

    def send(self, kind: str, method: str, address: str, **words: Any) -> requests.Response | None:
        """Noted; nothing but a good answer is none."""
        started = time.perf_counter()
        try:
            answer = self.session.request(method, address, timeout=TIMEOUT_S, **words)
        except requests.RequestException as error:
            self.ledger.note(kind, (time.perf_counter() - started) * 1000, type(error).__name__)
            return None
        problem = "" if answer.status_code < 400 else f"{answer.status_code} {method} {answer.url} {answer.text[:200]}"
        if kind != "log in" and "/accounts/login/" in answer.url:
            problem = f"{method} {address} asks for a log-in"
        self.ledger.note(kind, (time.perf_counter() - started) * 1000, problem)
        return None if problem else answer

    def log_in(self) -> None:
        page = self.send("log in", "GET", f"{self.to.web}/accounts/login/")
        token = TOKEN.search(page.text) if page else None
        if token is None:
            self.ledger.note("log in", 0.0, "no form")
            return
        fields = {"login": self.account.email, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        answer = self.send("log in", "POST", f"{self.to.web}/accounts/login/", data=fields)
        if answer is not None and f"/w/{self.account.slug}" not in answer.url:
            self.ledger.note("log in", 0.0, f"landed at {answer.url}")

    def look(self) -> None:
        name = self.random.choice(list(PAGES))
        self.send(f"page {name}", "GET", self.home + PAGES[name])

    def filter(self) -> None:
        path = self.random.choice(HTMX)
        self.send("htmx", "GET", self.home + path, headers={"HX-Request": "true", "HX-Current-URL": self.home})

    def type(self) -> None:
        """The composer keeps what is typed, and shows it as it will look."""
        self.words += f" {self.random.randrange(1000)}"
        headers = {"X-CSRFToken": self.session.cookies.get("csrftoken", ""), "HX-Request": "true"}
        fields = {"draft_of": self.draft, "seen": self.seen, "part-0-text": self.words}
        answer = self.send("autosave", "POST", f"{self.home}/composer/autosave", data=fields, headers=headers)
        if answer is not None:
            self.seen = answer.json()["seen"]

    def call(self) -> None:
        if not self.bearer:
            given = {"email": self.account.email, "password": PASSWORD}
            answer = self.send("api log in", "POST", f"{self.to.web}/api/auth/login", json=given)
            self.bearer = answer.json()["access"] if answer else ""
        headers = {"Authorization": f"Bearer {self.bearer}", "X-Workspace": self.account.slug}
        if self.random.random() < 0.2:
            body = {"name": f"By API {uuid4().hex[:6]}", "brief": "A brief."}
            self.send("api create", "POST", f"{self.to.web}/api/campaigns", json=body, headers=headers)
        else:
            self.send("api list", "GET", f"{self.to.web}/api/campaigns", headers=headers)

    def ask_tools(self) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        headers = {**MCP_HEADERS, "Authorization": f"Bearer {self.account.mcp_token}"}
        answer = self.send("mcp", "POST", f"{self.to.asgi}/mcp", json=body, headers=headers)
        if answer is not None and '"tools"' not in answer.text:
            self.ledger.note("mcp", 0.0, answer.text[:200])


def run_load(accounts: Sequence[Account], to: Addresses, seconds: float, seed: int = 1) -> dict[str, Any]:
    """{"requests", "errors", "requests_per_s", "p50_ms", "p95_ms", "by_kind", "problems", "users", "seconds"}."""
    ledger, until = Ledger(), time.monotonic() + seconds
    people = [Person(account, to, ledger, until, seed + number) for number, account in enumerate(accounts)]
    for number, person in enumerate(people):
        person.comes_at += seconds * ARRIVING * number / len(people)
        person.start()
    for person in people:
        person.join()
    return {"users": len(people), "seconds": seconds, **ledger.summary(seconds)}
