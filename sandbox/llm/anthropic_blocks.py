"""The content blocks of Anthropic's messages."""

import json
from typing import Any

from sandbox.llm.checks import Rejected
from sandbox.llm.prompt import Part

_BLOCK_FIELDS = {
    "text": {"type", "text", "cache_control", "citations"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "image": {"type", "source", "cache_control"},
    "document": {"type", "source", "title", "context", "citations", "cache_control"},
}


def kinds_for(role: str) -> tuple[str, ...]:
    if role == "system":
        return ("text",)
    if role == "assistant":
        return ("text", "tool_use", "thinking", "redacted_thinking")
    return ("text", "tool_result", "image", "document")


def read_block(block: Any, where: str, kinds: tuple[str, ...]) -> Part | None:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in kinds:
        tags = ", ".join(f"'{name}'" for name in kinds)
        raise Rejected(
            f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"
        )
    for name in block:
        if name not in _BLOCK_FIELDS[kind]:
            raise Rejected(f"{where}.{kind}.{name}: Extra inputs are not permitted")
    ttl = cache_ttl(block.get("cache_control"), f"{where}.{kind}")
    match kind:
        case "text":
            return Part("text", _text(block, where), cache_ttl=ttl)
        case "tool_use":
            _need(block, where, kind, id=str, name=str, input=dict)
            arguments = json.dumps(block["input"], ensure_ascii=False)
            return Part("call", id=block["id"], name=block["name"], arguments=arguments, cache_ttl=ttl)
        case "tool_result":
            _need(block, where, kind, tool_use_id=str)
            return Part("result", _result_text(block, where), id=block["tool_use_id"], cache_ttl=ttl)
        case "image" | "document":
            return Part("text", f"[{kind}]", cache_ttl=ttl)
    # Thinking is carried along and read by nobody.
    return None


def _text(block: dict[str, Any], where: str) -> str:
    if block.get("citations") and where.startswith("messages"):
        raise Rejected(f"{where}.text.citations: citations are not permitted on user text blocks")
    text = block.get("text")
    if not isinstance(text, str):
        raise Rejected(
            f"{where}.text.text: {'Input should be a valid string' if 'text' in block else 'Field required'}"
        )
    if not text:
        raise Rejected("messages: text content blocks must be non-empty")
    if not text.strip():
        raise Rejected("messages: text content blocks must contain non-whitespace text")
    return text


def _result_text(block: dict[str, Any], where: str) -> str:
    content = block.get("content", "")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Rejected(f"{where}.tool_result.content: Input should be a valid list")
    parts = [read_block(one, f"{where}.tool_result.content.{i}", ("text", "image")) for i, one in enumerate(content)]
    return "\n".join(part.text for part in parts if part)


def _need(block: dict[str, Any], where: str, kind: str, **fields: type) -> None:
    words: dict[type, str] = {str: "string", dict: "dictionary"}
    for name, expected in fields.items():
        if name not in block:
            raise Rejected(f"{where}.{kind}.{name}: Field required")
        if not isinstance(block[name], expected):
            raise Rejected(f"{where}.{kind}.{name}: Input should be a valid {words[expected]}")


def cache_ttl(value: Any, where: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") != "ephemeral":
        raise Rejected(f"{where}.cache_control.type: Input should be 'ephemeral'")
    ttl = value.get("ttl", "5m")
    if ttl not in ("5m", "1h"):
        raise Rejected(f"{where}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    return str(ttl)
