"""Every figure in a text must stand in the data. What is not found word for word is unknown, and the text is not sent.

A model gets facts as they are displayed and has to give them so: nothing is rounded, converted or computed for it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Numbers in words; "one" and 一 alone are articles and pronouns more often than figures.
WORDS = (
    "(?:an?|one|two|three)[- ](?:third|quarter|fifth|tenth)s?|"
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    "nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|"
    "half|halves|halved|twice|thrice|doubl(?:e|ed|es|ing)|tripl(?:e|ed|es|ing)|quadrupl(?:e|ed)|"
    "percent"
)
HAN = "零〇一二两三四五六七八九十百千万亿半"
_LEFT = re.compile(
    # Digits of any script, and signs that are numbers by themselves.
    r"\d[\d.,\u202f\u00a0]*|[½¼¾⅓⅔①-⑳Ⅰ-ⅿ²³]"
    rf"|\b(?:{WORDS})\b"
    rf"|[{HAN}]{{2,}}|[二两三四五六七八九十百千万亿半](?=[倍成个次篇条位人元天周月年点])|[一{HAN}](?=[倍成]|分之)|翻番|翻倍",
    re.IGNORECASE,
)
# Not numbers although they are written with their characters.
_IDIOMS = re.compile("统一|一一|万一|千万不|一半以上的人都说|三番五次|一些|一起|一样|一直|一下|第一时间|进一步|一方面")
_RISES = re.compile(
    r"\b(?:rose|risen|rises|grew|grown|grows|up|increas\w+|gain\w*|climb\w*|higher|more|better|improv\w+)\b"
    r"|上升|增长|增加|提高|上涨|提升|多了|更多",
    re.IGNORECASE,
)
_FALLS = re.compile(
    r"\b(?:fell|fallen|falls|drop\w*|down|declin\w+|decreas\w+|los\w+|lower|less|fewer|shr[aiu]nk\w*|worse\w*)\b"
    r"|下降|减少|降低|下跌|下滑|少了|更少",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;!?。；！？\n]|,(?=\s)|，|、")


@dataclass(frozen=True)
class Fact:
    """One displayed number. `change`: it says how much something went up or down, and by its sign which."""

    id: str
    label: str
    text: str
    change: float | None = None


@dataclass(frozen=True)
class Checked:
    """`cites`: ids of the facts that stand in the text. `unknown`: figures that are nowhere in the data."""

    cites: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=())


def check_text(text: str, facts: Sequence[Fact], dates: Iterable[date] = ()) -> Checked:
    """`dates`: days that may be named, in the usual English and Chinese ways."""
    rest, cites, unknown = text, [], []
    for written, fact in _by_length(facts):
        pattern = _exactly(written)
        found = list(pattern.finditer(rest))
        wrong = [one for one in found if not _fits(fact, written, text, rest, one)]
        if wrong:
            unknown += [one.group() for one in wrong]
        elif found:
            cites.append(_meant(fact, facts, text).id)
        rest = pattern.sub(lambda one: "\x00" * len(one.group()), rest)
    rest = _without_dates(rest, list(dates))
    rest = _IDIOMS.sub("", rest)
    unknown += [one.group().strip().rstrip(".,") for one in _LEFT.finditer(rest)]
    return Checked(tuple(dict.fromkeys(cites)), tuple(dict.fromkeys(unknown)))


def _meant(fact: Fact, facts: Sequence[Fact], text: str) -> Fact:
    """Of several with the same number the one that is named; otherwise the first."""
    alike = [one for one in facts if one.text == fact.text]
    return next((one for one in alike if one.label.partition(", ")[0].casefold() in text.casefold()), fact)


def _by_length(facts: Sequence[Fact]) -> list[tuple[str, Fact]]:
    """Longer ones first: "1,234" is not to be found as "234". A change may be written without its sign."""
    written = [(fact.text, fact) for fact in facts if re.search(r"\d", fact.text)]
    written += [(text.lstrip("+−-"), fact) for text, fact in written if fact.change is not None and text[0] in "+−-"]
    return sorted(written, key=lambda one: -len(one[0]))


def _exactly(written: str) -> re.Pattern[str]:
    """As displayed, and not as a piece of a longer number; a space in it may be of any kind or none."""
    body = r"\s*".join(re.escape(piece) for piece in re.split(r"[\s\u202f\u00a0]+", written))
    after = "" if written.endswith(("%", ")")) else r"(?!\s*(?:%|％|percent|[kKmMwW万亿千百]\b|[万亿千百]))"
    return re.compile(rf"(?<![\d.,$€£¥+\-−])(?<!\d\s){body}(?!\d|[.,]\d){after}")


def _fits(fact: Fact, written: str, text: str, rest: str, found: re.Match[str]) -> bool:
    """A change told without its sign must be told in the right direction."""
    if fact.change is None or written == fact.text:
        return True
    # `rest` keeps its length: a place in it is the same place in the text.
    start = max((one.end() for one in _CLAUSE.finditer(text, 0, found.start())), default=0)
    end = next((one.start() for one in _CLAUSE.finditer(text, found.end())), len(text))
    clause = text[start:end]
    rises, falls = bool(_RISES.search(clause)), bool(_FALLS.search(clause))
    return falls and not rises if fact.change < 0 else rises and not falls


def _without_dates(text: str, dates: list[date]) -> str:
    known = set(dates)
    years = {day.year for day in known}
    for one in sorted(_written_dates(known), key=len, reverse=True):
        text = re.sub(rf"(?<!\d){re.escape(one)}(?!\d)", "", text)
    return re.sub(rf"(?<!\d)(?:{'|'.join(map(str, sorted(years))) or 'x'})年?(?!\d)", "", text)


def _written_dates(days: set[date]) -> set[str]:
    written = set()
    for day in days:
        written |= {f"{day:%Y-%m-%d}", f"{day.year}年{day.month}月{day.day}日", f"{day.month}月{day.day}日"}
        for name in (MONTHS[day.month - 1], FULL[day.month - 1]):
            written |= {f"{day.day} {name} {day.year}", f"{name} {day.day}, {day.year}"}
            written |= {f"{day.day} {name}", f"{name} {day.day}"}
    for first, last in _ranges(days):
        written |= {f"{first.day}{to}{last.day} {MONTHS[last.month - 1]}" for to in ("–", "-", " to ")}
    return written


def _ranges(days: set[date]) -> list[tuple[date, date]]:
    """First and last of each run of days."""
    starts = sorted(day for day in days if day - timedelta(days=1) not in days)
    ends = sorted(day for day in days if day + timedelta(days=1) not in days)
    return list(zip(starts, ends, strict=True))
