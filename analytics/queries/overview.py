"""All that a page of results shows, asked once: for the page, its export, what is shared of it and the API."""

from dataclasses import dataclass

from accounts.models import Workspace
from analytics.charts import Chart, Line, day_chart, spark, values_of
from analytics.queries.accounts import Account, accounts
from analytics.queries.aged import posts_at_age
from analytics.queries.deltas import Delta, deltas
from analytics.queries.funnels import Step, funnel_counts
from analytics.queries.heat import Cell, heat_of_clicks, heat_of_posts, is_empty
from analytics.queries.measured import NO_FOLLOWERS
from analytics.queries.period import Choice, Period
from analytics.queries.ranking import Ranking, rank_posts
from analytics.queries.series import Point, series_of
from analytics.queries.totals import Totals, totals
from analytics.queries.words import amount
from campaigns.models import Campaign
from social.models import Connection

# In their order on the page: the name in `Totals`, and what it is called.
KPIS = {
    "impressions": "Impressions",
    "engagements": "Engagements",
    "clicks": "Clicks",
    "visitors": "Visitors",
    "conversions": "Conversions",
    "revenue_micro": "Revenue",
}
COLOURS = ("accent", "info", "success", "warning", "st-publishing", "st-unconfirmed")


@dataclass(frozen=True)
class Kpi:
    """`text` is empty where nothing was measured; `note` says why."""

    key: str
    label: str
    text: str
    note: str
    delta: Delta | None
    spark: list[str]
    foot: str = ""

    @property
    def percent_text(self) -> str:
        percent = self.delta.percent if self.delta else None
        return "" if percent is None else f"{abs(percent):,.0f} %"

    @property
    def direction(self) -> str:
        """up, down, same, or empty where nothing can be compared."""
        change = self.delta.change if self.delta else None
        if change is None:
            return ""
        return "same" if change == 0 else "up" if change > 0 else "down"


@dataclass(frozen=True)
class Overview:
    choice: Choice
    totals: Totals
    kpis: list[Kpi]
    charts: list[Chart]
    rankings: list[Ranking]
    post_heat: list[list[Cell]]
    click_heat: list[list[Cell]]
    funnel: list[Step]
    accounts: list[Account]

    @property
    def period(self) -> Period:
        return self.choice.period

    @property
    def has_post_heat(self) -> bool:
        return not is_empty(self.post_heat)

    @property
    def has_click_heat(self) -> bool:
        return not is_empty(self.click_heat)

    @property
    def is_empty(self) -> bool:
        return not self.totals.posts and all(
            getattr(self.totals, name) in {None, 0} for name in ("clicks", "bot_clicks", "conversions", "revenue_micro")
        )


def overview(
    workspace: Workspace,
    choice: Choice,
    *,
    campaign: Campaign | None = None,
    connection: Connection | None = None,
) -> Overview:
    period = choice.period
    known = totals(workspace, period, campaign=campaign, connection=connection)
    lines = series_of(workspace, period, list(KPIS), campaign=campaign, connection=connection)
    aged = posts_at_age(workspace, period.starts_at, period.ends_at, campaign=campaign, connection=connection)
    rows = accounts(workspace, period, campaign=campaign, connection=connection)
    before = None if connection else series_of(workspace, choice.against, ["clicks"], campaign=campaign)["clicks"]
    return Overview(
        choice=choice,
        totals=known,
        kpis=kpis(known, deltas(workspace, choice, campaign=campaign, connection=connection), lines),
        charts=_charts(period, lines, before, known, [] if campaign else rows),
        rankings=rank_posts(aged, period.zone),
        post_heat=heat_of_posts(aged, period.zone),
        click_heat=[] if connection else heat_of_clicks(workspace, period, campaign=campaign),
        funnel=[] if connection else funnel_counts(workspace, None, period, campaign=campaign, known=known),
        accounts=rows,
    )


def kpis(known: Totals, compared: dict[str, Delta], lines: dict[str, list[Point]]) -> list[Kpi]:
    return [
        Kpi(
            key=name,
            label=label,
            text=amount(name, getattr(known, name), known.currency),
            note=known.notes.get(name, ""),
            delta=compared.get(name),
            spark=spark(values_of(lines.get(name, []))),
            foot=_foot(name, known),
        )
        for name, label in KPIS.items()
    ]


def _foot(name: str, known: Totals) -> str:
    if name == "clicks" and known.bot_clicks:
        return f"{known.bot_clicks:,} more by bots"
    if name == "visitors" and known.visitors:
        return "counted anew every day"
    return ""


def _charts(
    period: Period, lines: dict[str, list[Point]], before: list[Point] | None, known: Totals, rows: list[Account]
) -> list[Chart]:
    days = period.dates
    clicks = [
        Line("Clicks", values_of(lines["clicks"])),
        Line("Conversions", values_of(lines["conversions"]), "success"),
    ]
    if before:
        clicks.append(Line("Clicks before", values_of(before)[: len(days)], "muted", is_dashed=True))
    posts = [
        Line("Impressions", values_of(lines["impressions"]), "info"),
        Line("Engagements (right)", values_of(lines["engagements"]), is_right=True),
    ]
    found = [
        day_chart("chart-clicks", "Clicks and conversions", days, clicks, empty=known.notes.get("clicks", "")),
        day_chart(
            "chart-posts",
            "What posts gathered, by the day they went out",
            days,
            posts,
            kind="bar",
            note="Posts of the last days are still gathering.",
            empty=known.notes.get("impressions", ""),
        ),
    ]
    return [*found, _followers(period, rows)] if rows else found


def _followers(period: Period, rows: list[Account]) -> Chart:
    lines = []
    for number, row in enumerate(rows):
        readings = dict(row.readings)
        values = [readings.get(day) for day in period.dates]
        lines.append(Line(str(row.connection), values, COLOURS[number % len(COLOURS)]))
    return day_chart("chart-followers", "Followers", period.dates, lines, empty=NO_FOLLOWERS)
