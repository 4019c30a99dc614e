"""Who measures what: posts that are due, claimed for one worker, up to a hundred of one account at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Min, Q, QuerySet
from django.db.models.expressions import Exists, OuterRef

from accounts.models import Workspace
from accounts.scope import all_workspaces_scope
from analytics.models import MeasuredPost
from lib.clock import now
from social.models import Connection, NetworkState, RateBucket

# X answers for a hundred ids in one call.
BATCH = 100
MAX_ACCOUNTS = 50
LEASE = timedelta(minutes=5)
# Of a rate window that is shared with publishing, so much stays for publishing.
RESERVE = 0.1


@dataclass(frozen=True)
class Claim:
    workspace_id: UUID
    connection_id: UUID
    post_ids: tuple[UUID, ...]
    # Its value is the token: who finds another one has lost the claim.
    lease_until: datetime


def claim_due(limit: int) -> list[Claim]:
    at = now()
    with all_workspaces_scope("posts whose turn it is to be measured"):
        due = _due(at)
        accounts = due.order_by().values("workspace_id", "connection_id").annotate(first=Min("due_at"))
        claims: list[Claim] = []
        for account in accounts.order_by("first")[:MAX_ACCOUNTS]:
            left = limit - sum(len(claim.post_ids) for claim in claims)
            claim = _claim(account["workspace_id"], account["connection_id"], at, min(BATCH, left))
            claims += [claim] if claim else []
    return claims


def _claim(workspace_id: UUID, connection_id: UUID, at: datetime, limit: int) -> Claim | None:
    rows = MeasuredPost.objects.select_for_update(no_key=True, skip_locked=True).filter(
        _free(at), connection_id=connection_id
    )
    ids = list(rows.filter(due_at__lte=at).order_by("due_at", "pk").values_list("pk", flat=True)[: max(0, limit)])
    if not ids:
        return None
    lease = at + LEASE
    MeasuredPost.objects.filter(pk__in=ids).update(lease_until=lease)
    return Claim(workspace_id, connection_id, tuple(ids), lease)


def _due(at: datetime) -> QuerySet[MeasuredPost]:
    """Where the network can be asked now, and asking takes nothing away from what waits to be published."""
    going = Q(connection__limited_until=None) | Q(connection__limited_until__lte=at)
    going &= Q(connection__broken_until=None) | Q(connection__broken_until__lte=at)
    going &= Q(connection__status=Connection.Status.ACTIVE)
    going &= Q(workspace__in=Workspace.objects.filter(is_suspended=False, is_stopped=False))
    scarce = RateBucket.objects.filter(
        app_key=OuterRef("connection__app_key"), resets_at__gt=at, remaining__lte=F("limit") * RESERVE
    )
    broken = NetworkState.objects.filter(
        network=OuterRef("connection__network"), failures_in_row__gte=settings.BREAKER_NETWORK, broken_until__gt=at
    )
    return MeasuredPost.objects.filter(_free(at), going, ~Exists(scarce), ~Exists(broken), due_at__lte=at)


def _free(at: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=at)
