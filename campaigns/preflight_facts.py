"""All that pre-flight looks at, gathered for many deliveries of one workspace in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage

from accounts.models import Switch, UsageTotal, Workspace
from accounts.usage import Budget, campaign_budget, month_budget, month_scope
from campaigns.account_health import health_cards
from campaigns.costs import cost_of
from campaigns.guarding import judge_delivery, known_at_sending, rules_at_approvals
from campaigns.link_checks import known_checks, links_of
from campaigns.models import Delivery, LinkCheck
from campaigns.post_room import beyond_room
from campaigns.rendering import Rendered, render
from compliance.guard import Decision
from lib.clock import now
from lib.money import dollars
from social.models import Connection, Credential, NetworkState
from social.networks.rules import RULES

# Two posts of one account so near to each other look like a mistake.
CLASH = timedelta(minutes=10)


@dataclass(frozen=True)
class Access:
    """When a log-in ends, and whether it is renewed by itself."""

    ends_at: datetime | None
    renews: bool


@dataclass(frozen=True)
class Facts:
    at: datetime
    due: dict[UUID, datetime] = field(default_factory=dict)
    rendered: dict[UUID, Rendered] = field(default_factory=dict)
    is_instance_stopped: bool = False
    access: dict[UUID, Access] = field(default_factory=dict)
    # Of the accounts that are not healthy, what `account_health.health_cards` says.
    health: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    # Until when a network is known to fail for everybody.
    networks: dict[str, datetime] = field(default_factory=dict)
    # Size by name in the storage; None where the file is gone.
    files: dict[str, int | None] = field(default_factory=dict)
    links_of: dict[UUID, list[str]] = field(default_factory=dict)
    links: dict[str, LinkCheck] = field(default_factory=dict)
    # What the guard says today, and what a person has let through already.
    judged: dict[UUID, Decision] = field(default_factory=dict)
    let_through: dict[UUID, frozenset[str]] = field(default_factory=dict)
    # Why there is no money left when a delivery is due.
    unpaid: dict[UUID, str] = field(default_factory=dict)
    # Why the plan's month has no room for them.
    no_room: dict[UUID, str] = field(default_factory=dict)
    clashes: dict[UUID, Delivery] = field(default_factory=dict)
    repeats: dict[UUID, Delivery] = field(default_factory=dict)


def gather_facts(deliveries: Sequence[Delivery]) -> Facts:
    """Expects their content loaded, all of one workspace, whose scope is open."""
    if not deliveries:
        return Facts(now())
    workspace = deliveries[0].workspace
    rendered = {row.pk: render(row) for row in deliveries}
    links = {row.pk: links_of(rendered[row.pk]) for row in deliveries}
    due = {row.pk: due_of(row) for row in deliveries}
    return Facts(
        at=now(),
        due=due,
        rendered=rendered,
        is_instance_stopped=Switch.objects.filter(name=Switch.PUBLISHING, is_on=True).exists(),
        access=_access({row.connection_id for row in deliveries}),
        health=health_cards({row.connection_id for row in deliveries}),
        networks=_networks(),
        files=_files(deliveries),
        links_of=links,
        links=known_checks(workspace, {url for urls in links.values() for url in urls}),
        judged=_judged(workspace, deliveries, rendered),
        let_through=rules_at_approvals(deliveries),
        unpaid=_unpaid(workspace, deliveries, rendered),
        no_room=beyond_room(workspace, deliveries, due),
        clashes=_clashes(deliveries),
        repeats=_repeats(deliveries, rendered),
    )


def due_of(delivery: Delivery) -> datetime:
    return delivery.due_at or delivery.scheduled_at or now()


def _access(connections: Iterable[UUID]) -> dict[UUID, Access]:
    # Only columns that say when: the tokens stay closed.
    rows = Credential.objects.filter(connection__in=connections).values_list(
        "connection", "kind", "expires_at", "connection__scopes"
    )
    return {
        pk: Access(ends_at, renews=kind != Credential.Kind.OAUTH2 or "offline.access" in scopes)
        for pk, kind, ends_at, scopes in rows
    }


def _networks() -> dict[str, datetime]:
    broken = NetworkState.objects.filter(broken_until__gt=now()).values_list("network", "broken_until")
    return {network: until for network, until in broken if until}


def _files(deliveries: Sequence[Delivery]) -> dict[str, int | None]:
    names = {use.asset.file for row in deliveries for part in row.post.parts.all() for use in part.media.all()}
    return {name: _size_of(name) for name in names}


def _size_of(name: str) -> int | None:
    try:
        return default_storage.size(name)
    except OSError:
        return None


def _judged(
    workspace: Workspace, deliveries: Sequence[Delivery], rendered: dict[UUID, Rendered]
) -> dict[UUID, Decision]:
    known = known_at_sending(workspace, list(rendered.values()))
    return {row.pk: judge_delivery(row, rendered[row.pk], known).decision for row in deliveries}


# --- money ------------------------------------------------------------------------------------------------


def _unpaid(workspace: Workspace, deliveries: Sequence[Delivery], rendered: dict[UUID, Rendered]) -> dict[UUID, str]:
    """In the order they are due each takes its price out of what is left, as it will when it is sent."""
    budgets = {row.pk: _budgets(workspace, row) for row in deliveries}
    scopes = {budget.scope for found in budgets.values() for budget in found}
    totals = UsageTotal.objects.filter(workspace=workspace, scope__in=scopes)
    used = {total.scope: total.spent_micro + total.reserved_micro for total in totals}
    short: dict[UUID, str] = {}
    for row in sorted(deliveries, key=due_of):
        # What is on its way has its money held back already.
        price = 0 if row.state == Delivery.State.PUBLISHING else cost_of(rendered[row.pk]).total
        if price:
            short |= _spend(row, price, budgets[row.pk], used)
    return short


def _spend(row: Delivery, price: int, budgets: list[Budget], used: dict[str, int]) -> dict[UUID, str]:
    for budget in budgets:
        if budget.cap_micro is not None and used.get(budget.scope, 0) + price > budget.cap_micro:
            return {row.pk: f"{budget.name} of {dollars(budget.cap_micro)} does not cover its {dollars(price)}."}
    for budget in budgets:
        used[budget.scope] = used.get(budget.scope, 0) + price
    return {}


def _budgets(workspace: Workspace, delivery: Delivery) -> list[Budget]:
    month = Budget(month_scope(due_of(delivery)), workspace.monthly_cap_micro, month_budget(workspace).name)
    campaign = delivery.post.campaign
    return [month, *([campaign_budget(campaign.pk, campaign.cap_micro)] if campaign else [])]


# --- among each other -------------------------------------------------------------------------------------


def _clashes(deliveries: Sequence[Delivery]) -> dict[UUID, Delivery]:
    found: dict[UUID, Delivery] = {}
    in_order = sorted(deliveries, key=lambda row: (str(row.connection_id), due_of(row)))
    for before, after in pairwise(in_order):
        if before.connection_id == after.connection_id and due_of(after) - due_of(before) < CLASH:
            found.setdefault(before.pk, after)
            found.setdefault(after.pk, before)
    return found


def _repeats(deliveries: Sequence[Delivery], rendered: dict[UUID, Rendered]) -> dict[UUID, Delivery]:
    """The later ones of those that say the same: on one account, or anywhere where the network forbids repeats."""
    seen: dict[tuple[str, ...], Delivery] = {}
    found: dict[UUID, Delivery] = {}
    for row in sorted(deliveries, key=due_of):
        key = (_audience(row.connection), *(part.text for part in rendered[row.pk].parts))
        first = seen.setdefault(key, row)
        if first is not row and any(key[1:]):
            found[row.pk] = first
    return found


def _audience(connection: Connection) -> str:
    return connection.network if RULES[connection.network].forbids_repeats else str(connection.pk)
