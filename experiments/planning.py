"""How many units a test needs, from the smallest lift that is worth finding."""

import math

from experiments.models import Experiment
from experiments.options import FEWEST_POSTS, MOST_UNITS, VISITOR_DESIGNS

Design = Experiment.Design


def plan_units(experiment: Experiment) -> int | None:
    """Visitors of each arm, or pairs, or posts of each style; None where nothing is proven anyway."""
    settings = experiment.settings
    if experiment.design in VISITOR_DESIGNS:
        return visitors_needed(settings["base_rate"], settings["mde"], settings["alpha"], settings["power"])
    if experiment.design == Design.PAIRED_SLOTS:
        return int(settings["pairs"])
    if experiment.design == Design.CROSSOVER:
        return int(settings["periods"]) // 2 * len(set(settings["connections"])) or None
    if experiment.design == Design.PROGRAMME:
        return max(int(settings["posts"]) // 2, FEWEST_POSTS)
    return None


def visitors_needed(base_rate: float, lift: float, alpha: float, power: float) -> int:
    """Of each arm, for the pooled test of two rates."""
    from experiments.stats import power as sizes

    target = min(base_rate * (1 + lift), 1 - 1e-9)
    return min(sizes.sample_sizes(base_rate, target, sizes.Design(alpha, power)).needed, MOST_UNITS)


def pairs_needed(lift: float, residual_sd: float, alpha: float, power: float) -> int:
    """residual_sd: of the difference within a pair, in log-odds."""
    from experiments.stats import power as sizes

    return sizes.pairs_needed(math.log1p(lift), residual_sd, sizes.Design(alpha, power))
