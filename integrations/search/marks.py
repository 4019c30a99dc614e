"""Which words of a text were asked for, and the piece of it that shows most of them."""

import unicodedata
from html import escape

from agents.memory.tokens import PIECE, is_wide, tokens
from integrations.search.queries import Asked

SNIPPET_CHARACTERS = 180
# Words before the first that is marked.
LEAD = 40
Span = tuple[int, int]


def spans_of(text: str, asked: Asked) -> list[Span]:
    """Beginnings and ends in the text, in order and apart."""
    found = [span for match in PIECE.finditer(text) for span in _in_piece(match.group(), match.start(), asked)]
    return _merged(found + _phrase_spans(text, asked))


def _in_piece(piece: str, start: int, asked: Asked) -> list[Span]:
    if is_wide(piece):
        return [
            (start + at, start + at + size)
            for size in (1, 2)
            for at in range(len(piece) - size + 1)
            if piece[at : at + size] in asked.terms
        ]
    words = tokens(unicodedata.normalize("NFKC", piece))
    is_hit = any(asked.matches(term, word) for term in asked.terms for word in words)
    return [(start, start + len(piece))] if is_hit else []


def _phrase_spans(text: str, asked: Asked) -> list[Span]:
    small, found = text.lower(), []
    for phrase in asked.phrases:
        at = small.find(phrase.lower())
        while at >= 0 and len(small) == len(text):
            found.append((at, at + len(phrase)))
            at = small.find(phrase.lower(), at + len(phrase))
    return found


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def marked(text: str, asked: Asked) -> str:
    """HTML: all of the text is escaped, what was asked for stands in <mark>."""
    out, at = [], 0
    for start, end in spans_of(text, asked):
        out += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    return "".join(out) + escape(text[at:])


def snippet(text: str, asked: Asked) -> str:
    """HTML, on one line."""
    text = " ".join(text.split())
    spans = spans_of(text, asked)
    start = max(0, spans[0][0] - LEAD) if spans else 0
    # From the beginning of a word, where there are any.
    start = text.find(" ", start, start + LEAD) + 1 or start if start else 0
    piece = text[start : start + SNIPPET_CHARACTERS]
    ends = start + SNIPPET_CHARACTERS < len(text)
    return ("… " if start else "") + marked(piece, asked) + (" …" if ends else "")
