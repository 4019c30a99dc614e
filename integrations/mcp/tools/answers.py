"""What tools answer: pages, times on the workspace's clock, and links to the product's own pages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from accounts.access import Actor
from accounts.models import Workspace
from accounts.web import workspace_path
from integrations.mcp.tools.schemas import JSON, as_id, text, whole
from social.models import Connection

M = TypeVar("M", bound=Model)
USUAL, MOST = 20, 50
PAGE: JSON = {
    "limit": whole("How many at most.", 1, MOST, default=USUAL),
    "cursor": text("`next_cursor` of the page before.", 200),
}
# Of a text in a list; the tool for one object has all of it.
SHORT = 200


def page_of(rows: QuerySet[M], args: JSON, represent: Callable[[M], Any]) -> JSON:
    """The newest first: our ids grow with time."""
    limit = args.get("limit", USUAL)
    if args.get("cursor"):
        rows = rows.filter(pk__lt=as_id(args["cursor"], "cursor"))
    found = list(rows.order_by("-pk")[: limit + 1])
    return {
        "items": [represent(row) for row in found[:limit]],
        "next_cursor": str(found[limit - 1].pk) if len(found) > limit else None,
    }


def slice_of(rows: list[Any], args: JSON) -> tuple[list[Any], str | None]:
    """A page of what is in memory already, and the cursor of the next one."""
    limit = args.get("limit", USUAL)
    start = _number(args.get("cursor", ""))
    return rows[start : start + limit], str(start + limit) if len(rows) > start + limit else None


def _number(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 8):
        raise ValidationError({"cursor": "Take `next_cursor` of the page before, or leave it out."})
    return int(cursor)


def when(at: datetime | None, workspace: Workspace) -> str | None:
    """With the offset of the workspace's clock."""
    return at.astimezone(ZoneInfo(workspace.time_zone)).isoformat(timespec="seconds") if at else None


def short(words: str, most: int = SHORT) -> str:
    line = " ".join(words.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def account_data(connection: Connection) -> JSON:
    return {"id": str(connection.pk), "network": connection.network, "account": str(connection)}


def page_url(actor: Actor, path: str) -> str:
    """For a person who wants to look at it."""
    return settings.BASE_URL + workspace_path(actor.workspace, path)
