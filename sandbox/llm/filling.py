"""Fills a JSON Schema with something that obeys it and makes sense where the names of its fields do."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.llm import choosing, composing, phrases, words
from sandbox.llm.brief import Brief, asked_languages, quoted_text, read_brief
from sandbox.llm.prompt import Prompt
from sandbox.llm.reading import read_text

_DEPTH = 8
_X_LIMIT = 280
_TRIES = 6
_TROUBLES = re.compile(r"issue|problem|finding|flag|risk|violation|warning|missing|concern|remark|error", re.IGNORECASE)
_SHAPES = re.compile(r"lang|network|platform|channel", re.IGNORECASE)
_SAMPLES = {"zh": "中文内容", "en": "English words"}
_DATE = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)")
_SAID_BOUND = re.compile(
    r"(?P<name>minimum|maximum|exclusiveMinimum|exclusiveMaximum|minItems|maxItems|minLength|maxLength|multipleOf):\s*"
    r"(?P<value>-?\d+(?:\.\d+)?)"
)
_NEGATIVE_FLAG = re.compile(
    r"risk|flag|block|spam|attack|violat|problem|error|unsafe|urgent|needs?_|requires?_|escalat|missing|opt|banned|issue",
    re.IGNORECASE,
)


class Filler:
    """`text_for`, when given, says what goes into a free text field; it answers None for the usual."""

    def __init__(
        self,
        prompt: Prompt,
        rng: random.Random,
        text_for: Callable[[str], str | None] | None = None,
        label_for: Callable[[list[Any], str], Any] | None = None,
    ) -> None:
        self.prompt, self.rng = prompt, rng
        self.brief: Brief = read_brief(prompt)
        self.material = quoted_text(prompt)
        self.text_for, self.label_for = text_for, label_for
        self.root: dict[str, Any] = {}
        self.written: set[str] = set()

    def fill(self, schema: dict[str, Any]) -> Any:
        self.root = schema
        return self._value(schema, "", 0, 0)

    def _value(self, schema: dict[str, Any], name: str, depth: int, index: int) -> Any:
        schema = resolve(schema, self.root)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._label(schema["enum"], name, index)
        choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if choices:
            return self._value(_first_real(choices), name, depth + 1, index)
        kind = schema.get("type")
        kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
        fillers: dict[Any, Callable[..., Any]] = {
            "object": self._object,
            "array": self._array,
            "integer": self._number,
            "number": self._number,
            "boolean": self._flag,
            "null": lambda *_: None,
        }
        if kind is None and "properties" in schema:
            kind = "object"
        return fillers.get(kind, self._text)(_with_said_bounds(schema), name, depth, index)

    def _object(self, schema: dict[str, Any], name: str, depth: int, index: int) -> dict[str, Any]:
        inner = schema.get("properties", {})
        names = inner if depth < _DEPTH else {key: inner[key] for key in schema.get("required", []) if key in inner}
        whole, made = self.brief, {}
        # Language and network shape the texts beside them, so they come first.
        shaping = [key for key in names if _SHAPES.search(key)]
        for key in [*shaping, *[key for key in names if key not in shaping]]:
            made[key] = self._value(names[key], key, depth + 1, index)
            if key in shaping:
                self._shape(made[key])
        self.brief = whole
        return {key: made[key] for key in names}

    def _shape(self, value: Any) -> None:
        plain = str(value).lower()
        if plain.startswith(("zh", "en", "chinese", "english")):
            self.brief = replace(self.brief, language="zh" if plain.startswith(("zh", "ch")) else "en")
        elif plain in ("x", "twitter"):
            self.brief = replace(self.brief, limit=min(self.brief.limit or _X_LIMIT, _X_LIMIT))

    def _array(self, schema: dict[str, Any], name: str, depth: int, index: int) -> list[Any]:
        items = resolve(schema.get("items", {}), self.root)
        least = int(schema.get("minItems", 0))
        most = int(schema.get("maxItems", 12))
        if items.get("enum"):
            chosen = self._some_labels(items["enum"], least, min(most, len(items["enum"])))
            return chosen + [items["enum"][0]] * (least - len(chosen))
        if depth >= _DEPTH or (not least and _TROUBLES.search(name)):
            return []
        ready = self._ready_list(name, items)
        if ready is not None:
            padded = ready[:most] + [name] * (least - len(ready))
            return [_within(str(text), items) for text in padded]
        wanted = self.brief.count or (max(3, 2 * len(self._languages())) if "properties" in items else 3)
        return [self._value(items, _singular(name), depth + 1, i) for i in range(max(least, min(most, wanted)))]

    def _ready_list(self, name: str, items: dict[str, Any]) -> list[Any] | None:
        if items.get("type") != "string":
            return None
        plain = name.lower()
        if "hashtag" in plain or plain == "tags":
            return composing.hashtags(self.brief)
        if "keyword" in plain or "topic" in plain:
            return words.key_words(self.material, self.brief.count or 6)
        if re.search(r"source|citation|cited|evidence|reference|_ids$", plain):
            return _unique(re.findall(r"\[([\w:.-]{1,64})\]", f"{self.prompt.system}\n{self.prompt.user}"))[:3]
        if re.search(r"message|point|benefit|argument", plain):
            return composing.key_messages(self.brief, self.rng)[: self.brief.count or 3]
        return None

    def _label(self, labels: list[Any], name: str, index: int) -> Any:
        forced = self.label_for(labels, name) if self.label_for else None
        if forced is not None:
            return forced
        if re.search(r"lang", name, re.IGNORECASE) and self.material == self.prompt.last_user:
            return choosing.choose(labels, _SAMPLES[self._language(index)], name=name)
        if re.search(r"network|platform|channel", name, re.IGNORECASE):
            named = [label for label in labels if choosing.score(str(label), self.prompt.user)] or labels
            return named[index % len(named)]
        return choosing.choose(labels, self.material, self.prompt.user, name)

    def _languages(self) -> list[str]:
        asked = asked_languages(self.prompt.last_user)
        return asked if len(asked) > 1 else [self.brief.language]

    def _language(self, index: int) -> str:
        """Two lines for two networks in one language, then the next language."""
        languages = self._languages()
        return languages[index // 2 % len(languages)]

    def _some_labels(self, labels: list[Any], least: int, most: int) -> list[Any]:
        return choosing.choose_some(labels, self.material, least, most)

    def _number(self, schema: dict[str, Any], name: str, depth: int, index: int) -> int | float:
        is_whole = schema.get("type") == "integer" or schema.get("type") == ["integer", "null"]
        low, high = _bounds(schema, is_whole=is_whole)
        value = min(high, max(low, self._guess(name.lower(), low, high, index)))
        step = schema.get("multipleOf")
        if step:
            value = min(high, -(-low // step) * step + step * ((value - low) // step))
        return round(value) if is_whole else min(high, max(low, round(value, 4)))

    def _guess(self, name: str, low: float, high: float, index: int) -> float:
        if re.search(r"sentiment|polarity|mood", name):
            felt = read_text(self.material).polarity
            return felt if low < 0 else low + (felt + 1) / 2 * (high - low)
        if re.search(r"score|confidence|quality|fit|certainty", name):
            return low + 0.8 * (high - low)
        if re.search(r"hour|minute", name):
            return 9 + 3 * index if "hour" in name else 0
        if re.search(r"day|offset|index|position|rank|order|number|week", name):
            return low + index if low > 0 else index
        if re.search(r"count|quantity|limit|top", name):
            return self.brief.count or 3
        return low + 0.3 * (high - low)

    def _flag(self, schema: dict[str, Any], name: str, depth: int, index: int) -> bool:
        return not _NEGATIVE_FLAG.search(name)

    def _text(self, schema: dict[str, Any], name: str, depth: int, index: int) -> str:
        forced = self.text_for(name) if self.text_for else None
        text = forced if forced is not None else self._usual_text(schema, name.lower(), index)
        return _within(text, schema)

    def _usual_text(self, schema: dict[str, Any], name: str, index: int) -> str:
        if schema.get("format") in ("date", "date-time", "time") or re.search(r"(^|_)(date|time|at|when|day)$", name):
            return self._moment(schema, name, index)
        if "lang" in name:
            return self._language(index)
        if name == "angle" and index:
            return phrases.ANGLES[self.brief.language][index % len(phrases.ANGLES[self.brief.language])]
        for pattern, write in _WRITERS:
            if re.search(pattern, name):
                return write(self)
        return self._body()

    def _moment(self, schema: dict[str, Any], name: str, index: int) -> str:
        found = _DATE.search(f"{self.prompt.user}\n{self.prompt.system}")
        year, month, day = (int(part) for part in found.groups()) if found else (2026, 12, 1)
        date = f"{year:04}-{month:02}-{min(28, day + 1 + index):02}"
        if schema.get("format") == "date" or name.endswith(("date", "day")):
            return date
        return f"{10 + index % 8:02}:00" if schema.get("format") == "time" else f"{date}T{10 + index % 8:02}:00:00Z"

    def _body(self) -> str:
        """A post, or a reply where the prompt is about answering somebody."""
        if is_reply(self.prompt):
            return composing.compose_reply(self.material, self.brief, self.rng, asked_kind(self.prompt))
        texts = [composing.compose_post(self.brief, self.rng) for _ in range(_TRIES)]
        # Lines of one plan do not repeat each other, where the stock of phrases lasts.
        text = next((text for text in texts if text not in self.written), texts[0])
        self.written.add(text)
        return text

    def link(self) -> str:
        return self.brief.links[0] if self.brief.links else ""

    def subject(self) -> str:
        return composing.subject_in(self.brief, self.brief.language)

    def name(self) -> str:
        """The subject as a name: without "our" or "the"."""
        plain = re.sub(r"^(our|the|a|an|my)\s+", "", self.subject(), flags=re.IGNORECASE)
        return composing.without_banned(plain[:1].upper() + plain[1:], self.brief.banned)

    def stock(self, phrase: dict[str, str]) -> str:
        text = phrase[self.brief.language].format(s=self.subject())
        return composing.without_banned(text, self.brief.banned)


_WRITERS: tuple[tuple[str, Callable[[Filler], str]], ...] = (
    (r"url|link|href", Filler.link),
    (r"hashtag", lambda filler: " ".join(composing.hashtags(filler.brief))),
    (r"title|headline|subject|heading", lambda filler: composing.headline(filler.brief, filler.rng)),
    (r"(^|_)(name|theme|topic|product|campaign)$", Filler.name),
    (r"keyword|query|search", lambda filler: " ".join(words.key_words(filler.material, 5)) or filler.subject()),
    (r"summar|gist|overview|abstract", lambda filler: composing.summarise(filler.material)),
    (r"audience|segment|target|persona", lambda filler: filler.stock(phrases.AUDIENCES)),
    (r"goal|objective|aim|purpose", lambda filler: filler.stock(phrases.GOALS)),
    (r"tone|voice|style", lambda filler: "friendly" if filler.brief.language == "en" else "亲切"),
    (r"rationale|reason|why|strateg|angle|approach|idea|explan", lambda filler: filler.stock(phrases.RATIONALES)),
    (r"note|comment_on|finding|feedback|advice|warning|issue", lambda filler: filler.stock(phrases.NOTES)),
    (r"quote|original|input|source", lambda filler: filler.material[:80]),
    (r"(^|_)(fact|memory|preference|remember)", lambda filler: filler.material[:200]),
)


def fill(schema: dict[str, Any], prompt: Prompt) -> Any:
    return Filler(prompt, random.Random(prompt.sha)).fill(schema)


def is_reply(prompt: Prompt) -> bool:
    role = (
        r"\byou (draft|write|prepare) (a |an |the )?(repl|answer)|\brepl(y|ies) to\b|customer (service|support)"
        r"|回复|答复"
    )
    return re.search(role, prompt.system, re.IGNORECASE) is not None


def asked_kind(prompt: Prompt) -> str | None:
    """The intent that a prompt names itself, where a reader has been at work before."""
    found = re.search(r"\b(?:intent|kind|route)\W{1,4}(\w+)", prompt.last_user, re.IGNORECASE)
    return found[1].lower() if found and found[1].lower() in phrases.REPLIES else None


def resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return schema
    found: Any = root
    for step in [step for step in reference[1:].split("/") if step]:
        found = found.get(step, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _first_real(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return next((choice for choice in choices if choice.get("type") != "null"), choices[0])


def _singular(name: str) -> str:
    return name.removesuffix("s")


def _with_said_bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """Bounds that a client has moved into the description, where a provider does not take them."""
    said = {found["name"]: float(found["value"]) for found in _SAID_BOUND.finditer(str(schema.get("description", "")))}
    return {**said, **schema}


def _bounds(schema: dict[str, Any], *, is_whole: bool) -> tuple[float, float]:
    step = 1 if is_whole else 0.001
    low = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
    if low is None:
        low = min(0, high) if high is not None else 0
    return low, high if high is not None else max(low, 0) + (100 if is_whole else 1)


def _within(text: str, schema: dict[str, Any]) -> str:
    most, least = schema.get("maxLength"), int(schema.get("minLength", 0))
    if most is not None and len(text) > most:
        text = text[: max(0, int(most) - 1)] + "…" if most else ""
    return text if len(text) >= least else (text or "…").ljust(least, "…")


def _unique(found: list[str]) -> list[str]:
    return list(dict.fromkeys(found))
