"""What the words alone say, without any model: what somebody wants, in which mood, and what looks like an attack."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.safety.kinds import Intent, Risk
from agents.safety.normalise import Heard
from agents.safety.vocabulary import patterns

# These have a consequence of their own; what they say is plain, and stands before any mood.
PLAIN = (Intent.REMEMBER, Intent.DATA_REQUEST, Intent.OPT_OUT, Intent.BOT)
_THANKS = re.compile(r"\b(?:thank\w*|thanks|thx|ty|cheers|please|appreciate\w*)\b|谢谢|多谢|感谢|谢啦|辛苦")
_BEFORE = 24


@dataclass(frozen=True)
class Clues:
    """`intent` is None where the words decide nothing. `sentiment` is from -1 to 1."""

    intent: Intent | None
    sentiment: float = 0.0
    # Whether the words alone are enough, whatever a model thinks.
    is_sure: bool = False
    risks: frozenset[Risk] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)


def find_clues(heard: Heard) -> Clues:
    text = heard.folded
    risks = find_risks(heard)
    counts = {name: _count(name, text) for name in ("praise", "complaint", "question", "mark", "request", "idle")}
    sentiment = _sentiment(counts)
    for intent in PLAIN:
        if patterns("intents")[intent.value].search(text):
            return Clues(intent, sentiment, True, risks, counts)
    mood, is_sure = _mood(text, counts)
    return Clues(mood, sentiment, is_sure, risks, counts)


def find_risks(heard: Heard) -> frozenset[Risk]:
    """In the text, in what is hidden in it, and in what it says once decoded."""
    texts = (*heard.said, heard.markup)
    found = {Risk(name) for name, pattern in patterns("risks").items() if any(map(pattern.search, texts))}
    if found and not any(patterns("risks")[risk.value].search(heard.folded) for risk in found):
        found.add(Risk.HIDDEN)
    return frozenset(found)


def _mood(text: str, counts: Mapping[str, int]) -> tuple[Intent | None, bool]:
    praise, complaint = counts["praise"], counts["complaint"]
    is_asked = counts["question"] > 0 or (counts["mark"] > 0 and _ends_asking(text))
    asks = is_asked or counts["request"] > 0
    if complaint and (not asks or complaint > 1) and complaint >= praise:
        return Intent.COMPLAINT, not praise
    if asks:
        return (Intent.QUESTION if is_asked else Intent.REQUEST), complaint == 0
    if praise:
        return Intent.PRAISE, praise > complaint
    return (Intent.OTHER, True) if counts["idle"] else (_lean(text), False)


def _ends_asking(text: str) -> bool:
    """“New rules? Love them.” asks nothing: what follows the mark has a mood of its own."""
    rest = text.rpartition("?")[2]
    return not any(_count(name, rest) for name in ("praise", "complaint", "sour", "warm"))


def _lean(text: str) -> Intent | None:
    """Where nothing else speaks: a “please” asks, a “no” is more often a complaint, a “your” more often praise."""
    if _count("polite", text):
        return Intent.REQUEST
    if _count("sour", text):
        return Intent.COMPLAINT
    return Intent.PRAISE if _count("warm", text) else None


def _count(name: str, text: str) -> int:
    """How often, without what is denied: “not great”, 不好用."""
    matches = list(patterns("intents")[name].finditer(text))
    if name in {"praise", "complaint"}:
        denied = patterns("intents")["doubt"]
        matches = [one for one in matches if not denied.search(text[max(0, one.start() - _BEFORE) : one.start()])]
    # Politeness is no mood where somebody asks for something, or says more.
    if name == "praise" and (len(matches) > 1 or _speaks_otherwise(text)):
        matches = [one for one in matches if not _THANKS.fullmatch(one[0])]
    return len(matches)


def _speaks_otherwise(text: str) -> bool:
    return any(_count(other, text) for other in ("request", "question", "mark", "complaint"))


def _sentiment(counts: Mapping[str, int]) -> float:
    good, bad = counts["praise"], counts["complaint"]
    return round((good - bad) / (good + bad), 2) if good + bad else 0.0
