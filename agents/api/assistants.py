"""/v1/assistants"""

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, page_of, tagged, valid
from accounts.deprecation import Deprecation
from accounts.rest import TenantView
from agents.api.assistant_fields import (
    ASSISTANT_ID,
    EXAMPLE,
    IF_MATCH,
    WHICH,
    AssistantAnswer,
    AssistantInput,
    AssistantRow,
    NewAssistantInput,
    assistant_row,
    draft_from,
    expected_revision,
    number_field,
    version_data,
    with_labels,
)
from agents.models import Assistant, PromptVersion
from agents.prompts import current_prompt
from agents.prompts.assistants import (
    FIELDS,
    archive_assistant,
    create_assistant,
    get_assistant,
    replace_assistant,
    restore_assistant,
    update_assistant,
    visible_assistants,
)
from agents.prompts.errors import PromptConflict
from agents.prompts.serving import PromptNotFound
from agents.prompts.syntax import PromptError
from agents.prompts.versions import newest, served_version

PROMPT = ("body", "config", "variables", "message")


class AssistantFilter(serializers.Serializer[Any]):
    archived = serializers.BooleanField(required=False, default=False)


class WhichVersion(serializers.Serializer[Any]):
    version = number_field(required=False)
    label = serializers.CharField(required=False, max_length=40)  # type: ignore[assignment]  # taken out of the class


class AssistantReloadAnswer(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the text with the prompts that it names.")


def detail(assistant: Assistant, version: PromptVersion, status: int = 200) -> Response:
    row = with_labels(assistant)
    return tagged({**row, **version_data(version)}, row["revision"], status)


class AssistantListView(TenantView, ListView):
    @extend_schema(
        operation_id="assistants",
        tags=["assistants"],
        summary="Assistants, newest first",
        parameters=[OpenApiParameter("archived", bool, description="Those that were deleted, instead.")],
        responses=AssistantRow(many=True),
    )
    def get(self, request: Request) -> Response:
        is_archived = valid(AssistantFilter(data=request.query_params))["archived"]
        rows = visible_assistants(self.actor, is_archived=is_archived).prefetch_related("labels__version")
        return page_of(self, rows, assistant_row)

    @extend_schema(
        operation_id="assistant_create",
        tags=["assistants"],
        summary="A new assistant with its first prompt",
        request=NewAssistantInput,
        responses={201: AssistantAnswer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(NewAssistantInput(data=request.data))
        fields = {name: data[name] for name in ("key", *FIELDS) if name in data}
        assistant = create_assistant(by=self.actor, draft=draft_from(data), **fields)
        return detail(assistant, newest(assistant), status=201)


class AssistantView(TenantView):
    @extend_schema(
        operation_id="assistant",
        tags=["assistants"],
        summary="One assistant, with one version of its prompt",
        parameters=[ASSISTANT_ID, *WHICH],
        responses=AssistantAnswer,
    )
    def get(self, request: Request, assistant_id: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        which = valid(WhichVersion(data=request.query_params))
        version = served_version(assistant, number=which.get("version"), label=which.get("label", ""))
        return detail(assistant, version)

    @extend_schema(
        operation_id="assistant_replace",
        tags=["assistants"],
        summary="Replace an assistant; what is left out becomes empty, former versions stay",
        parameters=[ASSISTANT_ID, IF_MATCH],
        request=AssistantInput,
        responses=AssistantAnswer,
        examples=[EXAMPLE],
    )
    def put(self, request: Request, assistant_id: str) -> Response:
        assistant = self._editable(assistant_id)
        data = valid(AssistantInput(data=request.data))
        fields = {name: data[name] for name in FIELDS if name in data}
        expected = expected_revision(request, assistant)
        replace_assistant(assistant, by=self.actor, draft=draft_from(data), expected=expected, **fields)
        return detail(assistant, newest(assistant))

    @extend_schema(
        operation_id="assistant_update",
        tags=["assistants"],
        summary="Change some of an assistant; null takes a name out of its objects",
        parameters=[ASSISTANT_ID, IF_MATCH],
        request=AssistantInput(partial=True),
        responses=AssistantAnswer,
    )
    def patch(self, request: Request, assistant_id: str) -> Response:
        assistant = self._editable(assistant_id)
        data = valid(AssistantInput(data=request.data, partial=True))
        fields = {name: data[name] for name in FIELDS if name in data}
        prompt = {name: data[name] for name in PROMPT if name in data}
        expected = expected_revision(request, assistant)
        update_assistant(assistant, by=self.actor, expected=expected, prompt=prompt, **fields)
        return detail(assistant, newest(assistant))

    @extend_schema(
        operation_id="assistant_delete",
        tags=["assistants"],
        summary="Take an assistant out of use; its versions are kept",
        parameters=[ASSISTANT_ID, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, assistant_id: str) -> Response:
        assistant = self._editable(assistant_id)
        archive_assistant(assistant, by=self.actor, expected=expected_revision(request, assistant))
        return Response(status=204)

    def _editable(self, assistant_id: str) -> Assistant:
        assistant = get_assistant(self.actor, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        return assistant


class RestoreView(TenantView):
    @extend_schema(
        operation_id="assistant_restore",
        tags=["assistants"],
        summary="Bring a deleted assistant back",
        parameters=[ASSISTANT_ID],
        request=None,
        responses=AssistantAnswer,
    )
    def post(self, request: Request, assistant_id: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id, is_archived=True)
        restore_assistant(assistant, by=self.actor)
        return detail(assistant, newest(assistant))


class ReloadView(TenantView):
    # Nothing is cached: what the next run will be told is what the assistant itself answers.
    deprecated = Deprecation(date(2026, 11, 22), date(2027, 11, 22), "/v1/assistants/{assistant_id}")

    @extend_schema(
        operation_id="assistant_reload",
        tags=["assistants"],
        summary="What the next run will be told; every worker reads it anew for each run",
        parameters=[ASSISTANT_ID],
        request=None,
        responses=AssistantReloadAnswer,
    )
    def post(self, request: Request, assistant_id: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        try:
            pinned = current_prompt(self.actor.workspace, assistant.key)
        except (PromptNotFound, PromptError) as error:
            raise PromptConflict(f"It cannot be used now. {error}") from error
        return Response({"key": pinned.key, "version": pinned.version, "sha256": pinned.sha256})
