"""/api/posts/{id}/matrix: where a post may go."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_post
from campaigns.api.answers import valid
from campaigns.guard_matrix import MOST, matrix_data, matrix_of_post
from compliance.guard import Verdict


class MatrixFilter(serializers.Serializer[Any]):
    markets = serializers.CharField(
        max_length=200, required=False, default="", help_text=f"Up to {MOST}, with commas; otherwise the post's own."
    )
    platforms = serializers.CharField(
        max_length=200, required=False, default="", help_text=f"Up to {MOST}, with commas; otherwise the usual ones."
    )


class CellAnswer(serializers.Serializer[Any]):
    market = serializers.CharField()
    platform = serializers.CharField()
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    rule = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True, help_text="The smallest change that helps.")
    words = serializers.CharField(allow_blank=True, help_text="What stands there now.")
    replacement = serializers.CharField(allow_null=True, allow_blank=True, help_text="Settles it in their place.")
    more = serializers.IntegerField(help_text="How many more findings ask for something.")


class MatrixAnswer(serializers.Serializer[Any]):
    markets = serializers.ListField(child=serializers.CharField())
    platforms = serializers.ListField(child=serializers.CharField())
    cells = CellAnswer(many=True)


class MatrixView(WorkspaceView):
    @extend_schema(
        operation_id="post_matrix",
        tags=["posts"],
        summary="Where a post may go: each market on each platform",
        parameters=[MatrixFilter],
        responses=MatrixAnswer,
    )
    def get(self, request: Request, post_id: UUID) -> Response:
        post = get_post(self.actor, post_id)
        self.actor.require(Perm.VIEW)
        wanted = valid(MatrixFilter(data=request.query_params))
        places = {name: [part for part in wanted[name].split(",") if part.strip()] for name in wanted}
        return Response(matrix_data(matrix_of_post(post, **places)))
