"""The admin pages that other packages bring: the look and the audit of ours, and none that shows a secret."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin_site import ReadOnlyAdmin, StaffAdmin

SCHEDULES = (ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)
admin.site.unregister([Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
admin.site.unregister([PeriodicTask, *SCHEDULES])


@admin.register(Group)
class GroupAdmin(StaffAdmin, DjangoGroupAdmin):
    list_display = ["name"]


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["primary", "verified"]
    list_select_related = ["user"]
    search_fields = ["email", "user__email"]


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin):
    list_display = ["user", "provider", "last_login", "date_joined"]
    list_filter = ["provider"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    hidden_fields = ("extra_data",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Deleting one is how staff let in somebody who lost the telephone."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    date_hierarchy = "created_at"
    hidden_fields = ("data",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(ReadOnlyAdmin, self).has_delete_permission(request, obj)


class UnfoldTaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    pass


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = UnfoldTaskSelectWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, StaffAdmin):
    form = PeriodicTaskForm

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """The package's actions change rows without a log of their own."""
        act = request.POST.get("action", "")
        if act in beat.PeriodicTaskAdmin.actions:
            for task in PeriodicTask.objects.filter(pk__in=request.POST.getlist("_selected_action")):
                self.record(request, act, task)
        return super().response_action(request, queryset)


class PeriodicTaskInline(beat.PeriodicTaskInline, TabularInline):
    pass


@admin.register(*SCHEDULES)
class ScheduleAdmin(StaffAdmin):
    inlines = [PeriodicTaskInline]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        PeriodicTasks.update_changed()
