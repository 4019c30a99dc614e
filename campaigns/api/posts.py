"""/api/posts"""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.access import get_post, visible_campaigns, visible_posts
from campaigns.api.answers import Data, ListView, check_if_match, check_json, locked, page_of, tagged, valid
from campaigns.api.campaigns import IF_MATCH
from campaigns.deliveries import submit_post
from campaigns.drafts import MediaDraft, PartDraft, PostDraft
from campaigns.models import Campaign, Delivery, Post
from campaigns.origins import origin_data
from campaigns.services import create_post, delete_post, duplicate_post, update_post
from social.networks.links import clean_reply_to
from social.networks.options import POLL_CHOICE_LENGTH, POLL_CHOICES, POLL_MINUTES
from social.networks.rules import MAX_PARTS

CONTENT = (
    "parts__media__asset",
    Prefetch("deliveries", Delivery.objects.order_by("created_at")),
    "source_items",
    "origins",
)


class MediaUse(serializers.Serializer[Any]):
    asset = serializers.UUIDField(help_text="Of /api/media.")
    alt_text = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class Poll(serializers.Serializer[Any]):
    options = serializers.ListField(
        child=serializers.CharField(max_length=POLL_CHOICE_LENGTH),
        min_length=POLL_CHOICES[0],
        max_length=POLL_CHOICES[-1],
    )
    minutes = serializers.IntegerField(
        min_value=POLL_MINUTES[0], max_value=POLL_MINUTES[-1], required=False, default=1440
    )


class PartInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=25_000, required=False, allow_blank=True, default="", trim_whitespace=False)
    media = serializers.ListField(child=MediaUse(), required=False, default=list, max_length=10)
    poll = Poll(required=False, allow_null=True, default=None, help_text="Instead of media; X only.")


class PostInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)
    made_with_ai = serializers.BooleanField(required=False, default=False)
    is_marked = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The texts hold marks: **bold** _italic_ __underline__ ~~strike~~ ||spoiler|| `code` [label](url).",
    )
    options = serializers.DictField(
        required=False,
        default=dict,
        validators=[check_json],
        help_text=(
            "What only one network knows. x: reply_settings (following, mentionedUsers, subscribers, verified),"
            " paid_partnership. telegram: silent, pin, protect, preview (off, above, large, small),"
            " buttons (rows of text and url)."
        ),
    )
    reply_to = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default="", help_text="Link or id of the post it answers."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=80), required=False, default=list, max_length=30
    )
    language = serializers.CharField(max_length=12, required=False, allow_blank=True, default="")
    relationship = serializers.ChoiceField(
        Post.Relationship.choices,
        required=False,
        default=Post.Relationship.OWN_BRAND.value,
        help_text="The author's tie to what is praised: what has to be disclosed follows from it.",
    )
    parts = serializers.ListField(
        child=PartInput(), allow_empty=False, max_length=MAX_PARTS, help_text="Several make a thread."
    )
    connections = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=100)
    overrides = serializers.DictField(
        child=serializers.ListField(
            child=serializers.CharField(max_length=25_000, allow_null=True, allow_blank=True, trim_whitespace=False),
            max_length=MAX_PARTS,
        ),
        required=False,
        default=dict,
        help_text="By connection: texts by position that replace the post's own; null keeps it.",
    )

    def validate_reply_to(self, value: str) -> str:
        try:
            return clean_reply_to(value)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error

    def validate_overrides(self, value: dict[str, list[str | None]]) -> dict[UUID, list[str | None]]:
        try:
            return {UUID(key): texts for key, texts in value.items()}
        except ValueError as error:
            raise serializers.ValidationError("Each key is the id of a connection.") from error


class PostDelivery(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    connection = serializers.UUIDField()
    state = serializers.ChoiceField(Delivery.State.choices)
    scheduled_at = serializers.DateTimeField(allow_null=True)


class PostOrigin(serializers.Serializer[Any]):
    """The file that the post was made from."""

    project = serializers.UUIDField()
    path = serializers.CharField()
    status = serializers.CharField()
    has_newer_file = serializers.BooleanField()


class TextSource(serializers.Serializer[Any]):
    """Where an agent's words in the post come from."""

    run_id = serializers.UUIDField(allow_null=True)
    step_key = serializers.CharField()
    model = serializers.CharField()
    is_sandbox = serializers.BooleanField(help_text="No provider is set up: the sandbox model wrote it.")
    assistant = serializers.CharField()
    prompt_version = serializers.IntegerField(allow_null=True, help_text="0 is the one the product ships.")
    prompt_sha256 = serializers.CharField()
    sources = serializers.ListField(child=serializers.DictField(), help_text="kind, id, title, url.")
    cost_micro = serializers.IntegerField(help_text="In micro-dollars.")
    sentences = serializers.ListField(child=serializers.DictField(), help_text="text, is_accepted.")
    accepted_by = serializers.CharField()
    accepted_at = serializers.DateTimeField()


class PostAnswer(PostInput):
    id = serializers.UUIDField()
    revision = serializers.IntegerField(help_text="Also the ETag.")
    reply_facts = serializers.DictField(help_text="What the network said about the answered post; empty until asked.")
    deliveries = PostDelivery(many=True)
    origin = PostOrigin(allow_null=True)
    origins = TextSource(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PostFilter(serializers.Serializer[Any]):
    campaign = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(Delivery.State.choices, required=False, help_text="Of any of its deliveries.")
    search = serializers.CharField(max_length=120, required=False, help_text="In title and texts.")


def post_data(post: Post) -> Data:
    """Expects CONTENT prefetched where there are many."""
    rows = list(post.deliveries.all())
    return {
        "id": post.pk,
        "title": post.title,
        "campaign": post.campaign_id,
        "made_with_ai": post.made_with_ai,
        "is_marked": post.is_marked,
        "options": post.options,
        "reply_to": post.reply_to,
        "reply_facts": post.reply_facts,
        "tags": post.tags,
        "language": post.language,
        "relationship": post.relationship,
        "parts": [
            {
                "text": part.text,
                "media": [{"asset": use.asset_id, "alt_text": use.alt_text} for use in part.media.all()],
                "poll": part.poll,
            }
            for part in post.parts.all()
        ],
        "connections": [row.connection_id for row in rows],
        "overrides": {str(row.connection_id): row.override_texts for row in rows if row.override_texts},
        "revision": post.revision,
        "deliveries": [_delivery_data(row) for row in rows],
        "origin": _origin_data(post),
        "origins": [origin_data(row) for row in post.origins.all()],
        "created_at": post.created_at,
        "updated_at": post.updated_at,
    }


def _delivery_data(row: Delivery) -> Data:
    return {"id": row.pk, "connection": row.connection_id, "state": row.state, "scheduled_at": row.scheduled_at}


def _origin_data(post: Post) -> Data | None:
    item = next(iter(post.source_items.all()), None)
    if item is None:
        return None
    return {
        "project": item.source_id,
        "path": item.path,
        "status": item.status,
        "has_newer_file": item.has_newer_file,
    }


def one_post(post: Post) -> Data:
    return post_data(Post.objects.prefetch_related(*CONTENT).get(pk=post.pk))


def _answer(post: Post, status: int = 200) -> Response:
    data = one_post(post)
    return tagged(data, data["revision"], status)


def _filtered(rows: QuerySet[Post], wanted: Data) -> QuerySet[Post]:
    if "campaign" in wanted:
        rows = rows.filter(campaign=wanted["campaign"])
    if "state" in wanted:
        rows = rows.filter(pk__in=Delivery.objects.filter(state=wanted["state"]).values("post"))
    if "search" in wanted:
        text = wanted["search"]
        rows = rows.filter(Q(title__icontains=text) | Q(pk__in=Post.objects.filter(parts__text__icontains=text)))
    return rows


class PostListView(ListView):
    @extend_schema(
        operation_id="posts",
        tags=["posts"],
        summary="Posts, newest first",
        parameters=[PostFilter],
        responses=PostAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = _filtered(visible_posts(self.actor), valid(PostFilter(data=request.query_params)))
        return page_of(self, rows.prefetch_related(*CONTENT), post_data)

    @extend_schema(
        operation_id="post_create",
        tags=["posts"],
        summary="A new post; its deliveries are drafts",
        request=PostInput,
        responses={201: PostAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(PostInput(data=request.data))
        draft = _draft(data, find_campaign(self, data["campaign"]))
        return _answer(create_post(draft, by=self.actor), status=201)


class PostView(WorkspaceView):
    @extend_schema(operation_id="post", tags=["posts"], summary="One post", responses=PostAnswer)
    def get(self, request: Request, post_id: UUID) -> Response:
        return _answer(get_post(self.actor, post_id))

    @extend_schema(
        operation_id="post_replace",
        tags=["posts"],
        summary="Replace a post; what was approved and is now different needs a new approval",
        parameters=[IF_MATCH],
        request=PostInput,
        responses=PostAnswer,
    )
    def put(self, request: Request, post_id: UUID) -> Response:
        return self._change(request, post_id, partial=False)

    @extend_schema(
        operation_id="post_update",
        tags=["posts"],
        summary="Change some of a post",
        parameters=[IF_MATCH],
        request=PostInput(partial=True),
        responses=PostAnswer,
    )
    def patch(self, request: Request, post_id: UUID) -> Response:
        return self._change(request, post_id, partial=True)

    @extend_schema(
        operation_id="post_delete",
        tags=["posts"],
        summary="Delete a post that was not sent",
        parameters=[IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, post_id: UUID) -> Response:
        delete_post(self._locked(request, post_id), by=self.actor)
        return Response(status=204)

    def _change(self, request: Request, post_id: UUID, *, partial: bool) -> Response:
        post = self._locked(request, post_id)
        given = request.data
        if partial and isinstance(given, dict):
            # Not a partial serializer: inside a part that is given, its own required fields are still required.
            given = post_data(post) | given
        data = valid(PostInput(data=given))
        draft = _draft(data, find_campaign(self, data["campaign"]))
        return _answer(update_post(post, draft, by=self.actor))

    def _locked(self, request: Request, post_id: UUID) -> Post:
        post = get_post(self.actor, post_id)
        self.actor.require(Perm.CONTENT_EDIT)
        # Deliveries before their post, the order of the services and of the engine.
        list(Delivery.objects.select_for_update(no_key=True).filter(post=post))
        post = locked(Post.objects.all(), post)
        check_if_match(request, post.revision)
        return post


class PostSubmitView(WorkspaceView):
    @extend_schema(
        operation_id="post_submit",
        tags=["posts"],
        summary="Send the drafts of a post to review",
        request=None,
        responses=PostAnswer,
    )
    def post(self, request: Request, post_id: UUID) -> Response:
        post = get_post(self.actor, post_id)
        submit_post(post, by=self.actor)
        return _answer(post)


class PostDuplicateView(WorkspaceView):
    @extend_schema(
        operation_id="post_duplicate",
        tags=["posts"],
        summary="The same again as a draft",
        request=None,
        responses={201: PostAnswer},
    )
    def post(self, request: Request, post_id: UUID) -> Response:
        return _answer(duplicate_post(get_post(self.actor, post_id), by=self.actor), status=201)


def find_campaign(view: WorkspaceView, campaign_id: UUID | None) -> Campaign | None:
    """The campaign that the caller's JSON names. Somebody else's is refused like a missing one."""
    if campaign_id is None:
        return None
    campaign = visible_campaigns(view.actor).filter(pk=campaign_id).first()
    if campaign is None:
        raise ValidationError({"campaign": "There is no such campaign."})
    return campaign


def _draft(data: Data, campaign: Campaign | None) -> PostDraft:
    return PostDraft(
        parts=tuple(
            PartDraft(
                part["text"], tuple(MediaDraft(use["asset"], use["alt_text"]) for use in part["media"]), part["poll"]
            )
            for part in data["parts"]
        ),
        title=data["title"],
        campaign=campaign,
        made_with_ai=data["made_with_ai"],
        connections=tuple(data["connections"]),
        overrides=data["overrides"],
        is_marked=data["is_marked"],
        options=data["options"],
        reply_to=data["reply_to"],
        tags=tuple(data["tags"]),
        language=data["language"],
        relationship=data["relationship"],
    )
