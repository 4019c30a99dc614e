"""/api/imports: plans as CSV or XLSX. A dry run first, then the background makes it so."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.parsing import ShallowJSONParser
from accounts.rest import WorkspaceView
from campaigns.access import get_import, visible_imports
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.imports.mapping import FIELDS
from campaigns.imports.reading import MAX_BYTES
from campaigns.imports.services import check_import, count_fates, create_import, delete_import, start_import
from campaigns.models import Import
from campaigns.tasks import apply_import

ACTIONS = ("create", "update", "same", "skip", "error")
MAX_ROWS_SHOWN = 500


class ImportInput(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=200, help_text="CSV or XLSX.")
    mapping = serializers.JSONField(
        required=False, help_text=f"Field to column; guessed when left out. Fields: {', '.join(FIELDS)}."
    )
    time_zone = serializers.CharField(max_length=64, required=False, help_text="The workspace's own by default.")

    def validate_mapping(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(column, str) for column in value.values()):
            raise serializers.ValidationError("Give an object of field and column.")
        return value


class ImportChange(serializers.Serializer[Any]):
    mapping = serializers.DictField(child=serializers.CharField(max_length=200, allow_blank=True), required=False)
    time_zone = serializers.CharField(max_length=64, required=False)


class FateAnswer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As spreadsheets count; the names of the columns are row 1.")
    action = serializers.ChoiceField(ACTIONS)
    messages = serializers.ListField(child=serializers.CharField())
    post = serializers.UUIDField(allow_null=True)


class ImportAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Import.Status.choices)
    columns = serializers.ListField(child=serializers.CharField())
    mapping = serializers.DictField(child=serializers.CharField())
    time_zone = serializers.CharField()
    total = serializers.IntegerField(help_text="Rows of the file.")
    done = serializers.IntegerField(help_text="Rows that are settled for good.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Of rows by action.")
    created_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)


class ImportDetail(ImportAnswer):
    rows = FateAnswer(many=True)


class RowFilter(serializers.Serializer[Any]):
    action = serializers.ChoiceField(ACTIONS, required=False)
    after = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=10_000, help_text=f"Row number; {MAX_ROWS_SHOWN} at a time."
    )


def import_data(imported: Import) -> Data:
    return {
        "id": imported.pk,
        "name": imported.name,
        "status": imported.status,
        "columns": imported.columns,
        "mapping": imported.mapping,
        "time_zone": imported.time_zone,
        "total": len(imported.rows),
        "done": imported.done_rows,
        "counts": count_fates(imported),
        "created_at": imported.created_at,
        "applied_at": imported.applied_at,
    }


def _detail(imported: Import, wanted: Data | None = None, status: int = 200) -> Response:
    wanted = wanted or {"after": 0}
    rows = [
        {"row": number, "action": fate["action"], "messages": fate["messages"], "post": fate["post"] or None}
        for number, fate in enumerate(imported.fates, start=2)
        if number > wanted["after"] and fate["action"] == wanted.get("action", fate["action"])
    ]
    return Response({**import_data(imported), "rows": rows[:MAX_ROWS_SHOWN]}, status=status)


class ImportListView(ListView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="imports", tags=["imports"], summary="Imported plans", responses=ImportAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_imports(self.actor), import_data)

    @extend_schema(
        operation_id="import_create",
        tags=["imports"],
        summary="Upload a plan and see each row's fate; nothing is made of it yet",
        request={"multipart/form-data": ImportInput},
        responses={201: ImportDetail},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ImportInput(data=request.data))
        upload = data["file"]
        # One byte more than allowed tells the service that it is too large.
        content = upload.read(MAX_BYTES + 1)
        imported = create_import(upload.name or "", content, by=self.actor, time_zone=data.get("time_zone", ""))
        mapping = data.get("mapping")
        if mapping is not None or {"text", "media"} & imported.mapping.keys():
            imported = check_import(imported, by=self.actor, mapping=mapping)
        return _detail(imported, status=201)


class ImportView(WorkspaceView):
    parser_classes = [ShallowJSONParser]

    @extend_schema(
        operation_id="import",
        tags=["imports"],
        summary="One import with the fates of its rows",
        parameters=[RowFilter],
        responses=ImportDetail,
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        imported = get_import(self.actor, import_id)
        return _detail(imported, valid(RowFilter(data=request.query_params)))

    @extend_schema(
        operation_id="import_check",
        tags=["imports"],
        summary="Choose other columns or another zone, and check again",
        request=ImportChange,
        responses=ImportDetail,
    )
    def patch(self, request: Request, import_id: UUID) -> Response:
        imported = get_import(self.actor, import_id)
        data = valid(ImportChange(data=request.data))
        return _detail(check_import(imported, by=self.actor, **data))

    @extend_schema(
        operation_id="import_delete",
        tags=["imports"],
        summary="Forget the file; posts made from it stay",
        responses={204: None},
    )
    def delete(self, request: Request, import_id: UUID) -> Response:
        delete_import(get_import(self.actor, import_id), by=self.actor)
        return Response(status=204)


class ImportApplyView(WorkspaceView):
    @extend_schema(
        operation_id="import_apply",
        tags=["imports"],
        summary="Make posts of the rows in the background; watch `done`",
        request=None,
        responses={202: ImportAnswer},
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        imported = start_import(get_import(self.actor, import_id), by=self.actor)
        transaction.on_commit(partial(apply_import.delay, str(imported.workspace_id), str(imported.pk)))
        return Response(import_data(imported), status=202)
