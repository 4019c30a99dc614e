"""Which kind of file it is, by its bytes; its name only decides between kinds of text. And its sections."""

import csv
import io
import re
import warnings
from pathlib import PurePath

import pypdf
from pypdf.errors import PyPdfError

from agents.memory.reading.decoding import decode
from agents.memory.reading.html import read_html
from agents.memory.reading.sections import MAX_CHARACTERS, Section, UnreadableFile
from agents.models import Document
from lib.text import storable

Kind = Document.Kind
MAX_PAGES = 500
MAX_CELLS = 200_000
MARKDOWN_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
FENCE = re.compile(r"\s*(```|~~~)")
HTML_START = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
# What it is instead, so that its owner knows what to do.
OTHER_FORMATS = (
    (b"PK\x03\x04", "This is an archive or an Office file. Save it as PDF, text or CSV."),
    (b"\xd0\xcf\x11\xe0", "This is an old Office file. Save it as PDF, text or CSV."),
    (b"\x89PNG", "This is a picture. Only its text could be learnt, and it has none."),
    (b"\xff\xd8\xff", "This is a picture. Only its text could be learnt, and it has none."),
    (b"GIF8", "This is a picture. Only its text could be learnt, and it has none."),
    (b"{\\rtf", "This is a rich text file. Save it as PDF or plain text."),
    (b"\x1f\x8b", "This is a packed file. Unpack it first."),
    (b"MZ", "This is a program."),
    (b"\x7fELF", "This is a program."),
)


def sniff(data: bytes, name: str) -> Kind:
    """Raises UnreadableFile for what is no text."""
    if not data.strip():
        raise UnreadableFile("The file is empty.")
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    for magic, problem in OTHER_FORMATS:
        if data.startswith(magic):
            raise UnreadableFile(problem)
    if _is_page(data[:4096]):
        return Kind.WEB
    text = decode(data)
    if sum(char < " " and char not in "\t\r\n\f\x1b" for char in text[:4096]) > 8:
        raise UnreadableFile("This is no text.")
    suffix = PurePath(name).suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return Kind.CSV
    return Kind.MARKDOWN if suffix in {".md", ".markdown"} else Kind.TEXT


def _is_page(start: bytes) -> bool:
    """Whether HTML begins behind comments and the line of XML. Without a pattern for these: it could take for ever."""
    start = start.lstrip()
    for opening, closing in ((b"<?xml", b">"), *[(b"<!--", b"-->")] * 20):
        if start.startswith(opening):
            start = start.partition(closing)[2].lstrip()
    return HTML_START.match(start) is not None


def read_file(data: bytes, kind: str, charset: str = "") -> tuple[str, list[Section]]:
    """A title, where the file has one, and its sections. Raises UnreadableFile."""
    if kind == Kind.PDF:
        title, sections = _read_pdf(data)
    elif kind == Kind.WEB:
        title, sections = read_html(data, charset)
    elif kind == Kind.CSV:
        title, sections = "", _read_csv(decode(data, charset))
    else:
        title, sections = "", _read_markdown(decode(data, charset)[:MAX_CHARACTERS], kind == Kind.MARKDOWN)
    if not any(section.text.strip() for section in sections):
        raise UnreadableFile("There is no text in it.")
    return storable(title), [
        Section(storable(one.heading), storable(one.text), storable(one.header)) for one in sections
    ]


def _read_markdown(text: str, is_marked_up: bool) -> list[Section]:
    sections: list[Section] = []
    heading, lines, in_fence = "", [], False
    for line in text.splitlines():
        in_fence ^= bool(FENCE.match(line))
        found = None if in_fence or not is_marked_up else MARKDOWN_HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        sections.append(Section(heading, "\n".join(lines)))
        heading, lines = found.group(2), []
    sections.append(Section(heading, "\n".join(lines)))
    return [section for section in sections if section.text.strip() or section.heading]


def _read_csv(text: str) -> list[Section]:
    rows = _csv_rows(text)
    if len(rows) < 2:
        raise UnreadableFile("The table has no rows below its header.")
    header = " | ".join(cell.strip() for cell in rows[0])
    lines = [" | ".join(cell.strip() for cell in row) for row in rows[1:] if any(cell.strip() for cell in row)]
    return [Section("", "\n".join(lines), header)]


def _csv_rows(text: str) -> list[list[str]]:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows, cells = [], 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), dialect):
            cells += len(row)
            if cells > MAX_CELLS:
                raise UnreadableFile(f"The table has more than {MAX_CELLS:,} cells.")
            rows.append(row)
    except csv.Error as error:
        raise UnreadableFile(f"The table cannot be read: {error}.") from error
    return rows


def _read_pdf(data: bytes) -> tuple[str, list[Section]]:
    try:
        with warnings.catch_warnings(action="ignore"):
            reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise UnreadableFile("The PDF has a password. Save it without one.")
            if len(reader.pages) > MAX_PAGES:
                raise UnreadableFile(f"The PDF has more than {MAX_PAGES} pages. Split it.")
            return _pdf_title(reader), list(_pdf_pages(reader))
    except UnreadableFile:
        raise
    # The library raises whatever a damaged file makes it stumble over.
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, RecursionError) as error:
        raise UnreadableFile("The PDF is damaged or unusual, and cannot be read.") from error


def _pdf_title(reader: pypdf.PdfReader) -> str:
    title = reader.metadata.title if reader.metadata else None
    return " ".join(str(title or "").split())[:200]


def _pdf_pages(reader: pypdf.PdfReader) -> list[Section]:
    sections, length = [], 0
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        length += len(text)
        if length > MAX_CHARACTERS:
            break
        sections.append(Section(f"Page {number}", text))
    return sections
