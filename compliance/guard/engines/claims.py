"""Figures, superlatives, comparisons and research in a text that names no source.

Rules are those of the phrases engine; none of them fires where the caller gives `sources` or `proof` as facts.
"""

from compliance.guard.engines.phrases import find
from compliance.guard.port import Answer, Context, Draft
from compliance.guard.rules import RuleSet


class ClaimsEngine:
    name = "claims"

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        if context.facts.get("sources") or context.facts.get("proof") is True:
            return Answer()
        return Answer(tuple(find(draft, context, rules, self.name)))
