"""The official suite against our application. It needs npm and its registry: `make conformance`."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.mcp.app import mcp_app
from tests.integrations.mcp.everything import everything
from tests.integrations.mcp.rows import add_token, server_of_all
from tests.integrations.mcp.serving import WithToken, served

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not os.environ.get("CONFORMANCE"), reason="the official suite runs by `make conformance`"),
]
SUITE = Path("node_modules/@modelcontextprotocol/conformance/dist/index.js")
BASELINE = Path(__file__).parent / "conformance-stateless.yml"


@pytest.fixture
def address(request, alice_actor, settings) -> Iterator[str]:
    registry, server = everything()
    token = add_token(server_of_all(alice_actor, registry, calls_per_minute=100_000))

    def make(url: str) -> WithToken:
        settings.MCP_URL = f"{url}/mcp"
        return WithToken(mcp_app(server, is_stateful=request.param), token)

    with served(make) as url:
        yield f"{url}/mcp"


NO_SESSIONS = ("--expected-failures", str(BASELINE))


@pytest.mark.parametrize(
    ("address", "revision", "options"),
    [
        pytest.param(False, "2026-07-28", (), id="2026-07-28 stateless"),
        pytest.param(True, "2026-07-28", (), id="2026-07-28 stateful"),
        pytest.param(False, "2025-11-25", NO_SESSIONS, id="2025-11-25 stateless"),
        pytest.param(True, "2025-11-25", (), id="2025-11-25 stateful"),
    ],
    indirect=["address"],
)
def test_every_scored_scenario_passes(address: str, revision: str, options: tuple[str, ...], tmp_path: Path) -> None:
    folder, node = Path(os.environ["CONFORMANCE"]), shutil.which("node")
    assert node, "node is on the PATH"
    command = [node, str(folder / SUITE), "server", "--url", address, "--requirements", revision, *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    print(revision, done.stdout.partition("=== SUMMARY ===")[2], done.stderr[-2000:])
    assert done.returncode == 0
