"""What came back for what was spent, and how sure that is.

Revenue is a sum of values of conversions that come at random (a compound Poisson sum), so its own squares say how far
off another such period might be. Where nothing was taken back, the interval is that of Fay and Feuer (1997, Statistics
in Medicine 16:791) for sums of weighted Poisson counts, with the highest value that a conversion had within a year: for
equal values it is the exact one of Garwood, for many conversions it becomes the normal one. Refunds are negative
values, which it cannot hold: then the normal one is used.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, FloatField, Max, Min, Q, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from analytics.models import Conversion, Tracking
from analytics.queries.measured import NO_CONVERSIONS, NO_VALUES
from analytics.queries.period import Period
from analytics.queries.totals import Totals, totals
from analytics.queries.words import money, signed_percent
from campaigns.models import Campaign

LEVEL = 0.90
NO_COSTS = "Nothing was spent, so there is no return on it."
NOTHING_SOLD = "No conversion in these days: nothing says how far off that may be."
NO_MEDIA = "No media cost is written down: if there was any, add it."


@dataclass(frozen=True)
class Sums:
    """Of the conversions with a value, in one unit of money; `highest` is what one may be worth, seen here or not."""

    number: int
    total: float
    squares: float
    highest: float
    lowest: float


@dataclass(frozen=True)
class Roi:
    """In micro-dollars. `ratio` is (revenue − costs) ÷ costs. None where it cannot be known; `missing` says why."""

    revenue_micro: int | None
    ai_cost_micro: int
    network_cost_micro: int
    media_cost_micro: int
    revenue_low_micro: int | None = None
    revenue_high_micro: int | None = None
    chance_positive: float | None = None
    conversions: int = 0
    missing: list[str] = field(default_factory=list)

    @property
    def costs_micro(self) -> int:
        return self.ai_cost_micro + self.network_cost_micro + self.media_cost_micro

    @property
    def profit_micro(self) -> int | None:
        return None if self.revenue_micro is None else self.revenue_micro - self.costs_micro

    @property
    def ratio(self) -> float | None:
        return self._ratio(self.revenue_micro)

    @property
    def ratio_low(self) -> float | None:
        return self._ratio(self.revenue_low_micro)

    @property
    def ratio_high(self) -> float | None:
        return self._ratio(self.revenue_high_micro)

    @property
    def ratio_text(self) -> str:
        return signed_percent(self.ratio)

    @property
    def ratio_low_text(self) -> str:
        return signed_percent(self.ratio_low)

    @property
    def ratio_high_text(self) -> str:
        return signed_percent(self.ratio_high)

    @property
    def chance_text(self) -> str:
        """Never quite sure."""
        chance = self.chance_positive
        if chance is None:
            return ""
        return "above 99 %" if chance > 0.99 else "below 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"

    @property
    def revenue_text(self) -> str:
        return money(self.revenue_micro or 0)

    @property
    def ai_text(self) -> str:
        return money(self.ai_cost_micro)

    @property
    def network_text(self) -> str:
        return money(self.network_cost_micro)

    @property
    def media_text(self) -> str:
        return money(self.media_cost_micro)

    @property
    def profit_text(self) -> str:
        return money(self.profit_micro or 0)

    def _ratio(self, revenue: int | None) -> float | None:
        return None if revenue is None or not self.costs_micro else (revenue - self.costs_micro) / self.costs_micro


def roi(workspace: Workspace, period: Period, campaign: Campaign | None = None, *, known: Totals | None = None) -> Roi:
    """`known`: the totals of the same days, where they were asked for already."""
    known = known or totals(workspace, period, campaign=campaign)
    costs = (known.ai_cost_micro or 0, known.network_cost_micro, known.media_cost_micro or 0)
    missing = [] if costs[2] else [NO_MEDIA]
    if known.revenue_micro is None:
        why = NO_CONVERSIONS if known.conversions is None else NO_VALUES
        return Roi(None, *costs, missing=[why, *missing])
    sums, dollars = _sums(workspace, period, campaign)
    revenue = round(sums.total * dollars)
    if not sum(costs):
        missing.insert(0, NO_COSTS)
    if not sums.number:
        return Roi(revenue, *costs, missing=[NOTHING_SOLD, *missing])
    low, high = interval(sums)
    chance = chance_above(sums, sum(costs) / dollars) if sum(costs) else None
    return Roi(
        revenue,
        *costs,
        revenue_low_micro=round(low * dollars),
        revenue_high_micro=round(high * dollars),
        chance_positive=chance,
        conversions=sums.number,
        missing=missing,
    )


def _sums(workspace: Workspace, period: Period, campaign: Campaign | None) -> tuple[Sums, float]:
    rows = Conversion.objects.filter(workspace=workspace, at__gte=period.starts_at, at__lt=period.ends_at)
    rows = rows.filter(~Q(value_micro=0), **({"campaign": campaign} if campaign else {}))
    value = Cast(F("value_micro"), FloatField())
    found: dict[str, Any] = rows.aggregate(
        number=Count("pk", filter=Q(value_micro__gt=0)),
        total=Sum(value),
        squares=Sum(value * value),
        lowest=Min(value),
    )
    found["highest"] = _highest(workspace, period)
    tracking = Tracking.objects.filter(workspace=workspace).only("dollars_per_unit").first()
    dollars = float(tracking.dollars_per_unit) if tracking else 1.0
    return Sums(**{name: number or 0 for name, number in found.items()}), dollars


def _highest(workspace: Workspace, period: Period) -> float:
    """Of a year. Had only what was sold in these days a place in the sum, a dear thing sold seldom would have none."""
    until = period.ends_at
    rows = Conversion.objects.filter(workspace=workspace, at__gte=until - timedelta(days=365), at__lt=until)
    return float(rows.aggregate(highest=Max("value_micro"))["highest"] or 0)


def interval(sums: Sums, level: float = LEVEL) -> tuple[float, float]:
    """Within which the expected revenue lies."""
    from scipy.special import gammaincinv, ndtri

    tail = (1 - level) / 2
    if sums.lowest < 0 or sums.total <= 0:
        half = float(ndtri(1 - tail)) * sums.squares**0.5
        return sums.total - half, sums.total + half
    (low_shape, low_scale), (high_shape, high_scale) = _gammas(sums)
    low = low_scale * float(gammaincinv(low_shape, tail))
    return low, high_scale * float(gammaincinv(high_shape, 1 - tail))


def chance_above(sums: Sums, cost: float) -> float:
    """How likely the expected revenue is above the cost: midway between the two ends' distributions."""
    from scipy.special import gammaincc, ndtr

    if sums.lowest < 0 or sums.total <= 0:
        return float(ndtr((sums.total - cost) / sums.squares**0.5))
    return sum(float(gammaincc(shape, cost / scale)) for shape, scale in _gammas(sums)) / 2


def _gammas(sums: Sums) -> tuple[tuple[float, float], tuple[float, float]]:
    """Shape and scale of the lower and of the upper end."""
    one_more, squared = sums.total + sums.highest, sums.squares + sums.highest**2
    lower = (sums.total**2 / sums.squares, sums.squares / sums.total)
    return lower, (one_more**2 / squared, squared / one_more)
