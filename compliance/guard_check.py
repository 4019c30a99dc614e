"""Asking the guard about a text nobody sends: the test box, the API, and which rules are in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.access import Actor, Perm
from compliance.decisions import guard_settings, judge
from compliance.guard import Context, Decision, Draft
from compliance.guard.port import ANY
from compliance.guard.rules import Rule
from compliance.places import clean_industry, clean_markets, jurisdictions_of
from compliance.rulesets import instance_rules, own_rules
from lib.clock import now

MAX_TEXT = 25_000


@dataclass(frozen=True)
class Question:
    """None where the workspace's own settings count."""

    text: str
    platform: str = ANY
    markets: Sequence[str] | None = None
    industry: str | None = None
    language: str = ""
    relationship: str = ""
    action: str = "publish"
    ai_generated: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


def check_text(question: Question, *, by: Actor) -> Decision:
    """Nothing is written. Raises ValidationError for markets and businesses that nobody knows."""
    by.require(Perm.VIEW)
    settings = guard_settings(by.workspace)
    markets = settings.markets if question.markets is None else clean_markets(question.markets)
    industry = settings.industry if question.industry is None else clean_industry(question.industry)
    context = Context(
        platform=question.platform or ANY,
        action=question.action,
        jurisdictions=jurisdictions_of(markets),
        industry=industry,
        language=question.language,
        relationship=question.relationship,
        ai_generated=question.ai_generated,
        facts=settings.facts | dict(question.facts),
        today=now().date(),
    )
    return judge(by.workspace, Draft.of(question.text), context)


def decision_data(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "disclosure": decision.disclosure.value if decision.disclosure else None,
        "hits": [hit.as_data() for hit in decision.hits],
    }


def rules_in_force(actor: Actor, *, words: str = "", market: str = "", severity: str = "") -> list[Rule]:
    """The workspace's own first; `words` must all stand somewhere in a rule."""
    actor.require(Perm.VIEW)
    own, _allowed = own_rules(actor.workspace.pk)
    today = now().date()
    places = set(jurisdictions_of([market])) if market else set()
    wanted = words.casefold().split()
    return [
        rule
        for rule in (*own.rules, *instance_rules().rules)
        if (rule.valid_from is None or rule.valid_from <= today)
        and (rule.valid_to is None or today <= rule.valid_to)
        and (not places or not rule.jurisdictions or rule.jurisdictions & places)
        and (not severity or rule.severity == severity)
        and _says(rule, wanted)
    ]


def _says(rule: Rule, words: Iterable[str]) -> bool:
    text = " ".join([rule.id, rule.pack, rule.message, rule.citation, rule.fix, rule.engine]).casefold()
    return all(word in text for word in words)


def rule_data(rule: Rule) -> dict[str, Any]:
    days = {
        name: day and day.isoformat() for name, day in (("valid_from", rule.valid_from), ("valid_to", rule.valid_to))
    }
    lists = ("jurisdictions", "platforms", "actions", "industries", "languages")
    return {
        "id": rule.id,
        "pack": rule.pack,
        "engine": rule.engine,
        "severity": rule.severity.value,
        "message": rule.message,
        "citation": rule.citation,
        "fix": rule.fix,
        **{name: sorted(getattr(rule, name)) for name in lists},
        **days,
    }
