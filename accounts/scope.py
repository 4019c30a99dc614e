"""Which workspace's rows the database shows. Without a scope, a tenant table is empty and refuses writes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction

WORKSPACE = "app.workspace"
ALL = "app.all_workspaces"
RESOLVE = "app.resolve"
# Further connections, inside transactions of theirs, that show what the scope shows: a replica while it is read.
FOLLOWERS: ContextVar[tuple[str, ...]] = ContextVar("followers", default=())


@contextmanager
def workspace_scope(workspace_id: UUID | str) -> Iterator[None]:
    """A short transaction in which exactly this workspace's rows exist. Nests, and restores what was set before."""
    with _setting({WORKSPACE: str(workspace_id), ALL: ""}):
        yield


@contextmanager
def all_workspaces_scope(_reason: str) -> Iterator[None]:
    """Cross-tenant work: the dispatcher, staff, retention. The reason is for the reader of the code."""
    with _setting({WORKSPACE: "", ALL: "on"}):
        yield


@contextmanager
def resolver_scope(key: str) -> Iterator[None]:
    """Shows the one row of each resolver table whose key this is, before the workspace is known."""
    with _setting({RESOLVE: key}):
        yield


@contextmanager
def _setting(values: dict[str, str]) -> Iterator[None]:
    # The outermost scope begins with nothing set, and its commit takes away what it sets.
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        former = {} if is_outermost else _read(list(values))
        _write(values)
        with ExitStack() as followers:
            for using in FOLLOWERS.get():
                followers.enter_context(_following(using, values))
            yield
        # Not in a finally: an error rolls the savepoint back, and the settings with it.
        if former and not transaction.get_rollback():
            _write(former)


@contextmanager
def _following(using: str, values: dict[str, str]) -> Iterator[None]:
    former = _read(list(values), using)
    _write(values, using)
    try:
        yield
    finally:
        # After an error its transaction ends anyway.
        with suppress(DatabaseError):
            _write(former, using)


def _read(names: list[str], using: str = DEFAULT_DB_ALIAS) -> dict[str, str]:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(["current_setting(%s, true)"] * len(names)), names)
        return {name: value or "" for name, value in zip(names, cursor.fetchone(), strict=True)}


def _write(values: dict[str, str], using: str = DEFAULT_DB_ALIAS) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(values)),
            [item for pair in values.items() for item in pair],
        )
