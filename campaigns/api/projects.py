"""/api/projects: media folders and feeds that become posts (sources, as the pages call them)."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_source, visible_sources
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.api.posts import find_campaign
from campaigns.models import Source, SourceItem
from campaigns.source_config import MAX_LANGUAGE, MAX_NEWEST, MAX_TAGS, MAX_TEMPLATE, PLACEHOLDERS, read_config
from campaigns.source_rescan import is_small
from campaigns.sources import create_source, delete_source, scan_source, update_source
from campaigns.tasks import scan_one_source

Status = SourceItem.Status


class ConfigInput(serializers.Serializer[Any]):
    """How its posts are written. What is left out stays as it is."""

    text_template = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_TEMPLATE,
        trim_whitespace=False,
        help_text=f"With {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}; empty for the usual text.",
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=MAX_TAGS)
    language = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_LANGUAGE, help_text="Such as zh-CN."
    )
    enhance = serializers.BooleanField(required=False, help_text="Agents may improve its texts.")
    newest_only = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_NEWEST, help_text="Drafts of the first reading of a feed."
    )
    submit = serializers.BooleanField(required=False, help_text="New posts go to review by themselves.")


class ProjectFields(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    folder = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Relative to the workspace's media folder."
    )
    feed_url = serializers.CharField(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text="Of an RSS or Atom feed, or a page with one.",
    )
    config = ConfigInput(required=False)
    campaign = serializers.UUIDField(required=False, allow_null=True, help_text="Of new posts.")
    connections = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=100, help_text="Of new posts."
    )


class ProjectChange(ProjectFields):
    is_active = serializers.BooleanField(required=False, help_text="Whether it is scanned now and then.")


class ProjectInput(ProjectFields):
    """A folder or a feed."""

    name = serializers.CharField(max_length=120)

    def validate(self, attrs: Data) -> Data:
        if bool(attrs.get("folder")) == bool(attrs.get("feed_url")):
            raise serializers.ValidationError({"folder": "Give a folder or the address of a feed."})
        return attrs


class ProjectFilter(serializers.Serializer[Any]):
    campaign = serializers.UUIDField(required=False, help_text="Several may share one.")
    kind = serializers.ChoiceField(Source.Kind.choices, required=False)


class FileCounts(serializers.Serializer[Any]):
    used = serializers.IntegerField()
    problem = serializers.IntegerField()
    vanished = serializers.IntegerField()


class ConfigAnswer(serializers.Serializer[Any]):
    text_template = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField()
    enhance = serializers.BooleanField()
    newest_only = serializers.IntegerField()
    submit = serializers.BooleanField()


class ProjectAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Source.Kind.choices)
    name = serializers.CharField()
    folder = serializers.CharField()
    feed_url = serializers.CharField()
    config = ConfigAnswer()
    campaign = serializers.UUIDField(allow_null=True)
    connections = serializers.ListField(child=serializers.UUIDField())
    is_active = serializers.BooleanField()
    files = FileCounts()
    scanned_at = serializers.DateTimeField(allow_null=True)
    next_scan_at = serializers.DateTimeField(allow_null=True, help_text="When a feed is read again by itself.")
    scan_error = serializers.CharField(help_text="Why the last scan could not run.")
    created_at = serializers.DateTimeField()


class FileAnswer(serializers.Serializer[Any]):
    path = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    post = serializers.UUIDField(allow_null=True)
    has_newer_file = serializers.BooleanField()
    code = serializers.CharField()
    message = serializers.CharField()
    seen_at = serializers.DateTimeField()


class ProjectDetail(ProjectAnswer):
    items = FileAnswer(many=True)


class ScanInput(serializers.Serializer[Any]):
    project = serializers.UUIDField()


class ProblemAnswer(serializers.Serializer[Any]):
    path = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ScanAnswer(serializers.Serializer[Any]):
    project = serializers.UUIDField()
    status = serializers.ChoiceField(["done", "queued"])
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    renamed = serializers.IntegerField()
    vanished = serializers.IntegerField()
    problems = ProblemAnswer(many=True)
    error = serializers.CharField(help_text="Why nothing could be scanned; empty when it could.")


class QueuedScan(serializers.Serializer[Any]):
    project = serializers.UUIDField()
    status = serializers.ChoiceField(["queued"])


def _with_counts(rows: QuerySet[Source]) -> QuerySet[Source]:
    counts = {f"{status}_files": Count("items", filter=Q(items__status=status)) for status in Status.values}
    return rows.annotate(**counts).prefetch_related("targets")


def project_data(source: Source) -> Data:
    """Expects `_with_counts`."""
    return {
        "id": source.pk,
        "kind": source.kind,
        "name": source.name,
        "folder": source.folder,
        "feed_url": source.feed_url,
        "config": read_config(source.config).as_json(),
        "campaign": source.campaign_id,
        "connections": [target.connection_id for target in source.targets.all()],
        "is_active": source.is_active,
        "files": {status: getattr(source, f"{status}_files") for status in Status.values},
        "scanned_at": source.scanned_at,
        "next_scan_at": source.next_scan_at,
        "scan_error": source.scan_error,
        "created_at": source.created_at,
    }


def _item_data(item: SourceItem) -> Data:
    return {
        "path": item.path,
        "status": item.status,
        "post": item.post_id,
        "has_newer_file": item.has_newer_file,
        "code": item.code,
        "message": item.message,
        "seen_at": item.seen_at,
    }


def _detail(source: Source, status: int = 200) -> Response:
    source = _with_counts(Source.objects.filter(pk=source.pk)).get()
    items = [_item_data(item) for item in SourceItem.objects.filter(source=source)]
    return Response({**project_data(source), "items": items}, status=status)


class ProjectListView(ListView):
    @extend_schema(
        operation_id="projects",
        tags=["projects"],
        summary="Media folders and feeds with their configuration and last scans",
        parameters=[ProjectFilter],
        responses=ProjectAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = valid(ProjectFilter(data=request.query_params))
        return page_of(self, _with_counts(visible_sources(self.actor).filter(**wanted)), project_data)

    @extend_schema(
        operation_id="project_create",
        tags=["projects"],
        summary="Name a folder or a feed to read",
        request=ProjectInput,
        responses={201: ProjectDetail},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ProjectInput(data=request.data))
        data["campaign"] = find_campaign(self, data.get("campaign"))
        return _detail(create_source(by=self.actor, **data), status=201)


class ProjectView(WorkspaceView):
    @extend_schema(
        operation_id="project",
        tags=["projects"],
        summary="One source: every file or entry, what became of it, or why it could not be used",
        responses=ProjectDetail,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        return _detail(get_source(self.actor, project_id))

    @extend_schema(
        operation_id="project_update",
        tags=["projects"],
        summary="Change where it reads and where new posts go",
        request=ProjectChange,
        responses=ProjectDetail,
    )
    def patch(self, request: Request, project_id: UUID) -> Response:
        source = get_source(self.actor, project_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ProjectChange(data=request.data))
        if "campaign" in data:
            data["campaign"] = find_campaign(self, data["campaign"])
        return _detail(update_source(source, by=self.actor, **data))

    @extend_schema(
        operation_id="project_delete",
        tags=["projects"],
        summary="Forget the source; its files and posts stay",
        responses={204: None},
    )
    def delete(self, request: Request, project_id: UUID) -> Response:
        delete_source(get_source(self.actor, project_id), by=self.actor)
        return Response(status=204)


class ScanView(WorkspaceView):
    @extend_schema(
        operation_id="project_scan",
        tags=["projects"],
        summary="Read it now; large folders and feeds are read in the background",
        request=ScanInput,
        responses={200: ScanAnswer, 202: QueuedScan},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        source = self._named(valid(ScanInput(data=request.data))["project"])
        if is_small(source):
            report = asdict(scan_source(source, by=self.actor))
            return Response({"project": source.pk, "status": "done", **report})
        ids = str(source.workspace_id), str(source.pk)
        transaction.on_commit(lambda: scan_one_source.delay(*ids))
        return Response({"project": source.pk, "status": "queued"}, status=202)

    def _named(self, project_id: UUID) -> Source:
        source = visible_sources(self.actor).select_related("workspace").filter(pk=project_id).first()
        if source is None:
            raise ValidationError({"project": "There is no such project."})
        return source
