"""Text folded for matching, with the way back to the code points that were typed.

What only looks different becomes the same: case, full width, circled digits, accents, look-alike letters, traditional
characters; what nobody sees is dropped. Nothing folded is ever shown or sent.
"""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache

from confusable_homoglyphs import confusables

# Signs that carry meaning inside terms ("100%", "变美=成功"); all others only separate.
SIGNS = frozenset("%#=$€£¥")
_INVISIBLE = frozenset("\u115f\u1160\u3164\u2065")  # Hangul fillers are letters by category
_BLANK = "\u2800"
_HAN_FROM, _HAN_TO = "\u2e80", "\u9fff"
_KANA_HANGUL = (("\u3040", "\u31ff"), ("\uac00", "\ud7ff"))
# Traditional and formal ones before the simplified: characters of listed terms, one to one.
_TRADITIONAL = (
    "國国級级極极頂顶獨独萬万絕绝對对無无與与優优質质業业專专權权銷销療疗醫医藥药證证險险"
    "費费價价錢钱賺赚賠赔穩稳買买賣卖學学體体網网頁页際际檢检測测驗验術术聖圣靈灵傳传統统歷历"
    "創创產产選选領领導导強强壓压殺杀廠厂門门開开關关會会員员環环後后機机構构認认識识變变"
    "滅灭腫肿瘤瘤癒愈處处師师養养護护膚肤癌癌瘦瘦減减糖糖壽寿劑剂補补腎肾風风濕湿頸颈錄录轉转運运"
    "發发財财彩彩賭赌貸贷稅税務务報报償偿還还資资據据準准標标牌牌譽誉榮荣獎奖軍军徽徽黨党壹一貳二"
    "僅仅傢家緻致雙双鑽钻寶宝總总時时間间線线聯联潔洁淨净膠胶顏颜紋纹皺皱彈弹癢痒瘡疮瘍疡脫脱歲岁齡龄歐欧亞亚東东廣广實实當当対对価价効效薬药広广実实"
)
_SIMPLIFIED = dict(zip(_TRADITIONAL[::2], _TRADITIONAL[1::2], strict=True))


def _is_east_asian(char: str) -> bool:
    return _HAN_FROM <= char <= _HAN_TO or any(first <= char <= last for first, last in _KANA_HANGUL)


@lru_cache(maxsize=1)
def _look_alikes() -> dict[str, str]:
    """Letters of other scripts that read as one of a-z, by Unicode's confusables."""
    found = {}
    for char, others in confusables.confusables_data.items():
        if len(char) != 1 or char.isascii() or _is_east_asian(char):
            continue
        latin = [other["c"].lower() for other in others if other["c"].isascii() and other["c"].isalpha()]
        if latin and len(latin[0]) == 1:
            found[char] = latin[0]
    return found


def _fold_once(char: str) -> str:
    if char in "\n\r\u2028\u2029\x0b\x0c\x85":
        return "\n"
    category = unicodedata.category(char)
    if char.isspace() or char == _BLANK:
        return " "
    if category in {"Cc", "Cf", "Cs", "Cn", "Co", "Mn", "Me"} or char in _INVISIBLE:
        return ""
    if (digit := unicodedata.digit(char, None)) is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", _look_alikes().get(char, char)).lower()
    stripped = "".join(part for part in unicodedata.normalize("NFD", plain) if not unicodedata.combining(part))
    return "".join(_SIMPLIFIED.get(part, part) for part in unicodedata.normalize("NFC", stripped))


class _FoldTable(dict[str, str]):
    """Filled as characters turn up: each is worked out once in the life of the process."""

    def __missing__(self, char: str) -> str:
        folded, before = _fold_once(char), char
        while folded != before:
            folded, before = "".join(map(_fold_once, folded)), folded
        self[char] = folded
        return folded


class _BareTable(dict[str, bool]):
    def __missing__(self, char: str) -> bool:
        self[char] = char.isalnum() or char in SIGNS
        return self[char]


_FOLDED = _FoldTable()
_IS_BARE = _BareTable()
_SENTENCE_END = re.compile(r"[。!?;\n]|\.(?=\s|$)")


@dataclass(frozen=True)
class Folded:
    """One text three ways. `starts[i]` is the code point of `raw` that gave `text[i]`; `places[j]` is where `bare[j]`
    stands in `text`; `bare` has letters, digits and SIGNS only."""

    raw: str
    text: str
    starts: list[int]
    bare: str
    places: list[int]

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Of a span of `text`; accents put on the last letter belong to it."""
        if start >= end:
            return (0, 0)
        last = self.starts[end - 1] + 1
        while last < len(self.raw) and unicodedata.combining(self.raw[last]):
            last += 1
        return self.starts[start], last

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [0, *(found.end() for found in _SENTENCE_END.finditer(self.text))]

    def sentence(self, place: int) -> int:
        """The number of the sentence around a place in `text`."""
        return bisect_right(self._sentence_starts, place)

    def sentence_span(self, place: int) -> tuple[int, int]:
        number = self.sentence(place)
        starts = self._sentence_starts
        return starts[number - 1], starts[number] if number < len(starts) else len(self.text)


def fold(raw: str) -> Folded:
    chars: list[str] = []
    starts: list[int] = []
    for place, char in enumerate(raw):
        for part in _FOLDED[char]:
            chars.append(part)
            starts.append(place)
    text = "".join(chars)
    places = [place for place, char in enumerate(text) if _IS_BARE[char]]
    return Folded(raw, text, starts, "".join([text[place] for place in places]), places)


def fold_term(term: str) -> tuple[str, frozenset[int]]:
    """A listed term as `bare`, and where between its characters it has separators of its own."""
    folded = fold(term)
    places = folded.places
    return folded.bare, frozenset(n for n in range(1, len(places)) if places[n] - places[n - 1] > 1)
