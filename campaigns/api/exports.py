"""/api/export: plan and results as a file."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.rest import WorkspaceView
from campaigns.api.answers import Data, valid
from campaigns.export_answers import export_answer, wanted_posts
from campaigns.exports import FORMATS
from campaigns.models import Delivery
from campaigns.post_queries import TABS, PostFilter


class ExportFilter(serializers.Serializer[Any]):
    tab = serializers.ChoiceField(list(TABS), required=False, help_text="As in the list of posts.")
    q = serializers.CharField(max_length=200, required=False, help_text="Words in title and texts.")
    campaign = serializers.UUIDField(required=False)
    connection = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(Delivery.State.choices, required=False, help_text="Of any of its deliveries.")

    def get_fields(self) -> dict[str, Any]:
        # Two of the names are words of Python.
        days = {name: serializers.DateField(required=False, help_text=text) for name, text in DAYS.items()}
        form = serializers.ChoiceField(list(FORMATS), default="csv")
        return {**super().get_fields(), **days, "as": form}

    def validate(self, attrs: Data) -> Data:
        if wrong := [name for name in DAYS if name in attrs and not 2000 <= attrs[name].year <= 2100]:
            raise serializers.ValidationError({wrong[0]: "Choose a day of this century."})
        return attrs


LINES = {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}}
DAYS = {"from": "First day, of the workspace's zone.", "to": "Last day."}


class ExportView(WorkspaceView):
    @extend_schema(
        operation_id="export",
        tags=["imports"],
        summary="Plan and results as CSV, XLSX or JSON; one row for each account of a post",
        parameters=[ExportFilter],
        responses={(200, kind.split(";")[0]): OpenApiTypes.BINARY for kind in FORMATS.values()}
        | {(200, FORMATS["json"]): LINES},
    )
    def get(self, request: Request) -> HttpResponseBase:
        data = valid(ExportFilter(data=request.query_params))
        wanted = PostFilter(data.get("tab", ""), data.get("q", ""), data.get("campaign"), data.get("connection"))
        days = (data.get("from"), data.get("to"))
        posts = wanted_posts(self.actor, wanted, state=data.get("state", ""), days=days)
        return export_answer(posts, data["as"], by=self.actor)
