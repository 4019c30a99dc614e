"""What the ledger's ids and kinds are called."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts.models import Workspace
from campaigns.models import Campaign
from social.models import Connection

NAMED: dict[str, Any] = {"campaign": Campaign, "connection": Connection}
NONE = {"campaign": "Without a campaign", "connection": "Without an account"}


def names_of(workspace: Workspace, group: str, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    found = NAMED[group].objects.filter(workspace=workspace, pk__in=[pk for pk in ids if pk])
    return {row.pk: str(row) for row in found}


def label_costs(workspace: Workspace, group: str, keys: list[Any]) -> list[str]:
    """Words for the keys of a sum, in their order."""
    if group == "day":
        return [f"{day:%a} {day.day} {day:%b}" for day in keys]
    if group == "kind":
        return [str(kind).replace(".", " ").replace("_", " ").capitalize() for kind in keys]
    names = names_of(workspace, group, keys)
    return [names.get(key, "Deleted") if key else NONE[group] for key in keys]
