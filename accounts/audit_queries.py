"""Searching the audit trail, and what an entry says for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.access import Actor, Perm
from accounts.models import AuditEntry, Workspace

MAX_WORDS = 120
NAMES = ("action", "who", "about", "q", "from", "to")
# Days around these do not exist in every zone.
YEARS = range(2000, 2101)


@dataclass(frozen=True)
class AuditFilter:
    """`about` is a kind of object, an id, or both: "post 018f…". Days are those of the workspace's zone."""

    action: str = ""
    who: str = ""
    about: str = ""
    words: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "AuditFilter":
        """From the query of an address; what makes no sense is left out."""
        action, who, about, words, first, last = (_clean(given.get(name)) for name in NAMES)
        return cls(action, who, about, words, _day(first), _day(last))

    def __bool__(self) -> bool:
        return self != AuditFilter()


def _clean(value: Any) -> str:
    return str(value or "").replace("\0", "").strip()[:MAX_WORDS]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def visible_entries(actor: Actor) -> QuerySet[AuditEntry]:
    actor.require(Perm.AUDIT)
    return AuditEntry.objects.filter(workspace=actor.workspace).select_related("detail").order_by("-number")


def search_entries(actor: Actor, wanted: AuditFilter) -> QuerySet[AuditEntry]:
    """The newest first."""
    entries = visible_entries(actor)
    if wanted.action:
        entries = entries.filter(action=wanted.action)
    if wanted.about:
        entries = entries.filter(_about(wanted.about))
    if wanted.who:
        entries = entries.filter(detail__actor__icontains=wanted.who)
    if wanted.words:
        entries = entries.annotate(text=Cast("detail__data", TextField())).filter(text__icontains=_in_json(wanted))
    return entries.filter(_within(wanted, actor.workspace))


def _about(text: str) -> Q:
    kind, _, pk = text.partition(" ")
    if pk:
        return Q(object_kind=kind.lower(), object_id=pk.strip())
    return Q(object_kind=text.lower()) | Q(object_id=text)


def _in_json(wanted: AuditFilter) -> str:
    """As the database writes it down: with quotes and backslashes escaped."""
    return wanted.words.replace("\\", "\\\\").replace('"', '\\"')


def _within(wanted: AuditFilter, workspace: Workspace) -> Q:
    zone, times = ZoneInfo(workspace.time_zone), Q()
    if wanted.first:
        times &= Q(at__gte=datetime.combine(wanted.first, time(), zone))
    if wanted.last:
        times &= Q(at__lt=datetime.combine(wanted.last + timedelta(days=1), time(), zone))
    return times


def actions_of(actor: Actor) -> list[str]:
    entries = visible_entries(actor).select_related(None).order_by("action")
    return list(entries.values_list("action", flat=True).distinct())


# --- what an entry says -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What was so before, and after. Where an act recorded neither, `before` is None and `after` is a fact."""

    name: str
    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.after}" if self.before is None else f"{self.name} {self.before} → {self.after}"


def changes_of(entry: AuditEntry) -> list[Change]:
    """Acts write `changed={field: [before, after]}`, or `before=` and `after=` of the one thing they change."""
    detail = getattr(entry, "detail", None)
    return list(_changes(entry.action, detail.data)) if detail else []


PAIR = {"before", "after"}


def _changes(action: str, data: dict[str, Any]) -> Iterator[Change]:
    has_pair = data.keys() >= PAIR
    if has_pair:
        yield from _pair(action.rpartition(".")[2], data["before"], data["after"])
    for name, value in data.items():
        if name == "changed" and isinstance(value, dict):
            yield from _changed(value)
        elif not (has_pair and name in PAIR):
            yield Change(_words(name), None, as_text(value))


def _pair(what: str, before: Any, after: Any) -> Iterator[Change]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield Change(_words(what), as_text(before), as_text(after))
        return
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield Change(_words(name), as_text(before.get(name)), as_text(after.get(name)))


def _changed(fields: dict[str, Any]) -> Iterator[Change]:
    for name, value in fields.items():
        if isinstance(value, list) and len(value) == 2:
            yield Change(_words(name), as_text(value[0]), as_text(value[1]))
        else:
            yield Change(_words(name), None, as_text(value))


def _words(name: str) -> str:
    return name.replace("_", " ")


def as_text(value: Any) -> str:
    """For people: no brackets, no Python."""
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{_words(str(name))}: {as_text(item)}" for name, item in value.items())
    return str(value)
