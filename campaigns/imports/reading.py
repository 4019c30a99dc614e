"""An uploaded CSV or XLSX file as columns and rows of text."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError

from lib.csv_cells import restore
from lib.text import storable

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 5000, 60, 60_000
# A workbook is a ZIP file: this is what it may unfold to.
MAX_UNPACKED = 100 * 1024 * 1024
DELIMITERS = ",;\t"
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
HIGH_RUN = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: list[list[str]]


def read_table(name: str, content: bytes) -> Table:
    """Raises ValidationError with what to do about the file."""
    if len(content) > MAX_BYTES:
        raise ValidationError(f"The file is larger than {MAX_BYTES // 1024**2} MB. Split it.")
    if not content.strip():
        raise ValidationError("The file is empty.")
    is_workbook = content.startswith(b"PK\x03\x04")
    if not is_workbook and name.lower().endswith((".xlsx", ".xls", ".ods", ".numbers")):
        raise ValidationError("This workbook cannot be read. Save it as XLSX or CSV.")
    lines = _workbook_lines(content) if is_workbook else _csv_lines(_decode(content))
    return _table(lines)


def _table(lines: Iterable[list[str]]) -> Table:
    filled = (line for line in lines if any(cell.strip() for cell in line))
    header = next(filled, None)
    if header is None:
        raise ValidationError("The file is empty.")
    columns = _names(header)
    rows: list[list[str]] = []
    for line in filled:
        if len(rows) == MAX_ROWS:
            raise ValidationError(f"The file has more than {MAX_ROWS:,} rows. Split it.")
        if any(len(cell) > MAX_CELL for cell in line):
            raise ValidationError(f"Row {len(rows) + 2} has a cell of more than {MAX_CELL:,} characters.")
        rows.append([_clean(cell) for cell in (*line, *[""] * len(columns))][: len(columns)])
    if not rows:
        raise ValidationError("The file has column names but no rows.")
    return Table(columns, rows)


def _names(header: list[str]) -> list[str]:
    """Every column gets a name of its own, also where the file gives none or one twice."""
    cells = [_clean(cell)[:100] for cell in header]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        raise ValidationError(f"The file has more than {MAX_COLUMNS} columns.")
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = cell or f"Column {number}"
        while name in names:
            name = f"{name} ({number})"
        names.append(name)
    return names


def _clean(cell: str) -> str:
    return restore(storable(cell)).strip()


# --- CSV --------------------------------------------------------------------------------------------------


def _decode(content: bytes) -> str:
    for bom, encoding in BOMS.items():
        if content.startswith(bom):
            return content.decode(encoding, "replace")
    if encoding := _wide(content[:4000]):
        return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("gb18030" if _looks_chinese(content) else "cp1252", "replace")


def _wide(content: bytes) -> str:
    """UTF-16 without a mark: commas and line ends then have NUL bytes, nearly all on the same side."""
    left, right = content[0::2].count(0), content[1::2].count(0)
    if left + right < 2 or min(left, right) * 3 > max(left, right):
        return ""
    return "utf-16-le" if right > left else "utf-16-be"


def _looks_chinese(content: bytes) -> bool:
    """Chinese comes in long even runs of high bytes; an umlaut stands alone between letters."""
    runs = [len(run) for run in HIGH_RUN.findall(content)]
    even = sum(length for length in runs if length % 2 == 0)
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return even >= 0.8 * sum(runs) and sum(runs) >= 3 * len(runs)


def _csv_lines(text: str) -> Iterator[list[str]]:
    # Excel names its delimiter in a line of its own.
    hint = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    text = text[hint.end() :] if hint else text
    delimiter = hint[1] if hint and hint[1] in DELIMITERS else _delimiter(text)
    # Texts are longer than what the csv module takes by default.
    csv.field_size_limit(MAX_BYTES)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise ValidationError(f"The file cannot be read as CSV: {error}.") from error


def _delimiter(text: str) -> str:
    """The one that cuts the line of names into the most pieces."""
    counts = {}
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text[:20_000], newline=""), delimiter=delimiter)
        counts[delimiter] = len(next(filter(None, reader), []))
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


# --- XLSX -------------------------------------------------------------------------------------------------


def _workbook_lines(content: bytes) -> Iterator[list[str]]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_UNPACKED:
                raise ValidationError("The workbook unfolds to too much. Save only the plan in it.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for line in sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True):
            yield [_cell_text(value) for value in line]
    except ValidationError:
        raise
    # Neither openpyxl nor zipfile promises an exception type for damaged or locked workbooks.
    except Exception as fault:
        raise ValidationError("This workbook cannot be read. Save it as XLSX or CSV again.") from fault


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        # A date alone is kept as midnight; whoever plans midnight writes it as text.
        is_date = value.time() == time()
        return value.date().isoformat() if is_date else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
