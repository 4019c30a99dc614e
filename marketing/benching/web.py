"""The pages that people look at all day, beside a bare Django page in the same server: gunicorn as in production."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import User
from marketing.benching.pages import PAGES, fill_pages
from marketing.benching.redirect import SocketConnection
from marketing.processes import kill_group, spawn
from marketing.storming.crowd import Crowd

REQUESTS = 60
WARM = 5
FEW, MANY = 10, 200


def web_ratio(world: Crowd) -> dict[str, float]:
    """For each page with 200 rows: p50 and p95 as multiples of the bare page's, and queries at 10 and at 200 rows."""
    by, _reviewer = world.team()
    assert by.user is not None
    session = session_of(by.user)
    fill_pages(FEW, by=by)
    few = queries(by, session)
    fill_pages(MANY - FEW, by=by)
    many = queries(by, session)
    found: dict[str, float] = {}
    for name in PAGES:
        found |= {f"page_{name}_queries_{FEW}": few[name], f"page_{name}_queries_{MANY}": many[name]}
    return found | ratios(_measure(by, session))


def session_of(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    proof = user.get_session_auth_hash()
    session.update({SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]})
    session[HASH_SESSION_KEY] = proof
    session.save()
    return str(session.session_key)


def addresses(by: Actor) -> dict[str, str]:
    return {name: f"/w/{by.workspace.slug}{path}" for name, path in PAGES.items()}


def queries(by: Actor, session: str) -> dict[str, float]:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    found = {}
    for name, address in addresses(by).items():
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        found[name] = float(len(captured))
    return found


def ratios(times: Mapping[str, list[float]]) -> dict[str, float]:
    """`times`: milliseconds of each page, "bare" among them."""
    cuts = {name: statistics.quantiles(of, n=20, method="inclusive") for name, of in times.items()}
    found = {"bare_page_p50_ms": cuts["bare"][9], "bare_page_p95_ms": cuts["bare"][18]}
    for name in times.keys() - {"bare"}:
        for label, at in (("p50", 9), ("p95", 18)):
            found[f"page_{name}_{label}_ms"] = cuts[name][at]
            found[f"page_{name}_to_bare_{label}"] = cuts[name][at] / cuts["bare"][at]
    return dict(sorted(found.items()))


def _measure(by: Actor, session: str) -> dict[str, list[float]]:
    """In turns, so that whatever else the machine does falls on all. The first ones warm up."""
    pages = {"bare": "/bare", **addresses(by)}
    times: dict[str, list[float]] = {name: [] for name in pages}
    with tempfile.TemporaryDirectory(prefix="web-") as folder:
        path = Path(folder) / "web.sock"
        words = ["gunicorn", "marketing.benching.web_app:application", "--bind", f"unix:{path}", "--preload"]
        options = ["--workers", "1", "--threads", "8", "--no-control-socket"]
        server = spawn([sys.executable, "-m", *words, *options], output=subprocess.DEVNULL, cwd=settings.BASE_DIR)
        try:
            _wait_for(path)
            for number in range(REQUESTS + WARM):
                for name, address in pages.items():
                    ms = _ms(SocketConnection(path), address, session)
                    if number >= WARM:
                        times[name].append(ms)
        finally:
            kill_group(server)
            server.wait()
    return times


def _ms(server: HTTPConnection, address: str, session: str) -> float:
    started = time.perf_counter()
    server.request("GET", address, headers={"Host": "localhost", "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"})
    answer = server.getresponse()
    answer.read()
    server.close()
    assert answer.status == 200, f"{address}: {answer.status}"
    return (time.perf_counter() - started) * 1000


def _wait_for(path: Path, timeout_s: float = 180) -> None:
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.1)
