"""What assistants may cost, what they cost, and the workspace's own keys."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents import keys
from agents.budgets import calls_of, change_settings, costs_by, costs_by_day, settings_for, totals
from agents.llm.catalogue_schema import ROLES
from agents.models import AISettings
from agents.runs.webhooks import webhook_secret
from lib.csv_cells import csv_lines

MICRO = 1_000_000
GROUPS = {"model": "Model", "role": "Role", "day": "Day, UTC"}
COLUMNS = (
    "started_at", "role", "provider", "model", "status", "error", "input_tokens", "cached_tokens", "output_tokens",
    "reasoning_tokens", "cost_micro", "is_estimated", "is_sandbox", "run_id", "campaign_id", "key",
)  # fmt: skip


class BudgetForm(forms.Form):
    monthly = forms.DecimalField(
        label="Assistants may cost, a month",
        min_value=0,
        max_value=1_000_000,
        decimal_places=6,
        required=False,
        help_text="In dollars; empty for no limit. Calls wait or stop before it is passed, never after.",
    )
    per_run = forms.DecimalField(
        label="One run may cost", min_value=0, max_value=100_000, decimal_places=6, required=False
    )
    models = forms.CharField(
        label="Models by role",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=f"A role a line, first choice first: writer: claude-opus-5-5, gpt-6-sol. Roles: {', '.join(ROLES)}.",
    )
    is_paused = forms.BooleanField(
        label="Pause all assistants", required=False, help_text="No model is asked until this is taken back."
    )

    def clean_models(self) -> dict[str, list[str]]:
        chosen: dict[str, list[str]] = {}
        for line in self.cleaned_data["models"].splitlines():
            role, colon, names = line.partition(":")
            if line.strip() and not colon:
                raise ValidationError(f"“{line.strip()[:40]}”: write a role, a colon, and the models.")
            if line.strip():
                chosen[role.strip()] = [name.strip() for name in names.split(",") if name.strip()]
        return chosen


class KeyForm(forms.Form):
    provider = forms.ChoiceField()
    name = forms.CharField(max_length=80)
    secret = forms.CharField(
        label="Key",
        max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted; nobody sees it again.",
    )
    base_url = forms.URLField(
        label="Address",
        required=False,
        assume_scheme="https",
        help_text="Only for a compatible server: https://host/v1.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = keys.providers()  # type: ignore[attr-defined]


@member_view(Perm.VIEW)
@require_GET
def budgets(request: MemberRequest) -> HttpResponse:
    return _page(request)


@member_view(Perm.SETTINGS)
@require_POST
def budgets_save(request: MemberRequest) -> HttpResponse:
    form = BudgetForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            change_settings(
                by=request.actor,
                monthly_cap_micro=_micro(data["monthly"]),
                run_cap_micro=_micro(data["per_run"]),
                role_models=data["models"],
                is_paused=data["is_paused"],
            )
        except ValidationError as error:
            add_errors(form, _named(error))
        else:
            messages.success(request, "Saved.")
            return redirect("agents:budgets")
    return _page(request, budget_form=form, status=400)


@member_view(Perm.SETTINGS)
@require_POST
def key_add(request: MemberRequest) -> HttpResponse:
    form = KeyForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            keys.add_key(data["provider"], data["name"], data["secret"], by=request.actor, base_url=data["base_url"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The key is kept. The next call uses it.")
            return redirect("agents:budgets")
    return _page(request, key_form=form, status=400)


@member_view(Perm.SETTINGS)
@require_POST
def key_act(request: MemberRequest, key_id: UUID, act: str) -> HttpResponse:
    if act == "remove":
        keys.remove_key(key_id, by=request.actor)
    else:
        keys.set_active(key_id, act == "on", by=request.actor)
    return redirect("agents:budgets")


@member_view(Perm.VIEW)
@require_GET
def budgets_export(request: MemberRequest) -> HttpResponse:
    """Every call of this month, failed ones included."""

    calls = calls_of(request.actor.workspace).order_by("started_at").iterator()
    rows = ([_cell(getattr(call, name)) for name in COLUMNS] for call in calls)
    response = HttpResponse(csv_lines([list(COLUMNS), *rows]), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="model-calls.csv"'
    return response


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _page(
    request: MemberRequest,
    *,
    budget_form: BudgetForm | None = None,
    key_form: KeyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    workspace = request.actor.workspace
    by = request.GET.get("by", "")
    by = by if by in GROUPS else "model"
    costs = costs_by(calls_of(workspace), by)
    days = costs_by_day(workspace)
    highest = max((cost for _day, cost in days), default=0)
    may_change = request.actor.can(Perm.SETTINGS)
    context: dict[str, Any] = {
        "totals": totals(workspace),
        "by": by,
        "groups": GROUPS,
        "heading": GROUPS[by],
        "costs": costs,
        "days": [(day, cost, round(100 * cost / highest) if highest else 0) for day, cost in days],
        "has_days": highest > 0,
        "is_paused": settings_for(workspace).is_paused,
    }
    if may_change:
        context |= {
            "budget_form": budget_form or BudgetForm(initial=_initial(settings_for(workspace))),
            "key_form": key_form or KeyForm(),
            "keys": keys.keys_of(request.actor),
            "webhook_secret": webhook_secret(workspace),
        }
    return render(request, "agents/budgets.html", context, status=status)


def _initial(row: AISettings) -> dict[str, Any]:
    return {
        "monthly": _usd(row.monthly_cap_micro),
        "per_run": _usd(row.run_cap_micro),
        "models": "\n".join(f"{role}: {', '.join(names)}" for role, names in row.role_models.items()),
        "is_paused": row.is_paused,
    }


def _usd(micro: int | None) -> Decimal | None:
    return None if micro is None else (Decimal(micro) / MICRO).normalize()


def _micro(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * MICRO)


def _named(error: ValidationError) -> ValidationError:
    """The service's fields under the names they have in the form."""
    names = {"monthly_cap_micro": "monthly", "run_cap_micro": "per_run", "role_models": "models"}
    return ValidationError({names.get(name, name): texts for name, texts in error.message_dict.items()})
