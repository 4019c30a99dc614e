"""A report's numbers, as they are displayed: what is kept, shown, mailed and told to a model is the same text."""

from typing import Any

from accounts.models import Workspace
from analytics.queries.deltas import POST_METRICS, Delta, deltas
from analytics.queries.period import Choice, Period
from analytics.queries.ranking import Ranked, best_posts, worst_posts
from analytics.queries.series import series
from analytics.queries.totals import Totals, totals
from analytics.queries.words import amount, signed_percent
from campaigns.models import Campaign

Data = dict[str, Any]
LABELS = {
    "posts": ("Posts published", "发布帖子数"),
    "impressions": ("Impressions", "展示次数"),
    "engagements": ("Engagements", "互动次数"),
    "clicks": ("Clicks", "点击次数"),
    "visitors": ("Visitors", "访客数"),
    "conversions": ("Conversions", "转化次数"),
    "revenue_micro": ("Revenue", "收入"),
    "joins": ("Members who joined", "新增成员"),
    "ai_cost_micro": ("Cost of AI", "AI 费用"),
    "network_cost_micro": ("Cost of networks", "平台费用"),
    "media_cost_micro": ("Media costs", "媒体费用"),
}
CHARTS = {"clicks": ("Clicks a day", "每日点击"), "impressions": ("Impressions a day", "每日展示")}
SHOWN = 5


def gather(workspace: Workspace, period: Period, *, campaign: Campaign | None = None, language: str = "en") -> Data:
    """{"period", "facts", "series", "series_labels", "best", "worst", "notes"}. Inside the workspace's scope."""
    now, before = totals(workspace, period, campaign=campaign), totals(workspace, period.previous, campaign=campaign)
    compared = deltas(workspace, Choice(period, period.previous), campaign=campaign)
    zh = int(language == "zh")
    lines = {name: series(workspace, period, name, campaign=campaign) for name in CHARTS}
    return {
        "period": _period(period),
        "facts": [row for name, labels in LABELS.items() if (row := _fact(name, labels[zh], now, before, compared))],
        "series": {
            name: [{"day": f"{point.day.day} {point.day:%b}", "value": point.value} for point in points]
            for name, points in lines.items()
        },
        "series_labels": {name: labels[zh] for name, labels in CHARTS.items()},
        "best": [_post(post) for post in best_posts(workspace, period, campaign=campaign, limit=SHOWN)],
        "worst": [_post(post) for post in worst_posts(workspace, period, campaign=campaign, limit=SHOWN)],
        "notes": [f"{LABELS[name][zh]}: {why}" for name, why in now.notes.items() if name in LABELS],
    }


def _period(period: Period) -> Data:
    return {
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "zone": period.zone,
        "label": str(period),
        "before_label": str(period.previous),
        "before_start": period.previous.start.isoformat(),
        "before_end": period.previous.end.isoformat(),
    }


def _fact(name: str, label: str, now: Totals, before: Totals, compared: dict[str, Delta]) -> Data | None:
    """None where there is no number: the notes say why."""
    value, former = getattr(now, name), getattr(before, name)
    if value is None:
        return None
    change = (value - former) / abs(former) if former else None
    if name in POST_METRICS:
        # The former posts have gathered for longer: only what all had at one age says how it changed.
        percent = compared[name].percent if name in compared else None
        former, change = None, None if percent is None else percent / 100
    return {
        "id": name,
        "label": label,
        "value": value,
        "text": amount(name, value, now.currency),
        "before": former,
        "before_text": amount(name, former, now.currency),
        "change": change,
        "change_text": signed_percent(change, digits=1),
    }


def _post(post: Ranked) -> Data:
    return {"text": post.text, "account": post.account, "day": f"{post.day.day} {post.day:%b}", "figure": post.figure}
