"""Rules in the staff admin: find, edit, add, switch off, take back; and how often each one is hit."""

import json
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin_site import StaffAdmin
from accounts.models import User
from compliance.guard.port import Severity
from compliance.models import GuardRule, RuleStat
from compliance.places import MARKETS
from compliance.rule_admin import (
    ENDS_SOON,
    STATISTIC_DAYS,
    by_day,
    check_change,
    delete_rule,
    editable_data,
    ending_rules,
    reset_rule,
    save_rule,
    set_enabled,
    shipped_rows,
    statistics,
)
from lib.clock import now

TEMPLATE: dict[str, Any] = {
    "id": "NEW-RULE",
    "engine": "phrases",
    "severity": "review",
    "message": "What is wrong, in a sentence.",
    "citation": "The law or policy.",
    "fix": "The smallest change that helps.",
    "match": {"terms": ["a word"]},
    "tests": [{"text": "a word in a sentence", "verdict": "review", "hit": True}],
}


class PrettyJson(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


class RuleForm(forms.ModelForm):
    data = PrettyJson(  # type: ignore[assignment]  # taken out of the class by Django
        label="Rule",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 30, "spellcheck": "false"}),
        help_text="Checked against its form, its engine and all of its test rows before it is saved.",
    )
    is_enabled = forms.BooleanField(label="In force", required=False, initial=True)

    class Meta:
        model = GuardRule
        fields = ["data", "is_enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["data"] = TEMPLATE if self.instance._state.adding else editable_data(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        rule = cleaned.get("data")
        try:
            if isinstance(rule, dict):
                check_change(self.instance, rule)
            elif rule is not None:
                self.add_error("data", "A rule is a JSON object.")
        except ValidationError as error:
            self.add_error("data", error.messages)
        return cleaned


class _InData(admin.SimpleListFilter):
    """By a field of the rule's data."""

    choices_of: list[tuple[str, str]] = []

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return self.choices_of

    def queryset(self, request: HttpRequest, queryset: QuerySet[GuardRule]) -> QuerySet[GuardRule]:
        return queryset.filter(**{f"data__{self.parameter_name}": self.value()}) if self.value() else queryset


class EngineFilter(_InData):
    title, parameter_name = "engine", "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = GuardRule.objects.order_by().values_list("data__engine", flat=True).distinct()
        return sorted((name, name) for name in names if name)


class SeverityFilter(_InData):
    title, parameter_name = "severity", "severity"
    choices_of = [(severity.value, severity.value) for severity in Severity]


class JurisdictionFilter(_InData):
    title, parameter_name = "jurisdiction", "jurisdictions__contains"
    choices_of = list(MARKETS.items())


class EndingFilter(admin.SimpleListFilter):
    title, parameter_name = "end", "end"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("soon", f"within {ENDS_SOON.days} days"), ("past", "has ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[GuardRule]) -> QuerySet[GuardRule]:
        if self.value() == "soon":
            return ending_rules(queryset)
        return queryset.filter(valid_to__lt=now().date()) if self.value() == "past" else queryset


FACTS = ["rule", "pack", "is_edited", "valid_from", "valid_to", "updated_by", "updated_at"]


@admin.register(GuardRule)
class GuardRuleAdmin(StaffAdmin):
    form = RuleForm
    list_display = ["rule", "severity", "engine", "pack", "is_enabled", "is_edited", "valid_to", "changed"]
    list_filter = ["pack", EngineFilter, JurisdictionFilter, SeverityFilter, "is_enabled", "is_edited", EndingFilter]
    list_select_related = ["updated_by"]
    search_fields = ["rule", "pack", "data__message", "data__citation", "data__fix"]
    ordering = ["pack", "rule"]
    readonly_fields = [
        "rule",
        "pack",
        "is_edited",
        "valid_from",
        "valid_to",
        "updated_by",
        "updated_at",
        "shipped_as",
        "rows",
    ]
    actions = ["enable", "disable", "reset"]
    change_list_template = "admin/compliance/guardrule/change_list.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["data", "is_enabled"]})]
        return [
            (None, {"fields": ["data", "is_enabled"]}),
            ("About it", {"fields": FACTS}),
            ("As shipped", {"fields": ["shipped_as", "rows"], "classes": ["collapse"]}),
        ]

    def save_model(self, request: HttpRequest, obj: GuardRule, form: Any, change: bool) -> None:
        """From the row as it stands: the form has laid its fields over `obj` already."""
        row = GuardRule.objects.select_for_update(no_key=True).get(pk=obj.pk) if change else GuardRule(pk=obj.pk)
        cleaned = form.cleaned_data
        save_rule(row, cleaned["data"], staff=cast(User, request.user), is_enabled=cleaned["is_enabled"])
        obj.rule = row.rule

    def record(self, request: HttpRequest, act: str, obj: Any, **data: Any) -> None:
        """The service writes one row with before and after."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or not obj.shipped)

    def delete_model(self, request: HttpRequest, obj: GuardRule) -> None:
        delete_rule(obj, staff=cast(User, request.user))

    def get_actions(self, request: HttpRequest) -> Any:
        # Many at once may hold shipped ones.
        return {name: act for name, act in super().get_actions(request).items() if name != "delete_selected"}

    @admin.display(ordering="data__severity")
    def severity(self, row: GuardRule) -> str:
        return str(row.data.get("severity", ""))

    @admin.display(ordering="data__engine")
    def engine(self, row: GuardRule) -> str:
        return str(row.data.get("engine", ""))

    @admin.display(description="last change", ordering="updated_at")
    def changed(self, row: GuardRule) -> str:
        return f"{row.updated_at:%Y-%m-%d %H:%M} by {row.updated_by}" if row.updated_by else ""

    @admin.display(description="shipped rule")
    def shipped_as(self, row: GuardRule) -> str:
        return json.dumps(row.shipped, ensure_ascii=False, indent=2) if row.shipped else "Added by staff."

    @admin.display(description="its test rows")
    def rows(self, row: GuardRule) -> str:
        return json.dumps(shipped_rows(row.rule), ensure_ascii=False, indent=2)

    @admin.action(description="Switch on", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[GuardRule]) -> None:
        done = sum(set_enabled(row, True, staff=cast(User, request.user)) for row in queryset)
        self.message_user(request, f"{done} switched on.", messages.SUCCESS)

    @admin.action(description="Switch off", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[GuardRule]) -> None:
        done = sum(set_enabled(row, False, staff=cast(User, request.user)) for row in queryset)
        self.message_user(request, f"{done} switched off.", messages.SUCCESS)

    @admin.action(description="Take back to how it is shipped", permissions=["change"])
    def reset(self, request: HttpRequest, queryset: QuerySet[GuardRule]) -> None:
        done = sum(reset_rule(row, staff=cast(User, request.user)) for row in queryset)
        self.message_user(request, f"{done} taken back.", messages.SUCCESS)

    # --- statistics ---------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "statistics/", self.admin_site.admin_view(self.show_statistics), name="compliance_guardrule_statistics"
        )
        return [own, *super().get_urls()]

    def show_statistics(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rule = request.GET.get("rule", "")[:60]
        rows = statistics(RuleStat.objects.all(), rule=rule)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Hits of {rule}" if rule else "Hits of rules",
            "opts": self.model._meta,
            "rule": rule,
            "rows": rows,
            "days": list(by_day(rows)) if rule else [],
            "period_days": STATISTIC_DAYS,
            "list_url": reverse("admin:compliance_guardrule_changelist"),
        }
        return render(request, "admin/compliance/guardrule/statistics.html", context)
