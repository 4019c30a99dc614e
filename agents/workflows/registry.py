"""Workflows by name. The app whose rows a workflow writes defines it and adds it in its `apps.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.runs.flow import Flow


@dataclass(frozen=True)
class Workflow:
    """Plain Python over steps: `run(flow)` is started anew after each pause and gets its former steps' results."""

    name: str
    label: str
    run: Callable[["Flow"], Any]
    # JSON Schema of a run's input.
    schema: Mapping[str, Any] = field(default_factory=dict)
    # The permission that starting it needs, as `accounts.access.Perm` names it.
    perm: str = "content.edit"
    # Started by the service whose rows it writes, and by nobody else.
    is_inner: bool = False
    # Works with what belongs to its person alone: nobody else sees its runs.
    is_private: bool = False


WORKFLOWS: dict[str, Workflow] = {}


def register(workflow: Workflow) -> None:
    WORKFLOWS[workflow.name] = workflow


def private_workflows() -> list[str]:
    return [name for name, workflow in WORKFLOWS.items() if workflow.is_private]
