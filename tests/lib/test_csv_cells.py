import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.csv_cells import csv_lines, defuse, restore

FORMULAS = [
    "=1+1",
    "+49 30",
    "-5 %",
    "@SUM(A1)",
    "|cmd",
    "\t=1",
    "\r=1",
    "  =1",
    "\n=1",
    "\u00a0=1",
    "'=1",
    "''  =1",
    "'\t",
]
PLAIN = ["", "plain", "'quoted'", "'", "''", "a=b", "1-2", "最好", " x", "☕️", '"', "a,b\nc"]
cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
# What formulas are made of, close together.
crowded = st.text("'=+-@| \t\r\na", max_size=8)


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_defused(cell):
    assert defuse(cell) == f"'{cell}"
    assert restore(defuse(cell)) == cell


@pytest.mark.parametrize("cell", PLAIN)
def test_what_is_none_stays_as_it_is(cell):
    assert (defuse(cell), restore(cell)) == (cell, cell)


@given(cells | crowded)
@settings(max_examples=300, deadline=None)
def test_every_cell_comes_back_and_none_is_calculated(cell):
    defused = defuse(cell)
    assert restore(defused) == cell
    assert defused.lstrip()[:1] not in {"=", "+", "-", "@", "|"}
    assert defused[:1] not in {"\t", "\r"}


@given(st.lists(st.lists(cells | crowded, min_size=2, max_size=4), max_size=5))
@settings(max_examples=100, deadline=None)
def test_rows_are_read_back_as_they_were(rows):
    read = list(csv.reader(io.StringIO(csv_lines(rows), newline="")))
    assert [[restore(cell) for cell in row] for row in read] == rows


def test_lines_end_as_the_format_says():
    assert csv_lines([["a", "b"], ["=1", 'say "hi"']]) == 'a,b\r\n\'=1,"say ""hi"""\r\n'
