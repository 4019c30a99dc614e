"""The ranking of `search`, in memory: for lists without a database, and to hold the SQL against it."""

import heapq
import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agents.memory.query import K1, MAX_ROWS, MIN_COVERAGE, MIN_SHARE, B, Query, read_query
from agents.memory.tokens import skeleton, tokens

Key = TypeVar("Key")
# A term in fewer documents is added without asking whether it is worth it.
FEW = 500


@dataclass(frozen=True)
class Answer(Generic[Key]):
    """`coverage` is the part of the question, by weight, that it contains."""

    key: Key
    score: float
    coverage: float
    skeleton: str


class Postings:
    """In which documents a term stands, in their order, and how often in each."""

    def __init__(self) -> None:
        self.places, self.counts = array("L"), array("L")

    def __len__(self) -> int:
        return len(self.places)

    def add(self, at: int, count: int) -> None:
        self.places.append(at)
        self.counts.append(count)

    def count(self, at: int) -> int:
        found = bisect_left(self.places, at)
        return self.counts[found] if found < len(self.places) and self.places[found] == at else 0


@dataclass(frozen=True)
class Asked:
    """A term of a question, weighed: `weight` includes its IDF, `share` too."""

    postings: Postings
    weight: float
    share: float
    is_asked: bool

    @property
    def most(self) -> float:
        """What it can add to a score at most."""
        return self.weight * (K1 + 1)


class Ranker:
    """An inverted index over texts; documents are known by their place in the list."""

    def __init__(self, texts: Iterable[str], headings: Iterable[str] | None = None) -> None:
        self.postings: dict[str, Postings] = {}
        self.lengths = array("L")
        self.skeletons: list[str] = []
        texts = list(texts)
        for at, (text, heading) in enumerate(zip(texts, headings or [""] * len(texts), strict=True)):
            words = tokens(text) + tokens(heading) * 2
            self.lengths.append(len(words))
            self.skeletons.append(skeleton(text))
            for word, count in Counter(words).items():
                self.postings.setdefault(word, Postings()).add(at, count)
        self.average = max(sum(self.lengths) / max(len(self.lengths), 1), 1.0)

    def search(self, question: str, k: int) -> list[tuple[int, float]]:
        """Places and scores, the best first; of equals, the earlier. Nothing where nothing answers."""
        asked = self._weigh(read_query(question))
        scores = self._score(asked)
        whole = sum(term.share for term in asked if term.is_asked)
        best = heapq.nsmallest(MAX_ROWS, scores, key=lambda at: (-scores[at], at))
        rows = [Answer(at, scores[at], self._coverage(at, asked, whole), self.skeletons[at]) for at in best]
        return [(answer.key, answer.score) for answer in keep_answers(rows, k)]

    def _weigh(self, query: Query) -> list[Asked]:
        found = []
        for term, weight, share, is_asked in query.rows():
            postings = self.postings.get(term, Postings())
            idf = math.log(1 + (len(self.lengths) - len(postings) + 0.5) / (len(postings) + 0.5))
            found.append(Asked(postings, weight * idf, share * idf, is_asked))
        return sorted(found, key=lambda term: -term.most)

    def _score(self, asked: list[Asked]) -> dict[int, float]:
        """The strongest terms first. Once the rest cannot lift a new document among the best, only known ones count."""
        scores: dict[int, float] = {}
        left = sum(term.most for term in asked)
        is_closed = False
        for term in asked:
            if not is_closed and len(term.postings) > FEW and len(scores) >= MAX_ROWS:
                least = heapq.nlargest(MAX_ROWS, scores.values())[-1]
                if is_closed := left < least:
                    scores = {at: score for at, score in scores.items() if score + left >= least}
            if is_closed:
                for at in scores:
                    scores[at] += self._gain(term, at, term.postings.count(at))
            else:
                for at, count in zip(term.postings.places, term.postings.counts, strict=True):
                    scores[at] = scores.get(at, 0.0) + self._gain(term, at, count)
            left -= term.most
        return scores

    def _gain(self, term: Asked, at: int, count: int) -> float:
        length = 1 - B + B * self.lengths[at] / self.average
        return term.weight * count * (K1 + 1) / (count + K1 * length)

    def _coverage(self, at: int, asked: list[Asked], whole: float) -> float:
        return sum(term.share for term in asked if term.postings.count(at)) / whole if whole else 0.0


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
