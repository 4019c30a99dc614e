"""OpenAI's embeddings, which compatible servers speak too."""

import json
from collections.abc import Sequence
from typing import Any

from agents.llm.routes import Route
from agents.llm.wires.clients import openai_client
from agents.llm.wires.errors import from_body, translated, wire_error


def embed_texts(
    route: Route, texts: Sequence[str], dimensions: int | None, timeout_s: float
) -> tuple[list[tuple[float, ...]], int | None]:
    """(vectors in the order of the texts, tokens used or None). Raises WireError."""
    request: dict[str, Any] = {
        "model": route.wire_model,
        "input": list(texts),
        "encoding_format": "float",
        "timeout": timeout_s,
    }
    if dimensions:
        request["dimensions"] = dimensions
    with translated():
        answer = openai_client(route).embeddings.with_raw_response.create(**request)
        told = json.loads(answer.content)
        if not isinstance(told, dict) or told.get("error") or not isinstance(told.get("data"), list):
            raise from_body(told, None, {})
        rows = sorted(told["data"], key=lambda row: row["index"])
        if len(rows) != len(texts):
            raise wire_error("server_error", f"{len(rows)} vectors for {len(texts)} texts")
        return [tuple(row["embedding"]) for row in rows], (told.get("usage") or {}).get("prompt_tokens")
