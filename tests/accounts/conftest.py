"""A chain to break, and the one who breaks it."""

from collections.abc import Callable

import pytest
from django.db import connection

from accounts.access import Actor
from accounts.audit import record
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope


@pytest.fixture
def chain(workspace: Workspace, alice_actor: Actor) -> Workspace:
    """Roastery's chain with five entries; the first was written when the workspace was made."""
    with workspace_scope(workspace.pk):
        for number in range(2, 6):
            record("test.act", workspace, by=alice_actor, number=number)
    return workspace


@pytest.fixture
def as_intruder(chain: Workspace) -> Callable[..., None]:
    """Somebody with the keys of the database, who can switch the triggers off."""

    def run(sql: str, *params: object) -> None:
        with all_workspaces_scope("test"), connection.cursor() as cursor:
            # A table with waiting constraint checks cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER append_only")
            cursor.execute(sql, params)
            cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER append_only")

    return run
