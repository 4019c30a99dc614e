"""One run of everything on one machine: the stores, then the database's contents, then our own programs."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

from marketing.database_state import has_pending_migrations
from marketing.embedded import KINDS, Service
from marketing.local import is_given, local_environment, port_of, publish_environment, reserve_port
from marketing.placement import ServiceError, local_urls
from marketing.processes import lock_file, spawn
from marketing.supervisor import Program, Supervisor

DEMO_LOGIN = "demo@example.com / demo-roastery"
LAST_RUN_ENDS_S = 20.0
WEB_HEAD_START_S = 4.0  # two cores: the page first, then the worker and the scheduler
WORK_STAGE, WEB_STAGE, BROKER_STAGE, DATABASE_STAGE = range(4)  # the order in which things stop
PYTHON = sys.executable
WARNING_FOR_ROOT = "You're running the worker with superuser privileges"  # Celery; usual in containers


@dataclass
class Run:
    data: Path
    supervisor: Supervisor
    lock: int  # children inherit it: it stays taken until the last of them is gone
    web: socket.socket
    sandbox: socket.socket
    endpoint: socket.socket
    services: list[Service]
    env: dict[str, str]
    is_ready: bool = False
    # People of the sandbox follow the links in what is published.
    has_visitors: bool = False

    @property
    def has_own_database(self) -> bool:
        return any(service.name == "postgres" for service in self.services)

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.env['SANDBOX_PORT']}"

    @property
    def mcp_url(self) -> str:
        return self.env.get("MCP_URL") or f"http://127.0.0.1:{self.env['ASGI_PORT']}/mcp"


def prepare_run(data: Path, supervisor: Supervisor) -> Run:
    lock = lock_file(data / "children.lock")
    if lock is None:
        with supervisor.console.step("Waiting for the processes of the last run to end"):
            lock = lock_file(data / "children.lock", wait_s=LAST_RUN_ENDS_S)
    if lock is None:
        raise ServiceError(f"Processes of the last run still use {data}; end them and start again.")
    web = reserve_port("PORT", 8000, os.environ)
    sandbox = reserve_port("SANDBOX_PORT", 8100, os.environ)
    endpoint = reserve_port("ASGI_PORT", 8001, os.environ)
    ports = (("PORT", web, 8000), ("SANDBOX_PORT", sandbox, 8100), ("ASGI_PORT", endpoint, 8001))
    for name, server, usual in ports:
        if not os.environ.get(name) and port_of(server) != usual:
            supervisor.console.say(f"Port {usual} is taken; using {port_of(server)} (choose with {name}=…).")
    kinds = [name for name in KINDS if not is_given(name, os.environ)]
    services = [KINDS[name](data, keep_fds=[lock]) for name in kinds]
    stores = {name: url for name, url in local_urls(data).items() if name in kinds}
    env = local_environment(data, port_of(web), port_of(sandbox), stores, os.environ)
    env["ASGI_PORT"] = str(port_of(endpoint))
    publish_environment(data, env, os.environ)
    return Run(data, supervisor, lock, web, sandbox, endpoint, services, env)


def start_stores(run: Run) -> None:
    if not run.services:
        return
    names = " and ".join(sorted(service.name.capitalize() for service in run.services))
    with run.supervisor.console.step(f"Starting {names}"):
        programs = [store_program(service) for service in run.services]
        for program in programs:
            run.supervisor.start(program)
        for program, service in zip(programs, run.services, strict=True):
            service.wait_ready()
            program.process = service.process  # it may have needed a second try


def store_program(service: Service) -> Program:
    stage = DATABASE_STAGE if service.name == "postgres" else BROKER_STAGE
    return Program(service.name, service.launch, service.stop_signal, stop_s=20, stop_stage=stage)


def prepare_database(run: Run, *, load_demo: bool) -> None:
    if has_pending_migrations(run.env.get("DATABASE_URL") or settings.DATABASE_URL):
        with run.supervisor.console.step("Preparing the database"):
            manage(run, "migrate", "--no-input")
    # What the packs ship into the table, whenever they changed.
    digest, loaded = packs_digest(), run.data / "packs-loaded"
    if not loaded.exists() or loaded.read_text() != digest:
        with run.supervisor.console.step("Loading the rules"):
            manage(run, "load_packs")
        loaded.write_text(digest)
    # A mark in the folder, not "the tables are new": a kill in the middle must not lose the demo for ever.
    mark = run.data / "demo-loaded"
    if load_demo and run.has_own_database and not mark.exists() and "load_demo" in get_commands():
        with run.supervisor.console.step("Loading the demo workspace"):
            manage(run, "load_demo")
        mark.touch()


def packs_digest() -> str:
    files = sorted((settings.BASE_DIR / "compliance" / "packs").glob("*.yaml"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def manage(run: Run, *words: str) -> None:
    argv = [PYTHON, str(settings.BASE_DIR / "manage.py"), *words]
    process = spawn(argv, output=subprocess.PIPE, env=run.env, cwd=settings.BASE_DIR, keep_fds=[run.lock])
    output, _ = process.communicate()
    if process.returncode:
        raise ServiceError(f"manage.py {words[0]} failed:\n{output.decode(errors='replace').strip()}")


def own_program(run: Run, name: str, stage: int, words: list[str], keep: tuple[int, ...] = ()) -> Program:
    def launch() -> subprocess.Popen[bytes]:
        fds = (run.lock, *keep)
        argv = [PYTHON, "-W", f"ignore:{WARNING_FOR_ROOT}", "-m", *words]
        return spawn(argv, output=subprocess.PIPE, env=run.env, cwd=settings.BASE_DIR, keep_fds=fds)

    return Program(name, launch, signal.SIGTERM, stop_stage=stage)


def web_program(run: Run) -> Program:
    # The socket is ours, so callers queue instead of being refused while the web server is restarted.
    fd = run.web.fileno()
    options = ["--preload", "--threads", "16", "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket"]
    words = ["gunicorn", "marketing.wsgi:application", "--bind", f"fd://{fd}", *options]
    return own_program(run, "web", WEB_STAGE, words, keep=(fd,))


def mcp_program(run: Run) -> Program:
    # Held open like the web server's.
    fd = run.endpoint.fileno()
    return own_program(run, "mcp", WEB_STAGE, ["marketing.asgi_server", "--fd", str(fd)], keep=(fd,))


def sandbox_program(run: Run) -> Program:
    words = ["sandbox", "--port", run.env["SANDBOX_PORT"], "--data", str(run.data / "sandbox"), "--demo"]
    words += ["--visitors"] if run.has_visitors else []
    return own_program(run, "sandbox", WEB_STAGE, words)


def worker_program(run: Run) -> Program:
    options = ["-c", "2", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
    return own_program(run, "worker", WORK_STAGE, ["celery", "-q", "-A", "marketing", "worker", *options])


def beat_program(run: Run) -> Program:
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    # No pid file: after kill -9 it would keep the next scheduler from starting.
    options = ["--scheduler", scheduler, "--pidfile=", "--loglevel", "INFO"]
    return own_program(run, "beat", WORK_STAGE, ["celery", "-q", "-A", "marketing", "beat", *options])


def start_programs(run: Run) -> None:
    supervisor = run.supervisor
    with supervisor.console.step("Starting the web server"):
        supervisor.start(web_program(run))
        run.sandbox.close()  # held until now so that nobody else took the port
        supervisor.start(sandbox_program(run))
        threading.Thread(target=wait_for_web, args=(run,), daemon=True).start()
        wait_until(lambda: run.is_ready, WEB_HEAD_START_S, supervisor.watch)
    supervisor.start(worker_program(run))
    supervisor.start(beat_program(run))
    supervisor.start(mcp_program(run))
    wait_until(lambda: run.is_ready, float("inf"), supervisor.watch)
    supervisor.console.say(welcome(run))


def wait_until(is_done: Callable[[], bool], timeout_s: float, meanwhile: Callable[[], None]) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_done() and time.monotonic() < deadline:
        meanwhile()
        time.sleep(0.05)


def wait_for_web(run: Run) -> None:
    while not run.is_ready:
        connection = http.client.HTTPConnection("127.0.0.1", int(run.env["PORT"]), timeout=30)
        try:
            connection.request("GET", "/healthz")
            run.is_ready = connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        finally:
            connection.close()


def welcome(run: Run) -> str:
    rows = [("Open", run.env["BASE_URL"])]
    if (run.data / "demo-loaded").exists():
        rows.append(("Log in", DEMO_LOGIN))
    rows += [("MCP", run.mcp_url), ("Sandbox", run.sandbox_url), ("Data", str(run.data)), ("Stop", "Ctrl-C")]
    lines = [f" {label:<8} {value} " for label, value in rows]
    width = max(map(len, lines))
    frame = [f"│{line:<{width}}│" for line in lines]
    return "\n".join(["", f"╭{'─' * width}╮", *frame, f"╰{'─' * width}╯", ""])
