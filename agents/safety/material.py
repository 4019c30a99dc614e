"""Which of the brand's claims answer a message. The message only chooses among them; its words go no further."""

import math
from collections import Counter
from collections.abc import Sequence

from agents.memory import Claim
from agents.memory.tokens import asked, tokens
from agents.safety.kinds import Route
from agents.safety.normalise import Heard
from agents.safety.planner import Plan
from agents.safety.writer import Material, plain_reply

MAX_FACTS = 3
# The share of what is asked, weighed by how rare its words are, that a claim must speak of.
LEAST_COVERED = 0.3
COURTESIES = frozenset(
    tokens("please thanks hello send tell know need want help give get me my any would like still one two")
)
_WITH_FACTS = frozenset({Route.ANSWER, Route.NEGATIVE})


def find_material(plan: Plan, heard: Heard, claims: Sequence[Claim]) -> Material:
    fitting = [claim for claim in claims if not claim.language or claim.language[:2] == plan.language[:2]]
    facts = _ranked(heard, fitting)[:MAX_FACTS] if plan.route in _WITH_FACTS else []
    return Material(plain_reply(plan.route, plan.language), tuple((claim.id, claim.text) for claim in facts))


def _ranked(heard: Heard, claims: Sequence[Claim]) -> list[Claim]:
    words = {claim.id: set(tokens(claim.text)) for claim in claims}
    spread = Counter(word for one in words.values() for word in one)
    wanted = [word for word in asked(heard.text) if word not in COURTESIES]
    # What no claim speaks of weighs most: it is what was asked for.
    weights = {word: math.log(1 + (len(claims) + 1) / (spread[word] or 0.5)) for word in wanted}
    whole = sum(weights.values())
    scores = {claim.id: sum(weight for word, weight in weights.items() if word in words[claim.id]) for claim in claims}
    found = [claim for claim in claims if whole and scores[claim.id] / whole >= LEAST_COVERED]
    return sorted(found, key=lambda claim: -scores[claim.id])
