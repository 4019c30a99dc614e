import pytest

from accounts.access import Actor, Perm
from integrations.mcp.registry import PromptDef, Registry, ResourceDef, ToolDef
from integrations.models import McpServer

OBJECT = {"type": "object", "properties": {"count": {"type": "integer"}}, "additionalProperties": False}


def tool(name: str = "look", perm: Perm = Perm.VIEW, **more) -> ToolDef:
    return ToolDef(name, name.title(), "Looks.", OBJECT, lambda actor, args: {}, perm, **more)


def resource(uri: str) -> ResourceDef:
    return ResourceDef(uri, "one", "One", "One thing.", lambda actor, params: params)


@pytest.mark.parametrize("name", ["", "Look", "1look", "look-up", "look up", "l" * 65, "look\n"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a tool"):
        tool(name)


def test_an_effect_brings_its_arguments_and_leaves_the_definition_alone() -> None:
    assert tool().schema == OBJECT
    schema = tool(has_effect=True).schema
    assert list(schema["properties"]) == ["count", "dry_run", "idempotency_key"]
    assert schema["additionalProperties"] is False
    assert "dry_run" not in OBJECT["properties"]


def test_a_name_is_taken_once() -> None:
    registry = Registry()
    registry.add(tool(), resource("rostrum://one"), PromptDef("look", "Look", "", lambda actor, args: ""))
    with pytest.raises(ValueError, match="twice"):
        registry.add(tool())


@pytest.mark.parametrize(
    ("template", "uri", "found"),
    [
        ("rostrum://brand", "rostrum://brand", {}),
        ("rostrum://brand", "rostrum://brand/", None),
        ("rostrum://brand", "rostrum:xxbrand", None),
        ("rostrum://a.b/{id}", "rostrum://a.b/7", {"id": "7"}),
        ("rostrum://a.b/{id}", "rostrum://axb/7", None),
        ("rostrum://r/{id}/days/{day}", "rostrum://r/a%20b/days/2026-01-02", {"id": "a b", "day": "2026-01-02"}),
        ("rostrum://r/{id}", "rostrum://r/", None),
        ("rostrum://r/{id}", "rostrum://r/7/8", None),
        ("rostrum://r/{id}", "rostrum://r/7%2F8", {"id": "7/8"}),
        ("rostrum://r/{id}", "rostrum://r/7\n", {"id": "7\n"}),
    ],
)
def test_addresses_of_resources(template: str, uri: str, found: dict[str, str] | None) -> None:
    assert resource(template).match(uri) == found
    assert resource(template).is_template == ("{" in template)


def test_only_what_the_row_names_and_the_person_may(alice_actor: Actor, vic_actor: Actor) -> None:
    registry = Registry()
    registry.add(tool("look"), tool("write", Perm.CONTENT_EDIT), tool("hidden"))
    server = McpServer(tools=["write", "look", "gone"])
    assert [one.name for one in registry.tools_for(server, alice_actor)] == ["look", "write"]
    assert [one.name for one in registry.tools_for(server, vic_actor)] == ["look"]
    assert registry.resources_for(server, alice_actor) == registry.prompts_for(server, alice_actor) == []
