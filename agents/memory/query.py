"""A question, as both rankers read it: the one in SQL and the one in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from agents.memory.glossary import other_words
from agents.memory.tokens import asked, is_wide, parts_of_names

MAX_TERMS = 64
MAX_QUESTION = 1_000
# More than anybody reads, so that near-identical ones can be told apart.
MAX_ROWS = 200
# BM25 (Robertson and Zaragoza 2009).
K1, B = 1.2, 0.75
# In how far a single character answers for the question: its pairs say it again, and better.
SINGLE = 0.5
# "WebSocket" asks for "websocket", "web" and "socket": one name, not three words.
PART = 0.5
# How much of what a question asks, by weight, the best answer must contain: below, nothing is known.
MIN_COVERAGE = 0.06
# What stands far behind the best answer is noise.
MIN_SHARE = 0.05


@dataclass(frozen=True)
class Query:
    """`weights` multiply a term's score; `shares` its part in the coverage, which `asked` sums up to 1."""

    terms: tuple[str, ...]
    weights: tuple[float, ...]
    shares: tuple[float, ...]
    is_asked: tuple[bool, ...]

    def __bool__(self) -> bool:
        return bool(self.terms)

    def rows(self) -> Iterator[tuple[str, float, float, bool]]:
        return zip(self.terms, self.weights, self.shares, self.is_asked, strict=True)


def read_query(question: str) -> Query:
    question = question[:MAX_QUESTION]
    own = asked(question)[:MAX_TERMS]
    other = list(other_words(question).items())[:MAX_TERMS]
    terms = [*own, *(word for word, _ in other)]
    parts = parts_of_names(question)
    weights = [*(PART if word in parts else 1.0 for word in own), *(weight for _, weight in other)]
    shares = [weight * (SINGLE if is_single(term) else 1.0) for term, weight in zip(terms, weights, strict=True)]
    return Query(tuple(terms), tuple(weights), tuple(shares), tuple(at < len(own) for at in range(len(terms))))


def is_single(term: str) -> bool:
    return len(term) == 1 and is_wide(term)
