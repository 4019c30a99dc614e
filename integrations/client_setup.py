"""How well-known programs are told of a personal server: texts to copy."""

import json
import shlex
from dataclasses import dataclass

from django.conf import settings

NAME = "rostrum"
PLACEHOLDER = "YOUR_TOKEN"
LIST_TOOLS = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'


@dataclass(frozen=True)
class Setup:
    """`text` is what gets copied; `id` names it on the page."""

    id: str
    label: str
    text: str


def setups(token: str = PLACEHOLDER) -> list[Setup]:
    url, header = settings.MCP_URL, f"Authorization: Bearer {token}"
    entry = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
    flags = f"--transport http {NAME} {shlex.quote(url)} --header {shlex.quote(header)}"
    curl = [
        f"curl {shlex.quote(url)}",
        f"-H {shlex.quote(header)}",
        "-H 'Content-Type: application/json'",
        "-H 'Accept: application/json, text/event-stream'",
        f"-d '{LIST_TOOLS}'",
    ]
    return [
        Setup("json", "Configuration file (most programs)", json.dumps({"mcpServers": {NAME: entry}}, indent=2)),
        Setup("claude", "Claude Code", f"claude mcp add {flags}"),
        Setup("gemini", "Gemini CLI", f"gemini mcp add {flags}"),
        Setup("codex", "Codex", _codex(url, token)),
        Setup("code", "VS Code", f"code --add-mcp {shlex.quote(json.dumps({'name': NAME, **entry}))}"),
        Setup("curl", "curl", " \\\n  ".join(curl)),
    ]


def _codex(url: str, token: str) -> str:
    variable = "ROSTRUM_MCP_TOKEN"
    add = f"codex mcp add {NAME} --url {shlex.quote(url)} --bearer-token-env-var {variable}"
    return f"export {variable}={shlex.quote(token)}\n{add}"
