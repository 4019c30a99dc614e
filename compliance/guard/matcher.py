"""All words of all rules in one automaton, so that a text is read once however many rules there are."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import ahocorasick

from compliance.guard.terms import anchors_of, pattern_in
from compliance.guard.text import Folded, fold_term
from compliance.guard.variants import is_at_home, variants

Span = tuple[int, int]
# Between sentences these part words; a term is only split by them when all its characters are parted.
_STOPS = frozenset(",。!?;:、\n")
_MAX_GAP = 4
# Never the end of a word, so that what follows a gap belongs to them.
_OPENERS = frozenset("最第蕞")


@dataclass(frozen=True)
class Word:
    """One spelling: its bare text, where it has separators of its own, and a character taken for another's sound."""

    bare: str
    own_gaps: frozenset[int] = frozenset()
    substitute: int | None = None

    @cached_property
    def is_latin(self) -> bool:
        return self.bare.isascii()


@dataclass(frozen=True)
class Pattern:
    compiled: re.Pattern[str]
    # Read only where one of these was found; empty: always.
    anchors: frozenset[int]


@dataclass
class WordList:
    """What a list of a rule became: numbers of words and of patterns."""

    words: frozenset[int] = frozenset()
    patterns: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.patterns)


@dataclass
class Pool:
    """Collects words and patterns, each once, then reads texts."""

    words: list[Word] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    _word_numbers: dict[Word, int] = field(default_factory=dict)
    _pattern_numbers: dict[str, int] = field(default_factory=dict)

    def add(self, texts: Iterable[str], *, homophones: bool = False) -> WordList:
        """Literals and, between slashes, patterns."""
        words: list[int] = []
        patterns: list[int] = []
        for text in texts:
            pattern = pattern_in(text)
            if pattern is None:
                words += self.add_term(text, homophones=homophones)
            else:
                patterns.append(self.add_pattern(pattern))
        return WordList(frozenset(words), tuple(patterns))

    def add_term(self, term: str, *, homophones: bool = False) -> list[int]:
        bare, own_gaps = fold_term(term)
        found = [Word(bare, own_gaps)]
        if homophones:
            found += [Word(other.replace(" ", ""), _gaps(other), place) for other, place in variants(bare)]
        return [self._number(word) for word in found]

    def add_pattern(self, pattern: str) -> int:
        if pattern not in self._pattern_numbers:
            anchors = frozenset(self._number(Word(anchor)) for anchor in anchors_of(pattern))
            self._pattern_numbers[pattern] = len(self.patterns)
            self.patterns.append(Pattern(re.compile(pattern), anchors))
        return self._pattern_numbers[pattern]

    def _number(self, word: Word) -> int:
        if word not in self._word_numbers:
            self._word_numbers[word] = len(self.words)
            self.words.append(word)
        return self._word_numbers[word]

    @cached_property
    def automaton(self) -> ahocorasick.Automaton:
        numbers: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            numbers.setdefault(word.bare, []).append(number)
        automaton = ahocorasick.Automaton()
        for bare, ids in numbers.items():
            automaton.add_word(bare, tuple(ids))
        if numbers:
            automaton.make_automaton()
        return automaton

    def read(self, folded: Folded) -> "Reading":
        ends: dict[int, list[int]] = {}
        if self.words and folded.bare:
            for end, numbers in self.automaton.iter(folded.bare):
                for number in numbers:
                    ends.setdefault(number, []).append(end)
        return Reading(self, folded, ends)


@dataclass
class Reading:
    """What one pass found in one text. Places are those of `folded.text`."""

    pool: Pool
    folded: Folded
    ends: dict[int, list[int]]
    _words: dict[int, tuple[Span, ...]] = field(default_factory=dict)
    _patterns: dict[int, tuple[Span, ...]] = field(default_factory=dict)

    @cached_property
    def found(self) -> frozenset[int]:
        return frozenset(self.ends)

    def spans(self, listed: WordList) -> Iterator[Span]:
        # The smaller of the two sets is walked: few words are found, many are listed.
        for number in sorted(self.found & listed.words):
            yield from self._word_spans(number)
        for number in listed.patterns:
            yield from self._pattern_spans(number)

    def has(self, listed: WordList) -> bool:
        return any(True for _ in self.spans(listed))

    def has_near(self, listed: WordList, place: int) -> bool:
        start, end = self.folded.sentence_span(place)
        return any(span[0] < end and start < span[1] for span in self.spans(listed))

    def covers(self, listed: WordList, span: Span) -> bool:
        return any(other[0] <= span[0] and span[1] <= other[1] for other in self.spans(listed))

    def _word_spans(self, number: int) -> tuple[Span, ...]:
        if number not in self._words:
            word = self.pool.words[number]
            found = (self._span_at(word, end) for end in self.ends[number])
            self._words[number] = tuple(span for span in found if span)
        return self._words[number]

    def _pattern_spans(self, number: int) -> tuple[Span, ...]:
        if number not in self._patterns:
            pattern = self.pool.patterns[number]
            is_worth_it = not pattern.anchors or not self.found.isdisjoint(pattern.anchors)
            found = pattern.compiled.finditer(self.folded.text) if is_worth_it else ()
            self._patterns[number] = tuple(match.span() for match in found if match.end() > match.start())
        return self._patterns[number]

    def _span_at(self, word: Word, end: int) -> Span | None:
        places = self.folded.places[end - len(word.bare) + 1 : end + 1]
        span = (places[0], places[-1] + 1)
        if not self._has_edges(word, span) or not self._is_joined(word, places):
            return None
        return None if self._is_chance(word, span) else span

    def _has_edges(self, word: Word, span: Span) -> bool:
        """Latin letters and digits stand for themselves only as whole words."""
        first, last = word.bare[0], word.bare[-1]
        before, after = self._char(span[0] - 1), self._char(span[1])
        is_cut_before = _is_latin(first) and _is_latin(before)
        is_cut_after = _is_latin(last) and _is_latin(after)
        return not is_cut_before and not is_cut_after

    def _is_joined(self, word: Word, places: list[int]) -> bool:
        """Whether what stands between the characters of a term leaves it one term."""
        if places[-1] - places[0] == len(places) - 1:
            return True
        text = self.folded.text
        gaps = {n: text[places[n - 1] + 1 : places[n]] for n in range(1, len(places)) if places[n] - places[n - 1] > 1}
        foreign = {n: gap for n, gap in gaps.items() if n not in word.own_gaps}
        if any(len(gap) > _MAX_GAP or "\n" in gap for gap in gaps.values()):
            return False
        return not foreign or self._is_split(word, places, foreign)

    def _is_split(self, word: Word, places: list[int], gaps: dict[int, str]) -> bool:
        """Separators put between the characters on purpose, not the end of one word and the start of the next."""
        size = len(word.bare)
        if len(gaps) == size - 1 and size >= 3:
            return True
        if word.is_latin or any(char in _STOPS for gap in gaps.values() for char in gap):
            return False
        if size >= 3 or word.bare[0] in _OPENERS:
            return True
        return not self._is_word_char(places[0] - 1) or not self._is_word_char(places[-1] + 1)

    def _is_chance(self, word: Word, span: Span) -> bool:
        place = word.substitute
        if place is None:
            return False
        before = self._char(span[0] - 1) if place == 0 else ""
        after = self._char(span[1]) if place == len(word.bare) - 1 else ""
        return is_at_home(word.bare[place], before or " ", after or " ")

    def _char(self, place: int) -> str:
        return self.folded.text[place] if 0 <= place < len(self.folded.text) else ""

    def _is_word_char(self, place: int) -> bool:
        return self._char(place).isalnum()


def _gaps(spelling: str) -> frozenset[int]:
    return fold_term(spelling)[1] if " " in spelling else frozenset()


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
