# ruff: noqa: E501 - patterns and lists of words read better unbroken
"""What a prompt asks the writer for: subject, language, length, words to avoid, links, how many."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.llm import words
from sandbox.llm.prompt import Prompt

_LABELLED = re.compile(
    r"^[\W_]*(topic|brief|subject|product|promote|wish|goal|offer|about|idea|sentence|request|campaign|theme|主题|简介|"
    r"产品|推广|需求|内容|活动|目标|要求)[\W_]{0,4}[:：]\s*(?P<value>.+)$",
    re.IGNORECASE | re.MULTILINE,
)
_AVOID = re.compile(
    r"(?:words? (?:to avoid|not to use|never to use)|avoid (?:the )?words?|banned words?|forbidden words?|never use"
    r"(?: the words?)?|do not use(?: the words?)?|禁用词|避免(?:使用|用词)?|不要使用|不能使用|禁止使用)[^:：\n]{0,20}[:：]?[ \t]*(?P<value>[^\n]+|(?:\n\s*[-*•][^\n]+)+)",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:at most|no more than|up to|under|below|max(?:imum)?(?: of)?|limit(?: of| is)?|within|不超过|最多|至多|限)\W{0,3}"
    r"(?P<value>\d{2,5})\W{0,2}(?P<unit>weighted characters|characters|chars|字符|个字|字)",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    r"(?:language|lang|语言|in|into|用|以)\s*(?:is|of the \w+ is)?\W{0,4}(?P<value>chinese|mandarin|english|zh(?:[-_]\w+)?|"
    r"en(?:[-_]\w+)?|中文|汉语|英文|英语|简体)(?![a-z])",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"(?P<value>\d{1,2}|one|two|three|four|five|six|seven|eight|一|两|二|三|四|五|六|七|八)\s*(?:different |short |"
    r"alternative |new )?(?:variants?|versions?|alternatives|options|ideas|drafts|posts|lines|keywords|suggestions|个|条|篇|版)",
    re.IGNORECASE,
)
_NUMBERS = {
    name: number
    for number, names in enumerate(("one 一", "two 二 两", "three 三", "four 四", "five 五", "six 六", "seven 七", "eight 八"), 1)
    for name in names.split()
}  # fmt: skip
_ORDER = re.compile(
    r"^\W*(?:please\s+|can you\s+|could you\s+|i want to\s+|we want to\s+|we would like to\s+|i(?:'|’)d like to\s+|help me\s+|"
    r"let(?:'|’)s\s+)*(?:promote|announce|advertise|launch|market|introduce|tell (?:people|everyone|our followers) about|"
    r"(?:write|draft|create|make|prepare|give me|suggest|generate)\b.{0,60}?\b(?:about|for|on|promoting|announcing))\s+",
    re.IGNORECASE,
)
_CHINESE_ORDER = re.compile(
    r"^\W*(?:请|麻烦|帮我|帮忙|为|给)*(?:推广|宣传|介绍|发布|写|生成|起草|做|撰写)?(?:一|两|三|几)?(?:条|篇|个|则)?(?:关于|有关)?"
)
_TAIL = re.compile(
    r"\s+(?=(?:with|until|for|from|by|that|which|who|because|so that|starting|before|during|including|to (?:celebrate|help))\b)"
    r"|[,;:，；：。！]\s*|\s[–—-]\s",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\"'）)，。]+")
_HASHTAG = re.compile(r"(?<![\w&/])#[\w\u3400-\u9fff]+")
_FENCE = re.compile(
    r"<(?P<tag>[\w:-]{2,60})[^>]*>(?P<tagged>.*?)</(?P=tag)>|```\w*\n(?P<coded>.*?)```|\"\"\"(?P<quoted>.*?)\"\"\""
    r"|^(?P<mark>[^\w\s]{2,}[^\n]*|BEGIN\b[^\n]*)\n(?P<fenced>.*?)\n(?:(?P=mark)|END\b[^\n]*|[^\w\s]{2,}[^\n]*)$",
    re.DOTALL | re.MULTILINE,
)


# The rest of a long prompt is counted, but not read: patterns take their time.
_MOST_READ = 30_000


@dataclass(frozen=True)
class Brief:
    language: str
    # A few words; `details` are the rest of that sentence.
    subject: str
    details: list[str]
    # What the prompt states in lists: claims, knowledge, products.
    facts: list[str]
    banned: list[str]
    # Counted as X counts.
    limit: int | None
    links: list[str]
    hashtags: list[str]
    count: int | None
    request: str


def read_brief(prompt: Prompt) -> Brief:
    request = prompt.last_user[:_MOST_READ]
    whole = f"{prompt.system[:_MOST_READ]}\n{prompt.user[:_MOST_READ]}"
    topic = _topic(request) or _topic(whole)
    language = asked_language(request) or asked_language(prompt.system) or words.language_of(topic or request)
    subject, details = _split(topic)
    return Brief(
        language,
        subject,
        details,
        _facts(whole),
        banned_words(whole),
        _least(_LIMIT.finditer(whole)),
        _unique(_URL.findall(request)),
        _unique(_HASHTAG.findall(request)),
        _asked_count(request) or _asked_count(prompt.system),
        request,
    )


def _topic(text: str) -> str:
    found = _LABELLED.search(text)
    if found:
        return found["value"].strip()
    said = [
        line for line in text.splitlines() if re.search(r"\w", line) and not re.match(r"\W*[\w ]{2,30}[:：]\s*\S", line)
    ]
    return max(said, key=len).strip() if said else ""


def asked_language(text: str) -> str | None:
    found = [match["value"].lower() for match in _LANGUAGE.finditer(text)]
    if not found:
        return None
    return "zh" if found[-1].startswith(("zh", "chi", "man", "中", "汉", "简")) else "en"


def asked_languages(text: str) -> list[str]:
    """Every language the prompt names, in their order."""
    found = re.findall(r"\b(chinese|english|zh|en)\b|(中文|英文|汉语|英语)", text.lower())
    return _unique(["zh" if (latin or chinese)[:1] in "zc中汉" else "en" for latin, chinese in found])


def banned_words(text: str) -> list[str]:
    found: list[str] = []
    for match in _AVOID.finditer(text):
        listed = re.split(r"[,;、，；|/\n]|\bor\b|\band\b", re.sub(r"\((.*?)\)", r", \1", match["value"]))
        found += [word.strip(" \t\"'“”‘’`[].。*-") for word in listed]
    return _unique([word for word in found if 0 < len(word) <= 30 and word.lower() not in ("none", "无", "no")])


def _least(matches: Iterator[re.Match[str]]) -> int | None:
    sizes = [
        # A limit in Chinese characters is one in pairs.
        int(match["value"]) * (2 if match["unit"] in ("字", "个字") else 1)
        for match in matches
    ]
    return min(sizes, default=None)


def _asked_count(text: str) -> int | None:
    found = _COUNT.search(text)
    if not found:
        return None
    value = found["value"].lower()
    return int(value) if value.isdigit() else _NUMBERS[value]


def _split(topic: str) -> tuple[str, list[str]]:
    plain = _HASHTAG.sub("", _URL.sub("", topic)).strip()
    plain = _CHINESE_ORDER.sub("", plain) if words.is_chinese(plain) else _ORDER.sub("", plain)
    parts = [part.strip(" .,;!?\"'“”。，！？") for part in _TAIL.split(plain)]
    parts = [part for part in parts if re.search(r"\w", part)]
    if not parts:
        return "", []
    head = " ".join(parts[0].split()[:8])[:60]
    return head, parts[1:5]


def _facts(text: str) -> list[str]:
    found = re.findall(r"^\s*(?:[-*•]|\d+[.)]|\[\w+\])\s+(.{8,160})$", text, re.MULTILINE)
    rule = re.compile(
        r"\W*(do not|don't|never|always|use|avoid|write|keep|answer|no|only|不要|请|必须)\b", re.IGNORECASE
    )
    banned = banned_words(text)
    plain = [re.sub(r"^\[[\w:.-]+\]\s*|\s*\(source:[^)]*\)", "", line).strip() for line in found]
    return _unique([line for line in plain if line and not rule.match(line) and line not in banned])[:8]


def _unique(found: list[str]) -> list[str]:
    return list(dict.fromkeys(found))


def outside_material(text: str) -> str:
    """What a message says itself, without the material it brings between marks."""
    return _FENCE.sub(" ", text[:_MOST_READ]).strip() or text


def numbered_facts(text: str) -> list[tuple[str, str]]:
    """(number, text) of every `[1] Title: text` in a message."""
    return re.findall(r"^\s*(?:[-*•]\s*)?\[(\w{1,64})\]\s+(.{3,600})$", text[:_MOST_READ], re.MULTILINE)


def quoted_text(prompt: Prompt) -> str:
    """The material a prompt is about: what stands between marks in the last message, else all of it."""
    return material_in(prompt.last_user)


def material_in(text: str) -> str:
    if len(text) > _MOST_READ:
        return text
    blocks = [
        (match["tagged"] or match["coded"] or match["quoted"] or match["fenced"] or "").strip()
        for match in _FENCE.finditer(text)
    ]
    blocks = [block for block in blocks if block]
    inner = max(blocks, key=len) if blocks else text
    return _without_marks(inner)


def _without_marks(text: str) -> str:
    """Undoes datamarking: one odd sign in the place of every space."""
    if re.search(r"\s", text.strip()):
        return text
    signs = [letter for letter in text if not letter.isalnum() and letter not in ".,!?。，！？'’\"-@#:/"]
    if len(signs) >= 3 and len(set(signs)) == 1:
        return text.replace(signs[0], " ")
    return text
