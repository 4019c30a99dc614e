"""/api/reviews/links: links by which a client decides without an account."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import visible_campaigns, visible_posts
from campaigns.api.answers import Data, ListView, page_of, valid
from compliance.models import ReviewLink
from compliance.reviews.links import DAYS, MOST_DAYS, create_link, link_url, revoke_link


class LinkInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, help_text="Who it is for.")
    email = serializers.EmailField(
        required=False, allow_blank=True, default="", help_text="They get the link by mail; otherwise pass it on."
    )
    days = serializers.IntegerField(required=False, default=DAYS, min_value=1, max_value=MOST_DAYS)
    campaign = serializers.UUIDField(required=False, help_text="Opens all that waits in it. Give this or a post.")
    post = serializers.UUIDField(required=False)

    def validate(self, data: Data) -> Data:
        if ("campaign" in data) == ("post" in data):
            raise serializers.ValidationError({"campaign": "Give a campaign or a post."})
        return data


class LinkAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    scope = serializers.UUIDField(help_text="The campaign or post it opens.")
    scope_label = serializers.CharField()
    is_open = serializers.BooleanField(help_text="False once it ran out or was closed.")
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewLinkAnswer(LinkAnswer):
    url = serializers.URLField(allow_null=True, help_text="Shown this once; null where the request is repeated.")


class LinkFilter(serializers.Serializer[Any]):
    scope = serializers.UUIDField(required=False, help_text="A campaign or a post.")


SAME = ("name", "email", "scope_label", "is_open", "created_at", "expires_at", "revoked_at", "last_used_at")


def link_data(link: ReviewLink) -> Data:
    maker = str(link.created_by) if link.created_by else None
    return {"id": link.pk, "scope": link.scope_id, "created_by": maker} | {name: getattr(link, name) for name in SAME}


class LinkListView(ListView):
    secret_fields = frozenset({"url"})

    @extend_schema(
        operation_id="review_links",
        tags=["reviews"],
        summary="Links for clients, newest first, without their addresses",
        parameters=[LinkFilter],
        responses=LinkAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        rows = ReviewLink.objects.filter(workspace=self.actor.workspace).select_related("created_by")
        if scope := valid(LinkFilter(data=request.query_params)).get("scope"):
            rows = rows.filter(scope_id=scope)
        return page_of(self, rows, link_data)

    @extend_schema(
        operation_id="review_link_create",
        tags=["reviews"],
        summary="A link for a client; its address is shown once",
        request=LinkInput,
        responses={201: NewLinkAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.REVIEW)
        self.actor.require(Perm.MEMBERS)
        data = valid(LinkInput(data=request.data))
        scope_id, label = self._opened(data)
        asked = {name: data[name] for name in ("name", "email", "days")}
        link, token = create_link(by=self.actor, scope_id=scope_id, scope_label=label, **asked)
        return Response(link_data(link) | {"url": link_url(token)}, status=201)

    def _opened(self, data: Data) -> tuple[UUID, str]:
        kind = "campaign" if "campaign" in data else "post"
        rows: QuerySet[Any] = visible_campaigns(self.actor) if kind == "campaign" else visible_posts(self.actor)
        found = rows.filter(pk=data[kind]).first()
        if found is None:
            raise serializers.ValidationError({kind: f"There is no such {kind}."})
        return found.pk, f"{kind.title()} {found}"


class LinkRevokeView(WorkspaceView):
    @extend_schema(
        operation_id="review_link_revoke",
        tags=["reviews"],
        summary="Close a link at once; what was decided by it stays",
        request=None,
        responses=LinkAnswer,
    )
    def post(self, request: Request, link_id: UUID) -> Response:
        link = revoke_link(link_id, by=self.actor)
        return Response(link_data(ReviewLink.objects.select_related("created_by").get(pk=link.pk)))
