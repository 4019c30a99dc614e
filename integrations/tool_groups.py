"""What a person lets a program do, in five words instead of thirty names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from accounts.access import Perm
from integrations.mcp.registry import PROMPTS, RESOURCES, TOOLS, ToolDef


@dataclass(frozen=True)
class ToolGroup:
    """`tools` are those that cannot be told from their permission."""

    name: str
    label: str
    hint: str
    tools: frozenset[str] = frozenset()


RESULTS = frozenset({"receipts", "metrics", "experiments", "list_experiments", "get_experiment"})
MEMORY = frozenset({"recall", "remember"})
GROUPS: Mapping[str, ToolGroup] = {
    group.name: group
    for group in (
        ToolGroup("read", "Read", "campaigns, posts, calendar, inbox"),
        ToolGroup("draft", "Plan and draft", "campaigns, plans and posts, which people still review"),
        ToolGroup("publish", "Submit and schedule", "hand posts in for review, schedule what was approved"),
        ToolGroup("results", "Results", "receipts, numbers and experiments", RESULTS),
        ToolGroup("memory", "Memory", "look up what the team knows, and add to it", MEMORY),
    )
}
SUBMITTING = frozenset({"submit_for_review"})
# What a program gets that does not say what it wants.
USUAL = ("read", "draft", "results")


@cache
def load_definitions() -> None:
    """Fills the registry. Each module registers by being imported."""
    for name in ("tools", "resources", "prompts"):
        if find_spec(f"integrations.mcp.{name}"):
            import_module(f"integrations.mcp.{name}")


def group_of(tool: ToolDef) -> str:
    named = next((group.name for group in GROUPS.values() if tool.name in group.tools), "")
    if named:
        return named
    if tool.perm is Perm.PUBLISH or tool.name in SUBMITTING:
        return "publish"
    return "draft" if tool.has_effect else "read"


def tools_in(groups: Iterable[str], perms: Iterable[Perm]) -> list[str]:
    """The names of all tools of these groups that somebody with these permissions may use."""
    load_definitions()
    wanted, held = set(groups), set(perms)
    return [name for name, tool in TOOLS.items() if group_of(tool) in wanted and tool.perm in held]


def groups_of(tools: Iterable[str]) -> list[str]:
    """The groups of which at least one tool is among these, in their usual order."""
    load_definitions()
    found = {group_of(TOOLS[name]) for name in tools if name in TOOLS}
    return [name for name in GROUPS if name in found]


def by_group(perms: Iterable[Perm]) -> list[tuple[ToolGroup, list[ToolDef]]]:
    """For a form: each group with those of its tools that may be used; groups without any are left out."""
    load_definitions()
    held = set(perms)
    usable = [tool for tool in TOOLS.values() if tool.perm in held]
    found = [(group, [tool for tool in usable if group_of(tool) == group.name]) for group in GROUPS.values()]
    return [(group, tools) for group, tools in found if tools]


def resources_for(perms: Iterable[Perm]) -> list[str]:
    load_definitions()
    return [name for name, one in RESOURCES.items() if one.perm in set(perms)]


def prompts_for(perms: Iterable[Perm]) -> list[str]:
    load_definitions()
    return [name for name, one in PROMPTS.items() if one.perm in set(perms)]
