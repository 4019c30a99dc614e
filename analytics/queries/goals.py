"""Goals of a campaign held against what it did."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from analytics.models import FollowerCount, Target
from analytics.queries.period import FIRST_DAY, Period, today
from analytics.queries.totals import Totals, totals
from analytics.queries.words import money
from campaigns.models import Campaign, Delivery

LABELS = {
    "impressions": "Impressions",
    "engagements": "Engagements",
    "clicks": "Clicks",
    "visitors": "Visitors",
    "conversions": "Conversions",
    "revenue": "Revenue",
    "followers": "New followers",
}
# Followers come to an account, whatever brought them.
FOLLOWERS_NOTE = "Of all accounts it posts to: nobody can tell which campaign brought a follower."


@dataclass(frozen=True)
class Goal:
    """`reached` is None where nothing was measured; `note` says why."""

    target: Target
    reached: int | None
    note: str = ""
    currency: str = "USD"

    @property
    def reached_text(self) -> str:
        return self._words(self.reached or 0)

    @property
    def wanted_text(self) -> str:
        return self._words(self.target.value)

    def _words(self, value: int) -> str:
        return money(value, self.currency) if self.target.metric == "revenue" else f"{value:,}"

    @property
    def label(self) -> str:
        return LABELS[self.target.metric]

    @property
    def percent(self) -> int | None:
        if self.reached is None:
            return None
        return max(0, 100 * self.reached // self.target.value) if self.target.value else 100

    @property
    def bar(self) -> int:
        return min(100, self.percent or 0)


def targets(campaign: Campaign) -> list[Goal]:
    """Since its first day until today, whatever period a page shows."""
    rows = list(Target.objects.filter(campaign=campaign))
    if not rows:
        return []
    workspace = campaign.workspace
    period = lifetime(campaign, workspace)
    known = totals(workspace, period, campaign=campaign)
    return [_goal(row, campaign, period, known) for row in rows]


def lifetime(campaign: Campaign, workspace: Workspace) -> Period:
    created = campaign.created_at.astimezone(ZoneInfo(workspace.time_zone)).date()
    begin = min(campaign.starts_on or created, created)
    end = today(workspace)
    return Period(max(FIRST_DAY, min(begin, end)), end, workspace.time_zone)


def _goal(target: Target, campaign: Campaign, period: Period, known: Totals) -> Goal:
    if target.metric == "followers":
        gained = _followers(campaign, period)
        return Goal(target, gained, FOLLOWERS_NOTE if gained is not None else "Followers were not counted twice yet.")
    name = "revenue_micro" if target.metric == "revenue" else target.metric
    return Goal(target, getattr(known, name), known.notes.get(name, ""), known.currency)


def _followers(campaign: Campaign, period: Period) -> int | None:
    used = Delivery.objects.filter(post__campaign=campaign).values("connection")
    rows = FollowerCount.objects.filter(connection__in=used, day__range=(period.start, period.end)).order_by("day")
    ends: dict[object, tuple[int, int, int]] = {}
    for connection_id, count in rows.values_list("connection_id", "count"):
        first, _last, number = ends.get(connection_id, (count, count, 0))
        ends[connection_id] = (first, count, number + 1)
    gains = [last - first for first, last, number in ends.values() if number > 1]
    return sum(gains) if gains else None
