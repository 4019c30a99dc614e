"""Prompts inside prompts: @@@prompt:name=base|label=production@@@ stands for the text of another one."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from agents.prompts.syntax import Finding, PromptError

MAX_BODY = 200_000
MAX_DEPTH = 8
REFERENCE = re.compile(r"@@@prompt:(?P<args>[^@\n]{0,300})@@@")
OPENING = re.compile(r"@@@prompt:")
ARGUMENT = re.compile(r"(name|version|label)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """Which prompt a reference names: by its version, or by a label."""

    key: str
    version: int | None = None
    label: str = "production"


@dataclass(frozen=True)
class Source:
    """A prompt as it is stored, its references still in it."""

    key: str
    version: int
    body: str

    @property
    def ref(self) -> str:
        return f"{self.key}@{self.version}"


@dataclass
class Resolution:
    """The text without references, and which version came from which: {"writer@3": ["ground_rules@1"]}."""

    body: str = ""
    graph: dict[str, list[str]] = field(default_factory=dict)


Find = Callable[[Wanted], Source | None]


def references(body: str) -> Iterator[tuple[re.Match[str], Wanted | None]]:
    """Every reference with what it names, None where that cannot be read."""
    for match in REFERENCE.finditer(body):
        yield match, _wanted(match["args"])


def _wanted(text: str) -> Wanted | None:
    pairs = [ARGUMENT.fullmatch(part.strip()) for part in text.split("|")]
    given = {pair[1]: pair[2].strip() for pair in pairs if pair}
    if len(given) != len(pairs) or "name" not in given or {"version", "label"} <= given.keys():
        return None
    version = given.get("version")
    if version is None:
        return Wanted(given["name"], label=given.get("label", "production"))
    return Wanted(given["name"], int(version), "") if re.fullmatch(r"[1-9][0-9]{0,8}", version) else None


def reference_findings(body: str) -> Iterator[Finding]:
    readable = set()
    for match, wanted in references(body):
        if wanted:
            readable.add(match.start())
    for match in OPENING.finditer(body):
        if match.start() not in readable:
            message = "Another prompt is named as @@@prompt:name=base|version=2@@@ or with |label=production."
            yield Finding("unsupported_syntax", message, start=match.start(), end=match.end())


def resolve(source: Source, find: Find) -> Resolution:
    """Put in the text of every prompt that is named. Raises PromptError: cycle, not_found, too_long,
    unsupported_syntax; the places are those in the outermost body."""
    return _Resolver(find).run(source)


class _Resolver:
    def __init__(self, find: Find) -> None:
        self.find = find
        self.graph: dict[str, list[str]] = {}
        # One text however often it is named.
        self.done: dict[str, str] = {}

    def run(self, source: Source) -> Resolution:
        return Resolution(self._expand(source, ()), self.graph)

    def _expand(self, source: Source, path: tuple[str, ...]) -> str:
        if source.ref in self.done:
            return self.done[source.ref]
        problems = list(reference_findings(source.body))
        parts, at, length = [], 0, 0
        self.graph[source.ref] = []
        for match, wanted in references(source.body):
            try:
                text = self._text(wanted, source, (*path, source.key)) if wanted else ""
            except PromptError as error:
                problems += [_moved(finding, match) for finding in error.findings]
                continue
            parts += [source.body[at : match.start()], text]
            at = match.end()
            length += len(text)
            # Before more is read: texts that name each other twice would double at every step.
            if length > MAX_BODY:
                problems.append(Finding("too_long", f"With all it names, this has over {MAX_BODY:,} characters."))
                break
        if problems:
            raise PromptError(problems)
        self.done[source.ref] = "".join([*parts, source.body[at:]])
        return self.done[source.ref]

    def _text(self, wanted: Wanted, parent: Source, path: tuple[str, ...]) -> str:
        if wanted.key in path:
            raise PromptError([Finding("cycle", f"“{wanted.key}” would stand inside itself.")])
        if len(path) >= MAX_DEPTH:
            raise PromptError([Finding("cycle", f"More than {MAX_DEPTH} prompts inside each other.")])
        found = self.find(wanted)
        if found is None:
            raise PromptError([Finding("not_found", f"There is no prompt {_named(wanted)}.")])
        if found.ref not in self.graph[parent.ref]:
            self.graph[parent.ref].append(found.ref)
        return self._expand(found, path)


def _moved(finding: Finding, match: re.Match[str]) -> Finding:
    return Finding(finding.code, finding.message, finding.severity, match.start(), match.end())


def _named(wanted: Wanted) -> str:
    version = f"version {wanted.version}" if wanted.version else f"labelled {wanted.label}"
    return f"“{wanted.key[:80]}”, {version}"
