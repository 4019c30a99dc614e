"""What staff may do to rules: change, add, switch off, take back; a rule that does not pass its own rows is refused."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts import audit
from accounts.models import User
from compliance.guard import Context, Draft
from compliance.guard.engines import ENGINES
from compliance.guard.port import Answer, Engine, verdict_of
from compliance.guard.rules import RULE_SCHEMA, BadPack, Rule, RuleSet, rule_from, shipped_rules
from compliance.models import GuardRule, RuleStat
from compliance.rulesets import forget_rules, instance_rules
from lib.clock import now

ENDS_SOON = timedelta(days=30)
MOST_STATISTICS = 50
STATISTIC_DAYS = 30
Data = dict[str, Any]


# --- checking ---------------------------------------------------------------------------------------------


def check_rule(data: Mapping[str, Any], *, rows: Iterable[Mapping[str, Any]] = ()) -> Rule:
    """Its form, what its engine can read, and every test row. Raises ValidationError with the first fault."""
    try:
        rule = rule_from(data, "checked")
        engine = _engine(rule.engine)
        _check_match(engine, rule)
    except BadPack as fault:
        raise ValidationError(str(fault)) from fault
    # Among its neighbours: some rules only speak when no other does.
    rules = instance_rules().extended([rule])
    for number, row in enumerate([*rule.tests, *rows], start=1):
        if said := _failure(rule, engine, row, rules):
            raise ValidationError(f"Test row {number} fails: {said}")
    return rule


def _engine(name: str) -> Engine:
    found = next((engine for engine in ENGINES if engine.name == name), None)
    if found is None:
        raise BadPack(f"there is no engine {name}; choose one of {', '.join(engine.name for engine in ENGINES)}")
    return found


def _check_match(engine: Engine, rule: Rule) -> None:
    check = getattr(sys.modules[type(engine).__module__], "check_match", None)
    if check is not None:
        check(rule.match)
    # Whatever the engine compiles it compiles at the first look.
    _ask(engine, Draft.of("A look 看一下 1"), Context(today=now().date()), RuleSet([rule]))


def _ask(engine: Engine, draft: Draft, context: Context, rules: RuleSet) -> Answer:
    try:
        return engine.check(draft, context, rules)
    except BadPack:
        raise
    except Exception as fault:
        # Whatever it is, with this rule the engine cannot work.
        raise BadPack(f"the {engine.name} engine cannot use it: {type(fault).__name__}: {fault}") from fault


def _failure(rule: Rule, engine: Engine, row: Mapping[str, Any], rules: RuleSet) -> str:
    """What the row wants and does not get; only hits of this rule count."""
    try:
        answer = _ask(engine, Draft.of(row.get("text", "")), _context(rule, row.get("context", {})), rules)
    except (BadPack, TypeError, ValueError) as fault:
        return str(fault)
    hits = [hit for hit in answer.hits if hit.rule == rule.id]
    shown = row.get("text") or str(row.get("context", ""))
    is_wanted = row.get("hit", row["verdict"] != "allow")
    if bool(hits) != is_wanted:
        return f"“{shown[:120]}” is {'not found' if is_wanted else 'found'}."
    if hits and verdict_of(hits).value != row["verdict"]:
        return f"“{shown[:120]}” gives {verdict_of(hits).value}, not {row['verdict']}."
    return ""


def _context(rule: Rule, data: Mapping[str, Any]) -> Context:
    """What a row does not say is as the rule wants it."""
    usual: Data = {"jurisdictions": sorted(rule.jurisdictions)[:1]}
    for name, choices in (("platform", rule.platforms), ("action", rule.actions), ("industry", rule.industries)):
        if choices:
            usual[name] = "publish" if "publish" in choices else min(choices)
    fields = usual | dict(data)
    today = fields.get("today") or now().date()
    day = date.fromisoformat(today) if isinstance(today, str) else today
    return Context(**fields | {"today": day, "jurisdictions": tuple(fields["jurisdictions"])})


def shipped_rows(rule_id: str) -> list[Data]:
    """The table keeps no test rows: they stand in the pack. As JSON."""
    rows = next((rule.tests for rule in shipped_rules().rules if rule.id == rule_id), ())
    return json.loads(json.dumps([*rows], default=str))


def editable_data(row: GuardRule) -> Data:
    """With the rows that are run when it is saved, for staff to see and change."""
    rows = row.data.get("tests") or shipped_rows(row.rule)
    data = row.data | ({"tests": rows} if rows else {})
    # The database keeps no order of its own.
    return {name: data[name] for name in RULE_SCHEMA["properties"] if name in data}


# --- changing (inside the all-workspaces scope) -----------------------------------------------------------


def save_rule(row: GuardRule, data: Data, *, staff: User, is_enabled: bool = True) -> GuardRule:
    """Add or change. Raises ValidationError and changes nothing where the rule does not pass."""
    rule, is_new = check_change(row, data), row._state.adding
    before = None if is_new else _state(row)
    if data.get("tests") == shipped_rows(rule.id):
        data = {name: value for name, value in data.items() if name != "tests"}
    row.rule, row.data, row.is_enabled = rule.id, data, is_enabled
    row.valid_from, row.valid_to = rule.valid_from, rule.valid_to
    row.is_edited = data != row.shipped
    return _write(row, "guard_rule.add" if is_new else "guard_rule.change", before, staff)


def check_change(row: GuardRule, data: Data) -> Rule:
    """Rows of its own take the place of those in the pack. Raises ValidationError."""
    rule = check_rule(data, rows=() if data.get("tests") else shipped_rows(row.rule))
    if row.rule and rule.id != row.rule:
        raise ValidationError(f"The id stays {row.rule}. Add a new rule for another one.")
    if row._state.adding and GuardRule.objects.filter(rule=rule.id).exists():
        raise ValidationError(f"There is a rule {rule.id} already.")
    return rule


def reset_rule(row: GuardRule, *, staff: User) -> bool:
    """As its pack ships it; False where there is nothing to take back."""
    if not row.shipped or not row.is_edited:
        return False
    before, rule = _state(row), rule_from(row.shipped, row.pack)
    row.data, row.is_edited = row.shipped, False
    row.valid_from, row.valid_to = rule.valid_from, rule.valid_to
    _write(row, "guard_rule.reset", before, staff)
    return True


def set_enabled(row: GuardRule, value: bool, *, staff: User) -> bool:
    if row.is_enabled == value:
        return False
    before = _state(row)
    row.is_enabled = value
    _write(row, "guard_rule.enable" if value else "guard_rule.disable", before, staff)
    return True


def delete_rule(row: GuardRule, *, staff: User) -> None:
    """Only what staff added: a shipped rule is switched off instead."""
    if row.shipped:
        raise ValidationError("A shipped rule cannot be deleted. Switch it off.")
    with transaction.atomic():
        audit.record_staff("guard_rule.delete", row, staff=staff.email, before=_state(row), after=None)
        row.delete()
    transaction.on_commit(forget_rules)


def _write(row: GuardRule, action: str, before: Data | None, staff: User) -> GuardRule:
    row.updated_by, row.updated_at, row.expiry_told_at = staff, now(), None
    with transaction.atomic():
        row.save()
        audit.record_staff(action, row, staff=staff.email, before=before, after=_state(row))
    transaction.on_commit(forget_rules)
    return row


def _state(row: GuardRule) -> Data:
    return {"rule": row.rule, "is_enabled": row.is_enabled, "data": row.data}


# --- what ends soon, and how often rules are hit ----------------------------------------------------------


def ending_rules(rows: QuerySet[GuardRule]) -> QuerySet[GuardRule]:
    today = now().date()
    return rows.filter(is_enabled=True, valid_to__gte=today, valid_to__lte=today + ENDS_SOON).order_by("valid_to")


def statistics(rows: QuerySet[RuleStat], *, rule: str = "") -> list[Data]:
    """Of the last days: by rule the most hit first; of one rule by day and workspace."""
    recent: Any = rows.filter(day__gt=now().date() - timedelta(days=STATISTIC_DAYS)).order_by()
    sums = {name: Sum(name) for name in ("hits", "blocked", "approved")}
    if rule:
        found = recent.filter(rule=rule).values("day", "workspace__name").annotate(**sums)
        return list(found.order_by("-day", "-hits")[: 10 * MOST_STATISTICS])
    return list(recent.values("rule").annotate(**sums).order_by("-hits", "rule")[:MOST_STATISTICS])


def by_day(rows: Iterable[Data]) -> Iterator[tuple[date, int, int, int]]:
    """Sums of one rule over all workspaces, newest first."""
    days: dict[date, list[int]] = {}
    for row in rows:
        total = days.setdefault(row["day"], [0, 0, 0])
        for place, name in enumerate(("hits", "blocked", "approved")):
            total[place] += row[name]
    yield from ((day, total[0], total[1], total[2]) for day, total in days.items())
