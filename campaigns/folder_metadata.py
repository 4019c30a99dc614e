import dataclasses
import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, available_timezones

from campaigns.hashtags import hashtag, hashtags_in
from social.networks.telegram.limits import is_web_address

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# An ISO date has at most 10 characters, an ISO date with an hour at least 11.
MIN_MOMENT = 11
YEARS = range(2000, 2101)
TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "empty text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class BadMetadata(Exception):
    """A JSON file we cannot use: `code` is stable, `message` tells a marketer what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ItemMetadata:
    """What a JSON file says about its media; tags are without '#', absent texts are empty."""

    title: str = ""
    description: str = ""
    tags: list[str] = dataclasses.field(default_factory=list)
    link: str = ""
    alt_text: str = ""
    language: str = ""
    scheduled_at: datetime | None = None
    thread: list[str] = dataclasses.field(default_factory=list)
    made_with_ai: bool = False

    def canonical(self) -> str:
        values = dataclasses.asdict(self)
        # The same moment written in another zone is no change.
        values["scheduled_at"] = self.scheduled_at and self.scheduled_at.astimezone(UTC).isoformat()
        return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest_item(media_sha256: str, metadata: ItemMetadata) -> str:
    return hashlib.sha256(f"{media_sha256}\n{metadata.canonical()}".encode()).hexdigest()


def read_metadata(raw: bytes) -> tuple[ItemMetadata, list[str]]:
    """The metadata and the keys that were written twice (the last one counts); raises BadMetadata."""
    data, repeated = _parse_json(raw)
    if not isinstance(data, dict):
        raise BadMetadata("wrong_fields", f"Expected one object in braces, found {_name(data)}.")
    fields = _Fields(data)
    metadata = ItemMetadata(
        title=fields.text("title"),
        description=fields.text("description"),
        tags=fields.tags(),
        link=fields.link(),
        alt_text=fields.text("alt_text"),
        language=fields.language(),
        scheduled_at=fields.scheduled_at(),
        thread=fields.texts("thread"),
        made_with_ai=fields.made_with_ai(),
    )
    if not fields.wrong and not metadata.title and not metadata.description:
        fields.refuse("title", "a title or a description", None)
    if fields.wrong:
        raise BadMetadata("wrong_fields", "; ".join(fields.wrong) + ".")
    return metadata, repeated


def _parse_json(raw: bytes) -> tuple[Any, list[str]]:
    repeated: list[str] = []

    def note_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen and key not in repeated:
                repeated.append(key)
            seen[key] = value
        return seen

    try:
        text = raw.decode("utf-8-sig")
        data = json.loads(text, object_pairs_hook=note_repeated, parse_constant=_refuse_constant)
    except UnicodeDecodeError as fault:
        raise BadMetadata("not_utf8", "The text is not saved as UTF-8. Save it again with that encoding.") from fault
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise BadMetadata("not_json", f"This is not valid JSON ({where}: {fault.msg}). Correct it there.") from fault
    # Python refuses numbers of thousands of digits and very deep nesting in its own ways.
    except (ValueError, RecursionError) as fault:
        raise BadMetadata("not_json", "This JSON has a number or a nesting nobody can use. Simplify it.") from fault
    return data, repeated


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _name(value: Any) -> str:
    return "nothing" if value is None else TYPE_NAMES[type(value)]


def clean_text(text: str) -> str | None:
    """NFC, plain line ends, trimmed; None where it holds characters no network and no database takes."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    bad = any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" for c in text)
    return None if bad else text


class _Fields:
    """Reads every field and collects what is wrong, so that a marketer corrects a file once."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.wrong: list[str] = []

    def refuse(self, name: str, expected: str, value: Any) -> None:
        found = _name(value)
        if isinstance(value, str) and value.strip():
            # Not yet cleaned: a report must be storable whatever it quotes.
            found = "“" + "".join(char if char.isprintable() else "?" for char in value[:40]) + "”"
        self.wrong.append(f"{name}: expected {expected}, found {found}")

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if value is None:
            return ""
        return self._clean(name, value) if isinstance(value, str) else self._wrong_text(name, value)

    def _clean(self, name: str, value: str) -> str:
        text = clean_text(value)
        if text is None:
            self.wrong.append(f"{name}: expected plain text, found control or broken characters")
        return text or ""

    def _wrong_text(self, name: str, value: Any) -> str:
        self.refuse(name, "text", value)
        return ""

    def texts(self, name: str) -> list[str]:
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(name, "a list of texts", value)
            return []
        return [self._entry(f"{name}[{index}]", entry) for index, entry in enumerate(value)]

    def _entry(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, "a text that is not empty", value)
            return ""
        return self._clean(name, value)

    def tags(self) -> list[str]:
        found: dict[str, str] = {}
        for name in ("tags", "hashtags"):
            for index, text in enumerate(self.texts(name)):
                tag = text.strip("#＃ ")
                if text and not hashtag(tag):
                    self.refuse(f"{name}[{index}]", "letters or digits", text)
                found.setdefault(tag.casefold(), tag)
        return list(found.values())

    def link(self) -> str:
        text = self.text("link")
        # A name before the host would say that it leads elsewhere.
        if text and (not is_web_address(text) or re.search(r"\s|^\w+://[^/?#]*@", text)):
            self.refuse("link", "a web address that begins with https://", text)
        return text

    def language(self) -> str:
        text = self.text("language").replace("_", "-")
        if text and not LANGUAGE.fullmatch(text):
            self.refuse("language", "a language code such as en or zh-Hans", text)
        return text

    def made_with_ai(self) -> bool:
        source = self.data.get("source")
        config = source.get("config") if isinstance(source, dict) else None
        places = {"made_with_ai": self.data, "source.config.made_with_ai": config}
        values = {name: place.get("made_with_ai") for name, place in places.items() if isinstance(place, dict)}
        for name, value in values.items():
            if value is not None and not isinstance(value, bool):
                self.refuse(name, "true or false", value)
        # Where two places disagree, saying so is the honest side.
        return True in values.values()

    def scheduled_at(self) -> datetime | None:
        zone = self._timezone()
        moments = [self._moment(name, zone) for name in ("scheduled_at", "scheduled_time") if self.text(name)]
        if len(moments) == 2 and moments[0] != moments[1]:
            self.wrong.append("scheduled_time: differs from scheduled_at, keep one of them")
        return moments[0] if moments else None

    def _timezone(self) -> tzinfo | None:
        name = self.text("timezone")
        if name and name not in _zone_names():
            self.refuse("timezone", "a zone such as Europe/Berlin", name)
        return ZoneInfo(name) if name in _zone_names() else None

    def _moment(self, name: str, zone: tzinfo | None) -> datetime | None:
        text = self.text(name)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or len(text) < MIN_MOMENT or moment.year not in YEARS:
            self.refuse(name, "a date and time such as 2026-12-24T09:00:00+01:00", text)
            return None
        if moment.tzinfo is not None:
            return moment
        if zone is None:
            if not self.data.get("timezone"):
                self.refuse(name, "a time with its zone (+01:00) or a timezone field beside it", text)
            return None
        return self._localise(name, moment, zone)

    def _localise(self, name: str, moment: datetime, zone: tzinfo) -> datetime | None:
        first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
        if first.utcoffset() != second.utcoffset():
            # Clocks going forward skip an hour; clocks going back repeat one.
            skipped = (first.utcoffset() or timedelta()) < (second.utcoffset() or timedelta())
            why = "does not exist there" if skipped else "happens twice there"
            self.wrong.append(f"{name}: {moment:%Y-%m-%d %H:%M} {why} as clocks change, write it as +01:00 or so")
            return None
        return first


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def compose_parts(meta: ItemMetadata) -> list[str]:
    """The text of every part, uncut: title, description, link and hashtags first, then the thread."""
    blocks = [meta.title, meta.description]
    if not _mentions(meta.link, "\n".join(blocks)):
        blocks.append(meta.link)
    present = hashtags_in("\n".join([*blocks, *meta.thread]))
    wanted = dict.fromkeys(map(hashtag, meta.tags))
    blocks.append(" ".join(tag for tag in wanted if tag.casefold() not in present))
    return ["\n\n".join(filter(None, blocks)), *meta.thread]


def _mentions(link: str, text: str) -> bool:
    # A longer address that begins alike is another address.
    return re.search(re.escape(link) + r"(?!\.?[\w/?&=#%-])", text) is not None
