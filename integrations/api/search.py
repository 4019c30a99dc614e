"""/api/search."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import Data, valid
from accounts.rest import WorkspaceView
from integrations.search.queries import MAX_TEXT
from integrations.search.services import KINDS, LIMIT, MAX_LIMIT, QUICK, Group, Hit, find

TEXT = OpenApiParameter(
    "q",
    {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
    required=True,
    description='Words in Chinese or English; the last may be unfinished, "phrases" are whole.',
)
KIND = OpenApiParameter("kind", str, enum=list(KINDS), many=True, description="Only these; repeat it for several.")
LIMITED = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    description=f"For each kind; {LIMIT} where it is left out.",
)
FOUND = OpenApiExample(
    "A post",
    {
        "groups": [
            {
                "kind": "post",
                "has_more": False,
                "hits": [
                    {
                        "id": "01900000-0000-7000-8000-000000000001",
                        "title": "Spring <mark>coffee</mark>",
                        "text": "Our spring <mark>coffee</mark> is here.",
                        "path": "/posts/01900000-0000-7000-8000-000000000001",
                        "at": "2026-11-21T09:00:00Z",
                    }
                ],
            }
        ]
    },
    response_only=True,
)


class SearchInput(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=MAX_TEXT)
    kind = serializers.ListField(
        child=serializers.ChoiceField(list(KINDS), error_messages={"invalid_choice": "This is none of the choices."}),
        required=False,
        default=list(QUICK),
    )
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MAX_LIMIT)


class FoundAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField(help_text="HTML: escaped, with <mark> around what was asked for.")
    text = serializers.CharField(allow_blank=True, help_text="HTML, as the title.")
    path = serializers.CharField(help_text="Its page, inside the workspace.")
    at = serializers.DateTimeField(allow_null=True)


class GroupAnswer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    has_more = serializers.BooleanField()
    hits = FoundAnswer(many=True)


class SearchAnswer(serializers.Serializer[Any]):
    groups = GroupAnswer(many=True)


def hit_data(hit: Hit) -> Data:
    return {"id": hit.id, "title": hit.title, "text": hit.text, "path": hit.path, "at": hit.at}


def group_data(group: Group) -> Data:
    return {"kind": group.kind, "has_more": group.has_more, "hits": [hit_data(hit) for hit in group.hits]}


class SearchView(WorkspaceView):
    @extend_schema(
        operation_id="search",
        tags=["search"],
        summary="Posts, campaigns, people, conversations and the audit trail, as far as the caller may see them",
        parameters=[TEXT, KIND, LIMITED],
        responses=SearchAnswer,
        examples=[FOUND],
    )
    def get(self, request: Request) -> Response:
        given = {name: request.query_params[name] for name in ("q", "limit") if name in request.query_params}
        if kinds := request.query_params.getlist("kind"):
            given["kind"] = kinds  # type: ignore[assignment]
        asked = valid(SearchInput(data=given))
        groups = find(asked["q"], by=self.actor, kinds=asked["kind"], limit=asked["limit"])
        return Response({"groups": [group_data(group) for group in groups]})
