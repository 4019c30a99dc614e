"""Ten thousand workspaces and up to a million scheduled deliveries, by one statement per table."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Model

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope
from campaigns.models import Delivery, Post
from lib.clock import now
from social.models import Connection, Network

WORKSPACES = 10_000
# Accounts of each workspace; its posts go to all of them.
ACCOUNTS = 10
# Its rows have ids of their own.
FLOOD_FROM = 10**10


def fill(deliveries: int, *, workspaces: int = WORKSPACES, accounts: int = ACCOUNTS) -> None:
    """That many, planned for later than any measurement lasts; spread evenly. Fills up what an earlier call left."""
    sizes = {"workspaces": workspaces, "accounts": accounts, "deliveries": deliveries}
    posts = -(-deliveries // accounts)
    later = now() + timedelta(hours=6)
    copy_rows(Workspace(name="Scale", late_minutes=600), workspaces, sizes, slug="'scale-' || n")
    account = Connection(network=Network.X, handle="scale", app_key="x:scale")
    copy_rows(account, workspaces * accounts, sizes, workspace_id=WORKSPACE, remote_id="'scale-' || n")
    copy_rows(Post(title="Scale"), posts, sizes, workspace_id=WORKSPACE)
    copy_rows(
        Delivery(state=Delivery.State.SCHEDULED, scheduled_at=later, due_at=later),
        deliveries,
        sizes,
        workspace_id=id_of("n / %(accounts)s %% %(workspaces)s"),
        post_id=id_of("n / %(accounts)s"),
        # Of the same workspace: its first account, plus the turn.
        connection_id=id_of("n / %(accounts)s %% %(workspaces)s + %(workspaces)s * (n %% %(accounts)s)"),
        due_at="%(due_at)s::timestamptz + n * interval '1 millisecond'",
    )
    with connection.cursor() as cursor:
        for model in (Workspace, Connection, Post, Delivery):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def flood(deliveries: int, *, workspaces: int, accounts: int) -> None:
    """The first workspace has that many more, all due now, on its accounts."""
    sizes = {"workspaces": workspaces, "accounts": accounts, "first": FLOOD_FROM}
    due = Delivery(state=Delivery.State.SCHEDULED, scheduled_at=now(), due_at=now())
    first = id_of("0")
    copy_rows(
        Post(title="Flood"), -(-deliveries // accounts), sizes, id=id_of("n + %(first)s::bigint"), workspace_id=first
    )
    copy_rows(
        due,
        deliveries,
        sizes,
        id=id_of("n + %(first)s::bigint"),
        workspace_id=first,
        post_id=id_of("n / %(accounts)s + %(first)s::bigint"),
        connection_id=id_of("%(workspaces)s * (n %% %(accounts)s)"),
    )


def id_of(number: str) -> str:
    """The nth row's id; ids of one table in rising order, as those of real rows are."""
    return f"('00000000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


WORKSPACE = id_of("n %% %(workspaces)s")


def copy_rows(row: Model, count: int, sizes: dict[str, int], **varying: str) -> None:
    """`varying`: SQL over n, from 0. Every other column is as in the row."""
    fields = row._meta.concrete_fields
    values = {str(f.column): f.get_db_prep_save(f.pre_save(row, add=True), connection) for f in fields}
    columns = {name: f"%({name})s" for name in values} | {"id": id_of("n")} | varying
    statement = f"""
        INSERT INTO {row._meta.db_table} ({", ".join(columns)})
        SELECT {", ".join(columns.values())} FROM generate_series(0, %(count)s - 1) AS n ON CONFLICT (id) DO NOTHING
    """  # noqa: S608 (columns of our own tables)
    params: dict[str, Any] = values | sizes | {"count": count}
    with all_workspaces_scope("fill for a measurement"), connection.cursor() as cursor:
        cursor.execute(statement, params)
