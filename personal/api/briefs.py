"""/api/users/{id}/briefs"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import Data, page_of
from personal.access import get_brief, visible_briefs
from personal.api.own import USER_ID, OwnListView, OwnView
from personal.archive import data_of
from personal.briefs import mark_read
from personal.models import Brief


class LineAnswer(serializers.Serializer[Any]):
    text = serializers.CharField()
    path = serializers.CharField(allow_blank=True, help_text="Where it leads, inside the workspace.")


class SectionAnswer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="needs_you, today, yesterday, watchlist, alerts, answer")
    title = serializers.CharField()
    lines = LineAnswer(many=True)


class BriefRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    language = serializers.CharField()
    task = serializers.UUIDField(allow_null=True)
    wanted_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    is_archived = serializers.BooleanField()


class BriefAnswer(BriefRow):
    words = serializers.CharField(allow_blank=True)
    sections = SectionAnswer(many=True)


def brief_data(row: Brief) -> Data:
    return {
        "id": row.pk,
        "title": row.title,
        "language": row.language,
        "task": row.task_id,
        "wanted_at": row.wanted_at,
        "created_at": row.created_at,
        "read_at": row.read_at,
        "is_archived": row.archived_at is not None,
    }


class BriefListView(OwnListView):
    @extend_schema(
        operation_id="briefs",
        tags=["personal"],
        summary="Your briefs, newest first",
        parameters=[USER_ID],
        responses=BriefRow(many=True),
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        return page_of(self, visible_briefs(self.actor).defer("data"), brief_data)


class BriefView(OwnView):
    @extend_schema(
        operation_id="brief",
        tags=["personal"],
        summary="One brief, wherever it is kept; it counts as read",
        parameters=[USER_ID],
        responses=BriefAnswer,
    )
    def get(self, request: Request, user_id: UUID, brief_id: UUID) -> Response:
        row = get_brief(self.actor, brief_id)
        mark_read(row)
        data = data_of(row)
        return Response(brief_data(row) | {"words": data.get("words", ""), "sections": data.get("sections", [])})
