"""The writer: gets a brief in our own words and the brand's, never the stranger's text, and has no tools.

So nothing that a stranger writes can be followed, repeated or leaked by it: it is not there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from agents.llm.types import Ask, Said
from agents.safety.planner import Plan

_REPLIES = Path(__file__).parent / "words" / "replies.yaml"
WORDED = {"en": "English", "zh": "Chinese"}
LIMITS = {"x": 240}
MAX_LENGTH = 500


@dataclass(frozen=True)
class Material:
    """What a reply may say: the plain reply, and claims of the brand with their ids."""

    plain: str
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.plain, *(text for _id, text in self.facts))

    @property
    def plain_reply(self) -> str:
        """Without a model: the fact that answers, else the plain reply."""
        return self.facts[0][1] if self.facts else self.plain


def plain_reply(route: str, language: str) -> str:
    texts = _replies().get(route, {})
    return texts.get(language) or texts.get("en", "")


@cache
def _replies() -> dict[str, dict[str, str]]:
    return dict(yaml.safe_load(_REPLIES.read_text(encoding="utf-8")))


def writer_ask(plan: Plan, material: Material, *, system: str, network: str) -> Ask:
    brief = "\n".join(_brief(plan, material, network))
    return Ask(role="writer", system=system, messages=(Said("user", brief),), max_output=400)


def _brief(plan: Plan, material: Material, network: str) -> Iterable[str]:
    yield "Draft the reply."
    yield f"intent: {plan.intent.value}"
    yield f"language: {WORDED.get(plan.language, plan.language)}"
    yield f"at most {LIMITS.get(network, MAX_LENGTH)} characters"
    if plan.topics:
        yield f"topics: {', '.join(topic.value.replace('_', ' ') for topic in plan.topics)}"
    if plan.asks:
        yield f"wanted: {', '.join(want.value for want in plan.asks)}"
    yield f"plain reply: {material.plain}"
    if material.facts:
        yield "facts:"
        yield from (f"- {text}" for _id, text in material.facts)
