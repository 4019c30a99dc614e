"""RabbitMQ of the system as a child of ours, and tests that run with it as the broker.

`python -m tests.operations.rabbit [pytest's words]` starts a node of its own, apart from any that the system runs.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from marketing.placement import make_private, postgres_account
from marketing.processes import spawn, stop_all
from tests.waiting import wait_for

HOME = Path("/usr/lib/rabbitmq/bin")
USER = "rostrum"
# Tells the tests how to reach the node's tool.
NODE = "TEST_RABBIT_NODE"
# Each of these in a virtual host of its own: a stack that still runs must not take another's messages.
SCOPES = [
    ["tests/operations/test_broker.py"],
    ["-m", "broker", "tests/marketing/test_storm.py"],
    ["-m", "broker", "tests/browser/test_publishing_round.py", "tests/browser/test_brief_to_published.py"],
]
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
distribution.listener.interface = 127.0.0.1
log.file.level = warning
"""


def missing() -> str:
    """Why it cannot be tried here; empty where it can."""
    return "" if (HOME / "rabbitmq-server").exists() else "RabbitMQ is not installed"


def control(environment: dict[str, str], *words: str) -> None:
    """The node's own tool, as the user that runs the node."""
    account = postgres_account()
    identity = {} if account is None else {"user": account.uid, "group": account.gid}
    command = [HOME / "rabbitmqctl", *words]
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=False, **identity
    )
    assert done.returncode == 0, done.stdout + done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Node:
    def __init__(self, folder: Path) -> None:
        self.folder, self.account = folder, postgres_account()
        self.port, epmd, distribution = free_port(), free_port(), free_port()
        (folder / "rabbitmq.conf").write_text(CONFIG.format(port=self.port))
        (folder / "enabled_plugins").write_text("[].")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"rostrum{os.getpid()}@localhost",
            "RABBITMQ_BASE": str(folder),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        # In the foreground: the one that a node starts by itself would outlive it.
        self._spawn([shutil.which("epmd") or "/usr/bin/epmd"])
        self._spawn([str(HOME / "rabbitmq-server")])
        wait_for(self._is_up, what=(self.folder / "output").read_text, timeout_s=120, every_s=0.5)
        password = self.password = secrets.token_hex(12)
        self.evaluate(f'rabbit_auth_backend_internal:add_user(<<"{USER}">>, <<"{password}">>, <<"test">>)')

    def _is_up(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _spawn(self, command: list[str]) -> None:
        with (self.folder / "output").open("ab") as output:
            process = spawn(command, output=output, env=self.environment, cwd=self.folder, account=self.account)
        self.processes.append(process)

    def evaluate(self, *words: str) -> None:
        """All in one: each start of the tool takes seconds."""
        self.control("eval", ", ".join(words) + ".")

    def control(self, *words: str) -> None:
        control(self.environment, *words)

    def add_hosts(self, names: list[str]) -> None:
        self.evaluate(
            *(
                f'rabbit_vhost:add(<<"{name}">>, <<"test">>), rabbit_auth_backend_internal:set_permissions('
                f'<<"{USER}">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, <<"test">>)'
                for name in names
            )
        )

    def url(self, host: str) -> str:
        return f"amqp://{USER}:{self.password}@127.0.0.1:{self.port}/{host}"

    def stop(self) -> None:
        stop_all(reversed(self.processes), timeout_s=30)


@contextlib.contextmanager
def running() -> Iterator[Node]:
    folder = make_private(Path(tempfile.mkdtemp(prefix="rabbit-")), postgres_account())
    node = Node(folder)
    try:
        node.start()
        yield node
    finally:
        node.stop()
        shutil.rmtree(folder)


def run(scopes: list[list[str]]) -> int:
    """The worst exit code."""
    with running() as node:
        hosts = [f"run{number}" for number in range(len(scopes))]
        node.add_hosts(hosts)
        codes = [run_tests(words, node, host) for words, host in zip(scopes, hosts, strict=True)]
    return max(codes)


def run_tests(words: list[str], node: Node, host: str) -> int:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    own = {"BROKER_URL": node.url(host), NODE: json.dumps(node.environment)}
    return subprocess.run(command, env={**os.environ, **own}, check=False).returncode


if __name__ == "__main__":
    if reason := missing():
        print(f"Skipped: {reason}.")
        sys.exit(0)
    sys.exit(run([sys.argv[1:]] if sys.argv[1:] else SCOPES))
