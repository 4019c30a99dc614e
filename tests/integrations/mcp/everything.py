"""What the official conformance suite calls by fixed names, as a registry for our own application."""

import base64
import os
import struct
import zlib
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError

from accounts.access import Perm
from integrations.mcp.app import mcp_server
from integrations.mcp.errors import CallFailed, Failure
from integrations.mcp.registry import Blocks, PromptArgument, PromptDef, Registry, ResourceDef, ToolDef

Context = ServerRequestContext[Any, Any]
NOTHING = {"type": "object", "properties": {}}
SCHEMA_2020 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


RED_DOT = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    + _chunk(b"IEND", b"")
)
SILENCE = b"RIFF\x24\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data\0\0\0\0"
IMAGE = {"type": "image", "data": base64.b64encode(RED_DOT).decode(), "mimeType": "image/png"}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def embedded(uri: str, mime: str, words: str) -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": words}}


def done(words: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)])


# --- tools that answer ----------------------------------------------------------------------------------------


def fail(actor, args):
    raise CallFailed(Failure("error", "This tool intentionally returns an error for testing"))


ANSWERS = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [
        {"type": "audio", "data": base64.b64encode(SILENCE).decode(), "mimeType": "audio/wav"},
    ],
    "test_embedded_resource": [
        embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        IMAGE,
        embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
}


# --- tools that report or ask on their way ----------------------------------------------------------------------


async def report(context: Context, params) -> types.CallToolResult:
    for progress in (0, 50, 100):
        await context.session.report_progress(progress, 100)
    return done("Reported.")


async def write_log(context: Context, params) -> types.CallToolResult:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
    return done("Logged.")


async def sample(context: Context, params) -> types.CallToolResult:
    said = await context.session.create_message(
        [types.SamplingMessage(role="user", content=types.TextContent(type="text", text=params.arguments["prompt"]))],
        max_tokens=100,
        related_request_id=context.request_id,
    )
    return done(f"LLM response: {said.content}")


def asks(schema: dict[str, Any]) -> Any:
    async def ask(context: Context, params) -> types.CallToolResult:
        message = (params.arguments or {}).get("message", "Please answer.")
        said = await context.session.elicit_form(message, schema, related_request_id=context.request_id)
        return done(f"User response: action={said.action}, content={said.content}")

    return ask


async def ask_while_streaming(context: Context, params) -> types.CallToolResult | types.InputRequiredResult:
    await context.session.report_progress(1, 2)
    return await in_rounds({"confirm": elicitation("Please confirm", "ok", "boolean")})(context, params)


async def need_sampling(context: Context, params) -> types.CallToolResult:
    declared = context.session.client_capabilities
    if declared is None or declared.sampling is None:
        needed = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This needs sampling.", needed)
    return done("Sampling is there.")


PERSON = {
    "type": "object",
    "properties": {"username": {"type": "string"}, "email": {"type": "string"}},
    "required": ["username", "email"],
}
DEFAULTS = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}
TITLED = [{"const": f"value{n}", "title": f"{name} Option"} for n, name in enumerate(["First", "Second", "Third"], 1)]
PLAIN = ["option1", "option2", "option3"]
CHOICES = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": PLAIN},
        "titledSingle": {"type": "string", "oneOf": TITLED},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": PLAIN}},
        "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
    },
}


# --- tools that need more input (the current era) ---------------------------------------------------------------


def elicitation(message: str, name: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sampling(words: str) -> dict[str, Any]:
    message = {"role": "user", "content": text(words)}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": 100}}


ROOTS = {"method": "roots/list", "params": {}}


def needs(requests: dict[str, Any], state: str | None = None) -> types.InputRequiredResult:
    return types.InputRequiredResult.model_validate({"inputRequests": requests, "requestState": state})


def in_rounds(*rounds: dict[str, Any], state: str = "", finish: Any = None) -> Any:
    """Asks one round after the other until all of it is answered."""
    ended = finish or (lambda said: done(f"Done, state-ok: {said}"))

    async def talk(context: Context, params) -> Any:
        said = params.input_responses or {}
        number = int((params.request_state or f"{state}0").removeprefix(state)) if state else 0
        if set(rounds[number]) - set(said):
            return needs(rounds[number], f"{state}{number}" if state else None)
        if number + 1 < len(rounds):
            return needs(rounds[number + 1], f"{state}{number + 1}")
        return ended({name: one.model_dump(mode="json") for name, one in said.items()})

    return talk


def greet(said: dict[str, Any]) -> types.CallToolResult:
    return done(f"Hello, {said['user_name']['content']['name']}!")


async def ask_what_is_declared(context: Context, params) -> types.InputRequiredResult:
    declared = context.session.client_capabilities
    asked = {}
    if declared and declared.sampling is not None:
        asked["greeting"] = sampling("Generate a greeting")
    if declared and declared.elicitation is not None:
        asked["user_name"] = elicitation("What is your name?", "name")
    return needs(asked) if asked else done("Nothing can be asked.")


NAME = elicitation("What is your name?", "name")
CONFIRM = {"confirm": elicitation("Please confirm", "ok", "boolean")}
INPUT = "test_input_required_result"
TALKS = {
    "test_tool_with_progress": report,
    "test_tool_with_logging": write_log,
    "test_logging_tool": write_log,
    "test_elicitation_sep1034_defaults": asks(DEFAULTS),
    "test_elicitation_sep1330_enums": asks(CHOICES),
    "test_streaming_elicitation": ask_while_streaming,
    "test_missing_capability": need_sampling,
    f"{INPUT}_elicitation": in_rounds({"user_name": NAME}, finish=greet),
    f"{INPUT}_sampling": in_rounds({"capital_question": sampling("What is the capital of France?")}),
    f"{INPUT}_list_roots": in_rounds({"client_roots": ROOTS}),
    f"{INPUT}_request_state": in_rounds(CONFIRM, state="confirm-"),
    f"{INPUT}_tampered_state": in_rounds(CONFIRM, state="tampered-"),
    f"{INPUT}_multiple_inputs": in_rounds(
        {"user_name": NAME, "greeting": sampling("Generate a greeting"), "client_roots": ROOTS}, state="many-"
    ),
    f"{INPUT}_multi_round": in_rounds(
        {"step1": elicitation("Step 1: What is your name?", "name")},
        {"step2": elicitation("Step 2: What is your favorite color?", "color")},
        state="step-",
    ),
    f"{INPUT}_capabilities": ask_what_is_declared,
}


def message(content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": content}


def two_arguments(actor, args):
    return f"Prompt with arguments: arg1='{args['arg1']}', arg2='{args['arg2']}'"


def with_resource(actor, args):
    held = embedded(args["resourceUri"], "text/plain", "Embedded resource content for testing.")
    return [message(held), message(text("Please process the embedded resource above."))]


def with_image(actor, args):
    return [message(IMAGE), message(text("Please analyze the image above."))]


def with_context(said: dict[str, Any]) -> types.GetPromptResult:
    words = f"Use this: {said['user_context']['content']['context']}"
    return types.GetPromptResult.model_validate({"messages": [message(text(words))]})


def needed(name: str) -> PromptArgument:
    return PromptArgument(name, f"The {name}.", required=True)


def prompt(name: str, render, *arguments: PromptArgument, **more) -> PromptDef:
    return PromptDef(name, name, f"{name}.", render, arguments, **more)


def tool(name: str, do=None, schema=NOTHING, **more) -> ToolDef:
    return ToolDef(name, name, f"{name}.", schema, do or fail, Perm.VIEW, **more)


def answers(blocks: list[dict[str, Any]]) -> Any:
    return lambda actor, args: Blocks(blocks)


def resource(uri: str, read, mime: str) -> ResourceDef:
    return ResourceDef(uri, uri, uri, f"{uri}.", read, mime)


def of_template(actor, params):
    return {"id": params["id"], "templateTest": True, "data": f"Data for ID: {params['id']}"}


def an_argument(name: str, **more) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string", **more}}, "required": [name]}


def everything() -> tuple[Registry, Server[Any]]:
    bus, registry = InMemorySubscriptionBus(), Registry()

    def publishes(event: Any) -> Any:
        async def publish(context: Context, params) -> types.CallToolResult:
            await bus.publish(event)
            return done("Told.")

        return publish

    registry.add(*(tool(name, answers(blocks)) for name, blocks in ANSWERS.items()))
    registry.add(*(tool(name, talk=talk) for name, talk in TALKS.items()))
    registry.add(
        tool("test_error_handling", fail),
        tool("test_sampling", schema=an_argument("prompt"), talk=sample),
        tool("test_elicitation", schema=an_argument("message"), talk=asks(PERSON)),
        tool("json_schema_2020_12_tool", answers([text("Valid.")]), SCHEMA_2020),
        tool("test_header", answers([text("Read.")]), an_argument("region", **{"x-mcp-header": "Region"})),
        tool("test_trigger_tool_change", talk=publishes(ToolsListChanged())),
        tool("test_trigger_prompt_change", talk=publishes(PromptsListChanged())),
        resource(
            "test://static-text",
            lambda actor, params: "This is the content of the static text resource.",
            "text/plain",
        ),
        resource("test://static-binary", lambda actor, params: RED_DOT, "image/png"),
        resource("test://template/{id}/data", of_template, "application/json"),
        resource("test://watched-resource", lambda actor, params: "Watched.", "text/plain"),
        prompt("test_simple_prompt", lambda actor, args: "This is a simple prompt for testing."),
        prompt("test_prompt_with_arguments", two_arguments, needed("arg1"), needed("arg2")),
        prompt("test_prompt_with_embedded_resource", with_resource, needed("resourceUri")),
        prompt("test_prompt_with_image", with_image),
        prompt(
            f"{INPUT}_prompt",
            lambda actor, args: "",
            talk=in_rounds(
                {"user_context": elicitation("What context should the prompt use?", "context")}, finish=with_context
            ),
        ),
    )
    return registry, served(registry, bus)


def served(registry: Registry, bus: InMemorySubscriptionBus) -> Server[Any]:
    """The product's server, and what its own tools have no use for."""
    server = mcp_server(registry)
    server.middleware.append(
        RequestStateBoundary(RequestStateSecurity(keys=[os.urandom(32)]), default_audience="everything")
    )

    async def agree(context: Context, params) -> types.EmptyResult:
        return types.EmptyResult()

    server.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, ListenHandler(bus))
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, agree)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, agree)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, agree)
    return server
