"""What admins see of somebody else's server, on the page and by the API."""

from collections.abc import Mapping
from typing import Any

from integrations.models import OutsideServer
from integrations.outside.services import Tool, offered_tools, warnings_of


def tool_facts(row: OutsideServer) -> list[Mapping[str, Any]]:
    """Each tool of the last look, and what was allowed of it."""
    offered = {tool["name"] for tool in offered_tools(row)}
    return [_facts(row, tool, is_offered=tool["name"] in offered) for tool in row.tools]


def _facts(row: OutsideServer, tool: Tool, *, is_offered: bool) -> Mapping[str, Any]:
    name, properties = tool["name"], tool["schema"].get("properties")
    return {
        "name": name,
        "description": tool["description"],
        "warnings": warnings_of(tool),
        # Nobody but a stranger says what stands there.
        "arguments": sorted(map(str, properties)) if isinstance(properties, Mapping) else [],
        "is_allowed": is_offered or (not row.is_active and name in row.allowed),
        "is_read_only": name in row.read_only,
        "has_changed": name in row.allowed and row.allowed[name] != tool["sha256"],
    }
