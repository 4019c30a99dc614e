"""Asking many API routes in one test: what each answers while everything is as the fixtures left it."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.urls import get_resolver


@dataclass(frozen=True)
class Route:
    name: str
    method: str
    path: str
    needs: str
    body: Any = field(default_factory=dict)
    success: int = 200
    root: str = "/api/"


def wired_names(app_name: str) -> set[str]:
    """The names of all routes of an app."""
    return {
        pattern.name
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "app_name", "") == app_name
        for pattern in resolver.url_patterns
    }


def label(route: Route) -> str:
    return f"{route.method} {route.path}"


def ask(client, route: Route, ids: dict[str, str]):
    return getattr(client, route.method)(route.root + route.path.format(**ids), filled(route.body, ids), format="json")


def filled(body: Any, ids: dict[str, str]) -> Any:
    return {
        name: [one_filled(part, ids) for part in value] if isinstance(value, list) else value.format(**ids)
        for name, value in body.items()
    }


def one_filled(part: Any, ids: dict[str, str]) -> Any:
    if isinstance(part, dict) and "id" in part:
        return filled(part, ids)
    return part.format(**ids) if isinstance(part, str) else part


def statuses(client, ids: dict[str, str], routes: list[Route]) -> dict[str, int]:
    found = {}
    for route in routes:
        before = transaction.savepoint()
        found[label(route)] = ask(client, route, ids).status_code
        transaction.savepoint_rollback(before)
    return found


def expected(allowed: set[str], routes: list[Route]) -> dict[str, int]:
    return {label(route): route.success if route.needs in allowed else 403 for route in routes}
