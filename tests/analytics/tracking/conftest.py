from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.models import Link
from analytics.tracking.ingest import EventRow, add_events
from analytics.tracking.links import create_link

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PERSON = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "accept-language": "de-DE,de;q=0.9",
}


@pytest.fixture
def person() -> Client:
    """Somebody with a browser."""
    return Client(headers=PERSON)


@pytest.fixture
def link(bob_actor, workspace: Workspace) -> Link:
    with workspace_scope(workspace.pk):
        return create_link("https://acme.example/shop?size=2", by=bob_actor, title="Shop", utm=False)


@pytest.fixture
def events(workspace: Workspace) -> Callable[..., int]:
    def add(*rows: dict[str, Any]) -> int:
        return add_events(workspace.pk, [EventRow(**{"kind": "click", "at": NOON, **row}) for row in rows])

    return add


def rows_of(query: str, *values: Any) -> list[tuple]:
    """Of all workspaces."""
    with all_workspaces_scope("test"), connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def raw(query: str, *values: Any) -> Any:
    return rows_of(query, *values)[0][0]
