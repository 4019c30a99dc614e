"""What is wrong with a prompt, or may be: found while it is typed, and refused when it is saved."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from accounts.models import Workspace
from agents.prompts.compose import MAX_BODY, Resolution, Source
from agents.prompts.serving import resolve_in
from agents.prompts.syntax import ERROR, TAG, WARN, Finding, PromptError, as_name, names_in, syntax_findings
from agents.prompts.tokens import estimate_tokens
from compliance import pii
from compliance.decisions import PHRASES, guard_settings
from compliance.guard import Context, Draft, check
from compliance.places import jurisdictions_of
from compliance.rulesets import instance_rules, own_rules
from lib.clock import now

# Of each kind: a hundred alike help nobody.
MAX_ALIKE = 20
# Stricter than in posts: what only looks like a key has no business in a prompt either.
KEY = re.compile(r"(?<![A-Za-z0-9])(?:sk|rk|pk)[-_](?=[A-Za-z0-9_-]*[A-Z0-9])[A-Za-z0-9_-]{20,}")
HAN = re.compile(r"[\u3400-\u9fff]")
SECRETS = tuple(name for name in pii.DECLARED if name.startswith("SECRET_"))
JOINER = "\u200d"
FILLERS = "\u115f\u1160\u3164\u2065\u2800\uffa0"


@dataclass(frozen=True)
class Report:
    """`text` is the body with the prompts it names, and `tokens` an estimate of it; both without values."""

    findings: list[Finding]
    variables: list[str]
    tokens: int
    text: str = ""
    graph: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == ERROR]

    @property
    def is_valid(self) -> bool:
        return not self.errors


def validate_prompt(
    workspace: Workspace,
    body: str,
    *,
    key: str = "",
    values: Mapping[str, Any] | None = None,
    declared: Iterable[str] = (),
) -> Report:
    """Look at a body as the next version of the assistant `key` (inside the workspace's scope). Nothing is written.

    With `values`, also whether they fit its variables; with `declared`, whether those are the ones it names.
    """
    if problem := _size_problem(body):
        return Report([problem], [], 0)
    resolution, found = _resolved(workspace, body, key)
    names = names_in(resolution.body)
    found += [*syntax_findings(body), *_secrets(body), *_invisible(body), *_ad_law(workspace, body)]
    # While something cannot be read, nobody knows which variables are meant.
    if values is not None and not any(finding.code == "unsupported_syntax" for finding in found):
        found += _value_findings(body, names, [as_name(name) or name for name in values])
    found += _declared_findings(names, [as_name(name) or name for name in declared])
    return Report(_ordered(found), names, estimate_tokens(resolution.body), resolution.body, resolution.graph)


def _size_problem(body: str) -> Finding | None:
    if not body.strip():
        return Finding("empty", "A prompt has to say something.")
    if len(body) > MAX_BODY:
        return Finding(
            "too_long", f"At most {MAX_BODY:,} characters; this has {len(body):,}.", ERROR, MAX_BODY, len(body)
        )
    return None


def _resolved(workspace: Workspace, body: str, key: str) -> tuple[Resolution, list[Finding]]:
    try:
        return resolve_in(workspace, Source(key, 0, body)), []
    except PromptError as error:
        return Resolution(body), error.findings


def _ordered(found: list[Finding]) -> list[Finding]:
    by_code: dict[str, list[Finding]] = {}
    for finding in sorted(dict.fromkeys(found), key=lambda one: (one.start, one.end)):
        by_code.setdefault(finding.code, []).append(finding)
    kept = [finding for group in by_code.values() for finding in group[:MAX_ALIKE]]
    return sorted(kept, key=lambda one: (one.severity != ERROR, one.start, one.end))


def _secrets(body: str) -> Iterator[Finding]:
    places = {(found.start, found.end) for found in pii.find(body, SECRETS)}
    places |= {match.span() for match in KEY.finditer(body)}
    for start, end in sorted(places):
        yield Finding(
            "secret_in_template", "This looks like a key or password; providers would read it.", ERROR, start, end
        )


def _invisible(body: str) -> Iterator[Finding]:
    places = (at for at, char in enumerate(body) if _is_hidden(body, at, char))
    for at in islice(places, MAX_ALIKE):
        name = unicodedata.name(body[at], f"U+{ord(body[at]):04X}")
        yield Finding("invisible_characters", f"A character that nobody sees: {name}.", WARN, at, at + 1)


def _is_hidden(body: str, at: int, char: str) -> bool:
    if char.isascii():
        return char < " " and char not in "\t\n\r"
    # Emoji are joined by it.
    if char == JOINER and at and unicodedata.category(body[at - 1]) in {"So", "Sk", "Mn"}:
        return False
    return unicodedata.category(char) in {"Cf", "Cc", "Co", "Cn"} or char in FILLERS


def _ad_law(workspace: Workspace, body: str) -> Iterator[Finding]:
    """By the rules for words alone; a Chinese prompt writes for China, whatever the workspace's markets are."""
    settings = guard_settings(workspace)
    markets = [*settings.markets, *(["CN"] if HAN.search(body) and "CN" not in settings.markets else [])]
    context = Context(jurisdictions=jurisdictions_of(markets), industry=settings.industry, today=now().date())
    own, _allowed = own_rules(workspace.pk)
    for rules in (instance_rules(), own):
        for hit in check(Draft.of(body), context, rules, PHRASES).hits:
            yield Finding("adlaw_term", hit.message, WARN, hit.start, hit.end)


def _value_findings(body: str, names: list[str], given: list[str]) -> Iterator[Finding]:
    places = {as_name(match["name"]): match.span() for match in TAG.finditer(body) if match["name"]}
    for name in names:
        if name not in given:
            # A variable of a prompt that is named in this one has no place here.
            start, end = places.get(name, (0, 0))
            yield Finding("missing_variable", f"No value for {{{{{name}}}}}.", ERROR, start, end)
    yield from (_unused(name) for name in given if name not in names)


def _declared_findings(names: list[str], declared: list[str]) -> Iterator[Finding]:
    if not declared:
        return
    yield from (_unused(name) for name in declared if name not in names)
    for name in names:
        if name not in declared:
            yield Finding("undeclared_variable", f"{{{{{name}}}}} is not in the list of variables.", WARN)


def _unused(name: str) -> Finding:
    return Finding("unused_variable", f"“{name[:64]}” does not stand in the prompt.", WARN)
