"""The next shares of a bandit, from what an epoch keeps. No random number is involved."""

from collections import defaultdict
from typing import Any

import numpy as np

from experiments.exposures import COARSE_H
from experiments.stats import bandits, maturity

# How soon visitors convert, before a split has seen it itself: half of them within the hour.
DELAY_PRIOR = maturity.weibull_curve(1.0, 0.5)
PRIOR_COHORTS = 5.0


def policy_weights(data: dict[str, Any]) -> dict[str, float]:
    """{arm: share}, with the floor, and the holdout mixed in so that every exposure's chance stays known."""
    arms = data["arms"]
    evidence = _evidence(data)
    shares = bandits.RULES[data["policy"]](evidence, data["lower_is_better"])
    shares = bandits.with_holdout(bandits.with_floor(shares, data["floor"]), data["holdout"])
    return {arm: float(share) for arm, share in zip(arms, shares, strict=True)}


def _evidence(data: dict[str, Any]) -> bandits.BetaArms:
    """Exposures by hours of age; those still young are not held against their arm."""
    places = {arm: place for place, arm in enumerate(data["arms"])}
    rows = [row for row in data["ages"] if row[0] in places]
    hours = sorted({row[1] for row in rows}) or [0]
    line = {hour: place for place, hour in enumerate(hours)}
    shown, won = np.zeros((len(hours), len(places))), np.zeros((len(hours), len(places)))
    for arm, hour, units, hits in rows:
        shown[line[hour], places[arm]] += units
        won[line[hour], places[arm]] += hits
    half_life = data["half_life_days"]
    return bandits.beta_arms(
        shown,
        won,
        # The middle of an hour, or of a day, stands for it.
        np.array([hour + (0.5 if hour < COARSE_H else 12) for hour in hours]),
        curve=delay_curve(data["delays"]),
        half_life_h=half_life * 24 if half_life else None,
    )


def delay_curve(delays: list[list[int]]) -> maturity.MaturityCurve:
    """How much of an exposure's chance to convert is behind it at an age: from cohorts of an hour, all arms alike."""
    cohorts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for age_h, minutes, number in delays:
        cohorts[age_h].append((minutes, number))
    counts = [
        [
            float(sum(number for minutes, number in found if minutes <= age * 60)) if age <= age_h else np.nan
            for age in maturity.AGES_H
        ]
        for age_h, found in sorted(cohorts.items())
    ]
    if not counts:
        return DELAY_PRIOR
    return maturity.fit_curve(np.array(counts), DELAY_PRIOR, prior_posts=PRIOR_COHORTS)
