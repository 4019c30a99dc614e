"""Staff see what assistants are told, and may take one out of use."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from accounts import audit
from accounts.access import Perm, system_actor
from accounts.admin_site import ReadOnlyAdmin
from accounts.models import User
from agents.models import Assistant, PromptLabel, PromptTemplate, PromptVersion
from agents.prompts.assistants import archive_assistant
from agents.prompts.errors import PromptConflict

WORKSPACE = ["workspace__name", "workspace__slug"]


class PlainInline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields or [])

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionInline(PlainInline):
    model = PromptVersion
    fields = ["number", "message", "author_label", "created_at"]


class LabelInline(PlainInline):
    model = PromptLabel
    fields = ["label", "version", "is_protected", "updated_at"]
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromptLabel]:
        return super().get_queryset(request).select_related("version")


@admin.register(Assistant)
class AssistantAdmin(ReadOnlyAdmin):
    list_display = ["name", "key", "workspace", "workflow", "revision", "updated_at", "archived_at"]
    list_filter = ["workflow", ("archived_at", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace"]
    search_fields = ["name", "key", *WORKSPACE]
    inlines = [LabelInline, VersionInline]
    actions = ["archive"]

    @admin.action(description="Archive: no run uses it", permissions=["archive"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Assistant]) -> None:
        staff, done = cast(User, request.user), 0
        for assistant in queryset.select_related("workspace"):
            actor = system_actor(assistant.workspace, f"staff {staff.email}", {Perm.CONTENT_EDIT})
            try:
                archive_assistant(assistant, by=actor)
            except PromptConflict as refusal:
                self.message_user(request, f"{assistant}: {refusal}", messages.WARNING)
                continue
            audit.record_staff("assistant.archive", assistant, staff=staff.email, workspace=assistant.workspace.slug)
            done += 1
        self.message_user(request, f"{done} archived.", messages.SUCCESS)

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("agents.change_assistant")


@admin.register(PromptVersion)
class PromptVersionAdmin(ReadOnlyAdmin):
    list_display = ["assistant", "number", "workspace", "message", "author_label", "created_at"]
    list_select_related = ["assistant", "workspace"]
    search_fields = ["assistant__name", "assistant__key", "sha256", *WORKSPACE]
    date_hierarchy = "created_at"


@admin.register(PromptTemplate)
class PromptTemplateAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "language", "industry", "created_at"]
    list_filter = ["language", "industry"]
    list_select_related = ["workspace"]
    search_fields = ["name", *WORKSPACE]
