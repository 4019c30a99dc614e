"""What was typed, as search reads it: words, the beginning of the last one, and phrases in quotation marks."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from agents.memory.tokens import PIECE, asked, is_wide, tokens

MAX_TEXT = 200
MAX_TERMS = 16
PHRASE = re.compile(r'"([^"]+)"|“([^”]+)”|「([^」]+)」')
# So far a word that is being typed may run past its stem: "launchi" is on its way from "launch" to "launching".
PAST_STEM, LEAST_STEM = 3, 4


@dataclass(frozen=True)
class Asked:
    """`prefix` is the word that is still being typed, in small letters; it counts as the last term."""

    text: str
    terms: tuple[str, ...]
    prefix: str
    phrases: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.terms or self.phrases)

    @cached_property
    def variants(self) -> dict[str, tuple[str, ...]]:
        """The last word may be finished in other ways; these are its stem's beginnings."""
        cut = [self.prefix[:-n] for n in range(1, PAST_STEM + 1) if len(self.prefix) - n >= LEAST_STEM]
        return {self.terms[-1]: (self.terms[-1], *cut)} if self.prefix and self.terms else {}

    def matches(self, term: str, token: str) -> bool:
        if token == term:
            return True
        return term in self.variants and (token.startswith(self.prefix) or token in self.variants[term])

    def tsqueries(self) -> list[str]:
        """One for each term, as literals of PostgreSQL."""
        return [self._tsquery(term) for term in self.terms]

    def _tsquery(self, term: str) -> str:
        if term not in self.variants:
            return f"'{term}'"
        return " | ".join([f"'{self.prefix}':*", *(f"'{variant}'" for variant in self.variants[term])])


def read_asked(text: str) -> Asked:
    text = unicodedata.normalize("NFKC", text.replace("\0", "")[:MAX_TEXT])
    phrases = tuple(" ".join(filter(None, found)).strip() for found in PHRASE.findall(text))
    terms = _without_parts(asked(text))[:MAX_TERMS]
    prefix = _prefix_of(text)
    if prefix:
        own = tokens(prefix)
        # Of "WebSock" the parts are words, and the whole is what is being typed.
        last = own[-1] if own else prefix
        terms = [*(term for term in terms if term != last), last][-MAX_TERMS:]
    return Asked(text.strip(), tuple(terms), prefix, tuple(filter(None, phrases)))


def _without_parts(terms: list[str]) -> list[str]:
    """A character of a pair says nothing more than the pair."""
    pairs = "".join(term for term in terms if len(term) == 2 and is_wide(term))
    return [term for term in terms if len(term) > 1 or term not in pairs]


def _prefix_of(text: str) -> str:
    """The last word, where nothing follows it and it has letters that stand alone."""
    if not text or not (text[-1].isalnum()):
        return ""
    pieces = PIECE.findall(text)
    return pieces[-1].lower() if pieces and not is_wide(pieces[-1]) else ""
