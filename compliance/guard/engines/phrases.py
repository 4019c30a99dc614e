"""Words and phrases in their context: one pass over the text for all rules, then each rule's exceptions."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from compliance.guard.matcher import Pool, Reading, Span, WordList
from compliance.guard.port import Answer, Context, Draft, Hit, Severity
from compliance.guard.rules import Rule, RuleSet
from compliance.guard.terms import WORD_LISTS, cases_of, check_match
from compliance.guard.text import fold

__all__ = ["PhrasesEngine", "automaton_pass", "check_match"]
_STRICTEST = (Severity.BLOCK, Severity.REVIEW, Severity.NOTE)


@dataclass(frozen=True)
class Case:
    """One way to break a rule, its lists compiled into the pool."""

    data: Mapping[str, Any]
    triggers: WordList
    lists: Mapping[str, WordList]
    replacements: Mapping[str, str]

    @property
    def is_about_the_whole(self) -> bool:
        return not self.triggers

    def concerns(self, context: Context) -> bool:
        industries, others = self.data.get("industries"), self.data.get("not_industries", ())
        return (
            (industries is None or context.industry in industries)
            and context.industry not in others
            and all(_is_fact(context, name, value) for name, value in self.data.get("facts", {}).items())
            and not self._is_excused(context)
        )

    def _is_excused(self, context: Context) -> bool:
        excuses = self.data.get("unless_facts", {})
        return any(_is_fact(context, name, value) for name, value in excuses.items())

    def stands(self, reading: Reading, readings: Sequence[Reading], span: Span) -> bool:
        lists = self.lists
        return (
            (not lists["near"] or reading.has_near(lists["near"], span[0]))
            and not reading.covers(lists["allow"], span)
            and not reading.has_near(lists["unless"], span[0])
            and self.fits(readings)
        )

    def fits(self, readings: Sequence[Reading]) -> bool:
        """What the whole draft must and must not say."""
        wanted, forbidden = self.lists["text"], self.lists["unless_text"]
        return (not wanted or any(reading.has(wanted) for reading in readings)) and not any(
            reading.has(forbidden) for reading in readings
        )

    def own_words(self, found: str) -> dict[str, Any]:
        """What a hit of this case says instead of its rule."""
        words = {name: self.data[name] for name in ("message", "citation", "fix") if name in self.data}
        if "severity" in self.data:
            words["severity"] = Severity(self.data["severity"])
        replace = self.data.get("replace")
        replacement = replace if isinstance(replace, str) else self._swap(found)
        return words | ({"replacement": replacement} if replacement is not None else {})

    def _swap(self, found: str) -> str | None:
        return self.replacements.get(fold(found).bare) if self.replacements else None


def _is_fact(context: Context, name: str, value: Any) -> bool:
    """A fact callers gave, or a field of the context of that name."""
    known = context.facts.get(name, getattr(context, name, None))
    # JSON's true is not 1 here.
    return any(known == one and isinstance(known, bool) == isinstance(one, bool) for one in _as_list(value))


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


class Matcher:
    """The rules of one engine, compiled once for the RuleSet they stand in."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.pool = Pool()
        self.rules = [(rule, self._compiled(rule)) for rule in rules]
        # Those that only speak when nobody else does come last.
        self.rules.sort(key=lambda row: bool(row[0].match.get("last")))

    def _compiled(self, rule: Rule) -> tuple[Case, ...]:
        return tuple(self._case(data) for data in cases_of(rule.match))

    def _case(self, data: Mapping[str, Any]) -> Case:
        homophones = data.get("homophones", False)
        words = [number for term in data["terms"] for number in self.pool.add_term(term, homophones=homophones)]
        triggers = WordList(frozenset(words), tuple(map(self.pool.add_pattern, data.get("patterns", ()))))
        lists = {name: self.pool.add(data.get(name, ())) for name in WORD_LISTS}
        replace = data.get("replace", {})
        swaps = {} if isinstance(replace, str) else {fold(term).bare: text for term, text in replace.items()}
        return Case(data, triggers, lists, swaps)

    def find(self, draft: Draft, context: Context) -> list[Hit]:
        readings = [self.pool.read(fold(text)) for text in draft.texts]
        hits: list[Hit] = []
        for rule, cases in self.rules:
            is_late = rule.match.get("last") and any(hit.severity != Severity.NOTE for hit in hits)
            if is_late or not rule.applies(context):
                continue
            concerned = [case for case in cases if case.concerns(context)]
            if concerned:
                hits += _hits_of(rule, concerned, readings)
        return hits


def _hits_of(rule: Rule, cases: Sequence[Case], readings: Sequence[Reading]) -> Iterator[Hit]:
    for part, reading in enumerate(readings):
        found = [
            (span, case)
            for case in cases
            for span in reading.spans(case.triggers)
            if case.stands(reading, readings, span)
        ]
        for span, case in _apart(found, rule.severity):
            words = case.own_words(reading.folded.text[span[0] : span[1]])
            start, end = reading.folded.raw_span(*span)
            yield rule.hit(part, start, end, **words)
    for case in cases:
        if case.is_about_the_whole and case.fits(readings):
            yield rule.hit(**case.own_words(""))
            return


def _apart(found: Iterable[tuple[Span, Case]], usual: Severity) -> Iterator[tuple[Span, Case]]:
    """Of overlapping hits of one rule the strictest, then the longest."""

    def rank(row: tuple[Span, Case]) -> tuple[int, int, Span]:
        (start, end), case = row
        return _STRICTEST.index(Severity(case.data.get("severity", usual))), start - end, (start, end)

    # Apart from each other, so that only the neighbours of a place can reach into it.
    kept: list[Span] = []
    for span, case in sorted(found, key=rank):
        place = bisect(kept, span)
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept[max(place - 1, 0) : place + 1]):
            kept.insert(place, span)
            yield span, case


@lru_cache(maxsize=1024)
def matcher_for(rules: RuleSet, engine: str) -> Matcher:
    return Matcher(rules.of(engine))


def find(draft: Draft, context: Context, rules: RuleSet, engine: str) -> list[Hit]:
    """What the rules of one engine find; raises BadPack where one of them cannot be compiled."""
    return matcher_for(rules, engine).find(draft, context)


class PhrasesEngine:
    name = "phrases"

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        return Answer(tuple(find(draft, context, rules, self.name)))


def automaton_pass(text: str, rules: RuleSet) -> int:
    """One pass of the compiled words alone over a folded text, for benches; gives the number of finds."""
    return sum(1 for _ in matcher_for(rules, PhrasesEngine.name).pool.automaton.iter(text))
