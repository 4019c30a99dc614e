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


@pytest.mark.parametrize("address", [False, True], ids=["stateless", "stateful"], indirect=True)
@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
def test_every_scored_scenario_passes(address: str, revision: str, request, tmp_path: Path) -> None:
    folder, node = Path(os.environ["CONFORMANCE"]), shutil.which("node")
    assert node, "node is on the PATH"
    command = [node, str(folder / SUITE), "server", "--url", address, "--requirements", revision]
    if "stateless" in request.node.callspec.id:
        command += ["--expected-failures", str(BASELINE)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout.partition("=== SUMMARY ===")[2], done.stderr[-2000:])
    assert done.returncode == 0
