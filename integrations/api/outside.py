"""/api/mcp/outside: other people's MCP servers, and what of them assistants may use."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import NetworkView, WorkspaceView
from accounts.scope import workspace_scope
from integrations.models import OutsideServer
from integrations.outside import services
from integrations.outside.access import find_outside, outside_servers
from integrations.outside.facts import tool_facts

CRM = OpenApiExample(
    "With a secret",
    {"name": "CRM", "url": "https://crm.example/mcp", "secret": "Bearer 8f2c41"},
    request_only=True,
)
READING = OpenApiExample(
    "One that reads, one that asks first",
    {"tools": ["find_customer", "add_note"], "read_only": ["find_customer"], "seen": "9f86d081884c7d65"},
    request_only=True,
)


class OutsideInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=40)
    url = serializers.CharField(max_length=500, help_text="Of its MCP endpoint, on the public internet.")
    secret = serializers.CharField(
        max_length=services.MAX_SECRET,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="The whole Authorization header; never shown again. Left out, it stays, but not at another address.",
    )


class OutsideAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()
    has_secret = serializers.BooleanField()
    shows_secret = serializers.BooleanField(help_text="It travels unencrypted: use the https:// address.")
    is_active = serializers.BooleanField()
    paused_by = serializers.CharField(allow_blank=True, help_text="admin, staff. Staff alone resume what they paused.")
    pause_text = serializers.CharField(allow_blank=True)
    problem_text = serializers.CharField(allow_blank=True, help_text="Of the last look.")
    tools_offered = serializers.IntegerField(help_text="How many assistants see now.")
    checked_at = serializers.DateTimeField(allow_null=True, help_text="Of the last look.")
    created_at = serializers.DateTimeField()


class OutsideToolAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True, help_text="A stranger's words.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="To be read before it is allowed.")
    arguments = serializers.ListField(child=serializers.CharField())
    is_allowed = serializers.BooleanField()
    is_read_only = serializers.BooleanField(help_text="Used without asking a person.")
    has_changed = serializers.BooleanField(help_text="Since it was allowed: withheld until it is allowed anew.")


class OutsideDetailAnswer(OutsideAnswer):
    tools = OutsideToolAnswer(many=True)
    seen = serializers.CharField(help_text="Stands for these tools, as they are described: give it back to allow some.")


class OutsideToolsInput(serializers.Serializer[Any]):
    tools = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=services.MAX_ALLOWED, help_text="Exactly these."
    )
    # Every field has one of its own, which is something else.
    read_only = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(max_length=64),
        max_length=services.MAX_ALLOWED,
        required=False,
        help_text="Of them: those that only read, and need not ask a person.",
    )
    seen = serializers.CharField(max_length=64, help_text="`seen` of the answer in which the tools were read.")


def outside_data(row: OutsideServer) -> Data:
    names = "id name url is_active paused_by pause_text problem_text checked_at created_at"
    return {name: getattr(row, name) for name in names.split()} | {
        "has_secret": bool(row.secret),
        "shows_secret": services.shows_secret(row),
        "tools_offered": len(services.offered_tools(row)),
    }


def whole_data(row: OutsideServer) -> Data:
    return outside_data(row) | {"tools": tool_facts(row), "seen": services.digest_of(row)}


class OutsideListView(ListView):
    @extend_schema(
        operation_id="outside_servers",
        tags=["mcp"],
        summary="Outside tools",
        responses=OutsideAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return page_of(self, outside_servers(self.actor), outside_data)

    @extend_schema(
        operation_id="outside_attach",
        tags=["mcp"],
        summary="Attach a server; nothing of it is called or allowed yet",
        request=OutsideInput,
        responses={201: OutsideAnswer},
        examples=[CRM],
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.TOOLS)
        row = services.attach_server(by=self.actor, **valid(OutsideInput(data=request.data)))
        return Response(outside_data(row), status=201)


class OutsideView(WorkspaceView):
    @extend_schema(
        operation_id="outside_server",
        tags=["mcp"],
        summary="One server, with its tools as of the last look",
        responses=OutsideDetailAnswer,
    )
    def get(self, request: Request, outside_id: UUID) -> Response:
        return Response(whole_data(find_outside(outside_id, by=self.actor)))

    @extend_schema(
        operation_id="outside_update",
        tags=["mcp"],
        summary="Change it; another address may be another server, so nothing stays allowed",
        request=OutsideInput(partial=True),
        responses=OutsideAnswer,
        examples=[CRM],
    )
    def patch(self, request: Request, outside_id: UUID) -> Response:
        row = find_outside(outside_id, by=self.actor)
        asked = valid(OutsideInput(data=request.data, partial=True))
        return Response(outside_data(services.update_outside(row, by=self.actor, **asked)))

    @extend_schema(
        operation_id="outside_detach",
        tags=["mcp"],
        summary="Detach it; its secret and what was allowed are deleted",
        responses={204: None},
    )
    def delete(self, request: Request, outside_id: UUID) -> Response:
        services.detach_server(find_outside(outside_id, by=self.actor), by=self.actor)
        return Response(status=204)


class OutsideLookView(NetworkView):
    @extend_schema(
        operation_id="outside_look",
        tags=["mcp"],
        summary="Ask it for its tools now; `problem_text` says why it gave none",
        request=None,
        responses=OutsideDetailAnswer,
    )
    def post(self, request: Request, outside_id: UUID) -> Response:
        with workspace_scope(self.actor.workspace.pk):
            row = find_outside(outside_id, by=self.actor)
        return Response(whole_data(services.look_at(row, by=self.actor)))


class OutsideToolsView(WorkspaceView):
    @extend_schema(
        operation_id="outside_allow",
        tags=["mcp"],
        summary="Say what assistants may use of it",
        request=OutsideToolsInput,
        responses=OutsideDetailAnswer,
        examples=[READING],
    )
    def put(self, request: Request, outside_id: UUID) -> Response:
        row = find_outside(outside_id, by=self.actor)
        asked = valid(OutsideToolsInput(data=request.data))
        return Response(whole_data(services.allow_tools(row, asked.pop("tools"), by=self.actor, **asked)))


class OutsidePauseView(WorkspaceView):
    @extend_schema(
        operation_id="outside_pause",
        tags=["mcp"],
        summary="Pause it: assistants no longer see its tools",
        request=None,
        responses=OutsideAnswer,
    )
    def post(self, request: Request, outside_id: UUID) -> Response:
        row = find_outside(outside_id, by=self.actor)
        return Response(outside_data(services.set_active(row, False, by=self.actor)))


class OutsideResumeView(WorkspaceView):
    @extend_schema(
        operation_id="outside_resume",
        tags=["mcp"],
        summary="Resume it; 403 where staff paused it",
        request=None,
        responses=OutsideAnswer,
    )
    def post(self, request: Request, outside_id: UUID) -> Response:
        row = find_outside(outside_id, by=self.actor)
        return Response(outside_data(services.set_active(row, True, by=self.actor)))
