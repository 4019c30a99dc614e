"""Moves every stored secret under the first key of the ring: in small transactions, killable between any two."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, models
from django.db.models import Q

from accounts.scope import all_workspaces_scope
from lib.crypto import SecretField, UnreadableSecret, ring

# Longer than a refresh may hold the lock of its row.
PATIENCE_S = 120.0
PAUSE_S = 0.5

Key = UUID | int


@dataclass
class Row:
    """One row's secrets that are not under the first key, as they are stored."""

    pk: Key
    secrets: dict[str, bytes] = field(repr=False)


class Store(Protocol):
    name: str

    def claim(self, after: Key | None, limit: int) -> list[Row]:
        """Lock the next stale rows; those that somebody else holds are left out."""

    def save(self, row: Row) -> None: ...

    def count_stale(self) -> int: ...


@dataclass
class Progress:
    name: str
    moved: int = 0
    unreadable: int = 0
    # Rows that stayed locked by others all the time.
    left: int = 0


class FieldStore:
    """The SecretFields of one model."""

    def __init__(self, model: type[models.Model], columns: list[str]) -> None:
        self.name, self.columns = model._meta.label, columns
        self._table, self._pk = model._meta.db_table, model._meta.pk.column
        self._stale = " OR ".join(f"substring({column} FROM 1 FOR 4) <> %s" for column in columns)

    def claim(self, after: Key | None, limit: int) -> list[Row]:
        current = ring().write_id
        sql = f"SELECT {self._pk}, {', '.join(self.columns)} FROM {self._table} WHERE ({self._stale})"  # noqa: S608
        sql += f" AND {self._pk} > %s" if after is not None else ""
        sql += f" ORDER BY {self._pk} LIMIT %s FOR UPDATE SKIP LOCKED"
        params = [*[current] * len(self.columns), *([after] if after is not None else []), limit]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return [self._row(*values) for values in cursor.fetchall()]

    def _row(self, pk: Key, *values: Any) -> Row:
        found = {name: bytes(value) for name, value in zip(self.columns, values, strict=True) if value is not None}
        return Row(pk, {name: value for name, value in found.items() if not value.startswith(ring().write_id)})

    def save(self, row: Row) -> None:
        changes = ", ".join(f"{name} = %s" for name in row.secrets)
        with connection.cursor() as cursor:
            sql = f"UPDATE {self._table} SET {changes} WHERE {self._pk} = %s"  # noqa: S608
            cursor.execute(sql, [*row.secrets.values(), row.pk])

    def count_stale(self) -> int:
        with connection.cursor() as cursor:
            sql = f"SELECT count(*) FROM {self._table} WHERE {self._stale}"  # noqa: S608
            cursor.execute(sql, [ring().write_id] * len(self.columns))
            return int(cursor.fetchone()[0])


class MfaStore:
    """allauth's second factors: hexadecimal text inside JSON."""

    name = "mfa.Authenticator"
    NAMES = ("secret", "seed")

    def _stale(self) -> models.QuerySet[Authenticator]:
        current = ring().write_id.hex()
        stale = Q()
        for name in self.NAMES:
            stale |= Q(data__has_key=name) & ~Q(**{f"data__{name}__startswith": current})
        return Authenticator.objects.filter(stale).order_by("pk")

    def claim(self, after: Key | None, limit: int) -> list[Row]:
        rows = self._stale().select_for_update(no_key=True, skip_locked=True).filter(pk__gt=after or 0)[:limit]
        return [Row(row.pk, {n: bytes.fromhex(row.data[n]) for n in self.NAMES if n in row.data}) for row in rows]

    def save(self, row: Row) -> None:
        authenticator = Authenticator.objects.get(pk=row.pk)
        authenticator.data |= {name: value.hex() for name, value in row.secrets.items()}
        authenticator.save(update_fields=["data"])

    def count_stale(self) -> int:
        return self._stale().count()


def stores() -> Iterator[Store]:
    for model in apps.get_models():
        columns = [str(f.column) for f in model._meta.local_concrete_fields if isinstance(f, SecretField)]
        if columns:
            yield FieldStore(model, columns)
    yield MfaStore()


def rotate(store: Store, *, batch: int, patience_s: float = PATIENCE_S) -> Progress:
    progress = Progress(store.name)
    give_up_at = time.monotonic() + patience_s
    while True:
        broken = _pass(store, batch, progress)
        with all_workspaces_scope("key rotation"):
            progress.unreadable, progress.left = broken, store.count_stale() - broken
        if progress.left <= 0 or time.monotonic() > give_up_at:
            return progress
        # A row that a token refresh holds: it writes under the first key itself, or we come back.
        time.sleep(PAUSE_S)


def _pass(store: Store, batch: int, progress: Progress) -> int:
    """Once over the table; says how many rows hold a secret that no key opens."""
    after: Key | None = None
    broken = 0
    while True:
        with all_workspaces_scope("key rotation"):
            rows = store.claim(after, batch)
            for row in rows:
                is_whole = _move(store, row)
                progress.moved += is_whole
                broken += not is_whole
        if not rows:
            return broken
        after = rows[-1].pk


def _move(store: Store, row: Row) -> bool:
    opened = {name: _open(value) for name, value in row.secrets.items()}
    row.secrets = {name: ring().encrypt(text) for name, text in opened.items() if text is not None}
    if row.secrets:
        store.save(row)
    return None not in opened.values()


def _open(stored: bytes) -> str | None:
    try:
        return ring().decrypt(stored)
    except UnreadableSecret:
        return None
