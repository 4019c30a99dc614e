"""What the database holds, for the manifest and for whoever checks a restored one. Expects the all-workspaces scope."""

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from lib.crypto import ID_BYTES, KeyRing, SecretField, UnreadableSecret, parse_keys, ring

SAMPLE = 20
# Months of a table are counted with it.
TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""


def count_rows() -> dict[str, int]:
    """By table."""
    counts = {}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
            counts[table] = cursor.fetchone()[0]
    return counts


def applied_migrations() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def needed_keys() -> list[str]:
    """Ids of the keys under which anything is stored, and of the one that writes."""
    found = {ring().write_id.hex()}
    with connection.cursor() as cursor:
        for model, column in secret_columns():
            cursor.execute(
                f"SELECT DISTINCT encode(substring({column} FROM 1 FOR {ID_BYTES}), 'hex') "  # noqa: S608
                f"FROM {model._meta.db_table} WHERE {column} IS NOT NULL"
            )
            found |= {row[0] for row in cursor.fetchall()}
    return sorted(found | {value[: 2 * ID_BYTES] for value in _second_factors()})


def own_keys() -> set[str]:
    return {KeyRing([key]).write_id.hex() for key in parse_keys(settings.FIELD_KEYS)}


def secret_columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SecretField):
                yield model, str(field.column)


def _second_factors() -> Iterator[str]:
    for data in Authenticator.objects.values_list("data", flat=True):
        yield from (data[name] for name in ("secret", "seed") if name in data)


def read_secrets() -> tuple[int, int]:
    """How many of a sample of each table's newest secrets can be read, and how many cannot."""
    stored = [value for model, column in secret_columns() for value in _newest(model, column)]
    stored += [bytes.fromhex(value) for value in _second_factors()][:SAMPLE]
    readable = sum(_is_readable(value) for value in stored)
    return readable, len(stored) - readable


def _newest(model: type[models.Model], column: str) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {model._meta.db_table} WHERE {column} IS NOT NULL "  # noqa: S608
            f"ORDER BY {model._meta.pk.column} DESC LIMIT {SAMPLE}"
        )
        return [bytes(row[0]) for row in cursor.fetchall()]


def _is_readable(stored: bytes) -> bool:
    try:
        ring().decrypt(stored)
    except UnreadableSecret:
        return False
    return True
