"""/api/users/{id}/watchlist"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import Data, page_of, valid
from personal.access import get_watch, visible_watches
from personal.api.own import USER_ID, OwnListView, OwnView
from personal.models import Watch, WatchKind
from personal.values import show_value
from personal.watching import MAX_LABEL, MAX_PERCENT, add_watch, change_watch, remove_watch

UNKNOWN: dict[str, Any] = {"invalid_choice": "This is none of the choices."}
KIND = OpenApiParameter("kind", str, enum=WatchKind.values, description="Only these.")
EXAMPLES = [
    OpenApiExample("A symbol", {"value": "$ACME", "alert_percent": 5}, request_only=True),
    OpenApiExample("An account", {"value": "@roastery"}, request_only=True),
    OpenApiExample("A keyword", {"value": "春季豆子", "kind": "keyword"}, request_only=True),
]


class WatchFilter(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=WatchKind.choices, required=False, error_messages=UNKNOWN)


class WatchChange(serializers.Serializer[Any]):
    label = serializers.CharField(  # type: ignore[assignment]  # taken out of the class
        max_length=MAX_LABEL, required=False, allow_blank=True, help_text="Your own name for it."
    )
    alert_percent = serializers.FloatField(
        min_value=0.01,
        max_value=MAX_PERCENT,
        required=False,
        allow_null=True,
        help_text="Tell at once when a price moves by so many per cent; null for only in briefs.",
    )


class WatchInput(WatchChange):
    value = serializers.CharField(max_length=200, help_text="@account, #tag or word, $SYMBOL, or an address on X.")
    kind = serializers.ChoiceField(
        choices=WatchKind.choices, required=False, error_messages=UNKNOWN, help_text="By default what the sign says."
    )


class WatchAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    value = serializers.CharField(help_text="Lower case, without its sign.")
    shown = serializers.CharField(help_text="As people write it.")
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # taken out of the class
    alert_percent = serializers.FloatField(allow_null=True)
    latest = serializers.DictField(help_text="price, text, currency, at of a symbol; id, text, at, url of a post.")
    has_news = serializers.BooleanField(help_text="Something came that you were not told of yet.")
    problem = serializers.CharField(allow_blank=True, help_text="Why there is nothing newer.")
    read_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


def watch_data(row: Watch) -> Data:
    return {
        "id": row.pk,
        "kind": row.value.kind,
        "value": row.value.value,
        "shown": show_value(row.value.kind, row.value.value),
        "label": row.label,
        "alert_percent": row.alert_percent,
        "latest": row.value.data,
        "has_news": row.value.last_seq > row.seen_seq,
        "problem": row.value.problem_text,
        "read_at": row.value.read_at,
        "created_at": row.created_at,
    }


class WatchlistView(OwnListView):
    @extend_schema(
        operation_id="watchlist",
        tags=["personal"],
        summary="What you watch, newest first",
        parameters=[USER_ID, KIND],
        responses=WatchAnswer(many=True),
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        wanted = valid(WatchFilter(data=request.query_params))
        rows = visible_watches(self.actor)
        if "kind" in wanted:
            rows = rows.filter(value__kind=wanted["kind"])
        return page_of(self, rows, watch_data)

    @extend_schema(
        operation_id="watchlist_add",
        tags=["personal"],
        summary="Watch something; 200 where you do already",
        parameters=[USER_ID],
        request=WatchInput,
        responses={201: WatchAnswer, 200: WatchAnswer},
        examples=EXAMPLES,
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        data = valid(WatchInput(data=request.data))
        row, is_new = add_watch(data.pop("value"), by=self.actor, **data)
        return Response(watch_data(row), status=201 if is_new else 200)


class WatchView(OwnView):
    @extend_schema(
        operation_id="watch", tags=["personal"], summary="One of them", parameters=[USER_ID], responses=WatchAnswer
    )
    def get(self, request: Request, user_id: UUID, watch_id: UUID) -> Response:
        return Response(watch_data(get_watch(self.actor, watch_id)))

    @extend_schema(
        operation_id="watch_update",
        tags=["personal"],
        summary="Change your name for it, or when you are told",
        parameters=[USER_ID],
        request=WatchChange,
        responses=WatchAnswer,
    )
    def patch(self, request: Request, user_id: UUID, watch_id: UUID) -> Response:
        row = get_watch(self.actor, watch_id)
        return Response(watch_data(change_watch(row, by=self.actor, **valid(WatchChange(data=request.data)))))

    @extend_schema(
        operation_id="watch_remove",
        tags=["personal"],
        summary="Watch it no longer",
        parameters=[USER_ID],
        responses={204: None},
    )
    def delete(self, request: Request, user_id: UUID, watch_id: UUID) -> Response:
        remove_watch(get_watch(self.actor, watch_id), by=self.actor)
        return Response(status=204)
