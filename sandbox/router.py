"""Which function answers which path. A platform owns one prefix and a table of routes."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.faults import Fault
from sandbox.ledger import Effect
from sandbox.wire import Request, Response, json_response
from sandbox.world import World


class NotYet(Exception):
    """A long poll has nothing to say so far: its handler is asked again when there is news."""


@dataclass
class Call:
    """One request on its way through a platform; handlers note on it what they did."""

    world: World
    request: Request
    route: "Route"
    args: dict[str, str]
    now: float
    account: str | None = None
    account_id: str | None = None
    # The platform's own view of who is calling.
    caller: Any = None
    fault: Fault | None = None
    effect: Effect | None = None
    # What the platform charges for it, in micro-dollars.
    cost_micro: int = 0
    # A long poll that has passed the door and met its fault already.
    is_waiting: bool = False

    @property
    def db(self) -> sqlite3.Connection:
        return self.world.store.db

    def act_for(self, account: sqlite3.Row | None) -> None:
        if account is not None:
            self.account, self.account_id = account["handle"], str(account["id"])

    def fault_is(self, kind: str) -> bool:
        return self.fault is not None and self.fault.kind == kind


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    handler: Handler
    # What the platform checks before the handler runs (scopes, windows); opaque here.
    rule: Any = None
    # Web pages are neither recorded in the ledger nor subject to faults.
    is_api: bool = True

    @property
    def name(self) -> str:
        return f"{self.method} {self.pattern}"

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.pattern) + r"\Z")


@dataclass(frozen=True)
class Door:
    """A way in for tests, found at /_sandbox/<platform><path>; its handler raises ValueError at nonsense."""

    path: str
    # Takes the call; the handler of a POST takes the JSON object of its body too.
    handler: Callable[..., Response]
    method: str = "POST"


def _ignore(call: Call) -> None:
    return None


def plain_error(status: int, title: str, detail: str) -> Response:
    return json_response(status, {"title": title, "detail": detail, "status": status})


@dataclass(frozen=True)
class Platform:
    name: str
    prefix: str
    routes: list[Route]
    not_found: Callable[[int], Response]
    # Raises Refusal when the caller may not pass; sets call.account.
    admit: Callable[[Call], None] = _ignore
    # The platform's words for a fault, or None when the fault only changes what the handler does.
    fail: Callable[[Call], Response | None] = _ignore
    headers: Callable[[Call], dict[str, str]] = field(default=lambda call: {})
    # Work whose time has come, done before anything looks at the state.
    catch_up: Callable[[World], None] = field(default=lambda world: None)
    # The platform's form of an error that is not of its own making.
    error: Callable[[int, str, str], Response] = plain_error
    doors: tuple[Door, ...] = ()
    # Starts what works beside the requests; it ends when world.stopping is set.
    start: Callable[[World], None] = field(default=lambda world: None)


@dataclass(frozen=True)
class Match:
    platform: Platform
    path: str
    route: Route | None
    args: dict[str, str] = field(default_factory=dict)
    is_known_path: bool = False


def find_route(platforms: list[Platform], request: Request) -> Match | None:
    for platform in platforms:
        if request.path == platform.prefix or request.path.startswith(platform.prefix + "/"):
            return _find_in(platform, request.method, request.path.removeprefix(platform.prefix) or "/")
    return None


def _find_in(platform: Platform, method: str, path: str) -> Match:
    is_known_path = False
    for route in platform.routes:
        found = route.regex.match(path)
        if found and route.method == method:
            return Match(platform, path, route, found.groupdict())
        is_known_path = is_known_path or found is not None
    return Match(platform, path, None, is_known_path=is_known_path)
