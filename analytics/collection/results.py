"""What measured posts tell the rest of the product. A difference between hours is what was seen, not what caused it."""

import math
from collections import Counter, defaultdict
from statistics import fmean, median, stdev
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from analytics.ages import DAY
from analytics.models import MeasuredPost, Snapshot
from campaigns.account_health import note_reach
from campaigns.models import Campaign
from campaigns.timing import HourResult, Measured
from social.models import Connection

# The last posts, held against those before them.
RECENT, USUAL, LEAST_USUAL = 5, 20, 10
# Fewer posts than this say nothing about an hour.
LEAST_IN_HOUR = 5
NEWEST = 1000
CONFIDENCE = 0.95


def tell_reach(connection: Connection) -> bool:
    """Whether reach fell so far that the account's health hears of it. Inside the workspace's scope."""
    counts = [reach for _, reach in _reached(connection)[: RECENT + USUAL]]
    recent, usual = counts[:RECENT], counts[RECENT:]
    if len(usual) < LEAST_USUAL:
        return False
    return note_reach(connection, usual=median(usual), recent=median(recent))


def hours_of(connection: Connection, zone: str) -> Measured:
    """For `campaigns.timing`. Inside the workspace's scope."""
    clock, by_hour = ZoneInfo(zone), defaultdict[int, list[int]](list)
    rows = _reached(connection)
    for published_at, reach in rows:
        by_hour[published_at.astimezone(clock).hour].append(reach)
    results = [_hour(hour, counts) for hour, counts in by_hour.items() if len(counts) >= LEAST_IN_HOUR]
    return Measured(len(rows), tuple(sorted(results, key=lambda result: -result.low)))


def _reached(connection: Connection) -> list[tuple[Any, int]]:
    """Moment and impressions after a day, the newest first."""
    rows = Snapshot.objects.filter(post__connection=connection, age_s=DAY, metrics__has_key="impressions")
    newest = rows.order_by("-post__published_at", "post_id")[:NEWEST]
    return list(newest.values_list("post__published_at", "metrics__impressions"))


def _hour(hour: int, counts: list[int]) -> HourResult:
    """Reach is skewed and multiplies: mean and Student's interval of its logarithm."""
    from scipy.special import stdtrit

    logs = [math.log1p(count) for count in counts]
    mean, error = fmean(logs), stdev(logs) / math.sqrt(len(logs))
    width = float(stdtrit(len(logs) - 1, (1 + CONFIDENCE) / 2)) * error
    reach, low, high = (round(math.expm1(max(0.0, value)), 1) for value in (mean, mean - width, mean + width))
    return HourResult(hour, len(counts), reach, low, high)


def facts_of(workspace: Workspace, campaign: Campaign | None = None) -> dict[str, Any]:
    """For `campaigns.audience`: medians of what posts had after a day. Inside the workspace's scope."""
    rows = Snapshot.objects.filter(workspace=workspace, age_s=DAY, metrics__has_key="impressions")
    if campaign:
        rows = rows.filter(post__campaign=campaign)
    seen = list(rows.order_by("-at").values_list("post__connection__network", "metrics")[:NEWEST])
    measured = MeasuredPost.objects.filter(workspace=workspace).exclude(measured_at=None)
    networks = Counter(network for network, _ in seen)
    reach = {name: round(median(one["impressions"] for net, one in seen if net == name)) for name in networks}
    posts = measured.filter(campaign=campaign).count() if campaign else measured.count()
    lines = [f"{posts} posts were measured."]
    lines += [
        f"Half of {networks[name]} posts on {name} were seen at least {count:,} times within a day."
        for name, count in reach.items()
    ]
    return {"posts": posts, "reach": reach, "lines": lines}
