"""What must be true of a written text whoever wrote it: its length, its language, its link, and what it may claim."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from campaigns.hashtags import hashtags_in

LINK = re.compile(r"https?://[^\s<>\"'“”‘’（）()，。、；！？《》「」]+")
TAG = re.compile(r"(?<![\w&/])[#＃]\w+")
MENTION = re.compile(r"(?<![\w@./])@\w{2,}")
# Where one sentence ends: its white space stays with it, so that the pieces make the text again.
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|(?<=[。！？])[”’」』）]*\s*|\n+")
NUMBER = re.compile(r"[$€£¥]?\d+(?:[.,:]\d+)*\s?(?:[%‰]|percent\b)?", re.IGNORECASE)
SCRIPTS = {
    "zh": ("CJK UNIFIED",),
    "ja": ("CJK UNIFIED", "HIRAGANA", "KATAKANA"),
    "ko": ("HANGUL",),
    "ru": ("CYRILLIC",),
    "ar": ("ARABIC",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    "th": ("THAI",),
}
# A product's name is often Latin in a text of any script.
ENOUGH = 0.2
MOSTLY = 0.7

Length = Callable[[str], int]


def links_in(text: str) -> list[str]:
    return list(dict.fromkeys(found.rstrip(".,;:!?…") for found in LINK.findall(text)))


def tags_in(text: str) -> list[str]:
    return list(dict.fromkeys(TAG.findall(LINK.sub(" ", text))))


def mentions_in(text: str) -> list[str]:
    return list(dict.fromkeys(MENTION.findall(LINK.sub(" ", text))))


def split_sentences(text: str) -> list[str]:
    """Pieces that joined make the text again."""
    pieces, start = [], 0
    for end in SENTENCE_END.finditer(text):
        if text[start : end.start()].strip():
            pieces.append(text[start : end.end()])
            start = end.end()
    if text[start:]:
        pieces.append(text[start:])
    return pieces


def fit_text(text: str, length: Length, limit: int, *, keep: Sequence[str] = ()) -> str:
    """At most `limit` by the network's own count; `keep` (a link, hashtags) is added where it is missing.

    Whole sentences go first, from the end; of a single one that is too long the words that fit stay.
    """
    text = text.strip()
    tail = _missing(text, keep)
    if length(text + tail) <= limit:
        return text + tail
    body = _without(text, keep)
    tail = _missing(body, keep)
    pieces = split_sentences(body)
    while len(pieces) > 1 and length("".join(pieces).rstrip() + tail) > limit:
        pieces.pop()
    body = "".join(pieces).rstrip()
    if length(body + tail) <= limit:
        return body + tail
    return _cut(body, lambda part: length(part + tail) <= limit) + tail


def _missing(text: str, keep: Sequence[str]) -> str:
    tags = hashtags_in(text)
    left = [one for one in keep if not (one.casefold() in tags if one[:1] in "#＃" else one in text)]
    links = [one for one in left if one[:1] not in "#＃"]
    rest = [one for one in left if one[:1] in "#＃"]
    return "".join(f"\n\n{' '.join(group)}" for group in (links, rest) if group)


def _without(text: str, keep: Sequence[str]) -> str:
    """They come back at the end, where no cut reaches them."""
    for one in keep:
        text = text.replace(one, "")
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _cut(text: str, fits: Callable[[str], bool]) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[:middle].rstrip() + "…"):
            low = middle
        else:
            high = middle - 1
    part = text[:low].rstrip()
    space = part.rfind(" ")
    # Scripts without spaces are cut anywhere.
    is_inside_word = low < len(text) and not text[low].isspace() and not text[low - 1 : low].isspace()
    if is_inside_word and space > low // 2:
        part = part[:space].rstrip()
    return f"{part}…" if part else ""


def is_in_language(text: str, language: str) -> bool:
    """Whether its letters are those of the language. Latin languages are not told apart."""
    bare = TAG.sub(" ", LINK.sub(" ", text))
    letters = [unicodedata.name(char, "") for char in bare if char.isalpha()]
    if not letters or not language:
        return True
    wanted = SCRIPTS.get(language.partition("-")[0].lower())
    if wanted is None:
        return _share(letters, ("LATIN",)) >= MOSTLY
    return _share(letters, wanted) >= ENOUGH


def _share(letters: Sequence[str], scripts: tuple[str, ...]) -> float:
    return sum(name.startswith(scripts) for name in letters) / len(letters)


def avoided_words(text: str, words: Iterable[str]) -> list[str]:
    """Those of the list that stand in the text; Latin ones only as whole words."""
    folded = _fold(text)
    return [word for word in words if word.strip() and _stands_in(_fold(word.strip()), folded)]


def _stands_in(word: str, text: str) -> bool:
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", word) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", word) else ""
    return re.search(before + re.escape(word) + after, text) is not None


def unproven_numbers(text: str, material: str) -> list[str]:
    """Figures that stand in nothing the writer was given. Small counts ("3 reasons") prove nothing and need nothing."""
    known = {_figure(found) for found in NUMBER.findall(_fold(material))}
    found = NUMBER.findall(_fold(TAG.sub(" ", LINK.sub(" ", text))))
    claimed = dict.fromkeys(one.strip() for one in found if not _is_small(one))
    return [one for one in claimed if _figure(one) not in known]


def _figure(found: str) -> str:
    return re.sub(r"\s", "", found).replace("percent", "%").rstrip(".,:")


def _is_small(found: str) -> bool:
    return re.fullmatch(r"\d", found.strip()) is not None


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
