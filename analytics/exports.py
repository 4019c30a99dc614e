"""Tables as a file: CSV with a block for each, or a workbook with a sheet for each."""

import csv
import re
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

from django.http import HttpResponse

from analytics.charts import Table
from analytics.queries.overview import Overview
from analytics.queries.roi import Roi
from analytics.queries.words import percent
from lib.csv_cells import defuse

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What XML cannot hold.
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What a workbook refuses in the name of a sheet.
UNFIT = re.compile(r"[\[\]:*?/\\']")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def tables_answer(tables: Sequence[Table], form: str, name: str) -> HttpResponse:
    """`form` is one of FORMATS; anything else is CSV."""
    form = form if form in FORMATS else "csv"
    body = as_xlsx(tables) if form == "xlsx" else as_csv(tables).encode()
    response = HttpResponse(body, content_type=FORMATS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def as_csv(tables: Sequence[Table]) -> str:
    """With a mark in front, without which Excel takes UTF-8 for something else."""
    file = StringIO(newline="")
    file.write("\ufeff")
    writer = csv.writer(file)
    for number, table in enumerate(tables):
        if number:
            writer.writerow([])
        if len(tables) > 1:
            writer.writerow([_csv_cell(table.title)])
        writer.writerows([_csv_cell(cell) for cell in row] for row in (table.headings, *table.rows))
    return file.getvalue()


def _csv_cell(value: Any) -> Any:
    """No text is a formula; a number is one, even below zero."""
    return value if value is None or isinstance(value, int | float) else defuse(str(value))


def as_xlsx(tables: Sequence[Table]) -> bytes:
    """Numbers stay numbers; everything else is text, whatever it begins with."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(NO_XML.sub("", UNFIT.sub(" ", table.title))[:31])

        def cell(value: Any, sheet: Any = sheet) -> Any:
            if value is None or isinstance(value, int | float):
                return value
            found = WriteOnlyCell(sheet, NO_XML.sub("", str(value)))
            found.data_type = "s"
            return found

        sheet.append([cell(heading) for heading in table.headings])
        for row in table.rows:
            sheet.append([cell(value) for value in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def overview_tables(shown: Overview) -> list[Table]:
    """What the page shows; a cell is empty where nothing was measured."""
    return [
        _kpi_table(shown),
        *(Table(chart.title, chart.headings, _chart_rows(chart)) for chart in shown.charts if not chart.is_empty),
        *([_funnel_table(shown)] if shown.funnel else []),
        *(_ranking_tables(shown)),
        *([_heat_table(shown)] if any(cell.number for row in shown.post_heat for cell in row) else []),
    ]


def _kpi_table(shown: Overview) -> Table:
    rows = [[kpi.label, getattr(shown.totals, kpi.key), kpi.delta and kpi.delta.change, kpi.note] for kpi in shown.kpis]
    return Table(f"Totals {shown.period}", ["Number", "Value", "Change, like with like", "Why there is none"], rows)


def _chart_rows(chart: Any) -> list[list[Any]]:
    return [list(row) for row in zip(chart.labels, *(line.values for line in chart.lines), strict=True)]


def _funnel_table(shown: Overview) -> Table:
    rows = [[step.label, step.value, percent(step.share), step.note] for step in shown.funnel]
    return Table("Funnel", ["Step", "Count", "Of the step before", "Why there is none"], rows)


def _ranking_tables(shown: Overview) -> list[Table]:
    headings = ["Account", "Day", "Impressions", "Engagements", "Rate", "Text", "Address"]
    return [
        Table(
            f"{title} posts on {ranking.network}",
            headings,
            [
                [row.account, row.day, row.post.impressions, row.post.engagements, row.rate, row.text, row.post.url]
                for row in rows
            ],
        )
        for ranking in shown.rankings
        for title, rows in (("Best", ranking.best), ("Worst", ranking.worst))
    ]


def _heat_table(shown: Overview) -> Table:
    cells = [cell for row in shown.post_heat for cell in row if cell.number]
    rows = [[WEEKDAYS[cell.weekday], cell.hour, cell.number, cell.value] for cell in cells]
    return Table("Hours", ["Weekday", "Hour", "Posts", "Engagements per impression (median)"], rows)


def costs_table(found: Roi) -> Table:
    """In US dollars; a cell is empty where it cannot be known."""
    rows: list[list[Any]] = [
        ["Revenue", _dollars(found.revenue_micro)],
        ["Revenue, at least (90 %)", _dollars(found.revenue_low_micro)],
        ["Revenue, at most (90 %)", _dollars(found.revenue_high_micro)],
        ["Cost of AI", _dollars(found.ai_cost_micro)],
        ["Cost of networks", _dollars(found.network_cost_micro)],
        ["Media cost", _dollars(found.media_cost_micro)],
        ["Left over", _dollars(found.profit_micro)],
        ["Return on costs", found.ratio],
        ["Chance that it paid", found.chance_positive],
        *(["", why] for why in found.missing),
    ]
    return Table("Return", ["Number", "US dollars"], rows)


def _dollars(micro: int | None) -> float | None:
    return None if micro is None else micro / 1_000_000
