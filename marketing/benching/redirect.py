"""Following a short link, beside a bare view in the same server: what writing the click and the exposure costs."""

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.models import Link
from analytics.partitions import keep_partitions
from analytics.tracking.links import set_split
from marketing.processes import kill_group, spawn

REQUESTS = 400
HEADERS = {"Host": "localhost", "Accept-Language": "en", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0"}


class SocketConnection(HTTPConnection):
    """To a server on a socket file: no port to guess."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def redirect_ratio() -> dict[str, float]:
    keep_partitions()
    code = _split_link()
    with tempfile.TemporaryDirectory(prefix="redirect-") as folder:
        path = Path(folder) / "web.sock"
        words = ["gunicorn", "marketing.benching.redirect_app:application", "--bind", f"unix:{path}", "--workers", "1"]
        server = spawn([sys.executable, "-m", *words], output=subprocess.DEVNULL, cwd=settings.BASE_DIR)
        try:
            _wait_for(path)
            bare, ours = _measure(path, code)
        finally:
            kill_group(server)
            server.wait()
    found: dict[str, float] = {}
    for name, percent in (("p50", 50), ("p95", 95)):
        plain, full = (statistics.quantiles(times, n=100, method="inclusive")[percent - 1] for times in (bare, ours))
        found |= {f"bare_view_{name}_ms": plain, f"redirect_{name}_ms": full, f"redirect_over_{name}_ms": full - plain}
    return found


def _split_link() -> str:
    """With a split, so that both rows are written for each new visitor."""
    workspace = Workspace.objects.create(name="Redirect", slug=f"redirect-{uuid4().hex[:8]}")
    arms = [{"key": key, "url": f"https://acme.example/{key}", "weight": 1} for key in "ab"]
    with workspace_scope(workspace.pk):
        link = Link.objects.create(workspace=workspace, code=uuid4().hex[:10], target="https://acme.example")
        set_split(link, {"experiment": str(uuid4()), "salt": "bench", "epoch": 1, "arms": arms})
    return link.code


def _measure(path: Path, code: str) -> tuple[list[float], list[float]]:
    """In turns, so that whatever else the machine does falls on both. The first ones warm up."""
    bare, ours = [], []
    for number in range(REQUESTS + 40):
        bare.append(_ms(path, "/bare", number))
        ours.append(_ms(path, f"/l/{code}", number))
    return bare[40:], ours[40:]


def _ms(path: Path, address: str, number: int) -> float:
    started = time.perf_counter()
    connection = SocketConnection(path)
    connection.request("GET", address, headers={**HEADERS, "User-Agent": f"{HEADERS['User-Agent']} {number}"})
    response = connection.getresponse()
    response.read()
    took = (time.perf_counter() - started) * 1000
    connection.close()
    assert response.status == 302, response.status
    return took


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            _ms(path, "/bare", 0)
        except (OSError, AssertionError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")
