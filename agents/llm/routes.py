"""Which models may answer a call, in which order: the workspace's choice, the catalogue's, the sandbox's."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings

from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.llm import catalogue
from agents.llm.catalogue import Catalogue, CatalogueError, Model, Provider
from agents.llm.types import ModelError
from agents.models import AISettings, ProviderKey
from lib.clock import now
from lib.crypto import UnreadableSecret
from lib.public_http import is_this_machine

log = structlog.get_logger(__name__)
COMPATIBLE = "compatible"
# Of a server that nobody guards; the SDKs want some.
NO_KEY = "none"
COMPATIBLE_CONTEXT = 128_000
COMPATIBLE_OUTPUT = 16_384


@dataclass(frozen=True)
class Route:
    """A model at an address with a key."""

    model: Model
    provider: Provider
    base_url: str
    key: str = field(repr=False)
    # The workspace's own key, by id.
    key_id: UUID | None = None
    has_problem: bool = False
    was_used_lately: bool = False

    @property
    def is_sandbox(self) -> bool:
        return self.provider.is_sandbox

    @property
    def only_public(self) -> bool:
        return self.provider.name == COMPATIBLE

    @property
    def key_digest(self) -> str:
        return hashlib.sha256(f"{self.provider.name}\0{self.base_url}\0{self.key}".encode()).hexdigest()[:16]

    @property
    def wire_model(self) -> str:
        """The model as its provider names it."""
        return self.model.name.split(":", 2)[2] if self.only_public else self.model.name


@dataclass(frozen=True)
class Plan:
    """What was read once for a call."""

    routes: Sequence[Route]
    settings: AISettings


def plan(role: str, names: Sequence[str], workspace: Workspace) -> Plan:
    """Raises ModelError: no_model, live_calls_off. `names` override the role's chain."""
    try:
        models = catalogue.current()
    except CatalogueError as error:
        text = "The list of models cannot be read. Ask your administrator."
        raise ModelError("no_model", text, raw=str(error)) from error
    with workspace_scope(workspace.pk):
        choices = AISettings.objects.filter(workspace=workspace).first() or AISettings(workspace=workspace)
        keys = list(ProviderKey.objects.filter(workspace=workspace, is_active=True).order_by("created_at"))
    if choices.is_paused:
        raise ModelError("no_model", "The assistants of this workspace are paused. An admin can start them again.")
    routes = _Routes(models, keys).along(role, names or (), choices.role_models.get(role, ()))
    if not routes:
        raise ModelError("no_model", "No model can be used yet. Add a provider's key in the settings.")
    return Plan(_allowed(routes), choices)


class _Routes:
    def __init__(self, models: Catalogue, keys: Sequence[ProviderKey]) -> None:
        self.models, self.keys = models, keys

    def along(self, role: str, names: Sequence[str], chosen: Sequence[str]) -> list[Route]:
        if names:
            if not any(name in self.models.models or name.startswith(f"{COMPATIBLE}:") for name in names):
                raise ModelError("no_model", f"There is no model called {names[0][:80]}.")
            return self._usable(names) or self._sandbox(role)
        chain = dict.fromkeys([*chosen, *self.models.roles.get(role, ())])
        return self._usable(chain) or self._sandbox(role)

    def _usable(self, names: Iterable[str]) -> list[Route]:
        return [route for name in names if (route := self._route(name))]

    def _sandbox(self, role: str) -> list[Route]:
        return self._usable([self.models.sandbox["embed" if role == "embed" else "text"]])

    def _route(self, name: str) -> Route | None:
        if name.startswith(f"{COMPATIBLE}:"):
            return self._compatible(name)
        model = self.models.models.get(name)
        if model is None:
            return None
        provider = self.models.providers[model.provider]
        base_url = address(provider)
        if not base_url:
            return None
        for row in self.keys:
            if row.provider == provider.name and (secret := _read(row)):
                return Route(model, provider, base_url, secret, **_of_row(row))
        key = str(getattr(settings, provider.key_setting, "")) if provider.key_setting else ""
        if not key and base_url == provider.base_url:
            return None
        return Route(model, provider, base_url, key or NO_KEY)

    def _compatible(self, name: str) -> Route | None:
        key_name, _, wire_name = name.removeprefix(f"{COMPATIBLE}:").partition(":")
        row = next((row for row in self.keys if (row.provider, row.name) == (COMPATIBLE, key_name)), None)
        provider = self.models.providers.get(COMPATIBLE)
        if row is None or provider is None or not wire_name:
            return None
        model = Model(name, COMPATIBLE, COMPATIBLE_CONTEXT, COMPATIBLE_OUTPUT, frozenset({"tools"}))
        return Route(model, provider, row.base_url.rstrip("/"), _read(row) or NO_KEY, **_of_row(row))


def address(provider: Provider) -> str:
    """Where the provider is called; empty where nobody said."""
    given = str(getattr(settings, provider.base_url_setting, "")) if provider.base_url_setting else ""
    base = (given or provider.base_url).rstrip("/")
    return f"{base}{provider.path}" if base else ""


def _of_row(row: ProviderKey) -> dict[str, Any]:
    lately = row.last_used_at is not None and row.last_used_at > now() - timedelta(hours=1)
    return {"key_id": row.pk, "has_problem": bool(row.problem), "was_used_lately": lately}


def _read(row: ProviderKey) -> str:
    try:
        return row.secret
    except UnreadableSecret:
        log.error("provider_key_unreadable", key=str(row.pk))
        return ""


def _allowed(routes: list[Route]) -> list[Route]:
    if settings.ALLOW_LIVE:
        return routes
    if allowed := [route for route in routes if is_this_machine(urlsplit(route.base_url).hostname or "")]:
        return allowed
    raise ModelError("live_calls_off", "Calls to model providers are switched off here.")
