"""Reads what has changed into search entries. What is due is noted by triggers, so no code path can forget it."""

import time
from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from accounts.scope import all_workspaces_scope
from agents.memory.search import search_fields
from campaigns.models import Campaign, Post
from integrations.models import SearchEntry

BATCH = 200
TICK_S = 20.0
TITLE_CHARACTERS = 80
MAX_BODY = 20_000
# The newest first: an import of thousands must not keep others from finding what they have just written. The row goes
# before its object is read: a change that comes later makes a new one.
TAKE = """
WITH first AS MATERIALIZED (
    SELECT id FROM integrations_searchdue ORDER BY at DESC LIMIT %s FOR UPDATE SKIP LOCKED
)
DELETE FROM integrations_searchdue due USING first WHERE due.id = first.id RETURNING due.kind, due.object_id
"""


def index_due() -> int:
    """How many were read. A worker that is killed leaves its batch due."""
    until, count = time.monotonic() + TICK_S, 0
    while time.monotonic() < until:
        read = index_batch()
        count += read
        if read < BATCH:
            break
    return count


def index_batch() -> int:
    with all_workspaces_scope("read what has changed into search"):
        with connection.cursor() as cursor:
            cursor.execute(TAKE, [BATCH])
            due: list[tuple[str, UUID]] = cursor.fetchall()
        _save(_read_posts([pk for kind, pk in due if kind == "post"]))
        _save(_read_campaigns([pk for kind, pk in due if kind == "campaign"]))
    return len(due)


def _read_posts(ids: list[UUID]) -> list[SearchEntry]:
    rows = Post.objects.filter(pk__in=ids).prefetch_related("parts") if ids else ()
    return [_post_entry(row) for row in rows]


def _post_entry(row: Post) -> SearchEntry:
    texts = [part.text for part in row.parts.all()]
    body = "\n".join([*texts, " ".join(f"#{tag}" for tag in row.tags)]).strip()
    first_line = body.partition("\n")[0][:TITLE_CHARACTERS]
    return _entry(row, "post", row.title or first_line, body, row.campaign_id)


def _read_campaigns(ids: list[UUID]) -> list[SearchEntry]:
    rows = Campaign.objects.filter(pk__in=ids) if ids else ()
    return [_entry(row, "campaign", row.name, f"{row.goal}\n{row.brief}".strip(), row.pk) for row in rows]


def _entry(row: Post | Campaign, kind: str, title: str, body: str, campaign_id: UUID | None) -> SearchEntry:
    body = body[:MAX_BODY]
    return SearchEntry(
        workspace_id=row.workspace_id,
        kind=kind,
        object_id=row.pk,
        title=title[:200],
        body=body,
        campaign_id=campaign_id,
        at=row.created_at,
        **search_fields(body, heading=title),
    )


def _save(entries: Iterable[SearchEntry]) -> None:
    SearchEntry.objects.bulk_create(
        entries,
        update_conflicts=True,
        unique_fields=["workspace", "kind", "object_id"],
        update_fields=["title", "body", "tokens", "n_tokens", "campaign_id", "at"],
    )
