"""How the networks see the accounts of all workspaces, and what staff may do about it."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.decorators import action as detail_action

from accounts.admin_badges import badge_for
from accounts.admin_reasons import ReasonedActions
from accounts.admin_site import ReadOnlyAdmin
from accounts.models import User
from compliance import health
from compliance.models import AccountHealth, HealthSignal
from social.models import Connection, Network

State, Kind = AccountHealth.State, HealthSignal.Kind
COLOURS = {"healthy": "success", "warned": "warning", "restricted": "danger", "suspended": "danger"}
WORKSPACE = ["workspace__name", "workspace__slug"]
SIGNALS_SHOWN = 100


def with_account(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Adds `handle`, `name` and `network` of the account, which is known by its id only."""
    account = Connection.objects.filter(pk=OuterRef("connection_id"))
    return rows.annotate(**{field: Subquery(account.values(field)[:1]) for field in ("handle", "name", "network")})


def account_of(row: Any) -> str:
    name = f"@{row.handle}" if row.handle else row.name
    return f"{name} on {Network(row.network).label}" if row.network else "An account that is gone"


def add_missing_rows() -> None:
    """A healthy account has no row before something happens to it; staff want to see and force it all the same."""
    known = AccountHealth.objects.filter(connection_id=OuterRef("pk"))
    new = Connection.objects.shown().filter(~Exists(known)).values_list("workspace_id", "pk")
    AccountHealth.objects.bulk_create(
        [AccountHealth(workspace_id=workspace_id, connection_id=pk) for workspace_id, pk in new], ignore_conflicts=True
    )


class CurrentStateFilter(admin.SimpleListFilter):
    """The state that counts: staff's, where they have set one."""

    title, parameter_name = "state", "current"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unhealthy", "Not healthy"), *State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> QuerySet[AccountHealth]:
        if self.value() == "unhealthy":
            return queryset.exclude(health.is_in(State.HEALTHY))
        return queryset.filter(health.is_in(self.value() or "")) if self.value() in State.values else queryset


@admin.register(AccountHealth)
class AccountHealthAdmin(ReasonedActions, ReadOnlyAdmin):
    list_display = ["account", "workspace", "state_badge", "score", "why", "is_forced", "changed_at"]
    list_filter = [CurrentStateFilter, ("forced_state", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace"]
    search_fields = ["handle", "name", "connection_id", *WORKSPACE]
    ordering = ["-score", "-changed_at"]
    fields = ["account", "workspace", "state_badge", "score", "why", "forced_state", "forced_reason", "changed_at"]
    fields += ["signals"]
    readonly_fields = fields
    actions = ["force_healthy", "force_warned", "force_restricted", "force_suspended", "unforce", "strike", "appeal"]
    actions_detail = ["suspend_this", "heal_this", "unforce_this", "strike_this", "appeal_this"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountHealth]:
        return with_account(super().get_queryset(request).select_related("workspace"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        add_missing_rows()
        return super().changelist_view(request, extra_context)

    def has_moderate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return cast(User, request.user).has_perm("compliance.change_accounthealth")

    def label_of(self, row: AccountHealth) -> str:
        return account_of(row)

    # --- what is shown ---

    @admin.display(description="account", ordering="handle")
    def account(self, row: AccountHealth) -> str:
        return account_of(row)

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: AccountHealth) -> SafeString:
        state = State(health.current_state(row))
        return badge_for(state, str(state.label), COLOURS)

    @admin.display(description="why")
    def why(self, row: AccountHealth) -> str:
        return " ".join(health.reasons_of(row))

    @admin.display(description="by staff", ordering="forced_state")
    def is_forced(self, row: AccountHealth) -> str:
        return "Yes" if row.forced_state else ""

    @admin.display(description="signals")
    def signals(self, row: AccountHealth) -> SafeString:
        found = HealthSignal.objects.filter(connection_id=row.connection_id).order_by("-at")[:SIGNALS_SHOWN]
        return render_to_string("admin/health_signals.html", {"signals": found})

    # --- what staff may do ---

    @admin.action(description="Force: healthy", permissions=["moderate"])
    def force_healthy(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        return self._force(request, queryset, State.HEALTHY)

    @admin.action(description="Force: warned", permissions=["moderate"])
    def force_warned(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        return self._force(request, queryset, State.WARNED)

    @admin.action(description="Force: restricted", permissions=["moderate"])
    def force_restricted(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        return self._force(request, queryset, State.RESTRICTED)

    @admin.action(description="Force: suspended, nothing goes out", permissions=["moderate"])
    def force_suspended(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        return self._force(request, queryset, State.SUSPENDED)

    @admin.action(description="Take the forced state back", permissions=["moderate"])
    def unforce(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        by = cast(User, request.user)

        def act(row: AccountHealth, reason: str) -> bool:
            return health.unforce_state(row, reason=reason, staff=by)

        return self.act_with_reason(request, queryset, act, title=TITLES["unforce"], done="taken back")

    @admin.action(description="Note a strike", permissions=["moderate"])
    def strike(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        return self._note(request, queryset, Kind.STRIKE, "strike")

    @admin.action(description="Note that an appeal was won", permissions=["moderate"])
    def appeal(self, request: HttpRequest, queryset: QuerySet[AccountHealth]) -> TemplateResponse | None:
        return self._note(request, queryset, Kind.APPEAL_WON, "appeal")

    def _force(self, request: HttpRequest, rows: QuerySet[AccountHealth], state: str) -> TemplateResponse | None:
        by = cast(User, request.user)

        def act(row: AccountHealth, reason: str) -> bool:
            return health.force_state(row, state, reason=reason, staff=by)

        label = State(state).label
        title = f"Force the state “{label}”, whatever happens"
        return self.act_with_reason(request, rows, act, title=title, done=f"forced to {label.lower()}")

    def _note(
        self, request: HttpRequest, rows: QuerySet[AccountHealth], kind: str, name: str
    ) -> TemplateResponse | None:
        by = cast(User, request.user)

        def act(row: AccountHealth, reason: str) -> bool:
            return health.note_by_staff(row, kind, reason=reason, staff=by)

        return self.act_with_reason(request, rows, act, title=TITLES[name], done="noted")

    # --- the same from the page of one account ---

    @detail_action(description="Force: suspended", permissions=["moderate"], url_path="suspend")
    def suspend_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        title = "Force the state “Suspended”, whatever happens"
        return self.ask_reason(request, object_id, "force_suspended", title=title)

    @detail_action(description="Force: healthy", permissions=["moderate"], url_path="heal")
    def heal_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        title = "Force the state “Healthy”, whatever happens"
        return self.ask_reason(request, object_id, "force_healthy", title=title)

    @detail_action(description="Take the forced state back", permissions=["moderate"], url_path="unforce")
    def unforce_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        return self.ask_reason(request, object_id, "unforce", title=TITLES["unforce"])

    @detail_action(description="Note a strike", permissions=["moderate"], url_path="strike")
    def strike_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        return self.ask_reason(request, object_id, "strike", title=TITLES["strike"])

    @detail_action(description="Note a won appeal", permissions=["moderate"], url_path="appeal")
    def appeal_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        return self.ask_reason(request, object_id, "appeal", title=TITLES["appeal"])


TITLES = {
    "unforce": "Take the forced state back: the signals count again",
    "strike": "Note a strike",
    "appeal": "Note that an appeal was won: it takes the newest strike back",
}


@admin.register(HealthSignal)
class HealthSignalAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "account", "workspace", "detail"]
    list_filter = ["kind"]
    list_select_related = ["workspace"]
    search_fields = ["detail", "=connection_id", "handle", "name", *WORKSPACE]
    date_hierarchy = "at"
    ordering = ["-at", "-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HealthSignal]:
        return with_account(super().get_queryset(request))

    @admin.display(description="account", ordering="handle")
    def account(self, signal: HealthSignal) -> str:
        return account_of(signal)
