"""/api/mcp: personal MCP servers. Reading is for keys, too; what makes or renews access is for people alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import WorkspaceView
from integrations import servers
from integrations.models import McpServer
from integrations.server_access import find_server, is_own, servers_of
from integrations.server_usage import tokens_of, usage_by_day, usage_by_tool
from integrations.servers import MAX_CALLS_PER_MINUTE, MAX_OVERLAP
from integrations.tool_groups import GROUPS, by_group, groups_of, tools_in

READER = OpenApiExample("Reads and drafts", {"name": "Laptop", "groups": ["read", "draft"]}, request_only=True)
SHOWN_ONCE = "Opens the server. Shown this once; null when an answer is repeated."
STATUSES = ", ".join(McpServer.Status.values)
HOURS = MAX_OVERLAP.days * 24


def _names(help_text: str) -> Any:
    return serializers.ListField(
        child=serializers.CharField(max_length=80), required=False, max_length=200, help_text=help_text
    )


class McpServerInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    groups = serializers.ListField(
        child=serializers.ChoiceField(list(GROUPS)), required=False, help_text="All tools of these."
    )
    tools = _names("Single tools besides the groups.")
    resources = _names("By default all.")
    prompts = _names("By default all.")
    calls_per_minute = serializers.IntegerField(required=False, min_value=1, max_value=MAX_CALLS_PER_MINUTE)


class McpServerAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    owner = serializers.CharField()
    is_own = serializers.BooleanField()
    groups = serializers.ListField(child=serializers.CharField(), help_text="Of which it has at least one tool.")
    tools = serializers.ListField(child=serializers.CharField())
    resources = serializers.ListField(child=serializers.CharField())
    prompts = serializers.ListField(child=serializers.CharField())
    calls_per_minute = serializers.IntegerField()
    status = serializers.CharField(help_text=STATUSES)
    status_text = serializers.CharField(allow_blank=True, help_text="Why it is suspended.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewMcpServerAnswer(McpServerAnswer):
    token = serializers.CharField(allow_null=True, help_text=SHOWN_ONCE)


class McpTokenAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    prefix = serializers.CharField()
    program = serializers.CharField(allow_null=True, help_text="Which logged in by itself; null for plain tokens.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class McpServerDetailAnswer(McpServerAnswer):
    tokens = McpTokenAnswer(many=True)


class McpRotateInput(serializers.Serializer[Any]):
    overlap_hours = serializers.IntegerField(
        required=False, default=24, min_value=0, max_value=HOURS, help_text="How long the tokens before work on."
    )


class McpTokenSecretAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    prefix = serializers.CharField()
    token = serializers.CharField(allow_null=True, help_text=SHOWN_ONCE)


class McpReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class McpUsageRow(serializers.Serializer[Any]):
    tool = serializers.CharField(required=False)
    day = serializers.DateField(required=False)
    calls = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]  # as the table calls it
    ms = serializers.IntegerField(allow_null=True, help_text="Of one call, on average.")


class McpUsageAnswer(serializers.Serializer[Any]):
    by_tool = McpUsageRow(many=True)
    by_day = McpUsageRow(many=True, help_text="UTC days, the latest first.")


class McpToolAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    group = serializers.CharField()
    has_effect = serializers.BooleanField()


class McpToolsAnswer(serializers.Serializer[Any]):
    tools = McpToolAnswer(many=True)


class McpServerListView(ListView):
    secret_fields = frozenset({"token"})

    @extend_schema(
        operation_id="mcp_servers", tags=["mcp"], summary="Personal MCP servers", responses=McpServerAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        return page_of(self, servers_of(self.actor), self._data)

    @extend_schema(
        operation_id="mcp_server_create",
        tags=["mcp"],
        summary="A new personal MCP server",
        request=McpServerInput,
        responses={201: NewMcpServerAnswer},
        examples=[READER],
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        data = valid(McpServerInput(data=request.data))
        groups = tools_in(data.pop("groups", []), self.actor.perms)
        tools = [*groups, *data.pop("tools", [])]
        server, secret = servers.create_server(data.pop("name"), tools, by=self.actor, **data)
        return Response({**server_data(server, is_own=True), "token": secret}, status=201)

    def _data(self, server: McpServer) -> Data:
        return server_data(server, is_own=is_own(server, self.actor))


class McpServerView(WorkspaceView):
    @extend_schema(
        operation_id="mcp_server", tags=["mcp"], summary="One personal MCP server", responses=McpServerDetailAnswer
    )
    def get(self, request: Request, server_id: UUID) -> Response:
        server = find_server(server_id, by=self.actor)
        tokens = [
            {
                "id": token.pk,
                "prefix": token.prefix,
                "program": token.client.name if token.client else None,
                "created_at": token.created_at,
                "expires_at": token.expires_at,
                "last_used_at": token.last_used_at,
            }
            for token in tokens_of(server)
        ]
        return Response({**server_data(server, is_own=is_own(server, self.actor)), "tokens": tokens})

    @extend_schema(
        operation_id="mcp_server_update",
        tags=["mcp"],
        summary="Change what it may do",
        request=McpServerInput(partial=True),
        responses=McpServerAnswer,
        examples=[READER],
    )
    def patch(self, request: Request, server_id: UUID) -> Response:
        server = find_server(server_id, by=self.actor)
        data = valid(McpServerInput(data=request.data, partial=True))
        groups = data.pop("groups", None)
        if groups is not None:
            data["tools"] = [*tools_in(groups, self.actor.perms), *data.get("tools", [])]
        return Response(server_data(servers.update_server(server, by=self.actor, **data), is_own=True))

    @extend_schema(operation_id="mcp_server_revoke", tags=["mcp"], summary="End it for good", responses={204: None})
    def delete(self, request: Request, server_id: UUID) -> Response:
        servers.revoke_server(find_server(server_id, by=self.actor), by=self.actor)
        return Response(status=204)


class McpRotateView(WorkspaceView):
    secret_fields = frozenset({"token"})

    @extend_schema(
        operation_id="mcp_server_rotate",
        tags=["mcp"],
        summary="A new token",
        request=McpRotateInput,
        responses={201: McpTokenSecretAnswer},
        examples=[OpenApiExample("At once", {"overlap_hours": 0}, request_only=True)],
    )
    def post(self, request: Request, server_id: UUID) -> Response:
        server = find_server(server_id, by=self.actor)
        overlap = timedelta(hours=valid(McpRotateInput(data=request.data))["overlap_hours"])
        token, secret = servers.rotate_token(server, by=self.actor, overlap=overlap)
        return Response({"id": token.pk, "prefix": token.prefix, "token": secret}, status=201)


class McpSuspendView(WorkspaceView):
    @extend_schema(
        operation_id="mcp_server_suspend",
        tags=["mcp"],
        summary="Let it answer nobody for a while",
        request=McpReasonInput,
        responses=McpServerAnswer,
        examples=[OpenApiExample("With a reason", {"reason": "On holiday"}, request_only=True)],
    )
    def post(self, request: Request, server_id: UUID) -> Response:
        server = find_server(server_id, by=self.actor)
        reason = valid(McpReasonInput(data=request.data))["reason"]
        found = servers.suspend_server(server, by=self.actor, reason=reason)
        return Response(server_data(found, is_own=is_own(found, self.actor)))


class McpResumeView(WorkspaceView):
    @extend_schema(
        operation_id="mcp_server_resume", tags=["mcp"], summary="Let it answer", request=None, responses=McpServerAnswer
    )
    def post(self, request: Request, server_id: UUID) -> Response:
        found = servers.resume_server(find_server(server_id, by=self.actor), by=self.actor)
        return Response(server_data(found, is_own=is_own(found, self.actor)))


class McpTokenView(WorkspaceView):
    @extend_schema(operation_id="mcp_token_revoke", tags=["mcp"], summary="End one token", responses={204: None})
    def delete(self, request: Request, server_id: UUID, token_id: UUID) -> Response:
        servers.revoke_token(find_server(server_id, by=self.actor), token_id, by=self.actor)
        return Response(status=204)


class McpUsageView(WorkspaceView):
    @extend_schema(
        operation_id="mcp_server_usage", tags=["mcp"], summary="Its use in 30 days", responses=McpUsageAnswer
    )
    def get(self, request: Request, server_id: UUID) -> Response:
        server = find_server(server_id, by=self.actor)
        return Response({"by_tool": usage_by_tool(server), "by_day": usage_by_day(server)})


class McpToolsView(WorkspaceView):
    @extend_schema(
        operation_id="mcp_tools", tags=["mcp"], summary="Tools that the caller may give", responses=McpToolsAnswer
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        found = [
            {
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "group": group.name,
                "has_effect": tool.has_effect,
            }
            for group, tools in by_group(self.actor.perms)
            for tool in tools
        ]
        return Response({"tools": found})


def server_data(server: McpServer, *, is_own: bool) -> Data:
    names = ("name", "tools", "resources", "prompts", "calls_per_minute", "status", "status_text")
    return {
        "id": server.pk,
        **{name: getattr(server, name) for name in names},
        "owner": str(server.user),
        "is_own": is_own,
        "groups": groups_of(server.tools),
        "created_at": server.created_at,
        "last_used_at": server.last_used_at,
    }
