"""pg_dump, pg_restore and psql: where they are, and how they reach a database. No password is among their words."""

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from marketing.backups.errors import BackupError
from marketing.placement import ServiceError, postgres_account, postgres_tree

# The policies of tenant tables show all rows to whoever says so.
ALL_ROWS = "-c app.all_workspaces=on"
NAMES = {"host", "port", "user", "password", "dbname"} | {"sslmode", "sslrootcert", "sslcert", "sslkey"}


def program(name: str) -> str:
    if settings.POSTGRES_BIN:
        return str(Path(settings.POSTGRES_BIN) / name)
    try:
        found = postgres_tree(postgres_account()) / "bin" / name
        if found.exists():
            return str(found)
    except ServiceError:
        pass
    if on_path := shutil.which(name):
        return on_path
    raise BackupError(f"{name} is not installed; say where in POSTGRES_BIN.")


def reach(parts: dict[str, Any], options: str = "") -> tuple[str, dict[str, str]]:
    """What to give a program as its database, and its environment."""
    parts = dict(parts)
    password = parts.pop("password", None)
    environment = {**os.environ, "PGOPTIONS": options, "PGCONNECT_TIMEOUT": "10"}
    if password:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **parts), environment


def past_any_pooler() -> dict[str, Any]:
    return conninfo_to_dict(settings.BACKUP_DATABASE_URL)


def own_database() -> dict[str, Any]:
    """The one that Django itself is connected to."""
    params = connection.get_connection_params()
    return {name: value for name, value in params.items() if name in NAMES}


def as_url(parts: dict[str, Any]) -> str:
    """The way settings write a database's address."""
    parts = {name: str(value) for name, value in parts.items() if value is not None}
    account = quote(parts.pop("user", ""), safe="")
    if password := parts.pop("password", ""):
        account += f":{quote(password, safe='')}"
    return f"postgres://{account}@/{quote(parts.pop('dbname', ''), safe='')}?{urlencode(parts)}"
