"""How two periods compare, like with like.

Events are compared over whole days: a day that is not over is left out, and as many days at the other period's end.
Posts are compared at one age: those that have not reached it are left out, and the same hours at the other's end.
"""

from dataclasses import dataclass
from typing import Any

from accounts.models import Workspace
from analytics.queries.aged import Aged, posts_at_age, ripe_until
from analytics.queries.counted import Count, Kind, count_by
from analytics.queries.period import DAY, Choice, Period, today
from campaigns.models import Campaign
from lib.clock import now
from social.models import Connection

POST_METRICS = ("impressions", "engagements")


@dataclass(frozen=True)
class Delta:
    """None where one side was not measured. `percent` is None from zero on, too."""

    now: int | None
    before: int | None

    @property
    def percent(self) -> float | None:
        if self.now is None or not self.before:
            return None
        return 100 * (self.now - self.before) / self.before

    @property
    def change(self) -> int | None:
        return None if self.now is None or self.before is None else self.now - self.before


def deltas(
    workspace: Workspace, choice: Choice, *, campaign: Campaign | None = None, connection: Connection | None = None
) -> dict[str, Delta]:
    """By the name of a number in `Totals`; a number that cannot be compared is not in it."""
    found = _of_posts(workspace, choice, campaign, connection)
    if connection is None:
        found |= _of_events(workspace, choice, campaign)
    return found


def _of_events(workspace: Workspace, choice: Choice, campaign: Campaign | None) -> dict[str, Delta]:
    unfinished = 1 if choice.period.end >= today(workspace) else 0
    pair = [period.cut(unfinished) for period in (choice.period, choice.against)]
    if None in pair:
        return {}
    mine, other = [_sums(workspace, period, campaign) for period in pair if period]
    clicks, bought = (Kind.CLICK,), (Kind.CONVERSION,)
    return {
        "clicks": Delta(mine[clicks].events, other[clicks].events),
        "visitors": Delta(mine[clicks].visitors, other[clicks].visitors),
        "conversions": Delta(mine[bought].events, other[bought].events),
        "revenue_micro": Delta(mine[bought].value_micro, other[bought].value_micro),
    }


def _sums(workspace: Workspace, period: Period, campaign: Campaign | None) -> dict[Any, Count]:
    found = count_by(workspace.pk, period.start, period.end, ["kind"], campaign=campaign)
    return {(kind,): found.get((kind,), Count()) for kind in (Kind.CLICK, Kind.CONVERSION)}


def _of_posts(
    workspace: Workspace, choice: Choice, campaign: Campaign | None, connection: Connection | None
) -> dict[str, Delta]:
    moment = now()
    # By days and not by seconds: on the day when clocks change, an hour of the wall is an hour of the wall.
    shift = (choice.period.start - choice.against.start).days * DAY
    only: Any = {"campaign": campaign, "connection": connection}
    mine = posts_at_age(workspace, choice.period.starts_at, choice.period.ends_at, **only)
    other = posts_at_age(workspace, choice.against.starts_at, choice.against.ends_at, **only)
    mine = [post for post in mine if post.published_at < ripe_until(post.network, moment)]
    other = [post for post in other if post.published_at < ripe_until(post.network, moment) - shift]
    return {name: Delta(_sum(mine, name), _sum(other, name)) for name in POST_METRICS}


def _sum(posts: list[Aged], name: str) -> int | None:
    known = [value for post in posts if (value := getattr(post, name)) is not None]
    return sum(known) if known else None
