"""/api/deliveries/…/parts: what is live can be edited, taken down, and its answers looked at."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import NetworkView, WorkspaceView
from accounts.scope import workspace_scope
from campaigns import live_changes, replies
from campaigns.access import get_live_part
from campaigns.api.answers import Data, valid
from campaigns.models import LiveChange, LivePart
from social.networks.port import NetworkError, SeenPost


class EditInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=25_000, trim_whitespace=False)


class HideInput(serializers.Serializer[Any]):
    hidden = serializers.BooleanField(default=True, help_text="False shows it again.")


class LiveChangeAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    action = serializers.ChoiceField(LiveChange.Action.choices)
    state = serializers.ChoiceField(LiveChange.State.choices)
    text = serializers.CharField(help_text="The new text; empty where it is taken down.")
    hash = serializers.CharField(help_text="What an approval is bound to.")
    problem = serializers.CharField()
    created_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


class ReplyAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    author = serializers.CharField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class RepliesAnswer(serializers.Serializer[Any]):
    results = ReplyAnswer(many=True)


def change_data(change: LiveChange) -> Data:
    return {
        "id": change.pk,
        "action": change.action,
        "state": change.state,
        "text": change.text,
        "hash": change.action_hash,
        "problem": change.problem_text,
        "created_at": change.created_at,
        "done_at": change.done_at,
    }


def reply_data(post: SeenPost) -> Data:
    return {"id": post.remote_id, "author": post.author, "text": post.text, "created_at": post.created_at}


class PartEditView(WorkspaceView):
    @extend_schema(
        operation_id="live_part_edit",
        tags=["deliveries"],
        summary="Ask for a new text of a live part; it waits for an approval",
        request=EditInput,
        responses={201: LiveChangeAnswer},
    )
    def post(self, request: Request, delivery_id: UUID, position: int) -> Response:
        part = get_live_part(self.actor, delivery_id, position)
        self.actor.require(Perm.PUBLISH)
        text = valid(EditInput(data=request.data))["text"]
        return Response(change_data(live_changes.request_edit(part, text, by=self.actor)), status=201)


class PartTakeDownView(WorkspaceView):
    @extend_schema(
        operation_id="live_part_take_down",
        tags=["deliveries"],
        summary="Delete a live part, at once and without an approval",
        request=None,
        responses={201: LiveChangeAnswer},
    )
    def post(self, request: Request, delivery_id: UUID, position: int) -> Response:
        part = get_live_part(self.actor, delivery_id, position)
        return Response(change_data(live_changes.take_down(part, by=self.actor)), status=201)


class OnNetwork(NetworkView):
    """Talks to the network: what that refuses is answered with 502 and its reason."""

    problems = (502,)

    def found(self, delivery_id: UUID, position: int) -> LivePart:
        with workspace_scope(self.actor.workspace.pk):
            return get_live_part(self.actor, delivery_id, position)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, NetworkError):
            refused = exceptions.APIException(exc.message, exc.code)
            refused.status_code = 502
            exc = refused
        return super().handle_exception(exc)


class RepliesView(OnNetwork):
    @extend_schema(
        operation_id="live_part_replies",
        tags=["deliveries"],
        summary="Answers of the last week in the thread of a part (X)",
        description="X charges about $0.005 for each answer that is read, once a day.",
        responses=RepliesAnswer,
    )
    def get(self, request: Request, delivery_id: UUID, position: int) -> Response:
        found = replies.list_replies(self.found(delivery_id, position), by=self.actor)
        return Response({"results": [reply_data(post) for post in found]})


class HideReplyView(OnNetwork):
    @extend_schema(
        operation_id="live_part_hide_reply",
        tags=["deliveries"],
        summary="Hide an answer below a part, or show it again (X)",
        request=HideInput,
        responses={204: None},
    )
    def post(self, request: Request, delivery_id: UUID, position: int, reply: str) -> Response:
        part = self.found(delivery_id, position)
        self.actor.require(Perm.PUBLISH)
        hidden = valid(HideInput(data=request.data))["hidden"]
        replies.hide_reply(part, reply, hidden=hidden, by=self.actor)
        return Response(status=204)
