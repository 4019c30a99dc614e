"""Which posts did best and worst, each at the same age as the others of its network.

The order is by what is certain: the lower end of a 90 % interval for the best, the upper end for the worst, of a rate
that is drawn to the average by as much as AVERAGE impressions weigh. Otherwise the posts that hardly anybody saw would
lead both lists.
"""

import math
from dataclasses import dataclass
from datetime import date
from itertools import chain, zip_longest
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from analytics.queries.aged import Aged, age_words, posts_at_age
from analytics.queries.period import Period
from analytics.queries.words import percent
from campaigns.models import Campaign
from social.models import Network

# Of the normal distribution, for 5 % on each side.
Z = 1.6448536269514722
FEWEST = 4
AVERAGE = 100
SHOWN = 5


@dataclass(frozen=True)
class Ranked:
    """`rate` is engagements per impression; without impressions the posts are in the order of their engagements."""

    post: Aged
    day: date
    rate: float | None
    low: float
    high: float

    @property
    def text(self) -> str:
        return self.post.text

    @property
    def account(self) -> str:
        return self.post.account

    @property
    def figure(self) -> str:
        """The number that it stands by, in words."""
        if self.rate is None:
            return f"{self.post.engagements:,} engagements"
        return f"{percent(self.rate)} of {self.post.impressions:,} seen"


@dataclass(frozen=True)
class Ranking:
    network: str
    best: list[Ranked]
    worst: list[Ranked]
    compared: int
    has_rates: bool

    @property
    def network_name(self) -> str:
        return str(Network(self.network).label)

    @property
    def age(self) -> str:
        return age_words(self.network)


def best_posts(
    workspace: Workspace, period: Period, *, campaign: Campaign | None = None, limit: int = SHOWN
) -> list[Ranked]:
    """Of all networks, in turn: posts of two networks cannot be held against each other."""
    return _in_turn([ranking.best for ranking in _rankings(workspace, period, campaign, limit)], limit)


def worst_posts(
    workspace: Workspace, period: Period, *, campaign: Campaign | None = None, limit: int = SHOWN
) -> list[Ranked]:
    return _in_turn([ranking.worst for ranking in _rankings(workspace, period, campaign, limit)], limit)


def _rankings(workspace: Workspace, period: Period, campaign: Campaign | None, limit: int) -> list[Ranking]:
    posts = posts_at_age(workspace, period.starts_at, period.ends_at, campaign=campaign)
    return rank_posts(posts, period.zone, shown=limit)


def _in_turn(lists: list[list[Ranked]], limit: int) -> list[Ranked]:
    return [row for row in chain.from_iterable(zip_longest(*lists)) if row][:limit]


def rank_posts(posts: list[Aged], zone: str, *, shown: int = SHOWN) -> list[Ranking]:
    """One for each network with at least FEWEST posts that can be compared."""
    found = []
    for network in sorted({post.network for post in posts}):
        known = [post for post in posts if post.network == network and post.engagements is not None]
        rated = [post for post in known if post.impressions]
        # Those without impressions cannot stand in one list with the others.
        has_rates = bool(rated) and len(rated) * 2 >= len(known)
        average = _average(rated) if has_rates else None
        ranked = [_ranked(post, zone, average) for post in (rated if has_rates else known)]
        if len(ranked) >= FEWEST:
            found.append(_ranking(network, ranked, shown, has_rates=has_rates))
    return found


def _ranking(network: str, ranked: list[Ranked], shown: int, *, has_rates: bool) -> Ranking:
    # No post is both among the best and among the worst.
    number = min(shown, len(ranked) // 2)
    best = sorted(ranked, key=lambda row: (-row.low, row.post.published_at))[:number]
    rest = [row for row in ranked if row not in best]
    worst = sorted(rest, key=lambda row: (row.high, row.post.published_at))[:number]
    return Ranking(network, best, worst, len(ranked), has_rates)


def _average(rated: list[Aged]) -> float:
    return min(1.0, sum(post.engagements or 0 for post in rated) / sum(post.impressions or 0 for post in rated))


def _ranked(post: Aged, zone: str, average: float | None) -> Ranked:
    engaged = post.engagements or 0
    day = post.published_at.astimezone(ZoneInfo(zone)).date()
    if average is None:
        return Ranked(post, day, None, engaged, engaged)
    seen = post.impressions or 0
    low, high = wilson(min(engaged, seen) + AVERAGE * average, seen + AVERAGE)
    return Ranked(post, day, post.rate, low, high)


def wilson(successes: float, trials: float, z: float = Z) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927); (0, 1) where nothing was tried."""
    if not trials:
        return 0.0, 1.0
    p, square = successes / trials, z * z
    middle = (p + square / (2 * trials)) / (1 + square / trials)
    half = z * math.sqrt(p * (1 - p) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return max(0.0, middle - half), min(1.0, middle + half)
