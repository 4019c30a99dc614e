"""/v1/memory, /v1/brand and /v1/knowledge."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.rest import TenantView, paged
from agents.memory import brand_of, documents, items, recall
from agents.memory.blocks import BRAND_BLOCKS, write_block
from agents.models import Document, MemoryItem

MAX_QUERY = 1_000


class MemoryAnswer(serializers.ModelSerializer[MemoryItem]):
    is_own = serializers.SerializerMethodField(help_text="Only for the person who asks.")

    class Meta:
        model = MemoryItem
        fields = [
            *("id", "text", "kind", "tier", "status", "subject", "provenance", "source_kind", "source_id"),
            *("superseded_by", "expires_at", "is_own", "created_label", "created_at"),
        ]
        read_only_fields = fields

    def get_is_own(self, item: MemoryItem) -> bool:
        return item.user_id is not None


class MemoryInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=items.MAX_TEXT)
    kind = serializers.ChoiceField(list(items.KINDS), default="fact")
    tier = serializers.ChoiceField(MemoryItem.Tier.values, default="durable")
    subject = serializers.CharField(
        max_length=items.MAX_SUBJECT,
        required=False,
        allow_blank=True,
        help_text="What is remembered on the same subject is superseded.",
    )
    is_again = serializers.BooleanField(default=False, help_text="Learn it although it was forgotten before.")


class MemoryQuery(serializers.Serializer[Any]):
    status = serializers.ChoiceField(MemoryItem.Status.values, required=False)


class RecallInput(serializers.Serializer[Any]):
    query = serializers.CharField(max_length=MAX_QUERY)
    k = serializers.IntegerField(min_value=1, max_value=50, default=8)


class RecallFound(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["item", "chunk"])
    id = serializers.UUIDField()
    text = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField()
    score = serializers.FloatField()


class RecallAnswer(serializers.Serializer[Any]):
    results = RecallFound(many=True)
    degraded = serializers.CharField(help_text="“lexical”: words are compared, meanings are not.")


class BrandClaimAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    text = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # taken out of the class
    language = serializers.CharField()
    valid_until = serializers.DateField(allow_null=True)


class BrandAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    voice = serializers.CharField()
    audience = serializers.CharField()
    products = serializers.CharField()
    words_use = serializers.CharField()
    words_avoid = serializers.CharField()
    languages = serializers.CharField()
    claims = BrandClaimAnswer(many=True)


class BrandInput(serializers.Serializer[Any]):
    """Only what is named is changed."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            kind.label: serializers.CharField(max_length=kind.limit, required=False, allow_blank=True)
            for kind in BRAND_BLOCKS
        }


class KnowledgeAnswer(serializers.ModelSerializer[Document]):
    url = serializers.CharField(help_text="Empty for what was uploaded or typed.")

    class Meta:
        model = Document
        fields = ["id", "title", "kind", "url", "status", "problem", "chunk_count", "size", "read_at", "created_at"]
        read_only_fields = fields


class KnowledgeInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=documents.MAX_TITLE, required=False, allow_blank=True)
    text = serializers.CharField(max_length=1_000_000, required=False, help_text="Markdown.")
    url = serializers.CharField(max_length=1_000, required=False, help_text="A public page.")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("text" in data) == ("url" in data):
            raise serializers.ValidationError("Give either a text or an address.")
        return data


class MemoryListView(TenantView, ListView):
    @extend_schema(
        operation_id="memory",
        tags=["memory"],
        summary="What is remembered, newest first",
        parameters=[MemoryQuery],
        responses=MemoryAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        query = valid(MemoryQuery(data=request.query_params))
        return paged(self, items.visible_items(self.actor).filter(**query), MemoryAnswer)

    @extend_schema(
        operation_id="memory_add",
        tags=["memory"],
        summary="Remember something",
        request=MemoryInput,
        responses={201: MemoryAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(MemoryInput(data=request.data))
        return Response(MemoryAnswer(items.remember(by=self.actor, **data)).data, status=201)


class MemoryView(TenantView):
    @extend_schema(operation_id="memory_item", tags=["memory"], summary="One thing", responses=MemoryAnswer)
    def get(self, request: Request, item_id: UUID) -> Response:
        return Response(MemoryAnswer(items.get_item(self.actor, item_id)).data)

    @extend_schema(
        operation_id="memory_forget",
        tags=["memory"],
        summary="Forget it and its older versions for good",
        responses={204: None},
    )
    def delete(self, request: Request, item_id: UUID) -> Response:
        items.forget_item(items.get_item(self.actor, item_id), by=self.actor)
        return Response(status=204)


class MemoryUndoView(TenantView):
    @extend_schema(
        operation_id="memory_undo",
        tags=["memory"],
        summary="Take it back; what it superseded counts again",
        request=None,
        responses=MemoryAnswer,
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        item = items.get_item(self.actor, item_id)
        items.undo_item(item, by=self.actor)
        return Response(MemoryAnswer(item).data)


class RecallView(TenantView):
    @extend_schema(
        operation_id="memory_search",
        tags=["memory"],
        summary="What the assistant would find",
        request=RecallInput,
        responses=RecallAnswer,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        data = valid(RecallInput(data=request.data))
        found = recall(self.actor.workspace, self.actor.user, data["query"], k=data["k"])
        return Response(RecallAnswer({"results": found, "degraded": "lexical"}).data)


class BrandView(TenantView):
    @extend_schema(operation_id="brand", tags=["memory"], summary="Who the brand is", responses=BrandAnswer)
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        return Response(BrandAnswer(brand_of(self.actor.workspace)).data)

    @extend_schema(
        operation_id="brand_update",
        tags=["memory"],
        summary="Change texts of the brand",
        request=BrandInput,
        responses=BrandAnswer,
    )
    def patch(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        for label, text in valid(BrandInput(data=request.data)).items():
            write_block(label, text, by=self.actor)
        return Response(BrandAnswer(brand_of(self.actor.workspace)).data)


class KnowledgeListView(TenantView, ListView):
    @extend_schema(
        operation_id="knowledge",
        tags=["memory"],
        summary="Documents, newest first",
        responses=KnowledgeAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return paged(self, documents.visible_documents(self.actor), KnowledgeAnswer)

    @extend_schema(
        operation_id="knowledge_add",
        tags=["memory"],
        summary="Add a text or a page; it is read in the background",
        request=KnowledgeInput,
        responses={201: KnowledgeAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(KnowledgeInput(data=request.data))
        title = data.get("title", "")
        if "url" in data:
            document = documents.add_page(data["url"], by=self.actor, title=title)
        else:
            document = documents.add_text(title, data["text"], by=self.actor)
        return Response(KnowledgeAnswer(document).data, status=201)


class KnowledgeView(TenantView):
    @extend_schema(
        operation_id="knowledge_document", tags=["memory"], summary="One document", responses=KnowledgeAnswer
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        return Response(KnowledgeAnswer(documents.get_document(self.actor, document_id)).data)

    @extend_schema(operation_id="knowledge_delete", tags=["memory"], summary="Delete a document", responses={204: None})
    def delete(self, request: Request, document_id: UUID) -> Response:
        documents.delete_document(documents.get_document(self.actor, document_id), by=self.actor)
        return Response(status=204)
