"""What the product ships: the prompts of its own agents, and templates by industry and language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "library"


@dataclass(frozen=True)
class Shipped:
    """A prompt that holds where a workspace has no assistant of this key."""

    key: str
    name: str
    description: str
    body: str
    workflow: str = "chat"
    # Name and description.
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Template:
    key: str
    name: str
    industry: str
    language: str
    description: str
    body: str
    variables: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False


@cache
def shipped_prompts() -> Mapping[str, Shipped]:
    return {row["key"]: Shipped(**row) for row in _rows("prompts.yaml")}


@cache
def shipped_templates() -> Mapping[str, Template]:
    rows = [row for path in sorted(FOLDER.glob("templates_*.yaml")) for row in _rows(path.name)]
    return {row["key"]: Template(**row) for row in rows}


def _rows(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
