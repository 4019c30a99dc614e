"""What the assistants of a workspace may cost, and what they have cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, DateField, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from accounts import audit, usage
from accounts.access import Actor, Perm
from accounts.models import UsageTotal, Workspace
from agents.llm import catalogue
from agents.llm.catalogue import CatalogueError
from agents.llm.catalogue_schema import ROLES
from agents.llm.ledger import ai_cap, ai_scope, run_scope
from agents.llm.routes import COMPATIBLE
from agents.models import AISettings, ModelCall, ProviderKey
from lib.clock import now
from lib.money import dollars

SETTINGS = ("monthly_cap_micro", "run_cap_micro", "role_models", "is_paused", "consolidate_hour")
MOST_MICRO = 10**15
CHAIN = 6
GROUPS = ("model", "role", "day", "provider", "campaign_id")


@dataclass(frozen=True)
class Total:
    """One budget; micro-dollars, and the words for pages."""

    scope: str
    name: str
    spent_micro: int
    held_micro: int
    cap_micro: int | None

    @property
    def left_micro(self) -> int | None:
        return None if self.cap_micro is None else max(0, self.cap_micro - self.spent_micro - self.held_micro)

    @property
    def percent(self) -> int | None:
        """Of the cap, spent and held together."""
        if self.cap_micro is None:
            return None
        used = self.spent_micro + self.held_micro
        return min(100, used * 100 // self.cap_micro) if self.cap_micro else 100

    @property
    def spent(self) -> str:
        return dollars(self.spent_micro)

    @property
    def held(self) -> str:
        return dollars(self.held_micro)

    @property
    def cap(self) -> str:
        return "" if self.cap_micro is None else dollars(self.cap_micro)


@dataclass(frozen=True)
class Cost:
    """One row of a sum. `of` is the model, role, day, provider or campaign."""

    of: Any
    calls: int
    cost_micro: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    # How many of the calls nobody could count exactly.
    estimated: int

    @property
    def cost(self) -> str:
        return dollars(self.cost_micro)


# --- settings ---------------------------------------------------------------------------------------------


def settings_for(workspace: Workspace) -> AISettings:
    """What was chosen, or the defaults in a row that is not stored."""
    return AISettings.objects.filter(workspace=workspace).first() or AISettings(workspace=workspace)


def change_settings(*, by: Actor, **fields: Any) -> AISettings:
    """Any of SETTINGS. Raises ValidationError with what to change, by field."""
    by.require(Perm.SETTINGS)
    if unknown := fields.keys() - set(SETTINGS):
        raise TypeError(f"{', '.join(sorted(unknown))}: no settings of assistants.")
    with transaction.atomic():
        AISettings.objects.bulk_create([AISettings(workspace=by.workspace)], ignore_conflicts=True)
        row = AISettings.objects.select_for_update(no_key=True).get(workspace=by.workspace)
        changed = {name: [getattr(row, name), value] for name, value in fields.items() if getattr(row, name) != value}
        for name, (_, value) in changed.items():
            setattr(row, name, value)
        _check(row, by.workspace)
        if changed:
            row.updated_by, row.updated_at = by.user, now()
            row.save(update_fields=[*changed, "updated_by", "updated_at"])
            audit.record("ai_settings.update", row, by=by, changed=changed)
    return row


def _check(row: AISettings, workspace: Workspace) -> None:
    problems = {}
    for name in ("monthly_cap_micro", "run_cap_micro"):
        value = getattr(row, name)
        if value is not None and not (_is_whole(value) and 0 <= value <= MOST_MICRO):
            problems[name] = "Give an amount from 0 up, or none for no limit."
    if row.consolidate_hour is not None and not (_is_whole(row.consolidate_hour) and 0 <= row.consolidate_hour <= 23):
        problems["consolidate_hour"] = "Choose an hour from 0 to 23."
    if reason := _bad_role_models(row.role_models, workspace):
        problems["role_models"] = reason
    if problems:
        raise ValidationError(problems)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _bad_role_models(value: object, workspace: Workspace) -> str:
    if not isinstance(value, Mapping):
        return "Give the models by role."
    try:
        known = catalogue.current().models
    except CatalogueError:
        return "The list of models cannot be read at the moment."
    for role, chain in value.items():
        if role not in ROLES:
            return f"There is no role {role!r}."
        if not isinstance(chain, list) or not 0 < len(chain) <= CHAIN:
            return f"Choose one to {CHAIN} models for {role}."
        for name in chain:
            if not isinstance(name, str) or not _is_model_for(role, name, known, workspace):
                return f"{name!r} is not a model for {role}."
    return ""


def _is_model_for(role: str, name: str, known: Mapping[str, catalogue.Model], workspace: Workspace) -> bool:
    if name.startswith(f"{COMPATIBLE}:"):
        key_name, _, model = name.removeprefix(f"{COMPATIBLE}:").partition(":")
        keys = ProviderKey.objects.filter(workspace=workspace, provider=COMPATIBLE, name=key_name)
        return bool(model) and role != "embed" and keys.exists()
    return name in known and ("embed" in known[name].capabilities) == (role == "embed")


# --- what it costs ----------------------------------------------------------------------------------------


def totals(workspace: Workspace) -> list[Total]:
    """This month: what assistants cost, and everything together."""
    choices = settings_for(workspace)
    month = usage.month_budget(workspace)
    return [
        total(workspace, ai_scope(), "Assistants this month", ai_cap(workspace, choices)),
        total(workspace, month.scope, "Everything this month", month.cap_micro),
    ]


def run_total(workspace: Workspace, run_id: UUID, cap_micro: int | None = None) -> Total:
    return total(workspace, run_scope(run_id), "This run", cap_micro)


def total(workspace: Workspace, scope: str, name: str, cap_micro: int | None) -> Total:
    spent, held = usage.spent(workspace, scope)
    return Total(scope, name, spent, held, cap_micro)


def run_totals(workspace: Workspace, run_ids: Sequence[UUID]) -> dict[UUID, Total]:
    """Those of a list, in one query; a run that asked no model is not there."""
    by_scope = {run_scope(run_id): run_id for run_id in run_ids}
    rows = UsageTotal.objects.filter(workspace=workspace, scope__in=by_scope)
    return {
        by_scope[row.scope]: Total(row.scope, "This run", row.spent_micro, row.reserved_micro, None) for row in rows
    }


def calls_of(workspace: Workspace, since: datetime | None = None) -> QuerySet[ModelCall]:
    """Since the first of the month unless said otherwise."""
    first = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return ModelCall.objects.filter(workspace=workspace, started_at__gte=since or first)


def costs_by(calls: QuerySet[ModelCall], group: str) -> list[Cost]:
    """Sums by one of GROUPS: days newest first, anything else the dearest first."""
    if group not in GROUPS:
        raise ValueError(group)
    rows = calls.order_by()
    if group == "day":
        rows = rows.annotate(day=TruncDate("started_at", output_field=DateField()))
    # Not named as the columns: an order would take the column then.
    sums = rows.values(group).annotate(
        calls=Count("pk"),
        cost_sum=_sum("cost_micro"),
        input_sum=_sum("input_tokens"),
        cached_sum=_sum("cached_tokens"),
        output_sum=_sum("output_tokens"),
        estimated=Count("pk", filter=Q(is_estimated=True)),
    )
    order = ["-day"] if group == "day" else ["-cost_sum", group]
    return [_cost(row, group) for row in sums.order_by(*order)]


def _sum(column: str) -> Coalesce:
    return Coalesce(Sum(column), 0)


def _cost(row: Mapping[str, Any], group: str) -> Cost:
    return Cost(
        row[group],
        row["calls"],
        row["cost_sum"],
        row["input_sum"],
        row["cached_sum"],
        row["output_sum"],
        row["estimated"],
    )


def costs_by_day(workspace: Workspace, days: int = 30) -> list[tuple[date, int]]:
    """(day, micro-dollars) of each of the last days, oldest first, with those on which nothing was asked."""
    today = now().date()
    first = today - timedelta(days=days - 1)
    since = datetime.combine(first, datetime.min.time(), tzinfo=now().tzinfo)
    found = {cost.of: cost.cost_micro for cost in costs_by(calls_of(workspace, since), "day")}
    return [(day, found.get(day, 0)) for day in (first + timedelta(days=n) for n in range(days))]
