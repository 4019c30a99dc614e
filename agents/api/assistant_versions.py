"""/v1/assistants/{id}: versions, rollback, clone, validate, labels, diff. The same acts stand under /v1/prompts."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, tagged, valid
from accounts.rest import TenantView, WorkspaceView
from agents.api.assistant_fields import (
    ASSISTANT_ID,
    IF_MATCH,
    MAX_NUMBER,
    AssistantAnswer,
    PromptVersionAnswer,
    check_small,
    expected_revision,
    number_field,
    version_data,
)
from agents.api.assistants import detail
from agents.models import Assistant, PromptVersion
from agents.prompts.assistants import clone_assistant, get_assistant
from agents.prompts.labels import remove_label, remove_version, roll_back, set_label
from agents.prompts.syntax import render
from agents.prompts.validation import Report, validate_prompt
from agents.prompts.versions import get_version, newest
from lib.text import storable
from lib.text_diff import diff_words


class NamedAssistant(serializers.Serializer[Any]):
    """Under /v1/prompts the assistant may stand in the body."""

    assistant_id = serializers.CharField(max_length=60, required=False)


class PromptRollbackInput(NamedAssistant):
    to = number_field()
    message = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class AssistantCloneInput(NamedAssistant):
    key = serializers.CharField(max_length=60, required=False, default="")
    name = serializers.CharField(max_length=80, required=False, default="")
    version = number_field(required=False, help_text="By default the newest.")


class PromptCheckInput(NamedAssistant):
    body = serializers.CharField(
        max_length=1_000_000,
        allow_blank=True,
        required=False,
        trim_whitespace=False,
        help_text="By default the assistant's newest.",
    )
    values = serializers.DictField(
        required=False, validators=[check_small], help_text="With them, the text is also filled in."
    )
    variables = serializers.DictField(
        required=False, validators=[check_small], help_text="The names it is meant to hold, with what they mean."
    )


class PromptFindingAnswer(serializers.Serializer[Any]):
    code = serializers.CharField()
    severity = serializers.CharField(help_text="error or warn.")
    message = serializers.CharField()
    start = serializers.IntegerField(help_text="In code points of the body.")
    end = serializers.IntegerField()


class PromptCheckAnswer(serializers.Serializer[Any]):
    can_be_saved = serializers.BooleanField(help_text="Without errors; warnings do not count.")
    findings = PromptFindingAnswer(many=True)
    variables = serializers.ListField(child=serializers.CharField())
    tokens = serializers.IntegerField(help_text="An estimate.")
    resolution_graph = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    text = serializers.CharField(help_text="With the prompts it names.")
    rendered = serializers.CharField(allow_null=True, help_text="Null without values, or where they do not fit.")


class PromptLabelInput(serializers.Serializer[Any]):
    version = number_field()
    is_protected = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Then only admins move it."
    )


class DiffQuery(serializers.Serializer[Any]):
    # "from" is a word of Python.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: number_field() for name in ("from", "to")}


class PromptChangeAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["same", "del", "ins"])
    text = serializers.CharField()


class PromptDiffAnswer(serializers.Serializer[Any]):
    is_same = serializers.BooleanField()
    changes = PromptChangeAnswer(many=True)


def named_assistant(view: WorkspaceView, request: Request, assistant_id: str | None) -> Assistant:
    """By the address, or by the body where the address names none; looked for before the rest is read."""
    ref = assistant_id or valid(NamedAssistant(data=request.data)).get("assistant_id")
    if not ref:
        raise serializers.ValidationError({"assistant_id": "This field is required."})
    return get_assistant(view.actor, ref)


class VersionListView(TenantView, ListView):
    @extend_schema(
        operation_id="assistant_versions",
        tags=["assistants"],
        summary="All versions, newest first",
        parameters=[ASSISTANT_ID],
        responses=PromptVersionAnswer(many=True),
    )
    def get(self, request: Request, assistant_id: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        return page_of(self, PromptVersion.objects.filter(assistant=assistant), version_data)


class VersionView(TenantView):
    @extend_schema(
        operation_id="assistant_version",
        tags=["assistants"],
        summary="One version; the ETag is the sha256 of its body",
        parameters=[ASSISTANT_ID],
        responses=PromptVersionAnswer,
    )
    def get(self, request: Request, assistant_id: str, number: int) -> Response:
        version = _version(get_assistant(self.actor, assistant_id), number)
        return tagged(version_data(version), version.sha256)

    @extend_schema(
        operation_id="assistant_version_delete",
        tags=["assistants"],
        summary="Delete a version that no label stands at and no run used",
        parameters=[ASSISTANT_ID, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, assistant_id: str, number: int) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        _version(assistant, number)
        remove_version(assistant, number, by=self.actor, expected=expected_revision(request, assistant))
        return Response(status=204)


def _version(assistant: Assistant, number: int) -> PromptVersion:
    # Larger numbers do not fit into the column.
    if number > MAX_NUMBER:
        raise Http404
    return get_version(assistant, number)


class RollbackView(TenantView):
    @extend_schema(
        tags=["assistants"],
        summary="A new version that says what an old one said",
        parameters=[IF_MATCH],
        request=PromptRollbackInput,
        responses=AssistantAnswer,
    )
    def post(self, request: Request, assistant_id: str | None = None) -> Response:
        assistant = named_assistant(self, request, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(PromptRollbackInput(data=request.data))
        expected = expected_revision(request, assistant)
        version = roll_back(assistant, data["to"], by=self.actor, expected=expected, message=data["message"])
        return detail(assistant, version)


class CloneView(TenantView):
    @extend_schema(
        tags=["assistants"],
        summary="A new assistant that begins with a version of this one",
        request=AssistantCloneInput,
        responses={201: AssistantAnswer},
    )
    def post(self, request: Request, assistant_id: str | None = None) -> Response:
        assistant = named_assistant(self, request, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(AssistantCloneInput(data=request.data))
        clone = clone_assistant(
            assistant, by=self.actor, key=data["key"], name=data["name"], number=data.get("version")
        )
        return detail(clone, newest(clone), status=201)


class ValidateView(TenantView):
    @extend_schema(
        tags=["assistants"],
        summary="What is wrong with a prompt; nothing is saved",
        request=PromptCheckInput,
        responses=PromptCheckAnswer,
    )
    def post(self, request: Request, assistant_id: str | None = None) -> Response:
        # A text alone can be checked as that of no assistant.
        is_alone = not assistant_id and isinstance(request.data, dict) and "assistant_id" not in request.data
        is_alone = is_alone and "body" in request.data
        assistant = None if is_alone else named_assistant(self, request, assistant_id)
        self.actor.require(Perm.VIEW)
        data = valid(PromptCheckInput(data=request.data))
        body = storable(data["body"]) if "body" in data or assistant is None else newest(assistant).body
        values = data.get("values")
        report = validate_prompt(
            self.actor.workspace,
            body,
            key=assistant.key if assistant else "",
            values=values,
            declared=data.get("variables", ()),
        )
        return Response(report_data(report, values))


def report_data(report: Report, values: Data | None) -> Data:
    return {
        "can_be_saved": report.is_valid,
        "findings": [finding.as_data() for finding in report.findings],
        "variables": report.variables,
        "tokens": report.tokens,
        "resolution_graph": report.graph,
        "text": report.text,
        "rendered": render(report.text, values) if values is not None and report.is_valid else None,
    }


@extend_schema_view(post=extend_schema(operation_id="prompts_rollback"))
class NamedRollbackView(RollbackView):
    """The body names the assistant; as the two below."""


@extend_schema_view(post=extend_schema(operation_id="prompts_clone"))
class NamedCloneView(CloneView):
    pass


@extend_schema_view(post=extend_schema(operation_id="prompts_validate"))
class NamedValidateView(ValidateView):
    pass


class LabelView(TenantView):
    @extend_schema(
        operation_id="assistant_label",
        tags=["assistants"],
        summary="Put a label on a version",
        parameters=[ASSISTANT_ID, IF_MATCH],
        request=PromptLabelInput,
        responses=AssistantAnswer,
    )
    def put(self, request: Request, assistant_id: str, label: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(PromptLabelInput(data=request.data))
        row = set_label(
            assistant,
            label,
            data["version"],
            by=self.actor,
            expected=expected_revision(request, assistant),
            is_protected=data["is_protected"],
        )
        return detail(assistant, row.version)

    @extend_schema(
        operation_id="assistant_label_delete",
        tags=["assistants"],
        summary="Take a label away",
        parameters=[ASSISTANT_ID, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, assistant_id: str, label: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        remove_label(assistant, label, by=self.actor, expected=expected_revision(request, assistant))
        return Response(status=204)


class DiffView(TenantView):
    @extend_schema(
        operation_id="assistant_diff",
        tags=["assistants"],
        summary="WhichVersion words changed between two versions",
        parameters=[ASSISTANT_ID, *(OpenApiParameter(name, int, required=True) for name in ("from", "to"))],
        responses=PromptDiffAnswer,
    )
    def get(self, request: Request, assistant_id: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        wanted = valid(DiffQuery(data=request.query_params))
        before, after = (get_version(assistant, wanted[name]).body for name in ("from", "to"))
        changes = [{"kind": change.kind or "same", "text": change.text} for change in diff_words(before, after)]
        return Response({"is_same": before == after, "changes": changes})
