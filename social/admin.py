from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts.admin_reasons import ReasonedActions
from accounts.admin_site import ReadOnlyAdmin, StaffAdmin
from social import services
from social.models import BotReceiver, Connection, InboundUpdate


@admin.register(Connection)
class ConnectionAdmin(ReasonedActions, StaffAdmin):
    """Credentials, apps and connect states are not registered: staff have no business with tokens."""

    list_display = ["handle", "name", "network", "workspace", "status", "status_text", "followers", "checked_at"]
    list_filter = ["status", "network", "is_premium", "api_host"]
    search_fields = ["handle", "name", "remote_id", "workspace__name", "workspace__slug"]
    list_select_related = ["workspace"]
    date_hierarchy = "connected_at"
    ordering = ["-connected_at"]
    actions = ["suspend", "unsuspend"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Connection._meta.fields]

    @admin.action(description="Suspend: nothing goes out from now on", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Connection]) -> TemplateResponse | None:
        by = request.user.get_username()
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: services.suspend(row, staff=by, reason=reason),
            title="Suspend: nothing goes out from now on",
            done="suspended",
        )

    @admin.action(description="End the suspension: comes back paused", permissions=["change"])
    def unsuspend(self, request: HttpRequest, queryset: QuerySet[Connection]) -> TemplateResponse | None:
        by = request.user.get_username()
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: services.unsuspend(row, staff=by, reason=reason),
            title="End the suspension: comes back paused",
            done="no longer suspended",
        )


@admin.register(BotReceiver)
class BotReceiverAdmin(ReadOnlyAdmin):
    list_display = ["username", "bot_id", "polled_at", "lease_until", "problem"]
    search_fields = ["username", "bot_id", "problem"]
    exclude = ["webhook_secret_hash"]


@admin.register(InboundUpdate)
class InboundUpdateAdmin(StaffAdmin):
    """What people write is theirs: staff see that an update came and what went wrong, not what it says."""

    list_display = ["bot_id", "update_id", "kind", "received_at", "handled_at", "failures", "problem"]
    list_filter = ["kind", ("handled_at", admin.EmptyFieldListFilter), ("problem", admin.EmptyFieldListFilter)]
    search_fields = ["=bot_id", "=update_id"]
    date_hierarchy = "received_at"
    fields = ["bot_id", "update_id", "kind", "received_at", "handled_at", "failures", "problem"]
    readonly_fields = fields
    ordering = ["-id"]
    actions = ["handle_again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Handle again: only those that were given up", permissions=["change"])
    def handle_again(self, request: HttpRequest, queryset: QuerySet[InboundUpdate]) -> None:
        parked = queryset.exclude(problem="").exclude(handled_at=None)
        done = parked.update(handled_at=None, failures=0, problem="")
        self.message_user(request, f"{done} will be handled again.", messages.SUCCESS)
