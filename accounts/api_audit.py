"""/api/audit: who decided what, as one can search, take away and check it."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import ListView
from accounts.audit_anchor import verify_workspace
from accounts.audit_export import FORMATS, export_entries
from accounts.audit_queries import MAX_WORDS, YEARS, AuditFilter, search_entries
from accounts.models import AuditEntry
from accounts.paging import CursorPages
from accounts.rest import WorkspaceView, paged

TEXTS = {
    "action": "Exactly this action, such as member.role.",
    "who": "Part of the person's address, or of the policy's name.",
    "about": "A kind of object, an id, or both with a space between.",
    "q": "Words in the details.",
}
DAYS = {"from": "First day, of the workspace's zone.", "to": "Last day."}


class AuditQuery(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        # Two of the names are words of Python.
        texts = {
            name: serializers.CharField(max_length=MAX_WORDS, required=False, allow_blank=True, help_text=text)
            for name, text in TEXTS.items()
        }
        return texts | {name: serializers.DateField(required=False, help_text=text) for name, text in DAYS.items()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if wrong := [name for name in DAYS if name in attrs and attrs[name].year not in YEARS]:
            raise serializers.ValidationError({wrong[0]: "Choose a day of this century."})
        return attrs


class AuditExportQuery(AuditQuery):
    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "as": serializers.ChoiceField(list(FORMATS), default="csv")}


class AuditAnswer(serializers.ModelSerializer[AuditEntry]):
    who = serializers.SerializerMethodField(help_text="Empty where it was erased.")
    data = serializers.SerializerMethodField()  # type: ignore[assignment]  # the public name

    class Meta:
        model = AuditEntry
        fields = ["number", "at", "who", "action", "object_kind", "object_id", "data", "hash"]

    def get_who(self, entry: AuditEntry) -> str:
        detail = getattr(entry, "detail", None)
        return detail.actor if detail else ""

    def get_data(self, entry: AuditEntry) -> dict[str, Any]:
        detail = getattr(entry, "detail", None)
        return detail.data if detail else {}


class ReportAnswer(serializers.Serializer[Any]):
    is_whole = serializers.BooleanField()
    entries = serializers.IntegerField()
    anchors = serializers.IntegerField(help_text="How often this chain was written down outside the database.")
    anchored_to = serializers.IntegerField(help_text="The newest entry that an anchor covers; 0 for none.")
    anchored_on = serializers.CharField(help_text="The day of that anchor, in UTC; empty for none.")
    faults = serializers.ListField(child=serializers.CharField(), help_text="The first ones, in plain words.")


class NewestFirst(CursorPages):
    ordering = "-number"


def _wanted(serializer: AuditQuery) -> AuditFilter:
    serializer.is_valid(raise_exception=True)
    return AuditFilter.of(serializer.validated_data)


class AuditView(ListView):
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="audit",
        tags=["audit"],
        summary="The audit trail, newest first",
        parameters=[AuditQuery],
        responses=AuditAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        entries = search_entries(self.actor, _wanted(AuditQuery(data=request.query_params)))
        return paged(self, entries, AuditAnswer)


class AuditExportView(WorkspaceView):
    @extend_schema(
        operation_id="audit_export",
        tags=["audit"],
        summary="The audit trail as CSV or JSON lines",
        parameters=[AuditExportQuery],
        responses={(200, kind.split(";")[0]): OpenApiTypes.BINARY for kind in FORMATS.values()},
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = AuditExportQuery(data=request.query_params)
        wanted = _wanted(query)
        return export_entries(wanted, query.validated_data["as"], by=self.actor)


class AuditVerifyView(WorkspaceView):
    @extend_schema(
        operation_id="audit_verify",
        tags=["audit"],
        summary="Check the trail against itself and against the anchors outside the database",
        responses=ReportAnswer,
    )
    def get(self, request: Request) -> Response:
        return Response(ReportAnswer(verify_workspace(by=self.actor)).data)
