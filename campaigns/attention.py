"""What needs a person: posts that did not go out or may not, reviews that wait, accounts to reconnect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import CharField, Count, F, Func, IntegerField, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import RowNumber

from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.scope import WORKSPACE, workspace_scope
from campaigns.access import visible_deliveries
from campaigns.account_health import is_in_trouble
from campaigns.dead_letters import Cause, causes_of
from campaigns.deliveries import KIND
from campaigns.models import Conversation, Delivery
from compliance.models import Review
from lib.clock import now
from social.models import Connection

State = Delivery.State
UNSETTLED = (State.UNCONFIRMED, State.FAILED, State.MISSED)
# Where something can still be done before its time.
BEFORE_SENDING = (State.DRAFT, State.IN_REVIEW, State.SCHEDULED, State.RETRY_WAIT, State.PAUSED)
BROKEN = (Connection.Status.RECONNECT, Connection.Status.SUSPENDED)
SHOWN = 6
SHOWN_PER_CAUSE = 5
# A forgotten draft stops being urgent some time after its moment.
FORGOTTEN = timedelta(days=1)
TABS = {
    "failed": "Failed",
    "unconfirmed": "Unconfirmed",
    "missed": "Missed",
    "risk": "At risk",
    "reviews": "Waiting for me",
    "connections": "Connections",
}
# Stand for the reader's workspace and for this moment where a statement is built once for all.
SOME, SOME_TIME = Workspace(pk=UUID(int=0)), datetime(2000, 1, 1, tzinfo=UTC)


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

    @property
    def kinds(self) -> list[tuple[str, str, int]]:
        """Tab, label and number of those that hold something."""
        return [(tab, label, self.counts[tab]) for tab, label in TABS.items() if self.counts[tab]]


def find_attention(actor: Actor) -> Attention:
    wanted = Q(state__in=UNSETTLED) | _is_at_risk()
    found = visible_deliveries(actor).filter(wanted).select_related("post", "connection", "workspace")
    return Attention(
        deliveries=list(found.order_by("-updated_at")[:SHOWN]),
        connections=list(broken_connections(actor.workspace)[:SHOWN]),
        reviews=with_deliveries(reviews_for(actor)[:SHOWN]),
        counts=count_attention(actor),
    )


# --- one kind ---------------------------------------------------------------------------------------------


def deliveries_of(actor: Actor, tab: str) -> QuerySet[Delivery]:
    """What stands under one of the tabs of deliveries, the most urgent first."""
    rows = visible_deliveries(actor).select_related("post__campaign", "connection", "workspace")
    if tab == "risk":
        return rows.filter(_is_at_risk()).order_by("scheduled_at", "pk")
    return rows.filter(state=tab).order_by("-updated_at", "pk")


def tab_of(delivery: Delivery) -> str:
    return delivery.state if delivery.state in UNSETTLED else "risk"


def _is_at_risk(at: datetime | None = None) -> Q:
    return Q(state__in=BEFORE_SENDING, scheduled_at__gte=(at or now()) - FORGOTTEN) & ~Q(risk="")


def failed_causes(actor: Actor) -> list[tuple[Cause, list[Delivery]]]:
    """Each cause with its newest deliveries."""
    failed = deliveries_of(actor, State.FAILED)
    turn = Window(RowNumber(), partition_by=["connection", "problem_code"], order_by=F("updated_at").desc())
    shown: dict[tuple[Any, str], list[Delivery]] = {}
    for row in failed.annotate(turn=turn).filter(turn__lte=SHOWN_PER_CAUSE):
        shown.setdefault((row.connection_id, row.problem_code), []).append(row)
    return [(cause, shown.get((cause.connection.pk, cause.code), [])) for cause in causes_of(failed)]


def broken_connections(workspace: Workspace, at: datetime | None = None) -> QuerySet[Connection]:
    """They need a new log-in, keep failing although they have one, or their network acts against them."""
    is_active = Q(status=Connection.Status.ACTIVE)
    is_broken = Q(status__in=BROKEN) | is_active & (Q(broken_until__gt=at or now()) | Q(is_in_trouble("pk")))
    return Connection.objects.filter(is_broken, workspace=workspace)


def with_waiting(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Adds how many posts each holds up."""
    waiting = Q(deliveries__state__in=[State.SCHEDULED, State.RETRY_WAIT, State.UNCONFIRMED])
    return connections.annotate(waiting=Count("deliveries", filter=waiting)).order_by("network", "handle", "pk")


def waiting_reviews(workspace: Workspace) -> QuerySet[Review]:
    return Review.objects.filter(workspace=workspace, status=Review.Status.WAITING)


def reviews_for(actor: Actor) -> QuerySet[Review]:
    """What the actor may decide: under four eyes nothing that they wrote or asked for."""
    waiting = waiting_reviews(actor.workspace).filter(kind=KIND)
    if not actor.can(Perm.REVIEW):
        return waiting.none()
    if not actor.workspace.four_eyes:
        return waiting
    if actor.user is None:
        return waiting.none()
    own = Delivery.objects.filter(workspace=actor.workspace, post__authors__contains=[str(actor.user.pk)])
    return waiting.exclude(requested_by=actor.user).exclude(object_id__in=own.values("pk"))


def with_deliveries(reviews: QuerySet[Review] | list[Review]) -> list[tuple[Review, Delivery]]:
    rows = list(reviews)
    found = Delivery.objects.select_related("post__campaign", "connection", "workspace")
    deliveries = found.in_bulk([row.object_id for row in rows])
    return [(row, deliveries[row.object_id]) for row in rows if row.object_id in deliveries]


# --- counts -----------------------------------------------------------------------------------------------


def count_for_navigation(actor: Actor) -> dict[str, int]:
    """What `navigation_of` says, for pages that show no more of it. One query, like `count_attention`."""
    if not actor.can(Perm.VIEW):
        return dict.fromkeys(["attention", "reviews", "inbox"], 0)
    counts = _within(actor, partial(_navigation_counts, actor.workspace.pk))
    attention = counts["deliveries"] + counts["connections"]
    return {"attention": attention, "reviews": counts["all_reviews"], "inbox": counts["inbox"]}


def _navigation_counts(workspace_id: UUID) -> dict[str, Any]:
    names, sql, parameters = _navigation_statement()
    meant: dict[Any, Any] = {SOME.pk: workspace_id, SOME_TIME: now(), SOME_TIME - FORGOTTEN: now() - FORGOTTEN}
    with connections[Workspace.objects.db].cursor() as cursor:
        cursor.execute(sql, [meant.get(value, value) for value in parameters])
        return dict(zip(names, cursor.fetchone(), strict=True))


@cache
def _navigation_statement() -> tuple[list[str], str, tuple[Any, ...]]:
    """Names of the columns, SQL and parameters. Every page needs it, and to build it takes longer than to run it."""
    deliveries = Delivery.objects.filter(Q(state__in=UNSETTLED) | _is_at_risk(SOME_TIME), workspace=SOME)
    found = {"deliveries": deliveries, "connections": broken_connections(SOME, SOME_TIME), **_in_navigation(SOME)}
    return ["scope", *found], *_counted(SOME, found).query.sql_with_params()


def navigation_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Of what `count_attention` found."""
    return {
        "attention": sum(counts[tab] for tab in TABS if tab != "reviews"),
        "reviews": counts["all_reviews"],
        "inbox": counts["inbox"],
    }


def count_attention(actor: Actor) -> dict[str, int]:
    """By tab, `all_reviews`, whoever may decide them, and `inbox`; one query. Guests are told nothing."""
    if not actor.can(Perm.VIEW):
        return dict.fromkeys([*TABS, "all_reviews", "inbox"], 0)
    deliveries = Delivery.objects.filter(workspace=actor.workspace)
    found: dict[str, QuerySet[Any]] = {state: deliveries.filter(state=state) for state in UNSETTLED}
    found["risk"] = deliveries.filter(_is_at_risk())
    found["reviews"] = reviews_for(actor)
    found["connections"] = broken_connections(actor.workspace)
    return _within(actor, _counted(actor.workspace, found | _in_navigation(actor.workspace)).get)


def _in_navigation(workspace: Workspace) -> dict[str, QuerySet[Any]]:
    unread = Conversation.objects.filter(workspace=workspace, is_unread=True)
    return {"all_reviews": waiting_reviews(workspace), "inbox": unread}


def _counted(workspace: Workspace, found: Mapping[str, QuerySet[Any]]) -> Any:
    """One row: the open scope, and how many each is."""
    scope = Func(Value(WORKSPACE), Value(True), function="current_setting", output_field=CharField())
    numbers = {name: _NumberOf(rows.order_by().values("pk")) for name, rows in found.items()}
    return Workspace.objects.filter(pk=workspace.pk).values(scope=scope, **numbers)


def _within(actor: Actor, count: Callable[[], dict[str, Any]]) -> dict[str, int]:
    """The workspace's scope is open in most views; those that talk to a network render outside it."""
    counts = count()
    if counts.pop("scope") != str(actor.workspace.pk):
        with workspace_scope(actor.workspace.pk):
            counts = count()
        del counts["scope"]
    return counts


class _NumberOf(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0
