"""/api/posts/{id}/versions"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_post
from campaigns.api.answers import Data, ListView, page_of, tagged
from campaigns.api.posts import PostAnswer, one_post
from campaigns.models import PostVersion
from campaigns.version_acts import bring_back_version
from campaigns.versions import get_version


class VersionAnswer(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    content = serializers.DictField(help_text="As it was saved; what was empty is left out.")


def version_data(version: PostVersion) -> Data:
    return {
        "revision": version.revision,
        "author": version.author,
        "created_at": version.created_at,
        "content": version.content,
    }


class VersionListView(ListView):
    @extend_schema(
        operation_id="post_versions",
        tags=["posts"],
        summary="Every saved content of a post, newest first",
        responses=VersionAnswer(many=True),
    )
    def get(self, request: Request, post_id: UUID) -> Response:
        post = get_post(self.actor, post_id)
        self.actor.require(Perm.VIEW)
        return page_of(self, PostVersion.objects.filter(post=post), version_data)


class BringBackView(WorkspaceView):
    @extend_schema(
        operation_id="post_bring_back",
        tags=["posts"],
        summary="Save a former version again; what was approved needs a new approval",
        request=None,
        responses=PostAnswer,
    )
    def post(self, request: Request, post_id: UUID, revision: int) -> Response:
        post = get_post(self.actor, post_id)
        self.actor.require(Perm.CONTENT_EDIT)
        post = bring_back_version(post, get_version(post, revision), by=self.actor)
        return tagged(one_post(post), post.revision)
