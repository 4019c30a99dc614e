"""Words that mean the same: the shipped list, one group a line."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agents.memory.tokens import is_wide, tokens

LIST = Path(__file__).with_name("glossary.txt")
# Weaker evidence than the word itself; between scripts it is the only evidence there can be.
SYNONYM, FOREIGN = 0.25, 0.5


@dataclass(frozen=True)
class Term:
    text: str
    words: frozenset[str]
    is_wide: bool

    def is_in(self, question: str, words: set[str]) -> bool:
        """A single character says too little to be taken for a word."""
        return len(self.text) > 1 and self.text in question if self.is_wide else self.words <= words


def other_words(question: str) -> dict[str, float]:
    """Tokens of the synonyms of what the question names. Their weights, to be shared by a term's tokens."""
    plain = unicodedata.normalize("NFKC", question).lower()
    words = set(tokens(plain))
    found: dict[str, float] = {}
    for group in groups():
        named = [term for term in group if term.is_in(plain, words)]
        for term in group if named else ():
            is_foreign = all(term.is_wide != other.is_wide for other in named)
            weight = (FOREIGN if is_foreign else SYNONYM) / len(term.words)
            for word in term.words:
                found[word] = max(found.get(word, 0.0), weight)
    return {word: weight for word, weight in found.items() if word not in words}


@lru_cache(maxsize=1)
def groups() -> tuple[tuple[Term, ...], ...]:
    lines = [line for line in LIST.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return tuple(tuple(_term(text.strip().lower()) for text in line.split(",")) for line in lines)


def _term(text: str) -> Term:
    words = tokens(text)
    # Of "退款" only the pair: its single characters are in too many other words.
    kept = [word for word in words if len(word) > 1 or not is_wide(word)] or words
    return Term(text, frozenset(kept), is_wide(text))
