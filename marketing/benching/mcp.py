"""Ten thousand personal servers in one process: what an idle one keeps, and what a call costs beside the bare SDK."""

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from django.conf import settings

from accounts.access import Actor
from accounts.models import new_secret
from accounts.scope import workspace_scope
from accounts.services import hash_key
from integrations.models import McpServer, McpToken
from marketing.processes import kill_group, spawn
from marketing.storming.crowd import Crowd

SERVERS = 10_000
WARM_UP = 300
CALLS = 400
VERSION = "2026-07-28"
META = {"protocolVersion": VERSION, "clientInfo": {"name": "bench", "version": "1"}, "clientCapabilities": {}}


def mcp_ratio(world: Crowd) -> dict[str, float]:
    """The tokens warm up the process with some of the servers; memory is that of the others."""
    tokens = plant(world.team()[0], SERVERS + WARM_UP)
    with endpoint() as (port, pid):
        door = HTTPConnection("127.0.0.1", port, timeout=30)
        return idle(door, pid, tokens) | overhead(door, tokens[0])


def plant(by: Actor, count: int) -> list[str]:
    """Rows are all there is to a server."""
    secrets = [new_secret("bench") for _ in range(count)]
    with workspace_scope(by.workspace.pk):
        servers = [
            McpServer(workspace=by.workspace, user=by.user, name="Bench", tools=["add"], calls_per_minute=1_000_000)
            for _ in secrets
        ]
        McpServer.objects.bulk_create(servers, batch_size=1000)
        tokens = [
            McpToken(
                workspace=by.workspace,
                server=server,
                kind=McpToken.Kind.PLAIN,
                token_hash=hash_key(secret),
                prefix=secret[:9],
            )
            for server, secret in zip(servers, secrets, strict=True)
        ]
        McpToken.objects.bulk_create(tokens, batch_size=1000)
    return secrets


@contextmanager
def endpoint() -> Iterator[tuple[int, int]]:
    """One process of uvicorn: its port and its id."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        app = ["--app", "marketing.benching.mcp_app:application"]
        words = [sys.executable, "-m", "marketing.asgi_server", "--fd", str(fd), *app]
        process = spawn(words, output=subprocess.DEVNULL, cwd=settings.BASE_DIR, keep_fds=[fd])
        try:
            yield port, process.pid
        finally:
            kill_group(process)
            process.wait()


def idle(door: HTTPConnection, pid: int, tokens: list[str]) -> dict[str, float]:
    for token in tokens[-WARM_UP:]:
        ask(door, "/mcp", "tools/list", {}, token)
    before = resident_kib(pid)
    for token in tokens[:-WARM_UP]:
        ask(door, "/mcp", "tools/list", {}, token)
    grown = resident_kib(pid) - before
    return {"mcp_servers": len(tokens) - WARM_UP, "mcp_idle_kib_each": max(0.0, grown / (len(tokens) - WARM_UP))}


def resident_kib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    raise ValueError(f"{pid} has no memory")


def overhead(door: HTTPConnection, token: str) -> dict[str, float]:
    """In turns, so that both meet the same machine."""
    params: dict[str, object] = {"name": "add", "arguments": {"a": 2, "b": 3}}
    bare, ours = [], []
    for _ in range(CALLS):
        bare.append(timed(door, "/bare/mcp", params, ""))
        ours.append(timed(door, "/mcp", params, token))
    plain, full = statistics.median(bare), statistics.median(ours)
    return {"mcp_call_bare_sdk_ms": plain, "mcp_call_ms": full, "mcp_call_to_bare_sdk": full / plain}


def timed(door: HTTPConnection, path: str, params: dict[str, object], token: str) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    result = ask(door, path, "tools/call", params, token)
    took = (time.perf_counter() - started) * 1000
    if result["structuredContent"] != {"sum": 5}:
        raise ValueError(f"{path} answered {result}")
    return took


def ask(door: HTTPConnection, path: str, method: str, params: dict[str, object], token: str) -> dict[str, object]:
    """One request of the current era. Raises ValueError for anything but a result."""
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in META.items()}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": method,
        "Authorization": f"Bearer {token}",
    }
    if "name" in params:
        headers["Mcp-Name"] = str(params["name"])
    door.request("POST", path, json.dumps(body), headers)
    answer = door.getresponse()
    said = json.loads(answer.read() or b"null")
    if answer.status != 200 or "result" not in said:
        raise ValueError(f"{path} answered {answer.status}: {said}")
    return dict(said["result"])
