"""/v1/social-media: what strangers wrote, answered as a draft. Nothing is sent here."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import valid
from accounts.rest import NetworkView, TenantView
from accounts.scope import workspace_scope
from agents.models import Interrupt, Run, Step
from agents.prompts import current_prompt
from agents.runs.services import start_run
from agents.safety.kinds import Route
from agents.safety.normalise import MAX_CHARACTERS
from agents.workflows.social import CHANNELS, WORKFLOW
from compliance.guard.port import Verdict
from social.models import Network

LONGEST_WAIT_S = 30
LOOK_S = 0.1
PROMPTS = ("reader", "reply_writer", "keywords")
ROUTES = [route.value for route in Route] + ["keywords"]
FAILED = {"over_budget": HTTPStatus.PAYMENT_REQUIRED, "refused": HTTPStatus.UNPROCESSABLE_ENTITY}
Data = dict[str, Any]


class SocialMessageInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_CHARACTERS, trim_whitespace=False, help_text="As it was written.")
    channel = serializers.ChoiceField(CHANNELS, required=False, help_text="Where it was written.")
    network = serializers.ChoiceField(Network.choices, required=False)
    language = serializers.CharField(max_length=12, required=False, help_text="Of the text, where it is known.")
    author = serializers.CharField(max_length=80, required=False, help_text="The handle of whoever wrote it.")
    author_id = serializers.CharField(max_length=60, required=False, help_text="Their id on the network.")
    conversation = serializers.CharField(max_length=80, required=False, help_text="Names the conversation: for limits.")
    reference = serializers.CharField(
        max_length=80, required=False, help_text="Names the message on its network: each is answered once."
    )
    wait = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_WAIT_S,
        default=LONGEST_WAIT_S,
        help_text="Seconds to wait for the draft; then 202 with the run that has it later.",
    )


class SocialKeywordsInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_CHARACTERS, trim_whitespace=False)
    language = serializers.CharField(max_length=12, required=False)
    wait = serializers.IntegerField(min_value=0, max_value=LONGEST_WAIT_S, default=LONGEST_WAIT_S)


class SocialProvenanceAnswer(serializers.Serializer[Any]):
    run = serializers.UUIDField()
    models = serializers.ListField(child=serializers.CharField())
    prompts = serializers.ListField(child=serializers.CharField(), help_text="sha256 of each prompt that was used.")
    sources = serializers.ListField(child=serializers.CharField(), help_text="Ids of the brand's claims in it.")
    cost_micro = serializers.IntegerField()
    is_sandbox = serializers.BooleanField()


class SocialRunAnswer(serializers.Serializer[Any]):
    run_id = serializers.UUIDField()
    status = serializers.ChoiceField(Run.Status.choices)


class SocialDraftAnswer(SocialRunAnswer):
    draft = serializers.CharField(allow_blank=True, help_text="Empty where nothing may be said, or it was withheld.")
    decision = serializers.ChoiceField([verdict.value for verdict in Verdict], help_text="None of them sends anything.")
    route = serializers.ChoiceField(ROUTES, help_text="What kind of message it is.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why a person has to look.")
    review_id = serializers.UUIDField(allow_null=True, help_text="The question that waits for a reviewer.")
    disclosure = serializers.CharField(allow_blank=True, help_text="Whether the text says that a model made it.")
    remembered = serializers.ListField(child=serializers.CharField())
    provenance = SocialProvenanceAnswer()


class SocialPromptAnswer(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.IntegerField(help_text="0: the one that is shipped.")
    sha256 = serializers.CharField()


class SocialPromptsAnswer(serializers.Serializer[Any]):
    prompts = SocialPromptAnswer(many=True)


class NoDraft(exceptions.APIException):
    """The run ended without a result."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, run: Run) -> None:
        error = run.error or {}
        code = str(error.get("code", run.status))
        super().__init__(str(error.get("message") or "No draft could be made."), code)
        self.status_code = FAILED.get(code, HTTPStatus.SERVICE_UNAVAILABLE)


EXAMPLE = OpenApiExample(
    "A question", {"text": "Do you ship to Norway?", "network": "x", "author": "kari"}, request_only=True
)
ANSWERS: Any = {200: SocialDraftAnswer, 202: SocialRunAnswer}


class SocialView(NetworkView):
    """Starts a run in the caller's name and waits for it."""

    authentication_classes = TenantView.authentication_classes
    problems = (402, 503)

    def draft(self, data: Data, **fixed: str) -> Response:
        self.actor.require(Perm(WORKFLOW.perm))
        wait = data.pop("wait")
        run = start_run(WORKFLOW.name, data | fixed, by=self.actor)
        for _look in _looks(wait):
            with workspace_scope(self.actor.workspace.pk):
                answer = _answer(run.pk)
            if answer:
                return Response(answer)
        return Response({"run_id": run.pk, "status": Run.Status.QUEUED}, status=HTTPStatus.ACCEPTED)


def _looks(wait_s: float) -> Iterator[None]:
    ends = time.monotonic() + wait_s
    yield
    while time.monotonic() < ends:
        time.sleep(LOOK_S)
        yield


def _answer(run_id: Any) -> Data | None:
    """None while it is at work. What waits for a person is answered as it stands."""
    run = Run.objects.get(pk=run_id)
    if not run.is_ended and run.status != Run.Status.WAITING:
        return None
    found = run.output or Step.objects.filter(run=run, key="outcome").values_list("output", flat=True).first()
    if not found:
        raise NoDraft(run)
    asked = Interrupt.objects.filter(run=run, answer="").values_list("pk", flat=True).first()
    return {**found, "run_id": run.pk, "status": run.status, "review_id": asked}


def _operation(name: str, summary: str) -> Any:
    return extend_schema(
        operation_id=name,
        tags=["social"],
        summary=summary,
        request=SocialMessageInput,
        responses=ANSWERS,
        examples=[EXAMPLE],
    )


class CommentView(SocialView):
    @_operation("social_comment", "A draft in answer to a comment or mention")
    def post(self, request: Request) -> Response:
        return self.draft({"channel": "comment"} | valid(SocialMessageInput(data=request.data)), kind="comment")


class ReplyView(SocialView):
    @_operation("social_reply", "A draft in answer to a reply below one of the brand's posts")
    def post(self, request: Request) -> Response:
        return self.draft({"channel": "reply"} | valid(SocialMessageInput(data=request.data)), kind="reply")


class ChatView(SocialView):
    @_operation("social_chat", "A draft in answer to a direct message")
    def post(self, request: Request) -> Response:
        return self.draft({"channel": "dm"} | valid(SocialMessageInput(data=request.data)), kind="chat")


class KeywordsView(SocialView):
    @extend_schema(
        operation_id="social_keywords",
        tags=["social"],
        summary="Words of a text by which people would look for it",
        request=SocialKeywordsInput,
        responses=ANSWERS,
    )
    def post(self, request: Request) -> Response:
        return self.draft(valid(SocialKeywordsInput(data=request.data)), kind="keywords")


class ReloadPromptView(TenantView):
    @extend_schema(
        operation_id="social_reload_prompt",
        tags=["social"],
        summary="The prompts that the next draft is made with; they are read anew each time",
        request=None,
        responses=SocialPromptsAnswer,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        pinned = [current_prompt(self.actor.workspace, key) for key in PROMPTS]
        rows = [{"key": one.key, "version": one.version, "sha256": one.sha256} for one in pinned]
        return Response({"prompts": rows})
