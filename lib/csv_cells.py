"""CSV files in which no cell is a formula, and the way back."""

import csv
import io
import re
from collections.abc import Iterable

# A spreadsheet would calculate such a cell; what already looks defused is defused again, so that it comes back whole.
FORMULA = re.compile(r"'*\s*[=+\-@|\t\r]")
DEFUSED = re.compile(rf"'(?={FORMULA.pattern})")


def csv_lines(rows: Iterable[Iterable[str]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([defuse(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def defuse(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def restore(cell: str) -> str:
    """What `defuse` was given; a cell that it never touched stays as it is."""
    return cell[1:] if DEFUSED.match(cell) else cell
