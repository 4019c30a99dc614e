from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from compliance.guard import Context, Draft, check
from compliance.guard.port import verdict_of
from compliance.guard.rules import Rule, shipped_rules

RULES = shipped_rules().rules
# Which rule a row belongs to decides what of its context need not be said.
SCOPES = {"platforms": "platform", "actions": "action", "industries": "industry"}


def context_of(rule: Rule, row: Mapping[str, Any]) -> Context:
    given: dict[str, Any] = {"today": date(2026, 11, 21)} | dict(row.get("context", {}))
    for scope, name in SCOPES.items():
        allowed = sorted(getattr(rule, scope))
        if name not in given and allowed:
            given[name] = "publish" if "publish" in allowed else allowed[0]
    if isinstance(given["today"], str):
        given["today"] = date.fromisoformat(given["today"])
    given["jurisdictions"] = tuple(given.get("jurisdictions", sorted(rule.jurisdictions)[:1]))
    return Context(**given)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_each_rule_answers_its_own_rows(rule: Rule) -> None:
    wrong = []
    for row in rule.tests:
        decision = check(Draft.of(row.get("text", "")), context_of(rule, row), shipped_rules())
        hits = [hit for hit in decision.hits if hit.rule == rule.id]
        wanted_hit = row.get("hit", row["verdict"] != "allow")
        if bool(hits) != wanted_hit or (wanted_hit and verdict_of(hits) != row["verdict"]):
            wrong.append((row, [hit.rule for hit in decision.hits]))
    assert not wrong
