"""Rules as data: packs in YAML, each rule dated and scoped, validated by a schema, with test rows of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from compliance.guard.port import ANY, Context, Hit, Severity

PACKS = Path(__file__).resolve().parent.parent / "packs"

_WORDS = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
_DAY = {"type": ["string", "null"], "format": "date"}
RULE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "engine", "severity", "message"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$"},
        "engine": {"type": "string"},
        "severity": {"enum": [severity.value for severity in Severity]},
        "message": {"type": "string", "minLength": 1, "maxLength": 300},
        "citation": {"type": "string", "maxLength": 300},
        "fix": {"type": "string", "maxLength": 300},
        "jurisdictions": _WORDS,
        "platforms": _WORDS,
        "actions": _WORDS,
        "industries": _WORDS,
        "languages": _WORDS,
        "valid_from": _DAY,
        "valid_to": _DAY,
        # What it looks for, in the words of its engine.
        "match": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["verdict"],
                "additionalProperties": False,
                "properties": {
                    "text": {"type": "string"},
                    # Fields of Context by name.
                    "context": {"type": "object"},
                    "verdict": {"enum": ["allow", "review", "block"]},
                    # Whether this rule is among the hits.
                    "hit": {"type": "boolean"},
                },
            },
        },
    },
}
PACK_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["pack", "version", "title", "rules"],
    "additionalProperties": False,
    "properties": {
        "pack": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
        "version": {"type": "integer", "minimum": 1},
        "title": {"type": "string"},
        "source": {"type": "string"},
        # Put before every rule's own: jurisdictions, platforms, valid_from and the like.
        "defaults": {"type": "object"},
        "rules": {"type": "array", "items": {"type": "object"}},
    },
}


_RULE = jsonschema.Draft202012Validator(RULE_SCHEMA, format_checker=jsonschema.FormatChecker())
_PACK = jsonschema.Draft202012Validator(PACK_SCHEMA)


class BadPack(ValueError):
    """A rule or pack that cannot be used; says where and why."""


def checker(schema: Mapping[str, Any], what: str) -> Callable[[Any], None]:
    """Raises BadPack where a value does not have the shape. Made once: a validator takes longer than what it checks."""
    validator = jsonschema.Draft202012Validator(schema)

    def check(value: Any) -> None:
        try:
            validator.validate(value)
        except jsonschema.ValidationError as fault:
            raise BadPack(f"{what}: {fault.message}") from None

    return check


@dataclass(frozen=True, eq=False)
class Rule:
    """Identity is its row: compiled matchers are kept by it."""

    id: str
    engine: str
    severity: Severity
    message: str
    pack: str = ""
    citation: str = ""
    fix: str = ""
    jurisdictions: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    industries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    valid_from: date | None = None
    valid_to: date | None = None
    match: Mapping[str, Any] = field(default_factory=dict)
    tests: Sequence[Mapping[str, Any]] = ()

    def applies(self, context: Context) -> bool:
        return (
            (self.valid_from is None or self.valid_from <= context.today)
            and (self.valid_to is None or context.today <= self.valid_to)
            and (not self.jurisdictions or not self.jurisdictions.isdisjoint(context.jurisdictions))
            and (not self.platforms or context.platform in self.platforms or ANY in self.platforms)
            and (not self.actions or context.action in self.actions)
            and (not self.industries or context.industry in self.industries)
            and (not self.languages or not context.language or context.language.split("-")[0] in self.languages)
        )

    def hit(self, part: int = 0, start: int = 0, end: int = 0, **more: Any) -> Hit:
        fields = {"message": self.message, "citation": self.citation, "fix": self.fix, "severity": self.severity}
        return Hit(rule=self.id, part=part, start=start, end=end, **(fields | more))


class RuleSet:
    """All rules one check knows. Kept and compared by identity, so that engines may cache what they compile."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)

    @cached_property
    def _by_engine(self) -> dict[str, tuple[Rule, ...]]:
        engines = {rule.engine for rule in self.rules}
        return {name: tuple(rule for rule in self.rules if rule.engine == name) for name in engines}

    def of(self, engine: str) -> tuple[Rule, ...]:
        return self._by_engine.get(engine, ())

    def extended(self, rules: Iterable[Rule]) -> "RuleSet":
        """With more rules; one with the same id takes the former's place."""
        more = {rule.id: rule for rule in rules}
        return RuleSet([rule for rule in self.rules if rule.id not in more] + list(more.values()))


def rule_from(data: Mapping[str, Any], pack: str = "") -> Rule:
    """Raises BadPack with the place and the reason."""
    plain = _with_text_days(data)
    try:
        _RULE.validate(plain)
    except jsonschema.ValidationError as fault:
        place = ".".join(str(step) for step in fault.absolute_path)
        raise BadPack(f"rule {data.get('id', '?')}: {place or 'the rule'}: {fault.message}") from None
    fields: dict[str, Any] = {"severity": Severity(plain["severity"]), "pack": pack}
    fields |= {name: plain[name] for name in ("id", "engine", "message", "citation", "fix") if name in plain}
    fields |= {name: date.fromisoformat(plain[name]) for name in ("valid_from", "valid_to") if plain.get(name)}
    words = ("jurisdictions", "platforms", "actions", "industries", "languages")
    fields |= {name: frozenset(plain.get(name, ())) for name in words}
    return Rule(match=plain.get("match", {}), tests=plain.get("tests", ()), **fields)


def _with_text_days(data: Mapping[str, Any]) -> dict[str, Any]:
    """YAML reads dates by itself."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in data.items()}


def read_pack(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pack's name and each rule's whole data, defaults filled in; raises BadPack."""
    try:
        # The C parser: every worker reads all packs when it starts.
        pack = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        _PACK.validate(pack)
    except (yaml.YAMLError, jsonschema.ValidationError) as fault:
        raise BadPack(f"{path.name}: {fault}") from None
    for data in pack["rules"]:
        whole = _with_text_days(pack.get("defaults", {}) | data)
        rule_from(whole, pack["pack"])
        yield pack["pack"], whole


@cache
def shipped_rules() -> RuleSet:
    """What the packs in the code say; staff's changes and a workspace's own lists come on top."""
    found = [rule_from(data, pack) for path in sorted(PACKS.glob("*.yaml")) for pack, data in read_pack(path)]
    twice = {rule.id for rule in found if sum(other.id == rule.id for other in found) > 1}
    if twice:
        raise BadPack(f"rule ids stand twice: {', '.join(sorted(twice))}")
    return RuleSet(found)
