"""/v1/prompts: what an assistant is told, by tenant and version, and the library of templates."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Actor, Perm
from accounts.answers import Data, tagged, valid
from accounts.models import ServiceTenant
from accounts.rest import TenantView
from agents.api.assistant_fields import (
    ASSISTANT_ID,
    IF_MATCH,
    TENANT_ID,
    WHICH,
    PromptInput,
    PromptVersionAnswer,
    draft_from,
    expected_revision,
    version_data,
)
from agents.api.assistants import WhichVersion
from agents.models import Assistant, PromptTemplate, PromptVersion
from agents.prompts.assistants import get_assistant, replace_prompt
from agents.prompts.compose import MAX_BODY
from agents.prompts.errors import PromptConflict
from agents.prompts.library import Template
from agents.prompts.serving import as_source, resolve_in
from agents.prompts.syntax import PromptError, names_in
from agents.prompts.templates import (
    as_template,
    create_template,
    delete_template,
    find_templates,
    get_template,
    update_template,
)
from agents.prompts.versions import served_version


class PromptAnswer(PromptVersionAnswer):
    assistant_id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    key = serializers.CharField()
    text = serializers.CharField(help_text="The body with the prompts it names.")
    resolution_graph = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


def require_tenant(actor: Actor, tenant_id: str) -> None:
    """The caller's workspace by its id or slug, or as its integrator calls it; any other is missing."""
    workspace = actor.workspace
    if tenant_id in {str(workspace.pk), workspace.slug}:
        return
    if not ServiceTenant.objects.filter(Q(external_id=tenant_id), workspace=workspace, is_active=True).exists():
        raise Http404


def prompt_answer(assistant: Assistant, version: PromptVersion, tag: object, status: int = 200) -> Response:
    try:
        resolution = resolve_in(assistant.workspace, as_source(version))
    except PromptError as error:
        raise PromptConflict(f"It cannot be used now. {error}") from error
    data: Data = {
        **version_data(version),
        "assistant_id": assistant.pk,
        "tenant_id": assistant.workspace_id,
        "key": assistant.key,
        "text": resolution.body,
        "resolution_graph": resolution.graph,
    }
    return tagged(data, tag, status)


class PromptView(TenantView):
    @extend_schema(
        operation_id="prompt",
        tags=["prompts"],
        summary="What an assistant is told",
        parameters=[ASSISTANT_ID, *WHICH],
        responses=PromptAnswer,
    )
    def get(self, request: Request, assistant_id: str) -> Response:
        assistant = get_assistant(self.actor, assistant_id)
        which = valid(WhichVersion(data=request.query_params))
        version = served_version(assistant, number=which.get("version"), label=which.get("label", ""))
        return prompt_answer(assistant, version, assistant.revision)


class TenantVersionView(TenantView):
    @extend_schema(
        operation_id="prompt_version",
        tags=["prompts"],
        summary="One version of a tenant's prompt",
        parameters=[
            ASSISTANT_ID,
            TENANT_ID,
            OpenApiParameter("version", str, OpenApiParameter.PATH, description="A number or a label."),
        ],
        responses=PromptAnswer,
    )
    def get(self, request: Request, assistant_id: str, tenant_id: str, version: str) -> Response:
        require_tenant(self.actor, tenant_id)
        assistant = get_assistant(self.actor, assistant_id)
        name = "version" if version.isdecimal() else "label"
        which = WhichVersion(data={name: version})
        if not which.is_valid():
            raise Http404
        data = which.validated_data
        found = served_version(assistant, number=data.get("version"), label=data.get("label", ""))
        return prompt_answer(assistant, found, found.sha256)


class TenantPromptView(TenantView):
    @extend_schema(
        operation_id="prompt_replace",
        tags=["prompts"],
        summary="A new version of a tenant's prompt; what is left out becomes empty",
        parameters=[TENANT_ID, ASSISTANT_ID, IF_MATCH],
        request=PromptInput,
        responses=PromptAnswer,
    )
    def put(self, request: Request, tenant_id: str, assistant_id: str) -> Response:
        require_tenant(self.actor, tenant_id)
        assistant = get_assistant(self.actor, assistant_id)
        self.actor.require(Perm.CONTENT_EDIT)
        draft = draft_from(valid(PromptInput(data=request.data)))
        expected = expected_revision(request, assistant)
        version = replace_prompt(assistant, draft, by=self.actor, expected=expected)
        return prompt_answer(assistant, version, assistant.revision)


# --- templates ----------------------------------------------------------------------------------------------


class PromptTemplateInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    language = serializers.CharField(max_length=12, required=False, default="en")
    industry = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    body = serializers.CharField(max_length=MAX_BODY, trim_whitespace=False)


class PromptTemplateAnswer(PromptTemplateInput):
    key = serializers.CharField(help_text="The id of one's own, the name of a shipped one.")
    description = serializers.CharField()
    variables = serializers.ListField(child=serializers.CharField())
    is_own = serializers.BooleanField()


class PromptTemplateFilter(serializers.Serializer[Any]):
    industry = serializers.CharField(max_length=40, required=False, default="")
    language = serializers.CharField(max_length=12, required=False, default="")
    search = serializers.CharField(max_length=120, required=False, default="")


class PromptTemplateList(serializers.Serializer[Any]):
    results = PromptTemplateAnswer(many=True)


def template_data(template: Template) -> Data:
    same = ("key", "name", "industry", "language", "description", "body")
    return {
        **{name: getattr(template, name) for name in same},
        "variables": names_in(template.body),
        "is_own": template.is_own,
    }


def own_answer(row: PromptTemplate, status: int = 200) -> Response:
    return Response(template_data(as_template(row)), status=status)


class TemplateListView(TenantView):
    @extend_schema(
        operation_id="prompt_templates",
        tags=["prompts"],
        summary="Templates to begin with: the workspace's own, then the shipped ones",
        parameters=[PromptTemplateFilter],
        responses=PromptTemplateList,
    )
    def get(self, request: Request) -> Response:
        wanted = valid(PromptTemplateFilter(data=request.query_params))
        found = find_templates(
            self.actor, industry=wanted["industry"], language=wanted["language"], words=wanted["search"]
        )
        return Response({"results": [template_data(template) for template in found]})

    @extend_schema(
        operation_id="prompt_template_create",
        tags=["prompts"],
        summary="A template of the workspace's own",
        request=PromptTemplateInput,
        responses={201: PromptTemplateAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        return own_answer(create_template(by=self.actor, **valid(PromptTemplateInput(data=request.data))), status=201)


class TemplateView(TenantView):
    @extend_schema(
        operation_id="prompt_template", tags=["prompts"], summary="One of one's own", responses=PromptTemplateAnswer
    )
    def get(self, request: Request, template_id: UUID) -> Response:
        return own_answer(get_template(self.actor, template_id))

    @extend_schema(
        operation_id="prompt_template_update",
        tags=["prompts"],
        summary="Change a template; assistants made from it keep their text",
        request=PromptTemplateInput(partial=True),
        responses=PromptTemplateAnswer,
    )
    def patch(self, request: Request, template_id: UUID) -> Response:
        row = get_template(self.actor, template_id)
        self.actor.require(Perm.CONTENT_EDIT)
        fields = valid(PromptTemplateInput(data=request.data, partial=True))
        return own_answer(update_template(row, by=self.actor, **fields))

    @extend_schema(
        operation_id="prompt_template_delete", tags=["prompts"], summary="Delete a template", responses={204: None}
    )
    def delete(self, request: Request, template_id: UUID) -> Response:
        delete_template(get_template(self.actor, template_id), by=self.actor)
        return Response(status=204)
