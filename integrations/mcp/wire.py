"""Definitions and answers as the protocol writes them."""

import base64

import mcp_types as types
from mcp.shared.exceptions import MCPError

from integrations.mcp.calls import Answer
from integrations.mcp.errors import Failure
from integrations.mcp.registry import PromptDef, ResourceDef, ToolDef

INVALID = types.INVALID_PARAMS
# Of the range that JSON-RPC leaves to servers: understood, and not done.
REFUSED = -32000


def tool_out(tool: ToolDef) -> types.Tool:
    hints = types.ToolAnnotations(
        title=tool.title,
        read_only_hint=not tool.has_effect,
        destructive_hint=tool.is_destructive,
        # With the same key.
        idempotent_hint=tool.has_effect or None,
        open_world_hint=False,
    )
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        output_schema=tool.output_schema,
        annotations=hints,
    )


def resource_out(resource: ResourceDef) -> types.Resource:
    return types.Resource(
        uri=resource.uri,
        name=resource.name,
        title=resource.title,
        description=resource.description,
        mime_type=resource.mime,
    )


def template_out(resource: ResourceDef) -> types.ResourceTemplate:
    return types.ResourceTemplate(
        uri_template=resource.uri,
        name=resource.name,
        title=resource.title,
        description=resource.description,
        mime_type=resource.mime,
    )


def contents_out(uri: str, mime: str, content: str | bytes) -> types.TextResourceContents | types.BlobResourceContents:
    if isinstance(content, str):
        return types.TextResourceContents(uri=uri, mime_type=mime, text=content)
    return types.BlobResourceContents(uri=uri, mime_type=mime, blob=base64.b64encode(content).decode())


def prompt_out(prompt: PromptDef) -> types.Prompt:
    arguments = [
        types.PromptArgument(name=one.name, description=one.description, required=one.required)
        for one in prompt.arguments
    ]
    return types.Prompt(name=prompt.name, title=prompt.title, description=prompt.description, arguments=arguments)


def done_out(answer: Answer) -> types.CallToolResult:
    notes = {"replayed": answer.is_replay, "dry_run": answer.is_dry_run}
    blocks = answer.blocks or [{"type": "text", "text": answer.text}]
    return types.CallToolResult.model_validate(
        {
            "content": blocks,
            "structuredContent": answer.data,
            "_meta": {f"rostrum/{name}": True for name, value in notes.items() if value} or None,
        }
    )


def failed_out(failure: Failure) -> types.CallToolResult:
    text = types.TextContent(type="text", text=failure.words)
    return types.CallToolResult(content=[text], structured_content={"error": failure.as_json()}, is_error=True)


def refusal(failure: Failure) -> MCPError:
    """Where the protocol has no result that could say so."""
    code = INVALID if failure.code == "invalid" else REFUSED
    return MCPError(code, failure.words, failure.as_json())
