"""What every page of the staff admin shares: no secret on it, and one audit row for every change."""

import json
from collections.abc import Iterable
from typing import Any, cast

from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts import audit
from accounts.models import User
from lib.crypto import SecretField


class StaffAdmin(ModelAdmin):
    """Every ModelAdmin of the product derives from this one."""

    list_per_page = 50
    # Counting a large table twice for one page is not worth the number.
    show_full_result_count = False
    warn_unsaved_form = True
    # Left out of every form, as all SecretFields are.
    hidden_fields: tuple[str, ...] = ()

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        secret = [field.name for field in self.model._meta.fields if isinstance(field, SecretField)]
        return [*(super().get_exclude(request, obj) or ()), *secret, *self.hidden_fields]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        self.record(request, "add", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        # Names of fields only: a changed value may be personal.
        self.record(request, "change", obj, changed=json.loads(json.dumps(message, default=str)))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        for obj in queryset:
            self.record(request, "delete", obj)
        return super().log_deletions(request, queryset)

    def record(self, request: HttpRequest, act: str, obj: Model, **data: Any) -> None:
        staff = cast(User, request.user)
        audit.record_staff(f"staff.{act}", obj, staff=staff.email, name=str(obj)[:200], **data)


class ReadOnlyAdmin(StaffAdmin):
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
