"""The ranking of `search`, in memory: for small lists, and to hold the SQL against it."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agents.memory.query import K1, MIN_COVERAGE, MIN_SHARE, B, Query, read_query
from agents.memory.tokens import skeleton, tokens

Key = TypeVar("Key")


@dataclass(frozen=True)
class Answer(Generic[Key]):
    """`coverage` is the part of the question, by weight, that it contains."""

    key: Key
    score: float
    coverage: float
    skeleton: str


class Ranker:
    """An inverted index over texts; documents are known by their place in the list."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.postings: dict[str, list[tuple[int, int]]] = {}
        self.lengths: list[int] = []
        self.skeletons: list[str] = []
        for at, text in enumerate(texts):
            words = tokens(text)
            self.lengths.append(len(words))
            self.skeletons.append(skeleton(text))
            for word, count in Counter(words).items():
                self.postings.setdefault(word, []).append((at, count))
        self.average = max(sum(self.lengths) / max(len(self.lengths), 1), 1.0)

    def search(self, question: str, k: int) -> list[tuple[int, float]]:
        """Places and scores, the best first; of equals, the earlier. Nothing where nothing answers."""
        query = read_query(question)
        scores, covers, whole = self._score(query)
        order = sorted(scores, key=lambda at: (-scores[at], at))
        rows = [Answer(at, scores[at], covers[at] / whole if whole else 0.0, self.skeletons[at]) for at in order]
        return [(answer.key, answer.score) for answer in keep_answers(rows, k)]

    def _score(self, query: Query) -> tuple[dict[int, float], dict[int, float], float]:
        scores: dict[int, float] = {}
        covers: dict[int, float] = {}
        whole = 0.0
        for term, weight, share, is_asked in zip(query.terms, query.weights, query.shares, query.is_asked, strict=True):
            found = self.postings.get(term, [])
            idf = math.log(1 + (len(self.lengths) - len(found) + 0.5) / (len(found) + 0.5))
            whole += share * idf if is_asked else 0.0
            for at, count in found:
                length = 1 - B + B * self.lengths[at] / self.average
                gain = weight * idf * count * (K1 + 1) / (count + K1 * length)
                scores[at] = scores.get(at, 0.0) + gain
                covers[at] = covers.get(at, 0.0) + share * idf
        return scores, covers, whole


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
