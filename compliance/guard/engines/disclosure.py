"""Whether a post says what it must: that it is paid for, given, commissioned, or made by a machine.

One rule is one duty: whom it binds, which words settle it, which only hint at it, and where they have to stand. The
strictest answer of all duties that apply is the answer; each unmet one is a hit.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from compliance.guard.conditions import Facts, check_when, compile_when
from compliance.guard.engines.facts import check_bounded, facts_of
from compliance.guard.port import Answer, Context, Disclosure, Draft, Hit, Severity
from compliance.guard.rules import Rule, RuleSet, checker
from compliance.guard.text import Folded, fold

# Code points shown before "more". Where it is unknown, the shortest common one.
FOLDS = {
    "instagram": 125,
    "threads": 300,
    "facebook": 125,
    "tiktok": 100,
    "youtube": 100,
    "linkedin": 140,
    "x": 280,
    "twitter": 280,
    "telegram": 1024,
    "pinterest": 50,
    "web": 300,
    "blog": 300,
    "email": 300,
    "xiaohongshu": 60,
    "weibo": 140,
}
DEFAULT_FOLD = 125
# Line breaks push a label out of sight as well as words do.
MAX_LINES_BEFORE = 3
# Of a row of hashtags this long nobody reads the later ones.
TAG_PILE = 3
# A label at the start may follow a greeting or the brand's name.
MAX_WORDS_BEFORE, MAX_HAN_BEFORE, HAN_TITLE = 1, 6, 20
MAX_LABEL_END = 2000

LABEL_FACTS = (
    "platform_label|paid_partnership|paid_partnership_label|branded_content_label|branded_content_tool|"
    "platform_disclosure|disclosure_toggle"
)
_HIDDEN = ["bio", "profile", "first_comment", "comments", "comment", "link", "end", "below_fold", "after_fold"]
_STRICTEST = (
    Disclosure.MISSING,
    Disclosure.BURIED,
    Disclosure.AMBIGUOUS,
    Disclosure.OK,
    Disclosure.NOT_REQUIRED,
)
# Said of the post itself, these take a label back.
_DENIED = re.compile(
    r"(?:\bnot|n['’]t|\bno|\bnon|\bnever|\bwithout|\bkeine?|\bpas|\bnicht|不是|并非|非|无|没有|不含|不属于)"
    r"[\s\W]*(?:an?|the|any|une?|de|eine?|paid|商业|付费|任何|一条|一个)?[\s\W]*$"
)
_TAG_RUN = re.compile(r"#[^\s#,]+(?:[\s,]{0,5}#[^\s#,]+)+")
_TAG = re.compile(r"#[^\s#,]+")
_MENTION = re.compile(r"@[\w.]+")
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")
_HAN = re.compile(r"[\u3400-\u9fff]")
_QUOTED = re.compile(r"[\"“”「『]([^\"“”」』]{2,})[\"“”」』]")

_PATTERNS = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 600}, "minItems": 1}
MATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["clear", "place"],
    "additionalProperties": False,
    "properties": {
        # Whom it binds: ties to a brand, or `ai`, the text or media being made by AI.
        "relationships": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "ai": {"const": True},
        # Narrower: asked only when the facts or the words say so, and not when the others do.
        "when": {"type": "object"},
        "cues": _PATTERNS,
        "exempt_when": {"type": "object"},
        "exempt_cues": _PATTERNS,
        # Only where no rule of the market itself was asked.
        "fallback": {"const": True},
        "clear": _PATTERNS,
        # Clear to those who read Chinese, that is in a Chinese text.
        "clear_han": _PATTERNS,
        "unclear": _PATTERNS,
        "elsewhere": _PATTERNS,
        # Words that say there is no label, whatever else is written.
        "void": _PATTERNS,
        "place": {"enum": ["start", "fold", "anywhere"]},
        # Put before the text it settles the duty.
        "prefix": {"type": "string", "minLength": 1},
        # What the platform's own label is worth.
        "platform_label": {"enum": ["ok", "ambiguous"]},
        # A scenario quotes what would be said: only that counts.
        "quoted": {"const": True},
        # The rule of another engine that says when it is missing.
        "reported_by": {"type": "string"},
        # Facts that are a label by themselves.
        "label_when": {"type": "object"},
    },
}
_check_shape = checker(MATCH_SCHEMA, "match")


def check_match(match: Any) -> None:
    """Raises BadPack."""
    _check_shape(match)
    for name, value in match.items():
        for pattern in value if MATCH_SCHEMA["properties"][name] is _PATTERNS else ():
            check_bounded(pattern)
    for name in ("when", "exempt_when", "label_when"):
        check_when(match.get(name, {}))


def _one_of(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


@dataclass(frozen=True)
class Duty:
    rule: Rule
    when: Callable[[Facts], bool] | None
    exempt_when: Callable[[Facts], bool] | None
    label_when: Callable[[Facts], bool] | None
    patterns: Mapping[str, re.Pattern[str]]

    @property
    def match(self) -> Mapping[str, Any]:
        return self.rule.match

    def finds(self, name: str, text: str) -> bool:
        return name in self.patterns and self.patterns[name].search(text) is not None


@lru_cache(maxsize=64)
def duties(rules: RuleSet) -> tuple[Duty, ...]:
    return tuple(_duty(rule) for rule in rules.of("disclosure"))


def _duty(rule: Rule) -> Duty:
    match = rule.match
    check_match(match)
    names = ("cues", "exempt_cues", "clear", "clear_han", "unclear", "elsewhere", "void")
    when, exempt_when, label_when = (
        compile_when(match[name]) if name in match else None for name in ("when", "exempt_when", "label_when")
    )
    patterns = {name: re.compile(_one_of(match[name])) for name in names if name in match}
    return Duty(rule, when, exempt_when, label_when, patterns)


@dataclass(frozen=True)
class Post:
    parts: tuple[Folded, ...]
    facts: Facts
    platform: str

    @property
    def text(self) -> str:
        return self.parts[0].text if self.parts else ""

    @property
    def is_han(self) -> bool:
        han = len(_HAN.findall(self.text))
        return han > 0 and han >= len(_WORD.findall(self.text))

    @property
    def fold_chars(self) -> int:
        given = self.facts.get("fold_chars")
        return given if isinstance(given, int) else FOLDS.get(self.platform, DEFAULT_FOLD)


class DisclosureEngine:
    name = "disclosure"

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        if not context.relationship and not context.ai_generated:
            return Answer()
        post = Post(tuple(fold(text) for text in draft.texts), facts_of(context), context.platform)
        judged = [(duty, *_judge(duty, post)) for duty in _asked(duties(rules), post, context)]
        states = [state for _, state, _ in judged]
        hits = [
            _hit(duty, state, words, post)
            for duty, state, words in judged
            if state != Disclosure.OK and not (state == Disclosure.MISSING and _is_reported(duty, context, rules))
        ]
        return Answer(tuple(hits), min(states, key=_STRICTEST.index, default=Disclosure.NOT_REQUIRED))


def _asked(all_duties: Iterable[Duty], post: Post, context: Context) -> list[Duty]:
    asked = [duty for duty in all_duties if duty.rule.applies(context) and _is_asked(duty, post, context)]
    has_own_law = any("relationships" in duty.match and "fallback" not in duty.match for duty in asked)
    return [duty for duty in asked if not (has_own_law and "fallback" in duty.match)]


def _is_asked(duty: Duty, post: Post, context: Context) -> bool:
    if "ai" in duty.match and not context.ai_generated:
        return False
    if "relationships" in duty.match and context.relationship not in duty.match["relationships"]:
        return False
    if (duty.exempt_when and duty.exempt_when(post.facts)) or duty.finds("exempt_cues", post.text):
        return False
    if not duty.when and "cues" not in duty.patterns:
        return True
    return bool(duty.when and duty.when(post.facts)) or duty.finds("cues", post.text)


def _is_reported(duty: Duty, context: Context, rules: RuleSet) -> bool:
    """Another engine's rule says the same, and once is enough."""
    return any(rule.id == duty.match.get("reported_by") and rule.applies(context) for rule in rules.rules)


def _judge(duty: Duty, post: Post) -> tuple[Disclosure, str]:
    """The state, and the words that made it so where there are any."""
    if duty.label_when and duty.label_when(post.facts):
        return Disclosure.OK, ""
    if duty.finds("void", post.text):
        return Disclosure.MISSING, ""
    labels = list(_labels(duty, post))
    if any(_is_well_placed(duty, post, start, end) for number, start, end in labels if number == 0):
        return Disclosure.OK, ""
    if _LABELLED_BY_PLATFORM(post.facts):
        return Disclosure(duty.match.get("platform_label", "ok")), ""
    if labels:
        number, start, end = labels[0]
        return Disclosure.BURIED, _raw(post.parts[number], start, end)
    return _judge_without_label(duty, post)


def _judge_without_label(duty: Duty, post: Post) -> tuple[Disclosure, str]:
    if duty.finds("elsewhere", post.text) or _LABELLED_OUT_OF_SIGHT(post.facts):
        return Disclosure.BURIED, ""
    for folded in post.parts:
        if found := _unclear(duty, folded.text, post):
            return Disclosure.AMBIGUOUS, _raw(folded, *found.span())
    return Disclosure.MISSING, ""


def _raw(folded: Folded, start: int, end: int) -> str:
    return folded.raw[slice(*folded.raw_span(start, end))].strip()


_LABELLED_BY_PLATFORM = compile_when({LABEL_FACTS: True})
_LABELLED_OUT_OF_SIGHT = compile_when({"disclosure_location|label_location|label_position|label_in": _HIDDEN})


def _unclear(duty: Duty, text: str, post: Post) -> re.Match[str] | None:
    names = ("unclear",) if post.is_han else ("unclear", "clear_han")
    return next(_said(duty, names, text, 0, len(text)), None)


def _labels(duty: Duty, post: Post) -> Iterator[tuple[int, int, int]]:
    """Part, start and end of each clear label."""
    names = ("clear", "clear_han") if post.is_han else ("clear",)
    for number, folded in enumerate(post.parts):
        for start, end in _looked_at(duty, folded.text):
            for found in _said(duty, names, folded.text, start, end):
                yield number, *found.span()


def _said(duty: Duty, names: Iterable[str], text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    for name in names:
        for found in duty.patterns[name].finditer(text, start, end) if name in duty.patterns else ():
            if not _is_denied(text, found.start()):
                yield found


def _looked_at(duty: Duty, text: str) -> list[tuple[int, int]]:
    quoted = [found.span(1) for found in _QUOTED.finditer(text)] if "quoted" in duty.match else []
    return quoted or [(0, len(text))]


def _is_denied(text: str, start: int) -> bool:
    return _DENIED.search(text, max(0, start - 24), start) is not None


def _is_well_placed(duty: Duty, post: Post, start: int, end: int) -> bool:
    if duty.match["place"] == "anywhere":
        return True
    # Far labels are many in a text that wants to be slow, and need no second look.
    is_seen = end <= MAX_LABEL_END and (_is_above_fold if duty.match["place"] == "fold" else _is_at_start)(
        post, start, end
    )
    return is_seen and not _is_in_tag_pile(post.text, start, end)


def _is_above_fold(post: Post, start: int, end: int) -> bool:
    return len(post.text[:end].strip()) <= post.fold_chars and post.text.count("\n", 0, start) < MAX_LINES_BEFORE


def _is_in_tag_pile(text: str, start: int, end: int) -> bool:
    """One of several hashtags in a row, and not the first of them."""
    for run in _TAG_RUN.finditer(text):
        if run.start() < start and end <= run.end():
            return len(_TAG.findall(run.group())) >= TAG_PILE
    return False


def _is_at_start(post: Post, start: int, end: int) -> bool:
    before = _TAG.sub(" ", _MENTION.sub(" ", post.text[:start]))
    han = len(_HAN.findall(before))
    if len(_WORD.findall(before)) <= MAX_WORDS_BEFORE and han <= MAX_HAN_BEFORE:
        return True
    title, line_break, _ = post.text.partition("\n")
    return bool(han and line_break) and end <= min(len(title), HAN_TITLE)


def _hit(duty: Duty, state: Disclosure, words: str, post: Post) -> Hit:
    # That words of a draft bring a duty about is a guess, and a guess does not block.
    is_sure = "cues" not in duty.patterns or (duty.when is not None and duty.when(post.facts))
    most = Severity.BLOCK if state == Disclosure.MISSING and is_sure else Severity.REVIEW
    return duty.rule.hit(
        severity=min(duty.rule.severity, most, key=_weight),
        message=_message(duty.rule, state, words[:40]),
        replacement=duty.match.get("prefix"),
    )


def _weight(severity: Severity) -> int:
    return list(Severity).index(severity)


def _message(rule: Rule, state: Disclosure, words: str) -> str:
    if state == Disclosure.BURIED:
        return f"“{words}” stands where few will see it." if words else "The label is not in the post itself."
    if state == Disclosure.AMBIGUOUS:
        return f"“{words}” does not say it clearly enough." if words else "The platform's label alone may not do."
    return rule.message
