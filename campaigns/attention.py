"""What needs a person: posts that did not go out, accounts to reconnect, reviews that wait."""

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, Func, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.scope import WORKSPACE, workspace_scope
from campaigns.access import visible_deliveries
from campaigns.deliveries import KIND
from campaigns.models import Delivery
from compliance.models import Review
from social.models import Connection

State = Delivery.State
UNSETTLED = (State.UNCONFIRMED, State.FAILED, State.MISSED)
BROKEN = (Connection.Status.RECONNECT, Connection.Status.SUSPENDED)
SHOWN = 6


@dataclass(frozen=True)
class Attention:
    """The newest of each kind, and how many there are of all."""

    deliveries: list[Delivery]
    connections: list[Connection]
    reviews: list[tuple[Review, Delivery]]
    counts: dict[str, int]

    @property
    def is_empty(self) -> bool:
        return not (self.deliveries or self.connections or self.reviews)


def find_attention(actor: Actor) -> Attention:
    unsettled = visible_deliveries(actor).filter(state__in=UNSETTLED)
    connections = broken_connections(actor.workspace)
    return Attention(
        deliveries=list(unsettled.select_related("post", "connection").order_by("-updated_at")[:SHOWN]),
        connections=list(connections[:SHOWN]),
        reviews=_waiting_reviews(actor) if actor.can(Perm.REVIEW) else [],
        counts=count_for_navigation(actor),
    )


def broken_connections(workspace: Workspace) -> QuerySet[Connection]:
    return Connection.objects.filter(workspace=workspace, status__in=BROKEN)


def waiting_reviews(workspace: Workspace) -> QuerySet[Review]:
    return Review.objects.filter(workspace=workspace, status=Review.Status.WAITING)


def _waiting_reviews(actor: Actor) -> list[tuple[Review, Delivery]]:
    reviews = list(waiting_reviews(actor.workspace).filter(kind=KIND)[:SHOWN])
    deliveries = Delivery.objects.select_related("post", "connection").in_bulk([row.object_id for row in reviews])
    return [(row, deliveries[row.object_id]) for row in reviews if row.object_id in deliveries]


# --- counts -----------------------------------------------------------------------------------------------


def count_for_navigation(actor: Actor) -> dict[str, int]:
    """One query where the workspace's scope is open, as in most views. Guests are told nothing."""
    if not actor.can(Perm.VIEW):
        return {"attention": 0, "reviews": 0}
    counts = _count(actor.workspace)
    if counts.pop("scope") != str(actor.workspace.pk):
        # Views that talk to a network render outside the scope.
        with workspace_scope(actor.workspace.pk):
            counts = _count(actor.workspace)
    return {"attention": counts["unsettled"] + counts["broken"], "reviews": counts["reviews"]}


def _count(workspace: Workspace) -> dict[str, Any]:
    unsettled = Delivery.objects.filter(workspace=OuterRef("pk"), state__in=UNSETTLED)
    broken = Connection.objects.filter(workspace=OuterRef("pk"), status__in=BROKEN)
    reviews = Review.objects.filter(workspace=OuterRef("pk"), status=Review.Status.WAITING)
    scope = Func(Value(WORKSPACE), Value(True), function="current_setting", output_field=CharField())
    row: Any = (
        Workspace.objects.filter(pk=workspace.pk)
        .values(scope=scope, unsettled=_number_of(unsettled), broken=_number_of(broken), reviews=_number_of(reviews))
        .get()
    )
    return row


def _number_of(rows: QuerySet) -> Coalesce:
    counted = rows.order_by().values("workspace").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), Value(0), output_field=IntegerField())
