import io
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, time

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.imports.mapping import FIELDS, clean_mapping, guess_mapping
from campaigns.imports.reading import Table, read_table
from campaigns.imports.times import BadTime, read_moment

PLAN = "text,channel\nFür Ärzte: Grüße aus Köln,@a\nÜberall schön,@b\n"
CHINESE = "文本,账号\n新品上架,换季礼盒今晚八点开售,@a\n".replace(",换", "，换")


def read(content: bytes | str, name: str = "plan.csv") -> Table:
    return read_table(name, content.encode() if isinstance(content, str) else content)


def workbook(*lines: list) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def refusal(content: bytes | str, name: str = "plan.csv") -> str:
    with pytest.raises(ValidationError) as caught:
        read(content, name)
    return caught.value.messages[0]


# --- encodings and delimiters -----------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_german_is_read_in_every_usual_encoding(encoding):
    assert read(PLAN.encode(encoding)).rows[0] == ["Für Ärzte: Grüße aus Köln", "@a"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "gbk"])
def test_chinese_is_read_in_every_usual_encoding(encoding):
    table = read(CHINESE.encode(encoding))
    assert (table.columns, table.rows) == (["文本", "账号"], [["新品上架，换季礼盒今晚八点开售", "@a"]])


@pytest.mark.parametrize("word", ["naïve", "Grüße", "café", "größere Äpfel", "señor"])
def test_a_single_umlaut_is_not_chinese(word):
    assert read(f"text\n{word}\n".encode("latin-1")).rows == [[word]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter):
    table = read(f'text{delimiter}channel{delimiter}time\n"a, b; c"{delimiter}@a{delimiter}x\n')
    assert (table.columns, table.rows) == (["text", "channel", "time"], [["a, b; c", "@a", "x"]])


def test_the_delimiter_that_excel_names_counts():
    assert read("sep=;\ntext;a,b\nhi;1\n").columns == ["text", "a,b"]


def test_line_breaks_and_quotes_inside_a_cell_stay():
    assert read('text,x\r\n"one\ntwo ""three""",1\r\n').rows == [['one\ntwo "three"', "1"]]


# --- shape ------------------------------------------------------------------------------------------------


def test_short_rows_are_filled_and_long_ones_cut():
    assert read("a,b\n1\n1,2,3\n").rows == [["1", ""], ["1", "2"]]


def test_empty_rows_are_passed_over():
    assert read("\n,,\na,b\n\n , \n1,2\n").rows == [["1", "2"]]


def test_every_column_gets_a_name_of_its_own():
    assert read("a,,a,A\n1,2,3,4\n").columns == ["a", "Column 2", "a (3)", "A"]


def test_characters_that_cannot_be_stored_are_left_out():
    assert read("text\na\x00b\n").rows == [["ab"]]


def test_what_an_export_defused_is_as_it_was():
    assert read("text\n'=1+1\n'@name\n'quoted'\n").rows == [["=1+1"], ["@name"], ["'quoted'"]]


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        ("", "a.csv", "empty"),
        (" \n\n", "a.csv", "empty"),
        (",,\n", "a.csv", "empty"),
        ("text,time\n", "a.csv", "no rows"),
        (b"\xd0\xcf\x11\xe0old", "a.xls", "Save it as XLSX"),
        (b"PK\x03\x04 no zip", "a.xlsx", "cannot be read"),
        ("a\n" + "1\n" * 5001, "a.csv", "more than 5,000 rows"),
        (",".join("abcdefghij" * 7) + "\n1\n", "a.csv", "more than 60 columns"),
        ("a\n" + "x" * 60_001, "a.csv", "Row 2 has a cell"),
        (b"a" * (5 * 1024 * 1024 + 1), "a.csv", "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(content, name, text):
    assert text in refusal(content, name)


def test_5000_rows_are_taken():
    assert len(read("a\n" + "1\n" * 5000).rows) == 5000


# --- workbooks --------------------------------------------------------------------------------------------


def test_a_workbook_is_read():
    table = read(workbook(["text", "count"], ["新品", 3], ["x", 2.5]), "plan.xlsx")
    assert (table.columns, table.rows) == (["text", "count"], [["新品", "3"], ["x", "2.5"]])


def test_dates_of_a_workbook_are_written_out():
    line = [datetime(2026, 12, 1, 9, 30), datetime(2026, 12, 1), date(2026, 12, 1), time(9, 30)]
    assert read(workbook(["a", "b", "c", "d"], line), "plan.xlsx").rows == [
        ["2026-12-01 09:30:00", "2026-12-01", "2026-12-01", "09:30:00"]
    ]


def test_a_workbook_that_unfolds_to_too_much_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (101 * 1024 * 1024))
    assert "unfolds to too much" in refusal(buffer.getvalue(), "bomb.xlsx")


def test_a_zip_file_that_is_no_workbook_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("hello.txt", "hi")
    assert "cannot be read" in refusal(buffer.getvalue(), "plan.xlsx")


# --- columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        ("external_id,channel,text,media,time,timezone,campaign", "external_id channel text media time zone campaign"),
        ("ID;Kanal;Text;Bild;Datum;Uhrzeit;Zeitzone", "external_id channel text media date time zone"),
        ("编号,账号,内容,图片,发布时间,时区,标签", "external_id channel text media time zone tags"),
        ("Alt_Text,Made With AI,Language,Title", "alt_text made_with_ai language title"),
        ("Beitragstext,Kampagne,Schlagwörter", "text campaign tags"),
    ],
)
def test_columns_are_guessed_from_their_names(header, mapping):
    columns = header.replace(";", ",").split(",")
    guessed = guess_mapping(columns)
    assert [name for column in columns for name, chosen in guessed.items() if chosen == column] == mapping.split()


def test_a_strange_column_is_left_out():
    assert guess_mapping(["text", "weather"]) == {"text": "text"}


def test_no_two_fields_share_a_name():
    names = [name for field in FIELDS.values() for name in field.names.split(", ")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        ({"text": "missing"}, "text"),
        ({"text": "a", "title": "a"}, "title"),
        ({"title": "a"}, "text"),
        ({}, "text"),
    ],
)
def test_a_choice_that_makes_no_sense_is_named(mapping, field):
    with pytest.raises(ValidationError) as caught:
        clean_mapping(mapping, ["a", "b"])
    assert list(caught.value.message_dict) == [field]


def test_pictures_alone_are_enough():
    assert clean_mapping({"media": "a", "text": ""}, ["a"]) == {"media": "a"}


# --- times ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        ("", "2026-12-01 09:05"),
        ("", "2026-12-01T09:05:00"),
        ("2026-12-01", "09:05"),
        ("2026-12-01", "9:05 am"),
        ("2026-12-01", "9:05 Uhr"),
        ("1.12.2026", "09:05:00"),
        ("01. 12. 2026", "9.05 Uhr"),
        ("", "09:05 01.12.2026"),
        ("2026/12/1", "9:05AM"),
        ("2026年12月1日", "上午9点05分"),
        ("", "2026年12月1日 09：05"),
        ("", "2026-12-01 08:05Z"),
        ("", "2026-12-01T09:05+01:00"),
        ("", "2026-12-01T03:05:00-0500"),
    ],
)
def test_times_are_read_as_people_write_them(day, clock):
    moment, note = read_moment(day, clock, "Europe/Berlin")
    assert (moment, note) == (datetime(2026, 12, 1, 8, 5, tzinfo=UTC), "")


@pytest.mark.parametrize(
    ("clock", "hour"), [("9pm", 20), ("12 am", 23), ("12pm", 11), ("下午3点", 14), ("18h30", 17), ("18 Uhr", 17)]
)
def test_halves_of_the_day_are_understood(clock, hour):
    moment, _ = read_moment("2026-12-01", clock, "Europe/Berlin")
    assert moment.hour == hour


@pytest.mark.parametrize(("text", "day"), [("12/25/2026 09:00", 25), ("25/12/2026 09:00", 25), ("05/05/2026 09:00", 5)])
def test_slashes_are_read_where_only_one_day_is_meant(text, day):
    assert read_moment("", text, "UTC")[0].day == day


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("next friday", "is no date"),
        ("03/04/2026 09:00", "can mean two days"),
        ("2026-12-01", "no time of the day"),
        ("2026-12-01 morning", "no time we can read"),
        ("2026-12-01 9", "no time we can read"),
        ("2026-12-01 25:00", "no such time"),
        ("2026-02-30 09:00", "no such day"),
        ("09:00", "is no date"),
        ("0000-00-00 00:00", "no such day"),
    ],
)
def test_what_is_no_time_says_so_with_an_example(text, why):
    with pytest.raises(BadTime, match=why) as caught:
        read_moment("", text, "UTC")
    assert "2026-12-01 09:00" in str(caught.value)


def test_an_unknown_zone_is_named():
    with pytest.raises(BadTime, match="Mars/Olympus"):
        read_moment("", "2026-12-01 09:00", "Mars/Olympus")


def test_nothing_written_is_no_time():
    assert read_moment("", " ", "UTC") == (None, "")


def test_a_time_that_the_clocks_skip_is_explained():
    moment, note = read_moment("", "2026-03-29 02:30", "Europe/Berlin")
    assert moment == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert "02:30 does not exist, so it goes out at 03:30" in note


def test_a_time_that_comes_twice_is_explained():
    moment, note = read_moment("", "2026-10-25 02:30", "Europe/Berlin")
    assert moment == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "comes twice" in note


@example(changes=[(0.956884456202016, 1)])  # a piece that says it is encrypted
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_damaged_workbook_is_read_or_refused_and_nothing_else(changes):
    content = bytearray(workbook(["text", "count"], ["新品", 3], ["x", 2.5]))
    for where, value in changes:
        content[int(where * (len(content) - 1))] = value
    with suppress(ValidationError):
        read(bytes(content), "plan.xlsx")
