"""MCP in the staff admin: who lets which program do what. Read-mostly, and no token on any page."""

from typing import cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts.admin_badges import badge_for
from accounts.admin_reasons import ReasonedActions
from accounts.admin_site import ReadOnlyAdmin
from accounts.models import User
from integrations import servers
from integrations.models import McpServer, OAuthClient, OutsideServer
from integrations.outside.services import pause_by_staff, resume_by_staff

VARIANTS = {"active": "success", "suspended": "warning"}


@admin.register(McpServer)
class McpServerAdmin(ReasonedActions, ReadOnlyAdmin):
    list_display = ["name", "user", "workspace", "state", "suspended_by", "created_at", "last_used_at"]
    list_filter = ["status", "suspended_by"]
    list_select_related = ["user", "workspace"]
    search_fields = ["name", "user__email", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"
    refusals = (servers.ServerConflict,)
    actions = ["suspend", "resume"]

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("integrations.change_mcpserver")

    @admin.display(description="state", ordering="status")
    def state(self, server: McpServer) -> str:
        return badge_for(server.status, server.get_status_display(), VARIANTS)

    @admin.action(description="Suspend: its tokens open nothing", permissions=["suspend"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[McpServer]) -> TemplateResponse | None:
        by = cast(User, request.user)
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: servers.suspend_by_staff(row, staff=by, reason=reason),
            title="Suspend: its tokens open nothing",
            done="suspended",
        )

    @admin.action(description="End the suspension", permissions=["suspend"])
    def resume(self, request: HttpRequest, queryset: QuerySet[McpServer]) -> TemplateResponse | None:
        by = cast(User, request.user)
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: servers.resume_by_staff(row, staff=by, reason=reason),
            title="End the suspension",
            done="no longer suspended",
        )


@admin.register(OAuthClient)
class OAuthClientAdmin(ReadOnlyAdmin):
    list_display = ["name", "client_id", "created_at", "last_used_at"]
    search_fields = ["name", "client_id"]
    date_hierarchy = "created_at"


@admin.register(OutsideServer)
class OutsideServerAdmin(ReasonedActions, ReadOnlyAdmin):
    list_display = ["name", "url", "workspace", "is_active", "paused_by", "checked_at", "problem_text", "created_by"]
    list_filter = ["is_active", "paused_by"]
    list_select_related = ["workspace", "created_by"]
    search_fields = ["name", "url", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"
    actions = ["pause", "resume"]

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("integrations.change_outsideserver")

    @admin.action(description="Pause: assistants no longer see its tools", permissions=["pause"])
    def pause(self, request: HttpRequest, queryset: QuerySet[OutsideServer]) -> TemplateResponse | None:
        by = cast(User, request.user)
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: pause_by_staff(row, staff=by, reason=reason),
            title="Pause: assistants no longer see its tools",
            done="paused",
        )

    @admin.action(description="Resume: assistants see its tools again", permissions=["pause"])
    def resume(self, request: HttpRequest, queryset: QuerySet[OutsideServer]) -> TemplateResponse | None:
        by = cast(User, request.user)
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: resume_by_staff(row, staff=by, reason=reason),
            title="Resume: assistants see its tools again",
            done="resumed",
        )
