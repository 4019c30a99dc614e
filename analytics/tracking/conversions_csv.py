"""Conversions from a CSV file: what would become of each row first, then the booking."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_date, parse_datetime

from accounts import audit
from accounts.access import Actor, Perm
from analytics.models import Conversion
from analytics.tracking import conversions
from analytics.tracking.tracking import tracking_of
from lib.csv_cells import restore

COLUMNS = ("key", "goal", "at", "value", "click", "visitor")
MAX_ROWS = 5_000
MAX_CHARACTERS = 1_000_000
NEW, KNOWN, ERROR = "new", "known", "error"


@dataclass
class Fate:
    """What becomes of a row; `line` is that of the file."""

    line: int
    key: str
    action: str
    text: str = ""
    wanted: conversions.Wanted | None = None


def check_csv(text: str, *, by: Actor) -> list[Fate]:
    """Changes nothing. Raises ValidationError where the file as a whole cannot be read."""
    by.require(Perm.CONTENT_EDIT)
    fates = [_read(line, row, by) for line, row in _rows(text)]
    _mark_known(fates, by)
    return fates


def book_csv(text: str, *, by: Actor) -> int:
    """How many were new. Rows with errors are left out."""
    by.require(Perm.CONTENT_EDIT)
    wanted = [fate.wanted for fate in check_csv(text, by=by) if fate.action == NEW and fate.wanted]
    with transaction.atomic():
        booked = conversions.book_all(by.workspace, wanted, source=Conversion.Source.CSV)
        added = sum(is_new for _, is_new in booked)
        if added:
            tracking = tracking_of(by.workspace)
            audit.record("conversion.import", booked[0][0], by=by, rows=added, currency=tracking.currency)
    return added


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    if len(text) > MAX_CHARACTERS:
        raise ValidationError(f"At most {MAX_CHARACTERS:,} characters. Split the file.")
    try:
        reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff").strip("\n"), newline=""), delimiter=_delimiter(text))
        names = [name.strip().lower() for name in reader.fieldnames or []]
        if "key" not in names:
            raise ValidationError(f"The first row names the columns: {', '.join(COLUMNS)}. “key” is needed.")
        reader.fieldnames = names
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValidationError(f"This is not a CSV file that we can read: {error}.") from error
    if len(rows) > MAX_ROWS:
        raise ValidationError(f"At most {MAX_ROWS:,} rows at once; this has {len(rows):,}.")
    return [(line, {name: restore((row.get(name) or "").strip()) for name in COLUMNS}) for line, row in rows]


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(",;\t", key=head.count)


def _read(line: int, row: dict[str, str], by: Actor) -> Fate:
    try:
        wanted = conversions.clean(
            conversions.Wanted(
                key=row["key"],
                goal=row["goal"] or "purchase",
                at=_time(row["at"], by.workspace.time_zone),
                value_micro=conversions.read_value(row["value"]),
                click_id=conversions.read_click(row["click"]) if row["click"] else None,
                visitor=row["visitor"].lower(),
            )
        )
    except ValidationError as error:
        return Fate(line, row["key"], ERROR, " ".join(error.messages))
    return Fate(line, wanted.key, NEW, wanted=wanted)


def _time(text: str, zone: str) -> datetime:
    """With an offset as it says, else on the workspace's clock; a day alone is its noon. Raises ValidationError."""
    try:
        found = parse_datetime(text)
        if found is None and (day := parse_date(text)):
            found = datetime(day.year, day.month, day.day, 12)
    except ValueError:
        found = None
    if found is None:
        raise ValidationError({"at": "A time such as 2026-03-31 14:30, or a day."})
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def _mark_known(fates: list[Fate], by: Actor) -> None:
    keys = [fate.wanted.key for fate in fates if fate.wanted]
    stored = {row.key: row for row in Conversion.objects.filter(workspace=by.workspace, key__in=keys)}
    seen: dict[str, str] = {}
    for fate in fates:
        if fate.wanted is None:
            continue
        known = stored.get(fate.key)
        former = known.data.get(conversions.SENT) if known else seen.get(fate.key)
        if former is None:
            seen[fate.key] = fate.wanted.fingerprint
        elif former == fate.wanted.fingerprint:
            fate.action, fate.text = KNOWN, "Counted already."
        else:
            fate.action, fate.text = ERROR, "This key was used for another conversion."
