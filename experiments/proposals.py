"""Which design fits a question, how long it takes, and what can be found where it takes too long."""

import math
from dataclasses import dataclass, field
from typing import Any

from experiments.badges import BADGES, Badge
from experiments.models import Experiment
from experiments.options import MOST_DAYS

Design = Experiment.Design

LANDING, WORDING, STYLE, TIMING, PAST = "landing", "wording", "style", "timing", "past"
QUESTIONS = {
    LANDING: "Which page or offer converts better?",
    WORDING: "Which of two wordings works better?",
    STYLE: "Which style of posts works better on average?",
    TIMING: "When should we post?",
    PAST: "Did something that we changed already help?",
}
# Of the difference within a pair, and of a post against its forecast, in log-odds, until own posts say better.
PAIR_SD, POST_SD = 0.35, 0.5


@dataclass(frozen=True)
class Goal:
    """What somebody wants to know, and what comes in on a usual day. `lift` is the smallest that is worth finding."""

    question: str
    lift: float = 0.2
    visitors_per_day: float = 0.0
    base_rate: float = 0.05
    posts_per_week: float = 0.0
    channels: int = 1
    alpha: float = 0.05
    power: float = 0.8
    residual_sd: float | None = None


@dataclass(frozen=True)
class Proposal:
    """`days` is None where it never ends. `smallest_lift` is what 90 days can find; None where nothing can be."""

    design: str
    badge: Badge
    why: str
    days: int | None
    units: int | None
    is_feasible: bool
    smallest_lift: float | None
    sentence: str
    settings: dict[str, Any] = field(default_factory=dict)


def propose_design(goal: Goal) -> Proposal:
    """Raises ValueError for a question that is none of QUESTIONS."""
    if goal.question not in QUESTIONS:
        raise ValueError(f"A question is one of: {', '.join(QUESTIONS)}.")
    if goal.question == LANDING:
        return _landing(goal)
    if goal.question == WORDING:
        return _wording(goal)
    if goal.question == STYLE:
        return _style(goal)
    if goal.question == TIMING:
        return _timing(goal)
    return _observed()


def _landing(goal: Goal) -> Proposal:
    from experiments.stats import power

    why = "People who follow one link can be sent to different pages by chance, so only the page differs."
    settings = {"mde": goal.lift, "base_rate": goal.base_rate, "alpha": goal.alpha, "power": goal.power}
    if goal.visitors_per_day <= 0:
        return _never(Design.LINK_SPLIT, why, "No visitors are expected.", settings)
    plan = power.plan_rates(
        goal.base_rate, goal.lift, goal.visitors_per_day, power.Design(goal.alpha, goal.power), horizon_days=MOST_DAYS
    )
    units = math.ceil(plan.units / 2)
    return _planned(Design.LINK_SPLIT, why, plan.days, units, plan.smallest_lift, settings)


def _wording(goal: Goal) -> Proposal:
    """Pairs of posts; with several channels each of them is a place of its own for a pair."""
    from experiments.stats import power

    sd = goal.residual_sd or PAIR_SD
    design = Design.CROSSOVER if goal.channels > 1 else Design.PAIRED_SLOTS
    why = (
        "Posts differ more by their content than by their wording, so each content is posted in both wordings, at the "
        "same hour, some days apart. What differs within a pair is the wording."
    )
    if goal.posts_per_week <= 0:
        return _never(design, why, "No posts are planned.", {"mde": goal.lift})
    plan = power.plan_pairs(
        goal.lift, sd, goal.posts_per_week / 14, power.Design(goal.alpha, goal.power), horizon_days=MOST_DAYS
    )
    pairs = math.ceil(plan.units)
    settings = {"mde": goal.lift, "alpha": goal.alpha, "power": goal.power, "residual_sd": sd}
    if design == Design.PAIRED_SLOTS:
        settings["pairs"] = pairs
    else:
        settings["periods"] = max(4, 2 * math.ceil(pairs / goal.channels))
    return _planned(design, why, plan.days, pairs, plan.smallest_lift, settings)


def _style(goal: Goal) -> Proposal:
    from experiments.stats import power

    sd = goal.residual_sd or POST_SD
    why = "A style is a habit of many posts. Each post gets its style by chance within its hour, weekday and format."
    if goal.posts_per_week <= 0:
        return _never(Design.PROGRAMME, why, "No posts are planned.", {"mde": goal.lift})
    shape = power.Design(goal.alpha, goal.power)
    each = math.ceil(power.size_of_means(sd**2, math.log1p(goal.lift), shape))
    per_day = goal.posts_per_week / 7
    within = MOST_DAYS * per_day / 2
    found = math.expm1((shape.z_alpha + shape.z_power) * sd * math.sqrt(2 / within))
    settings = {"mde": goal.lift, "alpha": goal.alpha, "power": goal.power, "residual_sd": sd, "posts": 2 * each}
    return _planned(Design.PROGRAMME, why, math.ceil(2 * each / per_day), each, found, settings)


def _timing(goal: Goal) -> Proposal:
    from experiments.stats.optimiser import ENOUGH_OBSERVATIONS

    why = "There are too many hours to compare each of them fairly, so the times of the next posts are chosen to learn."
    if goal.posts_per_week <= 0:
        return _never(Design.OPTIMISER, why, "No posts are planned.", {})
    days = math.ceil(ENOUGH_OBSERVATIONS / goal.posts_per_week * 7)
    sentence = (
        f"About {days} days until {ENOUGH_OBSERVATIONS} posts are measured; before that no slot is called the best."
    )
    badge = BADGES[Design.OPTIMISER]
    return Proposal(Design.OPTIMISER, badge, why, days, ENOUGH_OBSERVATIONS, days <= MOST_DAYS, None, sentence)


def _observed() -> Proposal:
    why = "What was changed for everybody at once cannot be told from whatever else happened then."
    sentence = "You can look at before and after, but nothing is proven. Test the next change with one of the designs."
    return Proposal(Design.OBSERVATION, BADGES[Design.OBSERVATION], why, 0, None, True, None, sentence)


def _planned(
    design: str, why: str, days: float, units: int, smallest: float | None, settings: dict[str, Any]
) -> Proposal:
    badge = BADGES[Design(design)]
    is_feasible = days <= MOST_DAYS
    if is_feasible:
        each = "" if design in {Design.PAIRED_SLOTS, Design.CROSSOVER} else " for each variant"
        sentence = f"About {days:.0f} days: {units:,} {badge.units}{each}."
    elif smallest is None:
        sentence = f"Not feasible in {MOST_DAYS} days: it would take {days:,.0f}."
    else:
        sentence = (
            f"Not feasible in {MOST_DAYS} days: it would take {days:,.0f}. The smallest detectable lift in that time "
            f"is {smallest:.0%}."
        )
    return Proposal(design, badge, why, int(days), units, is_feasible, smallest, sentence, settings)


def _never(design: str, why: str, reason: str, settings: dict[str, Any]) -> Proposal:
    sentence = f"{reason} Say how many come on a usual day, and this says how long it takes."
    return Proposal(design, BADGES[Design(design)], why, None, None, False, None, sentence, settings)
