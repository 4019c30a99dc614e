"""One module for each way of speaking; its SDK is loaded with the first call."""

from importlib import import_module
from typing import cast

from agents.llm.wires.port import Wire


def wire(name: str) -> Wire:
    return cast(Wire, import_module(f"agents.llm.wires.{name}"))
