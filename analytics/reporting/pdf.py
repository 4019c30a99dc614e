"""A report as PDF. Latin letters in an embedded font, everything else in the Chinese one that readers bring."""

import io
import re
from typing import Any
from xml.sax.saxutils import escape

from analytics.models import Report

Data = dict[str, Any]
LATIN, HAN = "Vera", "STSong-Light"
INK, SOFT, LINE, ACCENT = "#1d2430", "#5b6472", "#d8dde5", "#2f5bea"
# What the embedded font has; typographic marks of Latin text are in it, too.
_OTHER = re.compile(r"[^\x20-\x7e\xa0-\xff–—‘’“”•…€−\n]+")
_OUTSIDE = re.compile(r"[^\u0000-\uffff]|[\u200b-\u200f\u202a-\u202e\ufe0f]")
_TABLE_ROWS = 10


def as_pdf(report: Report) -> bytes:
    """The document with numbers, text, a chart and tables, on A4."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    _register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=report.title,
        author="Rostrum",
        invariant=1,
    )
    footer = _footer(report)
    document.build(_story(report), onFirstPage=footer, onLaterPages=footer)
    return buffer.getvalue()


def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    if LATIN in pdfmetrics.getRegisteredFontNames():
        return
    pdfmetrics.registerFont(TTFont(LATIN, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("VeraBd", "VeraBd.ttf"))
    pdfmetrics.registerFontFamily(LATIN, normal=LATIN, bold="VeraBd", italic=LATIN, boldItalic="VeraBd")
    pdfmetrics.registerFont(UnicodeCIDFont(HAN))


def marked(text: str) -> str:
    """For a paragraph: escaped, with the other font where the first has no letters. What no font has is left out."""
    plain = _OUTSIDE.sub("", text)
    pieces, at = [], 0
    for found in _OTHER.finditer(plain):
        pieces.append(escape(plain[at : found.start()]))
        pieces.append(f'<font name="{HAN}">{escape(found.group())}</font>')
        at = found.end()
    return "".join([*pieces, escape(plain[at:])])


def _style(size: float = 9.5, color: str = INK, *, bold: bool = False, after: float = 0, align: int = 0) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle(
        "text",
        fontName="VeraBd" if bold else LATIN,
        fontSize=size,
        leading=size * 1.45,
        textColor=HexColor(color),
        spaceAfter=after,
        alignment=align,
    )


def _text(text: str, **style: Any) -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(marked(text), _style(**style))


def _story(report: Report) -> list[Any]:
    from reportlab.platypus import Spacer

    data, zh = report.data, report.language == "zh"
    period = data["period"]
    story = [
        _text(report.title, size=17, bold=True, after=3),
        _text(f"{period['label']} · {period['zone']}", color=SOFT, after=2),
        _text(f"{'对比' if zh else 'Compared with'} {period['before_label']}", color=SOFT, after=10),
    ]
    for point in report.insight:
        story.append(_text(f"• {point['text']}", after=4))
    if report.problem_text:
        story.append(_text(report.problem_text, color=SOFT, after=4))
    story += [Spacer(1, 6), _facts_table(data, zh=zh), *_charts(data)]
    for title, rows in (
        ("最佳帖子" if zh else "Best posts", data["best"]),
        ("最弱帖子" if zh else "Weakest posts", data["worst"]),
    ):
        if rows:
            story += [_heading(title), _posts_table(rows)]
    if data["notes"]:
        story.append(_heading("缺失或延迟的数据" if zh else "Missing or late"))
        story += [_text(f"• {note}", color=SOFT, after=2) for note in data["notes"]]
    return story


def _heading(text: str) -> Any:
    style = _style(12, bold=True, after=4)
    style.spaceBefore, style.keepWithNext = 12, 1
    from reportlab.platypus import Paragraph

    return Paragraph(marked(text), style)


def _facts_table(data: Data, *, zh: bool) -> Any:
    heads = ("指标", "数值", "此前", "变化") if zh else ("", "Value", "Before", "Change")
    rows = [
        [row["label"], row["text"], row.get("before_text", ""), row.get("change_text", "")] for row in data["facts"]
    ]
    return _table([list(heads), *rows], (78, 32, 32, 32), numbers_from=1)


def _posts_table(rows: list[Data]) -> Any:
    body = [[row["text"][:160], row["account"][:80], row["day"], row["figure"]] for row in rows[:_TABLE_ROWS]]
    return _table(body, (92, 32, 24, 26), numbers_from=3, has_head=False)


def _table(rows: list[list[str]], widths_mm: tuple[int, ...], *, numbers_from: int, has_head: bool = True) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import mm
    from reportlab.platypus import Table

    cells = [
        [
            _text(
                cell,
                size=8.5,
                bold=has_head and number == 0,
                color=SOFT if has_head and number == 0 else INK,
                align=2 if column >= numbers_from else 0,
            )
            for column, cell in enumerate(row)
        ]
        for number, row in enumerate(rows)
    ]
    table = Table(cells, colWidths=[width * mm for width in widths_mm], repeatRows=int(has_head), hAlign="LEFT")
    line = ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE))
    table.setStyle([line, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
    return table


def _charts(data: Data) -> list[Any]:
    found = []
    for name, points in data["series"].items():
        known = [(number, point["value"]) for number, point in enumerate(points) if point["value"] is not None]
        if len(known) > 1 and any(value for _, value in known):
            found += [_heading(data["series_labels"][name]), _line_chart(points, known)]
    return found


def _line_chart(points: list[Data], known: list[tuple[int, float]]) -> Any:
    """A gap stays a gap: the line is broken where nothing was measured."""
    from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, String
    from reportlab.lib.colors import HexColor

    width, height, left, bottom = 490.0, 110.0, 40.0, 18.0
    top = max(value for _, value in known)
    step = (width - left - 6) / max(len(points) - 1, 1)
    words = {"fontName": LATIN, "fontSize": 7, "fillColor": HexColor(SOFT)}
    drawing = Drawing(width, height)
    for share in (0.0, 0.5, 1.0):
        y = bottom + share * (height - bottom - 8)
        drawing.add(Line(left, y, width, y, strokeColor=HexColor(LINE), strokeWidth=0.4))
        label = f"{top * share:,.0f}" if top >= 10 else f"{top * share:,.1f}"
        drawing.add(String(left - 4, y - 3, label, textAnchor="end", **words))
    runs: list[list[float]] = [[]]
    last = None
    for number, value in known:
        if last is not None and number != last + 1:
            runs.append([])
        runs[-1] += [left + number * step, bottom + value / top * (height - bottom - 8)]
        last = number
    for run in runs:
        if len(run) == 2:
            drawing.add(Circle(run[0], run[1], 1.6, fillColor=HexColor(ACCENT), strokeWidth=0))
        else:
            drawing.add(PolyLine(run, strokeColor=HexColor(ACCENT), strokeWidth=1.4))
    for number in sorted({0, len(points) // 2, len(points) - 1}):
        anchor = "start" if number == 0 else "end" if number == len(points) - 1 else "middle"
        text = points[number]["day"]
        drawing.add(String(left + number * step, 4, text, textAnchor=anchor, **words))
    return drawing


def _footer(report: Report) -> Any:
    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(LATIN, 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(document.leftMargin, 28, f"Data {report.data_hash[:16]}")
        canvas.drawRightString(document.pagesize[0] - document.rightMargin, 28, str(canvas.getPageNumber()))
        canvas.restoreState()

    return draw
