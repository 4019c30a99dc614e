"""The overview: what it shows, who may see it, what it says where nothing was measured, and its files."""

import csv
import io
import json
import re

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.charts import Chart, Line, Table, number, spark
from analytics.exports import as_csv, as_xlsx
from analytics.queries.live import CONNECTION_S, kpi_events
from analytics.queries.period import read_choice
from analytics.queries.words import amount, money, percent, signed_percent
from social.models import Connection
from tests.analytics.results_cast import DAY, NOON, add_clicks, add_link, add_measured
from tests.campaigns.cast import add_connection


def page(client: Client, workspace: Workspace, path: str = "", **query: str):
    return client.get(f"/w/{workspace.slug}/results{path}", query)


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_new_workspace_is_told_how_to_get_numbers(workspace, alice_client) -> None:
    response = page(alice_client, workspace)
    assert "Nothing to measure yet" in text_of(response)
    assert b"data-live" not in response.content
    assert b"<canvas" not in response.content


def test_the_overview_shows_numbers_charts_and_posts(busy, workspace, vic, client_of) -> None:
    response = page(client_of(vic), workspace, days="7")
    shown = text_of(response)
    for words in ("7,021", "Best posts on X", "Worst posts on X", "Hours of clicks", "7 more by bots", "$120.00"):
        assert words in shown, words
    charts = re.findall(r'data-chart="([^"]+)"', response.content.decode())
    assert charts == ["chart-clicks-data", "chart-posts-data", "chart-followers-data"]
    for name in charts:
        data = json.loads(re.search(rf'id="{name}"[^>]*>(.*?)</script>', response.content.decode(), re.S)[1])
        assert len(data["labels"]) == 7
        assert all(len(line["values"]) == 7 for line in data["lines"])


def test_every_chart_has_a_table_with_the_same_numbers(busy, workspace, alice_client) -> None:
    shown = page(alice_client, workspace, days="7").context["shown"]
    for chart in shown.charts:
        for label, *cells in chart.rows:
            place = list(chart.labels).index(label)
            assert cells == [number(line.values[place]) for line in chart.lines]


def test_no_script_or_style_stands_in_the_page(busy, workspace, alice_client) -> None:
    html = page(alice_client, workspace).content.decode()
    assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", html))
    assert not re.findall(r"\sstyle=|\son\w+=\"", html)


def test_where_nothing_was_measured_stands_the_reason(workspace, alice_client) -> None:
    with workspace_scope(workspace.pk):
        channel = Connection.objects.create(workspace=workspace, network="telegram", remote_id="-1", name="News")
        add_measured(channel, NOON - DAY, reactions=4)
    shown = text_of(page(alice_client, workspace))
    for words in ("did not say how often they were seen", "use one in a post", "No conversion was reported yet"):
        assert words in shown, words


def test_filters_narrow_the_numbers(busy, workspace, alice_client) -> None:
    with workspace_scope(workspace.pk):
        cafe = add_connection(workspace, "cafe")
        add_measured(cafe, NOON - DAY, impressions=3)
    assert page(alice_client, workspace, connection=str(cafe.pk)).context["shown"].totals.impressions == 3
    of_campaign = page(alice_client, workspace, campaign=str(busy.pk)).context["shown"]
    assert of_campaign.totals.posts == 28
    for nonsense in ("x", "018f0000-0000-7000-8000-000000000000"):
        assert page(alice_client, workspace, campaign=nonsense).context["shown"].totals.posts == 29


def test_a_period_of_its_own_is_kept_in_links_and_files(busy, workspace, alice_client) -> None:
    given = {"from": "2026-02-20", "to": "2026-02-26", "than": "2026-02-01"}
    response = page(alice_client, workspace, **given)
    assert response.context["wanted"].params == given
    assert b"from=2026-02-20" in response.content
    assert response.context["shown"].totals.posts == 7
    assert page(alice_client, workspace, days="7").context["wanted"].params == {"days": "7"}


@pytest.mark.parametrize("path", ["", "/export", "/live", "/audience", "/cohorts", "/funnels", "/segments", "/unusual"])
def test_guests_see_none_of_the_workspaces_results(workspace, gwen, client_of, path: str) -> None:
    assert page(client_of(gwen), workspace, path).status_code == 403


def test_strangers_find_nothing(workspace, charlie_client) -> None:
    assert page(charlie_client, workspace).status_code == 404


def test_the_overview_asks_as_often_however_much_happened(busy, workspace, alice_client) -> None:
    page(alice_client, workspace)
    with CaptureQueriesContext(database) as few:
        page(alice_client, workspace)
    with workspace_scope(workspace.pk):
        roastery = Connection.objects.get()
        for hours in range(40):
            add_measured(roastery, NOON - 2 * DAY - hours * DAY / 4, impressions=9, likes=1)
        add_clicks(workspace, NOON - DAY, 40)
    with CaptureQueriesContext(database) as many:
        page(alice_client, workspace)
    assert len(many) == len(few)


# --- files ------------------------------------------------------------------------------------------------


def test_the_csv_holds_what_the_page_shows(busy, workspace, alice_client) -> None:
    response = page(alice_client, workspace, "/export", days="7", **{"as": "csv"})
    assert response["Content-Disposition"] == 'attachment; filename="results-2026-03-04-2026-03-10.csv"'
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert ["Impressions", "7021", "-42", ""] in rows
    assert ["10 Mar", "3", "1", "3"] in rows
    assert any(row[:1] == ["@roastery"] or "roastery" in "".join(row) for row in rows)


def test_the_workbook_has_a_sheet_for_each_table_and_numbers_as_numbers(busy, workspace, alice_client) -> None:
    response = page(alice_client, workspace, "/export", days="7", **{"as": "xlsx"})
    book = load_workbook(io.BytesIO(response.content))
    assert "Clicks and conversions" in book.sheetnames
    assert book["Clicks and conversions"]["B2"].value == 3
    assert page(alice_client, workspace, "/export", **{"as": "exe"})["Content-Type"].startswith("text/csv")


def test_no_cell_of_a_file_is_a_formula() -> None:
    table = Table("=1+1", ["=A1", "Count"], [["=HYPERLINK(1)", 3], ["@x", None], ["-1", -1.0]])
    rows = list(csv.reader(io.StringIO(as_csv([table]).removeprefix("\ufeff"))))
    assert [row[0] for row in rows] == ["'=A1", "'=HYPERLINK(1)", "'@x", "'-1"]
    assert rows[3][1] == "-1.0"
    sheet = load_workbook(io.BytesIO(as_xlsx([table]))).worksheets[0]
    assert [cell.data_type for cell in sheet["A"]] == ["s", "s", "s", "s"]
    assert sheet["B2"].value == 3
    assert sheet["B3"].value is None


def test_names_that_no_sheet_can_have_are_mended() -> None:
    book = load_workbook(io.BytesIO(as_xlsx([Table("a/b:c*?[d]" + "x" * 40, ["H\x01"], [["v\x02"]])])))
    assert len(book.sheetnames[0]) == 31
    assert book.worksheets[0]["A2"].value == "v"


# --- live -------------------------------------------------------------------------------------------------


def test_cards_are_told_when_a_number_changes_and_only_then(in_workspace: Workspace) -> None:
    link = add_link(in_workspace)
    period = read_choice(in_workspace, {"days": "7"}).period
    ticks: list[float] = []

    def sleep(_seconds: float) -> None:
        ticks.append(1)
        if len(ticks) == 3:
            add_clicks(in_workspace, NOON, 2, link_id=link.pk)

    clock = iter([0.0] * 12 + [CONNECTION_S + 1] * 3)
    events = list(kpi_events(in_workspace, period, clock=lambda: next(clock), sleep=sleep))
    told = [json.loads(event.decode().split("data: ")[1]) for event in events if event.startswith(b"event: kpis")]
    assert [(texts["clicks"], texts["impressions"]) for texts in told] == [("0", ""), ("2", "")]
    assert events[-1].startswith(b"retry:")


def test_a_stream_with_no_news_says_that_it_is_alive(in_workspace: Workspace) -> None:
    period = read_choice(in_workspace, {}).period
    clock = iter([0.0, 0.0, 0.0, 0.0, 20.0, 20.0, CONNECTION_S + 1, CONNECTION_S + 1])
    events = list(kpi_events(in_workspace, period, clock=lambda: next(clock), sleep=lambda _s: None))
    assert b": still here\n\n" in events


def test_the_stream_is_an_event_stream_that_nobody_keeps(busy, workspace, alice_client) -> None:
    response = page(alice_client, workspace, "/live", days="7")
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-store"
    first = next(iter(response.streaming_content))
    assert json.loads(first.decode().split("data: ")[1])["clicks"] == "21"


def test_the_stream_is_only_read(workspace, alice_client) -> None:
    assert alice_client.post(f"/w/{workspace.slug}/results/live").status_code == 405


# --- numbers and charts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (money(1_234_567_890), "$1,234.57"),
        (money(-5_000_000, "EUR"), "−5.00 EUR"),
        (amount("clicks", None), ""),
        (amount("clicks", 1234), "1,234"),
        (amount("revenue_micro", 2_000_000, "EUR"), "2.00 EUR"),
        (amount("ai_cost_micro", 2_000_000, "EUR"), "$2.00"),
        (percent(None), ""),
        (percent(0.0023), "0.23 %"),
        (percent(0.38), "38 %"),
        (percent(1.2), "120 %"),
        (signed_percent(-0.08), "−8 %"),
        (signed_percent(1.2), "+120 %"),
        (signed_percent(0), "0 %"),
        (number(None), "–"),
        (number(0), "0"),
    ],
)
def test_numbers_in_words(shown: str, words: str) -> None:
    assert shown == words


def test_a_gap_is_a_gap_in_every_picture() -> None:
    assert spark([1, None, None, 2, 3]) == ["75.0,8.3 100.0,1.0"]
    assert spark([None, 4, None]) == []
    assert len(spark([0, 0, 0])) == 1
    chart = Chart("c", "C", ["a", "b"], [Line("L", [None, 3]), Line("M", [None, None])])
    assert chart.data["lines"][0]["values"] == [None, 3]
    assert chart.rows == [["b", "3", "–"]]
    assert not chart.is_empty
    assert Chart("c", "C", ["a"], [Line("L", [None])]).is_empty
