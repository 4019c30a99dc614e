"""Contacts from a CSV file: first what each row would do, then the doing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.db import transaction
from tablib.exceptions import TablibException  # type: ignore[import-untyped]

from accounts import audit
from accounts.access import Actor, Perm
from accounts.services import emit
from compliance.contacts import FIELDS, check_contact, clean_fields, fill_contact, once
from compliance.models import Contact
from lib.csv_cells import restore

MAX_CHARACTERS, MAX_ROWS = 1_000_000, 5_000
COLUMNS = {
    **{name: name for name in FIELDS},
    **{"e-mail": "email", "mail": "email", "邮箱": "email", "姓名": "name", "名字": "name", "国家": "country"},
    **{"id": "remote_id", "account": "handle", "username": "handle", "账号": "handle", "平台": "network"},
    **{"lang": "language", "语言": "language", "note": "notes", "备注": "notes"},
}
CREATE, UPDATE, SAME, ERROR = "create", "update", "same", "error"


@dataclass(frozen=True)
class Fate:
    """What becomes of one row. `line` as spreadsheets count."""

    line: int
    action: str
    who: str
    messages: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    contact: Contact | None = field(default=None, repr=False)


def check_import(text: str, *, by: Actor) -> list[Fate]:
    """The fate of every row; changes nothing. Raises ValidationError where the file itself is wrong."""
    by.require(Perm.CONTENT_EDIT)
    rows = _read(text)
    return list(_fates(rows, _Known(by, rows)))


def import_contacts(text: str, *, by: Actor) -> list[Fate]:
    """Do what `check_import` says now. Rows with errors are left out. Empty cells take nothing away."""
    by.require(Perm.CONTENT_EDIT)
    with once(), transaction.atomic():
        fates = check_import(text, by=by)
        Contact.objects.bulk_create([f.contact for f in fates if f.action == CREATE and f.contact], batch_size=500)
        for fate in fates:
            if fate.action == UPDATE and fate.contact:
                fate.contact.save(update_fields=fate.changed)
        counts = count_fates(fates)
        if counts[CREATE] + counts[UPDATE]:
            emit(by.workspace, "contacts.imported", **counts)
            audit.record("contact.import", by.workspace, by=by, **counts)
    return fates


def count_fates(fates: list[Fate]) -> dict[str, int]:
    counts = Counter(fate.action for fate in fates)
    return {action: counts[action] for action in (CREATE, UPDATE, SAME, ERROR)}


# --- reading ----------------------------------------------------------------------------------------------


def _read(text: str) -> list[dict[str, str]]:
    if len(text) > MAX_CHARACTERS:
        raise ValidationError({"file": f"The file is larger than {MAX_CHARACTERS:,} characters. Split it."})
    text = text.removeprefix("\ufeff").replace("\0", "").strip()
    try:
        table = tablib.Dataset().load(text, format="csv", delimiter=_delimiter(text)) if text else tablib.Dataset()
    except (TablibException, ValueError) as error:
        raise ValidationError({"file": "This is no CSV, or a row has more cells than there are columns."}) from error
    names = [COLUMNS.get(str(name or "").strip().lower(), "") for name in table.headers or []]
    _check_columns(names, table.height)
    return [_cells(names, row) for row in table]


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _check_columns(names: list[str], height: int) -> None:
    if not set(names) & {"name", "email", "handle", "remote_id"}:
        raise ValidationError({"file": "The first row must name the columns: name, email, network, handle or id …"})
    known = [name for name in names if name]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise ValidationError({"file": f"Two columns say {', '.join(twice)}."})
    if not height:
        raise ValidationError({"file": "There are column names but no rows."})
    if height > MAX_ROWS:
        raise ValidationError({"file": f"The file has more than {MAX_ROWS:,} rows. Split it."})


def _cells(names: list[str], row: tuple[str, ...]) -> dict[str, str]:
    cells = {name: restore(str(cell or "")) for name, cell in zip(names, row, strict=False) if name}
    return {name: value for name, value in clean_fields(cells).items() if value}


# --- judging ----------------------------------------------------------------------------------------------


class _Known:
    """Who is there already, by what tells them apart, found in two queries."""

    def __init__(self, by: Actor, rows: list[dict[str, str]]) -> None:
        self.by = by
        mine = Contact.objects.filter(workspace=by.workspace)
        emails = {row["email"] for row in rows if "email" in row}
        ids = {row["remote_id"] for row in rows if "remote_id" in row}
        self.by_email = {contact.email: contact for contact in mine.filter(email__in=emails)}
        accounts = mine.filter(remote_id__in=ids)
        self.by_account = {(contact.network, contact.remote_id): contact for contact in accounts}

    def find(self, row: dict[str, str]) -> Contact | None:
        """Raises ValidationError where the row names two people."""
        found = [self.by_email.get(row.get("email", "")), self.by_account.get(_account(row))]
        people = {contact.pk: contact for contact in found if contact}
        if len(people) > 1:
            raise ValidationError("The address and the account belong to two different contacts.")
        return next(iter(people.values()), None)


def _account(row: dict[str, str]) -> tuple[str, str]:
    return (row.get("network", ""), row.get("remote_id", ""))


def _fates(rows: list[dict[str, str]], known: _Known) -> Iterator[Fate]:
    seen: dict[tuple[str, ...], int] = {}
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        keys: list[tuple[str, ...]] = [("email", row["email"])] if "email" in row else []
        keys += [("account", *_account(row))] if "remote_id" in row else []
        former = next((seen[key] for key in keys if key in seen), None)
        seen |= {key: line for key in keys if key not in seen}
        who = row.get("name") or row.get("email") or row.get("handle") or row.get("remote_id") or ""
        if former:
            yield Fate(line, ERROR, who, [f"The same person stands in row {former}."])
        else:
            yield _fate(line, who, row, known)


def _fate(line: int, who: str, row: dict[str, str], known: _Known) -> Fate:
    try:
        contact = known.find(row)
        action = UPDATE if contact else CREATE
        contact = contact or Contact(workspace=known.by.workspace, created_by=known.by.user)
        changed = fill_contact(contact, row)
        check_contact(contact)
    except ValidationError as error:
        return Fate(line, ERROR, who, _messages(error))
    return Fate(line, action if changed else SAME, who, changed=changed, contact=contact)


def _messages(error: ValidationError) -> list[str]:
    if hasattr(error, "error_dict"):
        return [f"{name}: {text}" for name, texts in error.message_dict.items() for text in texts]
    return error.messages
