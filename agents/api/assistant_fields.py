"""What the routes of assistants and of prompts take and answer."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from accounts.answers import Data, check_json, wants_other
from agents.models import Assistant, PromptVersion
from agents.prompts.compose import MAX_BODY
from agents.prompts.errors import StalePrompt
from agents.prompts.versions import PromptDraft, newest

MAX_JSON = 20_000
MAX_NUMBER = 2**31 - 1
ASSISTANT_ID = OpenApiParameter("assistant_id", str, OpenApiParameter.PATH, description="Its id or its key.")
TENANT_ID = OpenApiParameter(
    "tenant_id", str, OpenApiParameter.PATH, description="The workspace: its id, its slug, or the id you synced it by."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of what you changed, or the sha256 of its newest version; 409 when it is older.",
)
WHICH = [
    OpenApiParameter("version", int, description="A version by its number."),
    OpenApiParameter("label", str, description="A version by its label. By default production, else the newest."),
]


def check_small(value: Any) -> None:
    check_json(value)
    if len(json.dumps(value, ensure_ascii=False)) > MAX_JSON:
        raise ValidationError(f"At most {MAX_JSON:,} characters.")


def json_field(**options: Any) -> serializers.DictField:
    return serializers.DictField(required=False, validators=[check_small], **options)


def number_field(**options: Any) -> serializers.IntegerField:
    """A version's number, as the column holds it."""
    return serializers.IntegerField(min_value=1, max_value=MAX_NUMBER, **options)


class PromptInput(serializers.Serializer[Any]):
    body = serializers.CharField(max_length=MAX_BODY, trim_whitespace=False)
    config = json_field(help_text="Your own values, kept with the version.")
    variables = json_field(
        child=serializers.CharField(max_length=200, allow_blank=True, allow_null=True),
        help_text="What the {{names}} in the body mean.",
    )
    message = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="Why it changed.")


class AssistantInput(PromptInput):
    name = serializers.CharField(max_length=80)
    description = serializers.CharField(max_length=1_000, required=False, allow_blank=True)
    workflow = serializers.CharField(max_length=40, required=False)
    settings = json_field()
    metadata = json_field()


class NewAssistantInput(AssistantInput):
    key = serializers.CharField(max_length=60, required=False, help_text="By default made of the name.")


class PromptVersionAnswer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    body = serializers.CharField()
    config = serializers.DictField()
    variables = serializers.DictField(child=serializers.CharField())
    sha256 = serializers.CharField(help_text="Of the body, in UTF-8.")
    message = serializers.CharField()
    author = serializers.CharField()
    cloned_from = serializers.CharField(help_text="As key@version; empty where it was not copied.")
    rolled_back_from = serializers.IntegerField(allow_null=True)
    version_created_at = serializers.DateTimeField()


class AssistantRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    workflow = serializers.CharField()
    settings = serializers.DictField()
    metadata = serializers.DictField()
    revision = serializers.IntegerField(help_text="Grows with every change; the ETag.")
    labels = serializers.DictField(child=serializers.IntegerField(), help_text="Which version each label stands at.")
    protected_labels = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)


class AssistantAnswer(PromptVersionAnswer, AssistantRow):
    pass


ROW = (
    *("id", "key", "name", "description", "workflow", "settings", "metadata", "revision"),
    *("created_at", "updated_at", "archived_at"),
)
EXAMPLE = OpenApiExample(
    "A writer for a café",
    request_only=True,
    value={
        "name": "Café writer",
        "workflow": "campaign",
        "body": "You write posts for {{brand}}. Write in {{language}}.",
        "variables": {"brand": "What the brand is like", "language": "en or zh"},
        "message": "First words",
    },
)


def version_data(version: PromptVersion) -> Data:
    same = ("body", "config", "variables", "sha256", "message", "cloned_from", "rolled_back_from")
    return {
        "version": version.number,
        **{name: getattr(version, name) for name in same},
        "author": version.author_label,
        "version_created_at": version.created_at,
    }


def assistant_row(assistant: Assistant) -> Data:
    """Reads the labels, each with its version."""
    labels = list(assistant.labels.all())
    return {
        **{name: getattr(assistant, name) for name in ROW},
        "labels": {row.label: row.version.number for row in labels},
        "protected_labels": [row.label for row in labels if row.is_protected],
    }


def with_labels(assistant: Assistant) -> Data:
    return assistant_row(Assistant.objects.prefetch_related("labels__version").get(pk=assistant.pk))


def draft_from(data: Data) -> PromptDraft:
    maps = {
        name: {key: value for key, value in data.get(name, {}).items() if value is not None}
        for name in ("config", "variables")
    }
    return PromptDraft(data["body"], message=data.get("message", ""), **maps)


def expected_revision(request: Request, assistant: Assistant) -> int | None:
    """The revision to change from; None where the caller named none. Raises StalePrompt."""
    if request.headers.get("If-Match", "").strip() in {"", "*"}:
        return None
    if wants_other(request, assistant.revision, newest(assistant).sha256):
        raise StalePrompt("It was changed meanwhile. Read it again and repeat your change.")
    return assistant.revision
