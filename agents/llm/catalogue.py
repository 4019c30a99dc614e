"""`models.yaml` in memory: read again when the file changes, kept as it was when the change is a mistake."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog
import yaml
from django.conf import settings

from agents.llm.catalogue_schema import mistakes

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 1.0


class CatalogueError(Exception):
    """The file cannot be used, and there is no earlier one to go on with."""


@dataclass(frozen=True)
class Rates:
    """Micro-dollars per token."""

    input: Decimal
    cached: Decimal
    cache_write: Decimal
    output: Decimal
    # They hold for calls that send more than this.
    above: int = 0


@dataclass(frozen=True)
class Price:
    effective_from: date
    # From the lowest tier up.
    tiers: tuple[Rates, ...]


@dataclass(frozen=True)
class Provider:
    name: str
    label: str
    wire: str
    max_concurrency: int
    # The provider's own address, where a setting may put another.
    base_url: str = ""
    base_url_setting: str = ""
    key_setting: str = ""
    path: str = ""
    limit_field: str = "max_completion_tokens"
    timeout_s: float | None = None
    is_sandbox: bool = False


@dataclass(frozen=True)
class Model:
    name: str
    provider: str
    context: int
    max_output: int
    capabilities: frozenset[str]
    # Without prices nothing is known of its cost.
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    providers: Mapping[str, Provider]
    models: Mapping[str, Model]
    roles: Mapping[str, tuple[str, ...]]
    sandbox: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Catalogue:
    """Raises CatalogueError with every mistake in words."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CatalogueError(f"not YAML: {' '.join(str(error).split())}") from error
    if found := mistakes(data):
        raise CatalogueError("; ".join(found[:5]))
    return Catalogue(
        {name: Provider(name, **row) for name, row in data["providers"].items()},
        {name: _model(name, row) for name, row in data["models"].items()},
        {role: tuple(chain) for role, chain in data["roles"].items()},
        data["sandbox"],
    )


def _model(name: str, row: Mapping[str, Any]) -> Model:
    return Model(
        name,
        row["provider"],
        row["context"],
        row["max_output"],
        frozenset(row.get("capabilities", ())),
        tuple(_price(price) for price in row["prices"]),
    )


def _price(row: Mapping[str, Any]) -> Price:
    return Price(
        date.fromisoformat(row["effective_from"]),
        (_rates(row), *(_rates(tier, tier["tokens"]) for tier in row.get("above", []))),
    )


def _rates(row: Mapping[str, Any], above: int = 0) -> Rates:
    full = _decimal(row["input"])
    cached, written = (_decimal(row[name]) if name in row else full for name in ("cached", "cache_write"))
    return Rates(full, cached, written, _decimal(row["output"]), above)


def _decimal(number: float) -> Decimal:
    # By its letters: 0.1 is a tenth, not the binary number next to it.
    return Decimal(str(number))


class _Kept:
    """What this process has read, and why it could not read it again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.path = ""
        self.stamp: tuple[int, int, int] | None = None
        self.looked_at = 0.0
        self.catalogue: Catalogue | None = None
        self.problem = ""

    def current(self) -> Catalogue:
        path = str(settings.MODELS_FILE)
        if path != self.path or time.monotonic() - self.looked_at > LOOK_EVERY_S:
            with self.lock:
                self._look(path)
        if self.catalogue is None:
            raise CatalogueError(self.problem)
        return self.catalogue

    def _look(self, path: str) -> None:
        if path != self.path:
            self.path, self.stamp, self.catalogue = path, None, None
        self.looked_at = time.monotonic()
        try:
            found = os.stat(path)
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self.stamp:
                return
            self.stamp = stamp
            self.catalogue, self.problem = parse(Path(path).read_text()), ""
        except (OSError, UnicodeError) as error:
            # It may come back just as it was.
            self.stamp = None
            self._refuse(error)
        except CatalogueError as error:
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        reason = str(error)[:500]
        if reason != self.problem:
            log.error("models_file_refused", reason=reason)
        self.problem = reason


_kept = _Kept()


def current() -> Catalogue:
    """Raises CatalogueError when there has never been a usable file."""
    return _kept.current()


def problem() -> str:
    """Why the file as it stands now is not used; empty when it is."""
    try:
        current()
    except CatalogueError as error:
        return str(error)
    return _kept.problem
