"""/api/inbox: what people write to the accounts."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import WorkspaceView
from campaigns.api.answers import Data, ListView, page_of, valid
from campaigns.inbox import acts
from campaigns.models import Conversation, InboxMessage


class ConversationAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Conversation.Kind.choices)
    status = serializers.ChoiceField(Conversation.Status.choices)
    connection = serializers.UUIDField()
    author_id = serializers.CharField()
    author_handle = serializers.CharField()
    author_name = serializers.CharField()
    assigned_to = serializers.UUIDField(allow_null=True)
    sentiment = serializers.FloatField(allow_null=True, help_text="From -1 to 1; null before it was read.")
    intent = serializers.CharField()
    has_opted_out = serializers.BooleanField()
    is_unread = serializers.BooleanField()
    last_at = serializers.DateTimeField()


class InboxMessageAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    text = serializers.CharField()
    is_ours = serializers.BooleanField()
    url = serializers.CharField()
    sent_at = serializers.DateTimeField()
    delivery = serializers.UUIDField(allow_null=True)


class ConversationDetail(ConversationAnswer):
    messages = InboxMessageAnswer(many=True)


class AssignInput(serializers.Serializer[Any]):
    person = serializers.UUIDField(allow_null=True, help_text="A member who may write; null for nobody.")


class ReplyInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=acts.MAX_REPLY)
    message = serializers.UUIDField(required=False, help_text="The one that is answered; the last of theirs.")


class InboxReplyAnswer(serializers.Serializer[Any]):
    post = serializers.UUIDField()
    state = serializers.CharField(help_text="in_review: a person approves it before it goes out.")


class InboxFilter(serializers.Serializer[Any]):
    show = serializers.ChoiceField(choices=acts.FILTERS, required=False, default="open")
    q = serializers.CharField(max_length=200, required=False, default="")
    connection = serializers.UUIDField(required=False)


def conversation_data(talk: Conversation) -> Data:
    names = [
        "id", "kind", "status", "author_id", "author_handle", "author_name", "sentiment", "intent",
        "has_opted_out", "is_unread", "last_at",
    ]  # fmt: skip
    facts = {name: getattr(talk, name) for name in names}
    return facts | {"connection": talk.connection_id, "assigned_to": talk.assigned_to_id}


def message_data(message: InboxMessage) -> Data:
    facts = {name: getattr(message, name) for name in ("id", "text", "is_ours", "url", "sent_at")}
    return facts | {"delivery": message.delivery_id}


class InboxView(ListView):
    @extend_schema(
        operation_id="inbox",
        tags=["inbox"],
        summary="Conversations, newest first",
        parameters=[
            OpenApiParameter("show", str, enum=acts.FILTERS),
            OpenApiParameter("q", str, description="Names and words."),
            OpenApiParameter("connection", UUID),
        ],
        responses=ConversationAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = valid(InboxFilter(data=request.query_params))
        rows = acts.find_conversations(
            self.actor, wanted=wanted["show"], words=wanted["q"], connection=wanted.get("connection")
        )
        return page_of(self, rows, conversation_data)


class ConversationView(WorkspaceView):
    def talk(self, conversation_id: UUID) -> Conversation:
        return acts.get_conversation(self.actor, conversation_id)

    @extend_schema(
        operation_id="conversation", tags=["inbox"], summary="One conversation", responses=ConversationDetail
    )
    def get(self, request: Request, conversation_id: UUID) -> Response:
        talk = self.talk(conversation_id)
        return Response(conversation_data(talk) | {"messages": [message_data(row) for row in talk.messages.all()]})


class ConversationDoneView(ConversationView):
    http_method_names = ["post"]
    is_done = True

    @extend_schema(
        operation_id="conversation_done",
        tags=["inbox"],
        summary="Put a conversation away",
        request=None,
        responses=ConversationAnswer,
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        talk = self.talk(conversation_id)
        acts.set_done(talk, self.is_done, by=self.actor)
        return Response(conversation_data(talk))


class ConversationReopenView(ConversationView):
    http_method_names = ["post"]

    @extend_schema(
        operation_id="conversation_reopen",
        tags=["inbox"],
        summary="Take a conversation up again",
        request=None,
        responses=ConversationAnswer,
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        talk = self.talk(conversation_id)
        acts.set_done(talk, False, by=self.actor)
        return Response(conversation_data(talk))


class ConversationAssignView(ConversationView):
    http_method_names = ["post"]

    @extend_schema(
        operation_id="conversation_assign",
        tags=["inbox"],
        summary="Give a conversation to somebody",
        request=AssignInput,
        responses=ConversationAnswer,
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        talk = self.talk(conversation_id)
        acts.assign(talk, valid(AssignInput(data=request.data))["person"], by=self.actor)
        return Response(conversation_data(talk))


class ConversationReplyView(ConversationView):
    http_method_names = ["post"]

    @extend_schema(
        operation_id="conversation_reply",
        tags=["inbox"],
        summary="Write an answer and send it into review",
        request=ReplyInput,
        responses={201: InboxReplyAnswer},
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        talk = self.talk(conversation_id)
        data = valid(ReplyInput(data=request.data))
        message = acts.message_to_answer(talk, data.get("message"))
        post = acts.reply(message, data["text"], by=self.actor)
        return Response({"post": post.pk, "state": post.deliveries.get().state}, status=201)


class ConversationDraftView(ConversationView):
    http_method_names = ["post"]

    @extend_schema(
        operation_id="conversation_draft",
        tags=["inbox"],
        summary="Let the assistant draft an answer",
        description="It reads the message in closed words and writes from the workspace's own material.",
        request=None,
        responses={202: None},
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        message = acts.message_to_answer(self.talk(conversation_id), None)
        run = acts.ask_for_draft(message, by=self.actor)
        return Response({"run": run.pk}, status=202, headers={"Location": f"/v1/runs/{run.pk}/status"})
