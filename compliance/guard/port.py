"""What the guard is asked, what an engine answers, and what comes out of it all. Pure: no database, no settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from compliance.guard.rules import RuleSet

ANY = "any"


class Verdict(StrEnum):
    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"


class Severity(StrEnum):
    """What a hit alone asks for; a note is shown and changes nothing."""

    NOTE = "note"
    REVIEW = "review"
    BLOCK = "block"


class Disclosure(StrEnum):
    OK = "ok"
    AMBIGUOUS = "ambiguous"
    MISSING = "missing"
    BURIED = "buried"
    NOT_REQUIRED = "not_required"


@dataclass(frozen=True)
class Media:
    kind: str  # image, gif, video
    mime: str = ""
    alt_text: str = ""
    width: int = 0
    height: int = 0
    size_bytes: int = 0
    duration_ms: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Beside:
    """Words that go out with a part without being its text."""

    part: int
    # Where they stand, for people: “In the poll”.
    place: str
    text: str


@dataclass(frozen=True)
class Draft:
    """What would be sent: the texts of a thread's parts in order, each with its media."""

    texts: tuple[str, ...]
    media: tuple[tuple[Media, ...], ...] = ()
    # Poll options, descriptions of images, labels of buttons.
    beside: tuple[Beside, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Draft":
        return cls((text,))


@dataclass(frozen=True)
class Context:
    """Where and how it would be sent. Empty means unknown: rules that need the fact do not fire, or ask for review."""

    platform: str = ANY
    action: str = "publish"
    # Markets as ISO country codes, plus EU; all of them at once, the strictest wins.
    jurisdictions: tuple[str, ...] = ()
    industry: str = ""
    language: str = ""
    # The author's tie to the brand: own_brand, paid, gift, affiliate, employee, none.
    relationship: str = ""
    ai_generated: bool = False
    # What callers know about account, history, recipient, media and proof (docs/guard.md lists the names).
    facts: Mapping[str, Any] = field(default_factory=dict)
    today: date = date.max


@dataclass(frozen=True)
class Hit:
    """One finding. `start` and `end` are code points of part `part`; equal where it is about the whole."""

    rule: str
    severity: Severity
    part: int = 0
    start: int = 0
    end: int = 0
    # A sentence for the author, the law or policy it comes from, and the smallest change that helps.
    message: str = ""
    citation: str = ""
    fix: str = ""
    # Put in place of the span it settles the hit; None where no text can.
    replacement: str | None = None

    def as_data(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "part": self.part,
            "start": self.start,
            "end": self.end,
            "message": self.message,
            "citation": self.citation,
            "fix": self.fix,
            "replacement": self.replacement,
        }


@dataclass(frozen=True)
class Answer:
    hits: tuple[Hit, ...] = ()
    # Only the disclosure engine says it.
    disclosure: Disclosure | None = None


class Engine(Protocol):
    """Looks at one draft; raises whatever it likes: the pipeline turns a failure into a review."""

    name: str

    def check(self, draft: Draft, context: Context, rules: "RuleSet") -> Answer: ...


@dataclass(frozen=True)
class EngineRun:
    name: str
    took_us: int
    error: str = ""


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    hits: tuple[Hit, ...]
    disclosure: Disclosure | None = None
    runs: tuple[EngineRun, ...] = ()

    @property
    def blocking(self) -> tuple[Hit, ...]:
        return tuple(hit for hit in self.hits if hit.severity == Severity.BLOCK)

    @property
    def rules(self) -> frozenset[str]:
        """What asks for something; notes are left out."""
        return frozenset(hit.rule for hit in self.hits if hit.severity != Severity.NOTE)


_ORDER = {Severity.NOTE: 0, Severity.REVIEW: 1, Severity.BLOCK: 2}
_VERDICTS = (Verdict.ALLOW, Verdict.REVIEW, Verdict.BLOCK)


def verdict_of(hits: Iterable[Hit]) -> Verdict:
    """The strictest wins."""
    return _VERDICTS[max((_ORDER[hit.severity] for hit in hits), default=0)]
