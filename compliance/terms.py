"""A workspace's own list: words never to use, to be looked at, or always fine."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from compliance.guard.rules import BadPack
from compliance.guard.terms import check_match
from compliance.models import WorkspaceTerm
from compliance.places import clean_platforms
from compliance.rulesets import literal
from lib.clock import now
from lib.csv_cells import csv_lines, restore
from lib.text import storable

Kind = WorkspaceTerm.Kind
COLUMNS = ("term", "kind", "replacement", "reason", "platforms", "valid_to")
MAX_TERMS = 2_000
MAX_FILE_BYTES = 1_000_000
ENCODINGS = ("utf-8-sig", "gb18030")
FULL = f"A list holds at most {MAX_TERMS:,} words."


@dataclass(frozen=True)
class TermDraft:
    """As a form, the API or a line of a file gives it."""

    term: str
    kind: str = Kind.BLOCK.value
    reason: str = ""
    replacement: str = ""
    platforms: tuple[str, ...] = ()
    valid_to: date | None = None


def visible_terms(actor: Actor) -> QuerySet[WorkspaceTerm]:
    actor.require(Perm.VIEW)
    return WorkspaceTerm.objects.filter(workspace=actor.workspace)


def get_term(actor: Actor, term_id: UUID) -> WorkspaceTerm:
    row = visible_terms(actor).filter(pk=term_id).first()
    if row is None:
        raise Http404("Not found.")
    return row


def add_term(draft: TermDraft, *, by: Actor) -> WorkspaceTerm:
    by.require(Perm.SETTINGS)
    draft = clean_term(draft)
    if visible_terms(by).count() >= MAX_TERMS:
        raise ValidationError({"term": FULL})
    row = _filled(WorkspaceTerm(workspace=by.workspace, created_by=by.user), draft)
    with _once(), transaction.atomic():
        row.save(force_insert=True)
        audit.record("guard_term.add", row, by=by, before=None, after=term_data(row))
    return row


def change_term(row: WorkspaceTerm, draft: TermDraft, *, by: Actor) -> WorkspaceTerm:
    by.require(Perm.SETTINGS)
    draft, before = clean_term(draft), term_data(row)
    _filled(row, draft)
    if term_data(row) == before:
        return row
    with _once(), transaction.atomic():
        row.save()
        audit.record("guard_term.change", row, by=by, before=before, after=term_data(row))
    return row


def delete_term(row: WorkspaceTerm, *, by: Actor) -> None:
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        audit.record("guard_term.delete", row, by=by, before=term_data(row), after=None)
        row.delete()


def clean_term(draft: TermDraft) -> TermDraft:
    """Raises ValidationError beside the field that is wrong."""
    term = _plain(draft.term)
    row = _filled(
        WorkspaceTerm(),
        TermDraft(
            term,
            draft.kind,
            _plain(draft.reason),
            _plain(draft.replacement),
            tuple(_platforms(draft.platforms)),
            draft.valid_to,
        ),
    )
    row.clean_fields(exclude=["workspace", "created_by"])
    try:
        check_match({"terms": [literal(term)]})
    except BadPack as fault:
        raise ValidationError({"term": "Write at least one letter, digit or character."}) from fault
    return draft_of(row)


def draft_of(row: WorkspaceTerm) -> TermDraft:
    return TermDraft(row.term, row.kind, row.reason, row.replacement, tuple(row.platforms), row.valid_to)


def term_data(row: WorkspaceTerm) -> dict[str, Any]:
    """As JSON."""
    data = asdict(draft_of(row))
    return data | {"platforms": list(row.platforms), "valid_to": row.valid_to and row.valid_to.isoformat()}


def _filled(row: WorkspaceTerm, draft: TermDraft) -> WorkspaceTerm:
    row.term, row.kind, row.reason, row.replacement = draft.term, draft.kind, draft.reason, draft.replacement
    row.platforms, row.valid_to = list(draft.platforms), draft.valid_to
    return row


def _plain(text: str) -> str:
    return " ".join(storable(text).split())


def _platforms(given: Iterable[str]) -> list[str]:
    try:
        return clean_platforms(given)
    except ValidationError as error:
        raise ValidationError({"platforms": error.messages}) from error


@contextmanager
def _once() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ValidationError({"term": "This word is on the list already."}) from error


# --- files ------------------------------------------------------------------------------------------------


@dataclass
class FileReport:
    """What a file would change, or has changed; `wrong` holds line numbers and what is the matter."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        return bool(self.new or self.changed)


def import_terms(content: bytes, *, by: Actor, is_dry_run: bool) -> FileReport:
    """Adds and changes, never deletes; lines that cannot be used are named and left out."""
    by.require(Perm.SETTINGS)
    report = FileReport()
    known = {row.term: row for row in visible_terms(by)}
    wanted: dict[str, TermDraft] = {}
    for number, line in _lines(content):
        try:
            draft = clean_term(_from_line(line))
        except ValidationError as error:
            report.wrong.append((number, " ".join(error.messages)))
        else:
            wanted[draft.term] = draft
    for term, draft in wanted.items():
        row = known.get(term)
        if row is not None and draft_of(row) == draft:
            report.same += 1
        else:
            (report.new if row is None else report.changed).append(term)
    if len(known) + len(report.new) > MAX_TERMS:
        raise ValidationError({"file": FULL})
    if not is_dry_run and report.has_changes:
        _write(wanted, known, report, by)
    return report


def _write(wanted: dict[str, TermDraft], known: dict[str, WorkspaceTerm], report: FileReport, by: Actor) -> None:
    before = {term: term_data(known[term]) for term in report.changed}
    rows = [_filled(WorkspaceTerm(workspace=by.workspace, created_by=by.user), wanted[term]) for term in report.new]
    with transaction.atomic():
        WorkspaceTerm.objects.bulk_create(rows)
        for term in report.changed:
            _filled(known[term], wanted[term]).save()
        after = {term: term_data(_filled(WorkspaceTerm(), wanted[term])) for term in report.new + report.changed}
        audit.record("guard_term.import", by.workspace, by=by, before=before, after=after)


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    if len(content) > MAX_FILE_BYTES:
        raise ValidationError({"file": "The file may have 1 MB at most."})
    # Of the whole process: the import of posts takes longer cells.
    csv.field_size_limit(131_072)
    reader = csv.DictReader(io.StringIO(read_text(content), newline=""), restkey="more", restval="")
    names = {str(name).strip().lower(): name for name in reader.fieldnames or ()}
    if "term" not in names:
        raise ValidationError({"file": f"The first line names the columns: {', '.join(COLUMNS)}. Only term is needed."})
    try:
        for row in reader:
            line = {name: restore(row[names[name]].strip()) for name in COLUMNS if name in names}
            if any(line.values()):
                yield reader.line_num, line
    except csv.Error as error:
        raise ValidationError({"file": f"Line {reader.line_num} cannot be read: {error}."}) from error


def read_text(content: bytes) -> str:
    """As spreadsheets save it, here and in China."""
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValidationError({"file": "The file is no text. Save it as CSV in UTF-8."})


def _from_line(line: dict[str, str]) -> TermDraft:
    day = line.get("valid_to", "")
    try:
        valid_to = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise ValidationError({"valid_to": f"“{day[:20]}” is no day such as 2027-01-31."}) from error
    return TermDraft(
        term=line["term"],
        kind=line.get("kind", "").lower() or Kind.BLOCK.value,
        reason=line.get("reason", ""),
        replacement=line.get("replacement", ""),
        platforms=tuple(re.split(r"[\s,;|]+", line.get("platforms", ""))),
        valid_to=valid_to,
    )


def export_terms(rows: Iterable[WorkspaceTerm]) -> str:
    """CSV that an import takes back unchanged, and that no spreadsheet calculates."""
    found = [term_data(row) | {"platforms": " ".join(row.platforms)} for row in rows]
    return csv_lines([COLUMNS, *([str(data[name] or "") for name in COLUMNS] for data in found)])


# --- what ends soon ---------------------------------------------------------------------------------------


def ending_terms(rows: QuerySet[WorkspaceTerm], until: date) -> Sequence[WorkspaceTerm]:
    return list(rows.filter(valid_to__gte=now().date(), valid_to__lte=until).order_by("valid_to", "term"))
