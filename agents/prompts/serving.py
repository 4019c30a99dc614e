"""Which text an agent is given. Read from the database each time: what was committed holds at once, everywhere."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Workspace
from agents.models import PromptVersion
from agents.prompts.compose import Resolution, Source, Wanted, resolve
from agents.prompts.library import shipped_prompts

PRODUCTION, LATEST = "production", "latest"


class PromptNotFound(LookupError):
    """Neither the workspace nor the product has this prompt."""


@dataclass(frozen=True)
class Pinned:
    """A prompt as a run keeps it, to the end: what it names is in it already, its variables are not.

    Version 0 is the one the product ships. `sha256` is the body's: of all that is said, other prompts included.
    """

    key: str
    version: int
    sha256: str
    body: str
    version_id: UUID | None = None


def current_prompt(workspace: Workspace, key: str, label: str = PRODUCTION) -> Pinned:
    """The workspace's own prompt of this key, else the shipped one (inside the workspace's scope).

    Raises PromptNotFound; PromptError where it names another that is gone.
    """
    row = find_version(workspace, Wanted(key, label=label))
    source = as_source(row) if row else shipped_source(key)
    if source is None:
        raise PromptNotFound(f"There is no prompt “{key}”.")
    body = resolve_in(workspace, source).body
    return Pinned(key, source.version, sha256_of(body), body, row.pk if row else None)


def find_version(workspace: Workspace, wanted: Wanted) -> PromptVersion | None:
    rows = PromptVersion.objects.select_related("assistant").filter(
        workspace=workspace, assistant__key=wanted.key, assistant__archived_at=None
    )
    if wanted.version is not None:
        return rows.filter(number=wanted.version).first()
    return rows.filter(labels__label=wanted.label).first()


def resolve_in(workspace: Workspace, source: Source) -> Resolution:
    return resolve(source, lambda wanted: find_source(workspace, wanted))


def find_source(workspace: Workspace, wanted: Wanted) -> Source | None:
    row = find_version(workspace, wanted)
    if row:
        return as_source(row)
    return shipped_source(wanted.key) if wanted.version is None else None


def as_source(row: PromptVersion) -> Source:
    return Source(row.assistant.key, row.number, row.body)


def shipped_source(key: str) -> Source | None:
    shipped = shipped_prompts().get(key)
    return Source(key, 0, shipped.body) if shipped else None


def sha256_of(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
