from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import TabularInline

# Registers by being imported: only here have all packages registered theirs.
import accounts.admin_packages
import accounts.admin_services  # noqa: F401
from accounts import audit, staff, stops
from accounts.access import Actor, Perm, system_actor
from accounts.admin_reasons import ReasonedActions
from accounts.admin_site import ReadOnlyAdmin, StaffAdmin
from accounts.billing_services import set_plan
from accounts.models import (
    ApiKey,
    AuditDetail,
    AuditEntry,
    Event,
    IdempotencyKey,
    Invitation,
    Membership,
    Notification,
    Switch,
    UsageEntry,
    UsageTotal,
    User,
    Workspace,
)
from accounts.plans import PLANS

POWERS = ["is_staff", "is_superuser", "groups", "user_permissions"]


class MembershipInline(TabularInline):
    model = Membership
    fields = ["user", "workspace", "role", "created_at"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(StaffAdmin):
    """People sign up and choose their passwords themselves: staff neither add them nor see a hash."""

    list_display = ["email", "name", "is_active", "is_staff", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    date_hierarchy = "date_joined"
    ordering = ["-date_joined"]
    fields = ["email", "name", "time_zone", "is_active", *POWERS, "last_workspace", "last_login", "date_joined"]
    readonly_fields = ["last_workspace", "last_login", "date_joined"]
    autocomplete_fields = ["groups"]
    filter_horizontal = ["user_permissions"]
    inlines = [MembershipInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Deactivate instead: what the person did stays theirs.
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whoever may set somebody's address may become them: staff must not gain each other's powers that way.
        is_higher = obj is not None and (obj.is_superuser or (obj.is_staff and obj.pk != request.user.pk))
        may_touch = not is_higher or _is_superuser(request)
        return may_touch and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields, *([] if _is_superuser(request) else POWERS)]


def _is_superuser(request: HttpRequest) -> bool:
    return cast(User, request.user).is_superuser


@admin.register(Workspace)
class WorkspaceAdmin(ReasonedActions, StaffAdmin):
    list_display = ["name", "slug", "time_zone", "plan", "members", "is_stopped", "is_suspended", "created_at"]
    list_filter = ["is_stopped", "is_suspended", "four_eyes"]
    search_fields = ["name", "slug", "memberships__user__email"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    fields = [
        *["name", "slug", "time_zone", "four_eyes", "late_minutes", "late_policy", "monthly_cap_micro"],
        *["plan", "plan_until", "is_stopped", "stopped_text", "is_suspended", "created_at"],
    ]
    readonly_fields = ["slug", "plan", "plan_until", "is_stopped", "stopped_text", "is_suspended", "created_at"]
    actions = ["suspend", "unsuspend", "stop", "release", "plan_default", "plan_free", "plan_pro", "plan_business"]
    inlines = [MembershipInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        return super().get_queryset(request).annotate(member_count=Count("memberships"))

    @admin.display(ordering="member_count")
    def members(self, workspace: Workspace) -> int:
        return cast(Any, workspace).member_count

    @admin.action(description="Suspend: nobody works in it, nothing is published", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> TemplateResponse | None:
        by = cast(User, request.user)
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: staff.suspend_workspace(row, staff=by, reason=reason),
            title="Suspend: nobody works in it, nothing is published",
            done="suspended",
        )

    @admin.action(description="End the suspension", permissions=["change"])
    def unsuspend(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> TemplateResponse | None:
        by = cast(User, request.user)
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: staff.unsuspend_workspace(row, staff=by, reason=reason),
            title="End the suspension",
            done="no longer suspended",
        )

    @admin.action(description="Plan: the installation's default", permissions=["change"])
    def plan_default(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> TemplateResponse | None:
        return self._set_plan(request, queryset, "")

    @admin.action(description="Plan: Free", permissions=["change"])
    def plan_free(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> TemplateResponse | None:
        return self._set_plan(request, queryset, "free")

    @admin.action(description="Plan: Pro", permissions=["change"])
    def plan_pro(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> TemplateResponse | None:
        return self._set_plan(request, queryset, "pro")

    @admin.action(description="Plan: Business", permissions=["change"])
    def plan_business(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> TemplateResponse | None:
        return self._set_plan(request, queryset, "business")

    def _set_plan(self, request: HttpRequest, queryset: QuerySet[Workspace], plan: str) -> TemplateResponse | None:
        by, label = cast(User, request.user), PLANS[plan].label if plan else "the installation's default"
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: set_plan(row, plan, staff=by, reason=reason),
            title=f"Plan: {label}",
            done=f"on {label} now",
        )

    @admin.action(description="Stop everything: nothing is published", permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> None:
        act = partial(stops.stop_workspace, "Stopped by staff.")
        done = sum(_stop_or_release(row, request, "workspace.stop", act) for row in queryset)
        self.message_user(request, f"{done} stopped.", messages.SUCCESS)

    @admin.action(description="Release: publishing goes on", permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> None:
        done = sum(_stop_or_release(row, request, "workspace.release", stops.release_workspace) for row in queryset)
        self.message_user(request, f"{done} released.", messages.SUCCESS)


def _stop_or_release(workspace: Workspace, request: HttpRequest, name: str, act: Callable[..., bool]) -> bool:
    """One row in the workspace's trail and one in the instance's own."""
    email = cast(User, request.user).email
    actor: Actor = system_actor(workspace, f"staff {email}", {Perm.PUBLISH})
    with transaction.atomic():
        changed = act(by=actor)
        if changed:
            audit.record_staff(name, workspace, staff=email, slug=workspace.slug)
    return changed


class SwitchForm(forms.ModelForm):
    class Meta:
        model = Switch
        fields = ["is_on", "reason"]
        labels = {"is_on": "Stopped"}
        help_texts = {"reason": "Everybody reads it on every page while this is on."}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("is_on") and not (cleaned.get("reason") or "").strip():
            self.add_error("reason", "Say why: everybody will read it.")
        return cleaned


@admin.register(Switch)
class SwitchAdmin(StaffAdmin):
    """Stops the publishing of the whole installation, and lets it go on."""

    form = SwitchForm
    list_display = ["name", "is_on", "reason", "changed_by", "changed_at"]
    fields = ["name", "is_on", "reason", "changed_by", "changed_at"]
    readonly_fields = ["name", "changed_by", "changed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Switch]:
        # It exists from the first look on.
        Switch.objects.bulk_create([Switch(name=Switch.PUBLISHING)], ignore_conflicts=True)
        return super().get_queryset(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Switch, form: Any, change: bool) -> None:
        by = cast(User, request.user)
        if obj.is_on:
            stops.stop_instance(obj.reason, staff=by)
        else:
            stops.release_instance(staff=by)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ["user", "workspace", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "workspace"]
    search_fields = ["user__email", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["email", "workspace", "role", "invited_by", "created_at", "expires_at", "accepted_at"]
    list_filter = ["role", ("accepted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace", "invited_by"]
    search_fields = ["email", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "prefix",
        "workspace",
        "created_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace", "created_by"]
    search_fields = ["name", "prefix", "workspace__name", "workspace__slug", "created_by__email"]
    date_hierarchy = "created_at"
    hidden_fields = ("key_hash",)
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("accounts.change_apikey")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        done = staff.revoke_keys(queryset, staff=cast(User, request.user))
        self.message_user(request, f"{done} revoked.", messages.SUCCESS)


class AuditDetailInline(TabularInline):
    model = AuditDetail
    fields = ["actor", "data"]
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "chain", "number", "action", "who", "object_kind", "object_id"]
    list_filter = ["action", "object_kind", ("workspace", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace", "detail"]
    search_fields = ["action", "object_id", "detail__actor", "workspace__name", "workspace__slug"]
    date_hierarchy = "at"
    ordering = ["-at", "-number"]
    inlines = [AuditDetailInline]

    @admin.display(description="chain", ordering="workspace")
    def chain(self, entry: AuditEntry) -> str:
        return str(entry.workspace) if entry.workspace_id else "staff"

    @admin.display(ordering="detail__actor")
    def who(self, entry: AuditEntry) -> str:
        detail = getattr(entry, "detail", None)
        return detail.actor if detail else "erased"


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "workspace"]
    list_filter = ["kind"]
    list_select_related = ["workspace"]
    search_fields = ["kind", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "text", "user", "workspace", "read_at", "is_alert", "mailed_at"]
    list_filter = ["kind", "is_alert", ("read_at", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace", "user"]
    search_fields = ["text", "user__email", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "amount_micro", "status", "month", "workspace"]
    list_filter = ["status", "kind"]
    list_select_related = ["workspace"]
    search_fields = ["key", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"


@admin.register(UsageTotal)
class UsageTotalAdmin(ReadOnlyAdmin):
    list_display = ["scope", "workspace", "spent_micro", "reserved_micro"]
    list_select_related = ["workspace"]
    search_fields = ["scope", "workspace__name", "workspace__slug"]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "key", "caller", "status", "workspace"]
    list_filter = ["status"]
    list_select_related = ["workspace"]
    search_fields = ["key", "caller", "workspace__name", "workspace__slug"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    # The answer itself is the customer's.
    hidden_fields = ("body",)
