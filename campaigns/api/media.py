"""/api/media: the library of pictures, GIFs and videos."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_asset, visible_assets
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.library import add_upload
from campaigns.models import MediaAsset


class UploadInput(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=200)


class AssetAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(["image", "gif", "video"])
    mime = serializers.CharField()
    sha256 = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    duration_ms = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


FIELDS = [str(name) for name in AssetAnswer().fields]


def asset_data(asset: MediaAsset) -> Data:
    return {name: getattr(asset, name) for name in FIELDS}


class MediaListView(ListView):
    parser_classes = [MultiPartParser]

    def _claim_key(self, request: Request) -> None:
        """The same bytes are the same file anyway; a fingerprint would hold the whole upload in memory."""

    @extend_schema(
        operation_id="media", tags=["media"], summary="Files, newest first", responses=AssetAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_assets(self.actor), asset_data)

    @extend_schema(
        operation_id="media_upload",
        tags=["media"],
        summary="Upload a picture, a GIF or a video; the same bytes again are the same file",
        request={"multipart/form-data": UploadInput},
        responses={201: AssetAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        upload = valid(UploadInput(data=request.data))["file"]
        return Response(asset_data(add_upload(upload, by=self.actor)), status=201)


class MediaView(WorkspaceView):
    @extend_schema(operation_id="media_file", tags=["media"], summary="One file", responses=AssetAnswer)
    def get(self, request: Request, asset_id: UUID) -> Response:
        return Response(asset_data(get_asset(self.actor, asset_id)))
