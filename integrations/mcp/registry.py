"""What personal MCP servers can offer: one table for everybody. The row of a server names what it does offer.

Nothing here imports the SDK: pages, workers and the web server read these tables, too.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from accounts.access import Actor, Perm
from integrations.models import McpServer

JSON = dict[str, Any]
D = TypeVar("D", "ToolDef", "ResourceDef", "PromptDef")
Talk = Callable[[Any, Any], Awaitable[Any]]
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
PLACE = re.compile(r"\{([a-z_]+)\}")
# What every tool with an effect takes besides its own arguments.
EFFECT_ARGUMENTS: JSON = {
    "dry_run": {
        "type": "boolean",
        "default": False,
        "description": "Only say what would happen: everything is checked, nothing is kept.",
    },
    "idempotency_key": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Any text of yours. The same call again with the same key answers the same and does nothing.",
    },
}


@dataclass(frozen=True)
class Blocks:
    """An answer that is more than data: content blocks as MCP writes them ({"type": "image", "data": …, …})."""

    blocks: list[JSON]


@dataclass(frozen=True)
class ToolDef:
    """One act over the services.

    `do(actor, args)` runs in a transaction inside the actor's workspace, after the arguments were checked against
    `input_schema` (an object; `dry_run` and `idempotency_key` are added to tools with an effect, and never reach `do`).
    It answers a dict that JSON can say (dates, UUIDs and decimals, too) or `Blocks`. What services raise
    (ValidationError, PermissionDenied, Http404, conflicts, RateLimited) becomes a tool error with their words.
    A dry run rolls the transaction back: send mail or start tasks only on commit.
    """

    name: str
    title: str
    description: str
    input_schema: JSON
    do: Callable[[Actor, JSON], JSON | Blocks]
    perm: Perm
    has_effect: bool = False
    # What it takes away cannot be had back.
    is_destructive: bool = False
    output_schema: JSON | None = None
    # In place of `do`, for what speaks with the client on the way: `await talk(context, params)`, both of the SDK,
    # on the event loop and outside of any transaction. Answers a result of the SDK.
    talk: Talk | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a tool: a-z, 0-9 and _, at most 64.")
        Draft202012Validator.check_schema(self.schema)

    @cached_property
    def schema(self) -> JSON:
        """The arguments as clients see them."""
        if not self.has_effect:
            return self.input_schema
        return {**self.input_schema, "properties": {**self.input_schema.get("properties", {}), **EFFECT_ARGUMENTS}}

    @cached_property
    def validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.schema)


@dataclass(frozen=True)
class ResourceDef:
    """Something to read: at one address, or at a template with places like {campaign_id}.

    `read(actor, params)` runs like a tool without effect; text or bytes are sent as they are, all else as JSON.
    """

    uri: str
    name: str
    title: str
    description: str
    read: Callable[[Actor, dict[str, str]], Any]
    mime: str = "application/json"
    perm: Perm = Perm.VIEW
    # Values for a place of the template that begin with what was typed: (actor, place, typed) -> values.
    complete: Callable[[Actor, str, str], Iterable[str]] | None = None

    @property
    def is_template(self) -> bool:
        return bool(PLACE.search(self.uri))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        pieces = PLACE.split(self.uri)
        # Fixed text and names of places take turns.
        return re.compile("".join(f"(?P<{p}>[^/]+)" if n % 2 else re.escape(p) for n, p in enumerate(pieces)))

    def match(self, uri: str) -> dict[str, str] | None:
        """The values of the places, or None where this is not its address."""
        found = self.pattern.fullmatch(uri)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class PromptArgument:
    name: str
    description: str
    required: bool = False


@dataclass(frozen=True)
class PromptDef:
    """`render(actor, args)` answers the text of one message, or messages ({"role": …, "content": block})."""

    name: str
    title: str
    description: str
    render: Callable[[Actor, dict[str, str]], str | list[JSON]]
    arguments: tuple[PromptArgument, ...] = ()
    perm: Perm = Perm.VIEW
    complete: Callable[[Actor, str, str], Iterable[str]] | None = None
    talk: Talk | None = None


@dataclass(frozen=True)
class Registry:
    tools: dict[str, ToolDef] = field(default_factory=dict)
    # By name: that is what the row of a server holds.
    resources: dict[str, ResourceDef] = field(default_factory=dict)
    prompts: dict[str, PromptDef] = field(default_factory=dict)

    def add(self, *definitions: ToolDef | ResourceDef | PromptDef) -> None:
        for definition in definitions:
            table: dict[str, Any] = self._table(definition)
            if definition.name in table:
                raise ValueError(f"{definition.name} is registered twice.")
            table[definition.name] = definition

    def _table(self, definition: ToolDef | ResourceDef | PromptDef) -> dict[str, Any]:
        if isinstance(definition, ToolDef):
            return self.tools
        return self.resources if isinstance(definition, ResourceDef) else self.prompts

    def tools_for(self, server: McpServer, actor: Actor) -> list[ToolDef]:
        return _granted(self.tools, server.tools, actor)

    def resources_for(self, server: McpServer, actor: Actor) -> list[ResourceDef]:
        return _granted(self.resources, server.resources, actor)

    def prompts_for(self, server: McpServer, actor: Actor) -> list[PromptDef]:
        return _granted(self.prompts, server.prompts, actor)


def _granted(table: Mapping[str, D], names: Iterable[str], actor: Actor) -> list[D]:
    """What the row names and the person may do; a name that no longer exists is left out."""
    chosen = set(names)
    return [one for name, one in table.items() if name in chosen and actor.can(one.perm)]


# The product's own, filled by `integrations.mcp.tools`, `.resources` and `.prompts`.
REGISTRY = Registry()
TOOLS, RESOURCES, PROMPTS = REGISTRY.tools, REGISTRY.resources, REGISTRY.prompts
