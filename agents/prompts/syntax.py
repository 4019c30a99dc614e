"""Templates of prompts: {{name}} is replaced by a value, and nothing else happens."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ERROR, WARN = "error", "warn"
MAX_NAME = 64

# What opens something: too many braces, a variable, logic, or a variable that nobody closed.
TAG = re.compile(r"(?P<many>\{{3,})|\{\{(?P<name>[^{}]*)\}\}|(?P<logic>\{%)|(?P<open>\{\{)")


@dataclass(frozen=True)
class Finding:
    """Something about a prompt; `start` and `end` are code points of its body."""

    code: str
    message: str
    severity: str = ERROR
    start: int = 0
    end: int = 0

    def as_data(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "start": self.start,
            "end": self.end,
        }


class PromptError(ValueError):
    """A prompt that cannot be used; `findings` say why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(" ".join(finding.message for finding in findings))
        self.findings = findings


def as_name(text: str) -> str:
    """The name of a variable in one form, or "" where this is none."""
    name = unicodedata.normalize("NFC", text.strip())
    return name if name.isidentifier() and len(name) <= MAX_NAME else ""


def names_in(body: str) -> list[str]:
    """Each variable once, in reading order."""
    names = [as_name(match["name"]) for match in TAG.finditer(body) if match["name"] is not None]
    return list(dict.fromkeys(name for name in names if name))


def syntax_findings(body: str) -> Iterator[Finding]:
    for match in TAG.finditer(body):
        if match["name"] is None or not as_name(match["name"]):
            message = f"“{match[0][:40]}” is not understood. {_advice(match)}"
            yield Finding("unsupported_syntax", message, ERROR, match.start(), match.end())


def _advice(match: re.Match[str]) -> str:
    if match["many"]:
        return "A variable has two braces on each side."
    if match["logic"]:
        return "A prompt has no loops and conditions."
    return "A variable is one plain name: {{name}}."


def render(body: str, variables: Mapping[str, Any]) -> str:
    """The text with all values in their places; they are never looked at for variables themselves.

    Raises PromptError: missing_variable, unsupported_syntax.
    """
    values = {as_name(name): value for name, value in variables.items()}
    problems = [*syntax_findings(body), *missing(body, values)]
    if problems:
        raise PromptError(problems)
    return TAG.sub(lambda match: as_text(values[as_name(match["name"])]), body)


def missing(body: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    for match in TAG.finditer(body):
        name = as_name(match["name"] or "")
        if name and name not in values:
            yield Finding("missing_variable", f"No value for {{{{{name}}}}}.", ERROR, match.start(), match.end())


def as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
