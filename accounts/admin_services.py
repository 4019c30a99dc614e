"""Integrators, in the staff admin. Only superusers make them: a client owns workspaces."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.admin_site import ReadOnlyAdmin, StaffAdmin
from accounts.models import ServiceClient, ServiceTenant, User
from accounts.service_clients import create_client, rotate_key

SHOWN_ONCE = "The app key of {name}: {secret}. It is shown only now."


@admin.register(ServiceClient)
class ServiceClientAdmin(StaffAdmin):
    list_display = ["name", "prefix", "owner", "is_active", "created_at", "last_used_at"]
    list_filter = ["is_active"]
    list_select_related = ["owner"]
    search_fields = ["name", "prefix", "owner__email"]
    fields = ["name", "owner", "is_active", "prefix", "created_at", "last_used_at"]
    readonly_fields = ["prefix", "created_at", "last_used_at"]
    autocomplete_fields = ["owner"]
    hidden_fields = ("key_hash",)
    actions = ["rotate"]

    def save_model(self, request: HttpRequest, obj: ServiceClient, form: ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            client, secret = create_client(obj.name, cast(User, obj.owner))
            obj.__dict__.update(client.__dict__)
            self.message_user(request, SHOWN_ONCE.format(name=client.name, secret=secret), messages.WARNING)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "owner" in form.base_fields:
            form.base_fields["owner"].required = True
            form.base_fields["owner"].help_text = "Owns the workspaces that this client makes."
        return form

    @admin.action(description="Give a new app key", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ServiceClient]) -> None:
        for client in queryset:
            secret = rotate_key(client)
            self.record(request, "rotate", client)
            self.message_user(request, SHOWN_ONCE.format(name=client.name, secret=secret), messages.WARNING)


@admin.register(ServiceTenant)
class ServiceTenantAdmin(ReadOnlyAdmin):
    list_display = ["external_id", "client", "workspace", "revision", "is_active", "synced_at"]
    list_filter = ["client", "is_active"]
    list_select_related = ["client", "workspace"]
    search_fields = ["external_id", "workspace__name", "workspace__slug"]
