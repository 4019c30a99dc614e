"""The rules in force: what the packs ship, what staff changed, and what a workspace put on its own list."""

import json
from collections.abc import Iterable
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from compliance.guard.pipeline import check
from compliance.guard.port import Context, Draft, Severity
from compliance.guard.rules import Rule, RuleSet, rule_from, shipped_rules
from compliance.models import GuardRule, WorkspaceTerm
from lib.clock import now

# How long a worker may still use rules that staff changed meanwhile.
LOOK_EVERY_S = 2.0


class _Kept:
    """One process's copy, so that each check asks the database nothing but whether it is old."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.rules = RuleSet(())
        self.version: tuple[Any, ...] | None = None
        self.looked_at = float("-inf")


_kept = _Kept()


def instance_rules() -> RuleSet:
    """Of every workspace. A change by staff is seen within two seconds."""
    with _kept.lock:
        if monotonic() - _kept.looked_at > LOOK_EVERY_S:
            version = tuple(GuardRule.objects.aggregate(Max("updated_at"), Count("pk")).values())
            if version != _kept.version:
                _kept.rules, _kept.version = _read_rules(), version
            _kept.looked_at = monotonic()
        return _kept.rules


def warm_up() -> None:
    """Compile the matchers before the first draft waits for them, and before a server forks its workers."""
    check(Draft.of(""), Context(), shipped_rules())


def expect_shipped_rules() -> None:
    """No look for the next two seconds: the caller knows that nobody changed a rule (a test, of a new database)."""
    with _kept.lock:
        _kept.rules, _kept.version, _kept.looked_at = shipped_rules(), None, monotonic()


def forget_rules() -> None:
    """Look again at the next check: staff saved something in this process."""
    _kept.looked_at = float("-inf")


def _read_rules() -> RuleSet:
    """The packs in the code count at once, even before `load_packs` has put them into the table."""
    changed = GuardRule.objects.exclude(is_edited=False, is_enabled=True)
    rows = [(row.rule, row.is_enabled, row.data, row.pack) for row in changed]
    off = {rule for rule, is_enabled, _, _ in rows if not is_enabled}
    edited = [rule_from(data, pack) for _, is_enabled, data, pack in rows if is_enabled]
    if not rows:
        return shipped_rules()
    return RuleSet([rule for rule in shipped_rules().extended(edited).rules if rule.id not in off])


# A workspace's words as rules, and those that are always fine.
OwnLists = tuple[RuleSet, tuple[WorkspaceTerm, ...]]


def own_rules(workspace_id: UUID) -> OwnLists:
    """The workspace's own words as rules, and those that are always fine (inside its scope)."""
    today = now().date()
    terms = [term for term in WorkspaceTerm.objects.all() if term.valid_to is None or term.valid_to >= today]
    wanted = [
        (str(term.pk), term.kind, term.term, term.reason, term.replacement, tuple(term.platforms))
        for term in terms
        if term.kind != WorkspaceTerm.Kind.ALLOW
    ]
    allowed = tuple(term for term in terms if term.kind == WorkspaceTerm.Kind.ALLOW)
    return _compiled(json.dumps([str(workspace_id), *wanted])), allowed


@lru_cache(512)
def _compiled(wanted: str) -> RuleSet:
    """By value: a list that nobody changed keeps its matcher."""
    return RuleSet(_term_rules(json.loads(wanted)[1:]))


WITHOUT_WORDS = {"block": "Take it out.", "review": "A reviewer decides."}


def _term_rules(rows: Iterable[list[Any]]) -> Iterable[Rule]:
    for key, kind, term, reason, replacement, platforms in rows:
        instead = f"Write “{replacement}” instead." if replacement else WITHOUT_WORDS[kind]
        match: dict[str, Any] = {"terms": [literal(term)]}
        if replacement:
            match["replace"] = replacement
        yield Rule(
            id=f"OWN-{key}",
            engine="phrases",
            severity=Severity(kind),
            message=reason or f"“{term}” is on your workspace's list.",
            citation="Your workspace's list",
            fix=instead,
            pack="own",
            platforms=frozenset(platforms),
            match=match,
        )


def literal(term: str) -> str:
    """Without what the grammar of rules would read as alternatives or a pattern."""
    return "".join(" " if char in "{}/" else char for char in term)


def load_packs() -> dict[str, int]:
    """Put what the packs ship into the table, for staff to see and change. What staff changed stays as they left it."""
    counts = {"new": 0, "updated": 0, "kept": 0, "gone": 0}
    known = {row.rule: row for row in GuardRule.objects.all()}
    for rule in shipped_rules().rules:
        row = known.pop(rule.id, None)
        shipped = shipped_data(rule)
        if row is not None and row.shipped == shipped:
            continue
        if row is None:
            counts["new"] += 1
            row = GuardRule(rule=rule.id)
        row.shipped, row.pack = shipped, rule.pack
        if row.is_edited:
            counts["kept"] += 1
        else:
            counts["updated"] += bool(row.data)
            row.data, row.valid_from, row.valid_to = shipped, rule.valid_from, rule.valid_to
        row.updated_at = now()
        row.save()
    gone = [row.pk for row in known.values() if row.shipped and not row.is_edited]
    counts["gone"] = GuardRule.objects.filter(pk__in=gone).delete()[0]
    forget_rules()
    return counts


def shipped_data(rule: Rule) -> dict[str, Any]:
    """The rule in the shape of `RULE_SCHEMA`, without its test rows."""
    lists = ("jurisdictions", "platforms", "actions", "industries", "languages")
    days = {name: day.isoformat() for name in ("valid_from", "valid_to") if (day := getattr(rule, name))}
    data: dict[str, Any] = {
        "id": rule.id,
        "engine": rule.engine,
        "severity": rule.severity.value,
        "message": rule.message,
        "match": dict(rule.match),
        **days,
    }
    data |= {name: sorted(getattr(rule, name)) for name in lists if getattr(rule, name)}
    return data | {name: getattr(rule, name) for name in ("citation", "fix") if getattr(rule, name)}
