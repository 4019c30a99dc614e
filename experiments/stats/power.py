"""How many units, posts or days a test needs, and what it can find in the time there is.

Sizes are units per arm, not rounded; `ratio` is units of arm 2 for each of arm 1, and sizes are those of arm 1.
"""

import math
from dataclasses import dataclass

from scipy.special import ndtri

from experiments.stats.checks import check_finite, check_positive, check_share
from experiments.stats.errors import StatsError
from experiments.stats.special import find_root

HORIZON_DAYS = 90
FEWEST_PAIRS = 6


@dataclass(frozen=True)
class Design:
    """Two-sided alpha, power, units of arm 2 per unit of arm 1."""

    alpha: float = 0.05
    power: float = 0.8
    ratio: float = 1.0

    def __post_init__(self) -> None:
        check_share(self.alpha, "alpha")
        check_share(self.power, "power")
        check_positive(self.ratio, "ratio")

    @property
    def z_alpha(self) -> float:
        return float(-ndtri(self.alpha / 2))

    @property
    def z_power(self) -> float:
        return float(ndtri(self.power))


@dataclass(frozen=True)
class SampleSizes:
    """Units of arm 1 by convention: 20 % -> 25 % needs 1,094 pooled, 1,091 unpooled, 1,030 after Miller, 1,092 arcsine.

    `designed` is the pooled size times the design effect, `needed` that rounded up.
    """

    pooled: float
    unpooled: float
    evan_miller: float
    arcsine: float
    fleiss_corrected: float
    designed: float
    needed: int


def sample_sizes(p1: float, p2: float, design: Design | None = None, design_effect: float = 1.0) -> SampleSizes:
    """For two proportions; raises `StatsError` unless 0 < p < 1 and p1 ≠ p2.

    Pooled: Fleiss 1981 and R's `power.prop.test`. Corrected: Fleiss with continuity correction. Arcsine: Cohen 1988.
    """
    design = design or Design()
    check_share(p1, "p1")
    check_share(p2, "p2, the rate with the lift,")
    check_positive(design_effect, "deff")
    if p1 == p2:
        raise StatsError("the lift must not be 0: no number of units finds no effect")
    pooled = _pooled_size(p1, p2, design)
    designed = pooled * design_effect
    return SampleSizes(
        pooled=pooled,
        unpooled=_unpooled_size(p1, p2, design),
        evan_miller=_miller_size(p1, p2, design),
        arcsine=_arcsine_size(p1, p2, design),
        fleiss_corrected=_corrected_size(pooled, p1, p2, design),
        designed=designed,
        needed=math.ceil(designed),
    )


def _spread(p1: float, p2: float, design: Design) -> float:
    """Standard deviation of the difference for one unit of arm 1."""
    return math.sqrt(p1 * (1 - p1) + p2 * (1 - p2) / design.ratio)


def _pooled_size(p1: float, p2: float, design: Design) -> float:
    middle = (p1 + design.ratio * p2) / (1 + design.ratio)
    root = design.z_alpha * _spread(middle, middle, design) + design.z_power * _spread(p1, p2, design)
    return (root / (p2 - p1)) ** 2


def _unpooled_size(p1: float, p2: float, design: Design) -> float:
    return ((design.z_alpha + design.z_power) * _spread(p1, p2, design) / (p2 - p1)) ** 2


def _miller_size(p1: float, p2: float, design: Design) -> float:
    """The null term with the baseline's variance, as the calculator on evanmiller.org has it."""
    root = design.z_alpha * _spread(p1, p1, design) + design.z_power * _spread(p1, p2, design)
    return (root / (p2 - p1)) ** 2


def _arcsine_size(p1: float, p2: float, design: Design) -> float:
    effect = 2 * (math.asin(math.sqrt(p2)) - math.asin(math.sqrt(p1)))
    return ((design.z_alpha + design.z_power) / effect) ** 2 * (1 + 1 / design.ratio)


def _corrected_size(pooled: float, p1: float, p2: float, design: Design) -> float:
    step = 2 * (1 + design.ratio) / (design.ratio * pooled * abs(p2 - p1))
    return pooled / 4 * (1 + math.sqrt(1 + step)) ** 2


def detectable_rate(p1: float, n: float, design: Design | None = None) -> float | None:
    """The smallest p2 above p1 that n units in arm 1 find (the inverse of the pooled size); None where none is."""
    design = design or Design()
    check_share(p1, "p1")
    check_positive(n, "n")

    def excess(p2: float) -> float:
        return math.log(_pooled_size(p1, p2, design) / n)

    low, high = p1 * (1 + 1e-12), 1 - 1e-15
    if low >= high or excess(high) > 0:
        return None
    return find_root(excess, low, high, 1e-17)


def power_of_proportions(p1: float, p2: float, n: float, design: Design | None = None) -> float:
    """Power of the pooled test with n units in arm 1 (R's `power.prop.test`, not strict)."""
    design = design or Design()
    middle = (check_share(p1, "p1") + design.ratio * check_share(p2, "p2")) / (1 + design.ratio)
    gap = math.sqrt(check_positive(n, "n")) * abs(p2 - p1) - design.z_alpha * _spread(middle, middle, design)
    return 0.5 * math.erfc(-gap / _spread(p1, p2, design) / math.sqrt(2))


def size_of_means(variance: float, difference: float, design: Design | None = None) -> float:
    """Units of arm 1 for two means of equal variance, by the normal distribution."""
    design = design or Design()
    check_positive(abs(check_finite(difference, "the difference")), "the difference")
    spread = check_positive(variance, "the variance") * (1 + 1 / design.ratio)
    return spread * ((design.z_alpha + design.z_power) / difference) ** 2


def pairs_needed(log_lift: float, residual_sd: float, design: Design | None = None) -> int:
    """Pairs of posts that find a difference of `log_lift` in log-odds when pairs scatter by `residual_sd` around it.

    Normal size with Guenther's correction for the t test (1981), and at least six: fewer cannot reach p ≤ .05.
    """
    design = design or Design()
    effect = abs(check_finite(log_lift, "the lift")) / check_positive(residual_sd, "the residual's spread")
    check_positive(effect, "the lift")
    fewest = math.ceil(1 - math.log2(design.alpha))
    return max(math.ceil(((design.z_alpha + design.z_power) / effect) ** 2 + design.z_alpha**2 / 2), fewest)


def detectable_log_lift(pairs: float, residual_sd: float, design: Design | None = None) -> float:
    """The smallest difference in log-odds that so many pairs find: the inverse of `pairs_needed` before rounding."""
    design = design or Design()
    freedom = check_positive(pairs, "pairs") - design.z_alpha**2 / 2
    if freedom <= 0:
        return math.inf
    return (design.z_alpha + design.z_power) * check_positive(residual_sd, "the residual's spread") / math.sqrt(freedom)


@dataclass(frozen=True)
class Plan:
    """Whether it can be done within the horizon; where not, the smallest lift that could be found in it.

    `smallest_lift` is relative (.2 for +20 %), None where nothing at all could be found.
    """

    units: float
    days: float
    is_feasible: bool
    smallest_lift: float | None


def plan_rates(
    p1: float,
    lift: float,
    units_per_day: float,
    design: Design | None = None,
    design_effect: float = 1.0,
    horizon_days: float = HORIZON_DAYS,
) -> Plan:
    """Days for two proportions when `units_per_day` come to both arms together."""
    design = design or Design()
    rate = check_positive(units_per_day, "units per day")
    check_positive(horizon_days, "the horizon")
    units = sample_sizes(p1, p1 * (1 + lift), design, design_effect).designed * (1 + design.ratio)
    within = horizon_days * rate / (1 + design.ratio) / design_effect
    best = detectable_rate(p1, within, design)
    return _plan(units, units / rate, horizon_days, None if best is None else best / p1 - 1)


def plan_pairs(
    lift: float,
    residual_sd: float,
    pairs_per_day: float,
    design: Design | None = None,
    horizon_days: float = HORIZON_DAYS,
) -> Plan:
    """Days for a paired test of posts; `lift` is relative and taken for the odds, as rates of posts are small."""
    design = design or Design()
    if not (math.isfinite(lift) and lift > -1):
        raise StatsError("the lift must be above -1 (-0.2 is twenty per cent less)")
    rate = check_positive(pairs_per_day, "pairs per day")
    pairs = pairs_needed(math.log1p(lift), residual_sd, design)
    within = math.floor(check_positive(horizon_days, "the horizon") * rate)
    smallest = detectable_log_lift(within, residual_sd, design) if within >= FEWEST_PAIRS else math.inf
    return _plan(pairs, pairs / rate, horizon_days, math.expm1(smallest) if smallest < 700 else None)


def _plan(units: float, days: float, horizon_days: float, smallest_lift: float | None) -> Plan:
    days = float(math.ceil(days))
    return Plan(units, days, days <= horizon_days, smallest_lift)
