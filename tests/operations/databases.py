"""Databases beside the test's own, and Django's connection inside them."""

import contextlib
import secrets
from collections.abc import Iterator

import psycopg
from django.db import connection
from psycopg import sql

from tests.campaigns.cast import database_address


@contextlib.contextmanager
def empty_database() -> Iterator[str]:
    name = f"beside_{secrets.token_hex(6)}"
    with psycopg.connect(**database_address(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    former = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = former
