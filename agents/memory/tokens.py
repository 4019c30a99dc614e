"""Words of a text, as search compares them. No dictionary: Chinese, Japanese and Korean are cut into single characters
and pairs of neighbours, English words are reduced to their stems, identifiers to their parts."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

MAX_TEXT = 200_000
MAX_WORD = 60
# As many places of a word as PostgreSQL keeps.
MAX_PLACES = 255
LAST_PLACE = 16_383
# Kana, Han with its extensions, Hangul: scripts without spaces, or with words that carry their grammar.
WIDE = "\u3005\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003134f"
PIECE = re.compile(rf"[{WIDE}]+|(?:(?![{WIDE}])[^\W_])+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# They stand in every sentence and say nothing about it.
ENGLISH_LITTLE = """
a an and are as at be by can do does for from has have how i if in into is it its of on or our that the their them then
there these they this to was we were what when where which who will with you your
"""
LITTLE_WORDS = frozenset(ENGLISH_LITTLE.split())
LITTLE_CHARACTERS = frozenset("的了是在和与及或也都就而之为以于把被让从向对中上下其这那吗呢吧啊请")
# How questions are asked, not what is asked.
QUESTIONS = re.compile(
    "为什么|什么时候|什么样|怎么办|怎么样|有没有|能不能|可不可以|是不是|什么|怎么|怎样|多少|哪些|哪个|哪里|哪家|哪几|几个"
    "|是否|能否|可以|如何|为何|我们|你们|他们|咱们|这个|那个|这些|那些|这位|那位|一个|一下|现在|请问|告诉|需要|应该"
)

_stemmer = snowballstemmer.stemmer("english")


def tokens(text: str) -> list[str]:
    """In the order of the text, with repetitions."""
    text = unicodedata.normalize("NFKC", text[:MAX_TEXT])
    return [token for piece in PIECE.findall(text) for token in _cut(piece)]


def is_wide(token: str) -> bool:
    return re.match(f"[{WIDE}]", token) is not None


def asked(question: str) -> list[str]:
    """The tokens of a question, each once: what it is about, or all of it where nothing else is left."""
    plain = unicodedata.normalize("NFKC", question[:MAX_TEXT])
    return list(dict.fromkeys(tokens(QUESTIONS.sub(" ", plain)) or tokens(plain)))


def parts_of_names(question: str) -> set[str]:
    """The tokens of names in camel case that stand beside the whole name."""
    names = [CAMEL.split(piece) for piece in PIECE.findall(unicodedata.normalize("NFKC", question[:MAX_TEXT]))]
    return {_stem(part.lower()) for parts in names if len(parts) > 1 for part in parts}


def skeleton(text: str) -> str:
    """The same for texts that differ in numbers and punctuation only."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalpha())


def tsvector(words: list[str]) -> str:
    """The literal of a tsvector with places. Built here: PostgreSQL's own parser cannot cut Chinese."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words, start=1):
        kept = places.setdefault(word, [])
        if len(kept) < MAX_PLACES:
            kept.append(min(at, LAST_PLACE))
    # The last place can stand only once in a list: what comes after it is not counted.
    return " ".join(f"'{word}':{','.join(map(str, dict.fromkeys(kept)))}" for word, kept in places.items())


def _cut(piece: str) -> Iterator[str]:
    if is_wide(piece):
        yield from (char for char in piece if char not in LITTLE_CHARACTERS)
        yield from (piece[at : at + 2] for at in range(len(piece) - 1))
        return
    parts = CAMEL.split(piece)
    yield from (_stem(part) for part in map(str.lower, parts) if part not in LITTLE_WORDS)
    if len(parts) > 1:
        # "WebSocket" is also asked for as "websocket".
        yield _stem(piece.lower())


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return _stemmer.stemWord(word)[:MAX_WORD]
