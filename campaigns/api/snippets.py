"""/api/snippets: templates, hashtags, signatures."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.models import Snippet
from campaigns.snippets import create_snippet, delete_snippet, get_snippet, update_snippet, visible_snippets


class SnippetInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Snippet.Kind.choices)
    name = serializers.CharField(max_length=80)
    text = serializers.CharField(max_length=5_000, trim_whitespace=False)


class SnippetAnswer(SnippetInput):
    id = serializers.UUIDField()
    updated_at = serializers.DateTimeField()


def snippet_data(snippet: Snippet) -> Data:
    return {name: getattr(snippet, name) for name in ("id", "kind", "name", "text", "updated_at")}


class SnippetListView(ListView):
    @extend_schema(
        operation_id="snippets",
        tags=["snippets"],
        summary="Saved pieces of text, newest first",
        responses=SnippetAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_snippets(self.actor), snippet_data)

    @extend_schema(
        operation_id="snippet_create",
        tags=["snippets"],
        summary="Save a piece of text",
        request=SnippetInput,
        responses={201: SnippetAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(SnippetInput(data=request.data))
        return Response(snippet_data(create_snippet(by=self.actor, **data)), status=201)


class SnippetView(WorkspaceView):
    @extend_schema(operation_id="snippet", tags=["snippets"], summary="One piece of text", responses=SnippetAnswer)
    def get(self, request: Request, snippet_id: UUID) -> Response:
        return Response(snippet_data(get_snippet(self.actor, snippet_id)))

    @extend_schema(
        operation_id="snippet_replace",
        tags=["snippets"],
        summary="Change a piece of text; posts it was put into keep theirs",
        request=SnippetInput,
        responses=SnippetAnswer,
    )
    def put(self, request: Request, snippet_id: UUID) -> Response:
        snippet = get_snippet(self.actor, snippet_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(SnippetInput(data=request.data))
        return Response(snippet_data(update_snippet(snippet, by=self.actor, **data)))

    @extend_schema(
        operation_id="snippet_delete", tags=["snippets"], summary="Delete a piece of text", responses={204: None}
    )
    def delete(self, request: Request, snippet_id: UUID) -> Response:
        delete_snippet(get_snippet(self.actor, snippet_id), by=self.actor)
        return Response(status=204)
