"""Budgets of rows that belong to higher floors."""

from collections.abc import Callable
from uuid import UUID

# "campaign": its cap in micro-dollars, None for none, asked inside the workspace's scope. Its app fills this in.
CAPS: dict[str, Callable[[UUID], int | None]] = {}


def campaign_cap(campaign_id: UUID | None) -> int | None:
    find = CAPS.get("campaign")
    return find(campaign_id) if find and campaign_id else None
