"""/api/attention, /api/preflight, and settling many at once."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import visible_deliveries
from campaigns.api.answers import Data, valid
from campaigns.api.deliveries import DeliveryAnswer, DeliveryConnection, delivery_data
from campaigns.attention import (
    TABS,
    UNSETTLED,
    broken_connections,
    count_attention,
    deliveries_of,
    reviews_for,
    with_deliveries,
    with_waiting,
)
from campaigns.dead_letters import STUCK, Cause, causes_of, retry_failed
from campaigns.models import Delivery
from campaigns.outage import ACTIONS, MAX_DAYS, MAX_HOURS, MOST_AT_ONCE, Settled, find_outages, settle_missed
from campaigns.preflight import AMBER, GREEN, RED, Flight, count_levels, find_flights
from social.access import get_connection
from social.models import Connection

# Of each kind; the counts tell of the rest, /api/deliveries?state= lists it.
SHOWN = 50
LEVELS = (GREEN, AMBER, RED)


def _connection_data(row: Connection) -> Data:
    return {"id": row.pk, "network": row.network, "handle": row.handle}


# --- what needs a person ----------------------------------------------------------------------------------


class AttentionCounts(serializers.Serializer[Any]):
    failed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    missed = serializers.IntegerField()
    risk = serializers.IntegerField()
    reviews = serializers.IntegerField(help_text="That the caller may decide.")
    connections = serializers.IntegerField()


class CauseAnswer(serializers.Serializer[Any]):
    connection = DeliveryConnection()
    code = serializers.CharField()
    text = serializers.CharField()
    count = serializers.IntegerField()
    can_retry = serializers.BooleanField(help_text="False while the account does not work.")


class RiskAnswer(DeliveryAnswer):
    risk = serializers.CharField(help_text="amber or red.")
    risk_text = serializers.CharField()


class AttentionReview(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    delivery = serializers.UUIDField()
    title = serializers.CharField()
    requested_at = serializers.DateTimeField()
    scheduled_at = serializers.DateTimeField(allow_null=True)


class AttentionConnection(DeliveryConnection):
    status = serializers.CharField()
    text = serializers.CharField()
    waiting = serializers.IntegerField(help_text="Posts that it holds up.")


class OutageAnswer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField(help_text="When the first of them was due.")
    ends_at = serializers.DateTimeField()
    deliveries = serializers.ListField(child=serializers.UUIDField())


class AttentionAnswer(serializers.Serializer[Any]):
    counts = AttentionCounts()
    causes = CauseAnswer(many=True, help_text="Why posts failed, by account.")
    failed = DeliveryAnswer(many=True)
    unconfirmed = DeliveryAnswer(many=True)
    missed = DeliveryAnswer(many=True)
    risk = RiskAnswer(many=True)
    reviews = AttentionReview(many=True)
    connections = AttentionConnection(many=True)
    outages = OutageAnswer(many=True, help_text="Many that were missed at once.")


class AttentionView(WorkspaceView):
    @extend_schema(
        operation_id="attention",
        tags=["attention"],
        summary=f"What needs a person, by kind; at most {SHOWN} of each",
        responses=AttentionAnswer,
    )
    def get(self, request: Request) -> Response:
        actor = self.actor
        actor.require(Perm.VIEW)
        counts = count_attention(actor)
        unsettled: Data = {tab: [delivery_data(row) for row in deliveries_of(actor, tab)[:SHOWN]] for tab in UNSETTLED}
        data = {
            "counts": {tab: counts[tab] for tab in TABS},
            "causes": [_cause_data(cause) for cause in causes_of(deliveries_of(actor, "failed"))],
            **unsettled,
            "risk": [_risk_data(row) for row in deliveries_of(actor, "risk")[:SHOWN]],
            "reviews": self._reviews(),
            "connections": self._connections(),
            "outages": [
                {"starts_at": one.starts_at, "ends_at": one.ends_at, "deliveries": [row.pk for row in one.deliveries]}
                for one in find_outages(actor)
            ],
        }
        return Response(data)

    def _reviews(self) -> list[Data]:
        return [
            {
                "id": review.pk,
                "delivery": row.pk,
                "title": row.post.title,
                "requested_at": review.requested_at,
                "scheduled_at": row.scheduled_at,
            }
            for review, row in with_deliveries(reviews_for(self.actor)[:SHOWN])
        ]

    def _connections(self) -> list[Data]:
        rows: Any = with_waiting(broken_connections(self.actor.workspace))[:SHOWN]
        return [
            _connection_data(row) | {"status": row.status, "text": row.status_text, "waiting": row.waiting}
            for row in rows
        ]


def _cause_data(cause: Cause) -> Data:
    return {
        "connection": _connection_data(cause.connection),
        "code": cause.code,
        "text": cause.text,
        "count": cause.count,
        "can_retry": cause.can_retry,
    }


def _risk_data(row: Delivery) -> Data:
    return delivery_data(row) | {"risk": row.risk, "risk_text": row.risk_text}


# --- pre-flight -------------------------------------------------------------------------------------------


class FindingAnswer(serializers.Serializer[Any]):
    level = serializers.ChoiceField([AMBER, RED])
    code = serializers.CharField()
    text = serializers.CharField()


class FlightAnswer(DeliveryAnswer):
    level = serializers.ChoiceField(LEVELS, help_text="red will not go out, amber may go wrong.")
    findings = FindingAnswer(many=True)


class LevelCounts(serializers.Serializer[Any]):
    green = serializers.IntegerField()
    amber = serializers.IntegerField()
    red = serializers.IntegerField()


class PreflightAnswer(serializers.Serializer[Any]):
    counts = LevelCounts()
    results = FlightAnswer(many=True)


class PreflightView(WorkspaceView):
    @extend_schema(
        operation_id="preflight",
        tags=["attention"],
        summary="Everything due in the next 24 hours and what is overdue, with what may keep it from going out",
        responses=PreflightAnswer,
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        flights = find_flights(self.actor)
        return Response({"counts": count_levels(flights), "results": [_flight_data(flight) for flight in flights]})


def _flight_data(flight: Flight) -> Data:
    findings = [{"level": one.level, "code": one.code, "text": one.text} for one in flight.findings]
    return delivery_data(flight.delivery) | {"level": flight.level, "findings": findings}


# --- acts on many -----------------------------------------------------------------------------------------


class RetryInput(serializers.Serializer[Any]):
    code = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="One cause, as /api/attention names it; all that failed or was missed by default.",
    )


class LeftOutAnswer(serializers.Serializer[Any]):
    delivery = serializers.UUIDField()
    detail = serializers.CharField()


class RetryAnswer(serializers.Serializer[Any]):
    planned = DeliveryAnswer(many=True, help_text="In order, at least a minute apart.")
    left_out = LeftOutAnswer(many=True)
    remaining = serializers.IntegerField(help_text="Left for another call.")


class RetryFailedView(WorkspaceView):
    @extend_schema(
        operation_id="connection_retry_failed",
        tags=["attention"],
        summary="Plan again what failed on this account and is still approved",
        request=RetryInput,
        responses=RetryAnswer,
    )
    def post(self, request: Request, connection_id: UUID) -> Response:
        connection = get_connection(self.actor, connection_id)
        self.actor.require(Perm.PUBLISH)
        code = valid(RetryInput(data=request.data)).get("code")
        retried = retry_failed(connection, by=self.actor, code=code, states=STUCK)
        left_out = [{"delivery": one.delivery.pk, "detail": one.reason} for one in retried.left_out]
        planned = [delivery_data(row) for row in retried.planned]
        return Response({"planned": planned, "left_out": left_out, "remaining": retried.remaining})


class SettleInput(serializers.Serializer[Any]):
    deliveries = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE)
    action = serializers.ChoiceField(
        ACTIONS, help_text="send now in order, take the next free slot, move by days and hours, or drop."
    )
    days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, default=0)
    hours = serializers.IntegerField(min_value=0, max_value=MAX_HOURS, default=0)


class SettleResult(serializers.Serializer[Any]):
    delivery = serializers.UUIDField()
    ok = serializers.BooleanField()
    scheduled_at = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField(help_text="Why nothing was done.")


class SettleAnswer(serializers.Serializer[Any]):
    results = SettleResult(many=True)


class SettleMissedView(WorkspaceView):
    @extend_schema(
        operation_id="deliveries_settle_missed",
        tags=["attention"],
        summary="Say what becomes of missed posts; one result for each",
        request=SettleInput,
        responses=SettleAnswer,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.PUBLISH)
        data = valid(SettleInput(data=request.data))
        wanted = list(dict.fromkeys(data["deliveries"]))
        found = list(visible_deliveries(self.actor).filter(pk__in=wanted))
        settled = self._settle(found, data) if found else []
        gone = [pk for pk in wanted if pk not in {row.pk for row in found}]
        return Response({"results": [_settled_data(one) for one in settled] + [_unknown_data(pk) for pk in gone]})

    def _settle(self, found: list[Delivery], data: Data) -> list[Settled]:
        return settle_missed(found, data["action"], by=self.actor, days=data["days"], hours=data["hours"])


def _settled_data(one: Settled) -> Data:
    return {"delivery": one.delivery.pk, "ok": one.is_done, "scheduled_at": one.at, "detail": one.reason}


def _unknown_data(pk: UUID) -> Data:
    return {"delivery": pk, "ok": False, "scheduled_at": None, "detail": "There is no such delivery."}
