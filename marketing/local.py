"""What a laptop run needs when the environment does not say: ports, secrets, the sandbox's addresses."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from marketing.processes import lock_file

PORTS_TRIED = 200


class PortTaken(RuntimeError):
    """The port that was asked for belongs to somebody else."""


def is_given(name: str, environ: Mapping[str, str]) -> bool:
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


def listen(port: int) -> socket.socket | None:
    """Bind and listen, so that two copies that start together cannot choose the same port."""
    if is_answered(port):
        return None
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("127.0.0.1", port))
        server.listen(256)
    except OSError:
        server.close()
        return None
    return server


def is_answered(port: int) -> bool:
    """A server on ::1 does not collide with ours, but browsers would find it first under "localhost"."""
    with contextlib.suppress(OSError), socket.create_connection(("::1", port), timeout=0.5):
        return True
    return False


def reserve_port(name: str, default: int, environ: Mapping[str, str]) -> socket.socket:
    """The port the environment names, or else the first free one from `default` on."""
    if environ.get(name):
        server = listen(int(environ[name]))
        if server is None:
            raise PortTaken(f"{name}={environ[name]}: another program is listening on this port.")
        return server
    for port in range(default, default + PORTS_TRIED):
        server = listen(port)
        if server is not None:
            return server
    raise PortTaken(f"No free port between {default} and {default + PORTS_TRIED}; set {name}.")


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def keep_secrets(data: Path) -> dict[str, str]:
    """Made once and kept: with other keys, sessions end and stored tokens cannot be read."""
    kept = read_values(data / "secrets.env")
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }
    if fresh.keys() <= kept.keys():
        return kept
    merged = fresh | kept
    write_private(data / "secrets.env", merged)
    return merged


def write_private(path: Path, values: Mapping[str, str]) -> None:
    """Written aside and renamed: a reader never sees half of it."""
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in values.items()))
    aside.rename(path)


def read_values(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def publish_environment(data: Path, env: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Leave what was added where other commands in this folder find it (`manage.py shell` beside `up`)."""
    write_private(data / "run.env", {name: value for name, value in env.items() if environ.get(name) != value})


def running_environment(data: Path) -> dict[str, str]:
    """What a running `up` has added for this folder; nothing when none runs, so that it never goes stale."""
    if not (data / "children.lock").exists():
        return {}
    lock = lock_file(data / "children.lock")
    if lock is None:
        return read_values(data / "run.env")
    os.close(lock)
    return {}


def sandbox_addresses(port: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Point the clients at the sandbox, unless the operator brought keys of his own."""
    base = f"http://127.0.0.1:{port}"
    found: dict[str, str] = {}
    if not is_given("X_CLIENT_ID", environ):
        found |= {
            "X_API_BASE_URL": f"{base}/x",
            "X_AUTHORIZE_URL": f"{base}/x/i/oauth2/authorize",
            "X_WEB_BASE_URL": f"{base}/x",
            "X_CLIENT_ID": "sandbox-client",
            "X_CLIENT_SECRET": "sandbox-secret",
            "X_BEARER_TOKEN": "sandbox-client-bearer",
        }
    if not is_given("TELEGRAM_BOT_TOKEN", environ):
        found |= {
            "TELEGRAM_API_BASE_URL": f"{base}/tg",
            "TELEGRAM_WEB_BASE_URL": f"{base}/tg/web",
            "TELEGRAM_BOT_TOKEN": "100000:sandbox-demo-bot-token",
        }
    if not is_given("DATA_API_BASE_URL", environ):
        found |= {"DATA_API_BASE_URL": f"{base}/data", "DATA_API_KEY": "sandbox-key"}
    # Used only where no provider has a key.
    found["SANDBOX_LLM_URL"] = base
    return {name: value for name, value in found.items() if not is_given(name, environ)}


def local_environment(
    data: Path, port: int, sandbox_port: int, stores: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """The environment of every child: what the operator gave, completed for a run on one machine."""
    added = {
        "STATIC_FROM_SOURCE": "1",
        "LOG_FORMAT": "text",
        "WEB_CONCURRENCY": "2",
        "BASE_URL": f"http://127.0.0.1:{port}",
        # Feeds of this machine can be tried out; a server that others reach must not read itself for them.
        "OUTBOUND_ALLOW_CIDRS": "" if environ.get("HTTPS") == "1" else "127.0.0.0/8",
        **keep_secrets(data),
    }
    added |= sandbox_addresses(sandbox_port, environ)
    defaults = {name: value for name, value in added.items() if not is_given(name, environ)}
    fixed = {
        "APP_DATA": str(data),
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "PYTHONUNBUFFERED": "1",
    }
    return {**environ, **defaults, **stores, **fixed}
