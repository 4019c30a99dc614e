"""What the OpenAPI document says beyond its routes: an example of each body, and what is going away."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parent / "api_examples.yaml"
JSON = "application/json"


@cache
def examples() -> dict[str, Any]:
    """Bodies by operation id."""
    apps = yaml.safe_load(EXAMPLES.read_text())
    return {operation: body for bodies in apps.values() for operation, body in bodies.items()}


def add_examples(result: dict[str, Any], **_kwargs: object) -> dict[str, Any]:
    """A hook of drf-spectacular: bodies without an example of their own get the one from the file."""
    for operation in operations(result):
        body = operation.get("requestBody", {}).get("content", {}).get(JSON)
        known = examples().get(operation["operationId"])
        if body is not None and known is not None and "examples" not in body:
            body["example"] = known
    return result


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation
        for methods in document["paths"].values()
        for operation in methods.values()
        if isinstance(operation, dict)
    ]
