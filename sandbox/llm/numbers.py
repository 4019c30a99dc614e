"""Puts a report's numbers into sentences: the largest changes first, each number as it was given."""

import re
from collections.abc import Callable

from sandbox.llm.prompt import Prompt

_ROLE = re.compile(
    r"\byou put (the |a report's )?numbers into (words|sentences)\b|\bnumbers into words\b|把数字写成", re.IGNORECASE
)
_LINE = re.compile(
    r"^- (?P<label>[^:：\n]{1,60})[:：] (?P<text>[^;\n]*\d[^;\n]*?)(?:; before: (?P<before>[^;\n]+))?"
    r"(?:; change: (?P<sign>[+−-])?(?P<change>[^;\n]+))?$",
    re.MULTILINE,
)
_WORDS = {
    "en": {
        "+": "{label} went up by {change}, to {text} from {before}.",
        "−": "{label} went down by {change}, to {text} from {before}.",
        "": "{label}: {text}, as before.",
        "new": "{label}: {text}.",
    },
    "zh": {
        "+": "{label}上升{change}，达到{text}，此前为{before}。",
        "−": "{label}下降{change}，为{text}，此前为{before}。",
        "": "{label}为{text}，与此前持平。",
        "new": "{label}为{text}。",
    },
}


def sentences_for(prompt: Prompt) -> Callable[[str], str | None] | None:
    """One sentence for each free text field, where the prompt asks for that; None for any other prompt."""
    if not _ROLE.search(prompt.system):
        return None
    found = sorted(_LINE.finditer(prompt.last_user), key=lambda line: -_size(line["change"]))
    language = "zh" if re.search(r"[\u4e00-\u9fff]", "".join(line["label"] for line in found)) else "en"
    waiting = [_sentence(line, _WORDS[language]) for line in found]

    def next_sentence(_name: str) -> str | None:
        return waiting.pop(0) if waiting else None

    return next_sentence


def _size(change: str | None) -> float:
    digits = re.sub(r"[^\d.]", "", change or "")
    return float(digits) if digits.strip(".") else 0.0


def _sentence(line: re.Match[str], words: dict[str, str]) -> str:
    sign = (line["sign"] or "").replace("-", "−")
    kind = sign if line["change"] and line["before"] else "" if line["before"] == line["text"] else "new"
    return words[kind].format(**{name: (value or "").strip() for name, value in line.groupdict().items()})
