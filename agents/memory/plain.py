"""The ranking of `search` from postings: those of a list in memory, and those that `index` keeps of large scopes."""

import heapq
import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Generic, TypeVar

from agents.memory.query import K1, MAX_ROWS, MIN_COVERAGE, MIN_SHARE, B, Query, read_query
from agents.memory.tokens import MAX_PLACES, skeleton, tokens

Key = TypeVar("Key")
# A term in fewer documents is added without asking whether it is worth it.
FEW = 500
MOST_ADDED, KEPT = 25_000, 1_000
# To look up one document takes as long as to pass by so many.
LOOK_UP = 8
# An entry is one number: how often the term stands in a document, above so many bits for the document's length.
LENGTH_BITS = 23
MAX_LENGTH = (1 << LENGTH_BITS) - 1


@dataclass(frozen=True)
class Answer(Generic[Key]):
    """`coverage` is the part of the question, by weight, that it contains."""

    key: Key
    score: float
    coverage: float
    text: str

    @cached_property
    def skeleton(self) -> str:
        return skeleton(self.text)


class Postings:
    """In which documents a term stands, in their order, and the entry of each."""

    def __init__(self) -> None:
        self.places, self.entries = array("i"), array("i")

    def __len__(self) -> int:
        return len(self.places)

    def add(self, at: int, count: int, length: int) -> None:
        self.places.append(at)
        self.entries.append(min(count, MAX_PLACES) << LENGTH_BITS | min(length, MAX_LENGTH))

    def entry(self, at: int) -> int:
        """0 where the term does not stand there."""
        found = bisect_left(self.places, at)
        return self.entries[found] if found < len(self.places) and self.places[found] == at else 0


NOWHERE = Postings()


class Gains(dict[int, float]):
    """What an entry earns of its term's weight (Robertson's BM25), reckoned once for each."""

    def __init__(self, average: float) -> None:
        super().__init__()
        self.average = average

    def __missing__(self, entry: int) -> float:
        count, length = entry >> LENGTH_BITS, entry & MAX_LENGTH
        gain = self[entry] = count * (K1 + 1) / (count + K1 * (1 - B + B * length / self.average))
        return gain


@dataclass(frozen=True)
class Asked:
    """A term of a question, weighed: `weight` includes its IDF, `share` too."""

    postings: Postings
    weight: float
    share: float
    is_asked: bool

    @cached_property
    def most(self) -> float:
        """What it can add to a score at most: as often as it ever stands in one document, in one without length."""
        count = max(self.postings.entries, default=0) >> LENGTH_BITS
        return self.weight * count * (K1 + 1) / (count + K1 * (1 - B))


def weigh(query: Query, postings: Mapping[str, Postings], frequencies: Mapping[str, int], rows: int) -> list[Asked]:
    """The strongest first. What stands in no document can still be missed in an answer."""
    found = []
    for term, weight, share, is_asked in query.rows():
        frequency = frequencies.get(term, 0)
        idf = math.log(1 + (max(rows, frequency) - frequency + 0.5) / (frequency + 0.5))
        found.append(Asked(postings.get(term, NOWHERE), weight * idf, share * idf, is_asked))
    return sorted(found, key=lambda term: -term.most)


def best_places(asked: list[Asked], average: float) -> list[tuple[int, float]]:
    """At most MAX_ROWS places with their scores, the best first; of equals, the earlier."""
    scores = score_places(asked, average)
    best = heapq.nsmallest(MAX_ROWS, zip(map(float.__neg__, scores.values()), scores, strict=True))
    return [(at, -score) for score, at in best]


def score_places(asked: list[Asked], average: float) -> dict[int, float]:
    """The strongest terms first. Once the rest cannot lift a new document among the best, only known ones count.

    A long question has said what it is about after MOST_ADDED entries: the rest of it only ranks the KEPT best.
    """
    scores: dict[int, float] = {}
    gains = Gains(average)
    left = sum(term.most for term in asked)
    added, is_closed = 0, False
    for term in asked:
        # What is looked at first is cheap, and says that the second look is worth it.
        if len(term.postings) > FEW and left < max(scores.values(), default=0.0):
            least = heapq.nlargest(MAX_ROWS, scores.values())[-1]
            is_closed = is_closed or (len(scores) >= MAX_ROWS and left < least)
            if is_closed:
                scores = {at: score for at, score in scores.items() if score + left >= least}
        if not is_closed and added > MOST_ADDED and len(scores) > KEPT:
            is_closed, scores = True, dict(heapq.nlargest(KEPT, scores.items(), key=itemgetter(1)))
        (_add_to_known if is_closed else _add_to_all)(scores, term, gains)
        added += len(term.postings)
        left -= term.most
    return scores


def _add_to_all(scores: dict[int, float], term: Asked, gains: Gains) -> None:
    # The innermost loop of every search: names of its own are quicker than attributes.
    weight, known = term.weight, scores.get
    for at, entry in zip(term.postings.places, term.postings.entries, strict=True):
        scores[at] = known(at, 0.0) + weight * gains[entry]


def _add_to_known(scores: dict[int, float], term: Asked, gains: Gains) -> None:
    if len(scores) * LOOK_UP > len(term.postings):
        for at, entry in zip(term.postings.places, term.postings.entries, strict=True):
            if at in scores:
                scores[at] += term.weight * gains[entry]
        return
    for at in scores:
        if entry := term.postings.entry(at):
            scores[at] += term.weight * gains[entry]


def coverage_of(at: int, asked: list[Asked]) -> float:
    whole = sum(term.share for term in asked if term.is_asked)
    return sum(term.share for term in asked if term.postings.entry(at)) / whole if whole else 0.0


class Ranker:
    """An inverted index over texts; documents are known by their place in the list."""

    def __init__(self, texts: Iterable[str], headings: Iterable[str] | None = None) -> None:
        self.postings: dict[str, Postings] = {}
        self.texts = list(texts)
        token_count = 0
        for at, (text, heading) in enumerate(zip(self.texts, headings or [""] * len(self.texts), strict=True)):
            words = tokens(text) + tokens(heading) * 2
            token_count += len(words)
            for word, count in Counter(words).items():
                self.postings.setdefault(word, Postings()).add(at, count, len(words))
        self.average = max(token_count / max(len(self.texts), 1), 1.0)

    def search(self, question: str, k: int) -> list[tuple[int, float]]:
        """Places and scores, the best first; of equals, the earlier. Nothing where nothing answers."""
        asked = self.weigh(read_query(question))
        best = best_places(asked, self.average)
        rows = (Answer(at, score, coverage_of(at, asked), self.texts[at]) for at, score in best)
        return [(answer.key, answer.score) for answer in keep_answers(rows, k)]

    def weigh(self, query: Query) -> list[Asked]:
        found = {term: self.postings[term] for term in query.terms if term in self.postings}
        return weigh(query, found, {term: len(postings) for term, postings in found.items()}, len(self.texts))


def keep_answers(rows: Iterable[Answer[Key]], k: int) -> list[Answer[Key]]:
    """At most k of the rows, given the best first: those that answer, near-identical ones behind the others."""
    distinct: list[Answer[Key]] = []
    repeats: list[Answer[Key]] = []
    seen: set[str] = set()
    for row in rows:
        if len(distinct) == k or (distinct and row.score < distinct[0].score * MIN_SHARE):
            break
        (repeats if row.skeleton in seen else distinct).append(row)
        seen.add(row.skeleton or str(row.key))
    found = (distinct + repeats)[:k]
    return found if found and max(row.coverage for row in found) >= MIN_COVERAGE else []
