"""The form of a segment: groups of rules as its fields, which the page can add to and take away from.

Fields are `match`, `g<n>-match` and, for each rule, `g<n>-r<m>-field`, `-op` and `-value`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.access import Actor
from analytics.queries.segments import FIELDS, MOST_RULES, OPS
from campaigns.access import visible_campaigns

MATCHES = ("all", "any")
MOST_GROUPS = 8
PLACE = re.compile(r"g(\d{1,2})-r(\d{1,2})-field")
ACT = re.compile(r"(rule|drop|group|ungroup)(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
Rule = dict[str, Any]


@dataclass
class Group:
    match: str = "all"
    rules: list[Rule] = field(default_factory=list)


def start(subject: str) -> tuple[str, list[Group]]:
    return "all", [Group(rules=[first_rule(subject)])]


def first_rule(subject: str, name: str = "") -> Rule:
    """A new rule, or one whose field has just become another."""
    fields = FIELDS[subject]
    name = name if name in fields else next(iter(fields))
    spec = fields[name]
    return {"field": name, "op": spec.ops[0], "value": next(iter(spec.choices), "")}


def as_rules(match: str, groups: list[Group]) -> Rule:
    return {match: [{group.match: group.rules} for group in groups if group.rules]}


def read_groups(rules: Rule) -> tuple[str, list[Group]]:
    """Of what is stored. Rules beside groups become a group of their own; what is nested deeper is drawn up."""
    match = next(iter(rules), "all")
    parts = rules.get(match, [])
    loose = [part for part in parts if "field" in part]
    groups = [Group(next(iter(part)), _leaves(part)) for part in parts if "field" not in part]
    return match, ([Group(match, loose)] if loose else []) + groups


def _leaves(group: Rule) -> list[Rule]:
    found: list[Rule] = []
    for part in next(iter(group.values())):
        found += [part] if "field" in part else _leaves(part)
    return found


def read_rules(subject: str, posted: Mapping[str, str]) -> tuple[str, list[Group]]:
    """From the fields of the form. What does not fit the field any more becomes the first that does."""
    groups: dict[int, Group] = {}
    places = sorted((int(found[1]), int(found[2])) for name in posted if (found := PLACE.fullmatch(name)))
    for group_no, rule_no in places[:MOST_RULES]:
        group = groups.setdefault(group_no, Group(_match(posted.get(f"g{group_no}-match", ""))))
        group.rules.append(_read_rule(subject, posted, f"g{group_no}-r{rule_no}-"))
    return _match(posted.get("match", "")), list(groups.values())[:MOST_GROUPS] or start(subject)[1]


def _read_rule(subject: str, posted: Mapping[str, str], prefix: str) -> Rule:
    name = posted.get(f"{prefix}field", "")
    rule = first_rule(subject, name)
    if name != rule["field"]:
        # The answer was about something else.
        return rule
    spec = FIELDS[subject][rule["field"]]
    op, value = posted.get(f"{prefix}op", ""), posted.get(f"{prefix}value", "")
    if op in spec.ops:
        rule["op"] = op
    if not spec.choices or value in spec.choices:
        rule["value"] = value
    return rule


def _match(text: str) -> str:
    return text if text in MATCHES else "all"


def change(subject: str, match: str, groups: list[Group], act: str) -> tuple[str, list[Group]]:
    """`rule-<group>` adds one and `drop-<group>-<rule>` takes one away, `group` and `ungroup-<group>` whole groups."""
    found = ACT.fullmatch(act)
    if not found:
        return match, groups
    what, group_no, rule_no = found[1], _number(found[2]), _number(found[3])
    group = groups[group_no] if 0 <= group_no < len(groups) else None
    if what == "rule" and group:
        group.rules.append(first_rule(subject))
    elif what == "drop" and group and 0 <= rule_no < len(group.rules):
        del group.rules[rule_no]
    elif what == "group" and len(groups) < MOST_GROUPS:
        groups.append(Group("any", [first_rule(subject)]))
    elif what == "ungroup" and group:
        del groups[group_no]
    groups = [group for group in groups if group.rules]
    return match, groups or start(subject)[1]


def _number(text: str | None) -> int:
    return int(text) if text else -1


def shown_groups(actor: Actor, subject: str, groups: list[Group]) -> list[dict[str, Any]]:
    """What the template draws: each rule with its choices."""
    fields = {name: spec.label for name, spec in FIELDS[subject].items()}
    asks_campaign = any(rule["field"] == "campaign" for group in groups for rule in group.rules)
    campaigns = {str(row.pk): str(row) for row in visible_campaigns(actor).order_by("name")} if asks_campaign else {}
    return [
        {
            "match": group.match,
            "rules": [_shown(subject, rule, fields, campaigns) for rule in group.rules],
        }
        for group in groups
    ]


def _shown(subject: str, rule: Rule, fields: dict[str, str], campaigns: dict[str, str]) -> dict[str, Any]:
    spec = FIELDS[subject][rule["field"]]
    return {
        **rule,
        "fields": fields,
        "ops": {op: OPS[op] for op in spec.ops},
        "choices": campaigns if spec.kind == "campaign" else spec.choices,
        "kind": spec.kind,
        "hint": spec.hint,
    }
