"""Analysis of a style programme (E): posts that got their style by chance within hour, weekday and format."""

import math
from typing import Any

from experiments.effects import effect, prior_of
from experiments.models import Experiment

Post = dict[str, Any]


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    """Each style against the control, by permuting styles as they were drawn; a function of its arguments alone."""
    from experiments.stats import multiple

    alpha, control = experiment.settings["alpha"], data["control"]
    arms = [_arm(experiment, data, key, None if key == control else control) for key in data["arms"]]
    lifts = [arm["lift"] for arm in arms if arm["lift"]]
    for lift, p in zip(lifts, multiple.holm([lift["p"] for lift in lifts]) if lifts else [], strict=True):
        lift["is_significant"] = bool(p <= alpha)
    sign = -1 if experiment.lower_is_better else 1
    return {
        "unit": "post",
        "method": "stratified permutation test",
        "alpha": alpha,
        "arms": arms,
        "leader": max(arms, key=lambda arm: sign * (arm["lift"]["log_ratio"] if arm["lift"] else 0.0))["key"],
        "smallest_arm": min(arm["units"] for arm in arms),
        "health": None,
        "guardrails": [],
    }


def _arm(experiment: Experiment, data: dict[str, Any], key: str, control: str | None) -> dict[str, Any]:
    posts = [post for post in data["posts"] if post["arm"] == key]
    rates = [post["events"] / post["exposures"] for post in posts]
    return {
        "key": key,
        "units": len(posts),
        "rate": sum(rates) / len(rates) if rates else None,
        "lift": _lift(experiment, data, control, key) if control else None,
    }


def _lift(experiment: Experiment, data: dict[str, Any], control: str, variant: str) -> dict[str, Any] | None:
    """None while no draw has measured posts of both."""
    from experiments.stats import paired
    from experiments.stats.errors import StatsError

    alpha = experiment.settings["alpha"]
    posts = [post for post in data["posts"] if post["arm"] in {control, variant}]
    values = [post["y"] - (post["baseline"] or 0.0) for post in posts]
    strata = [_draw_of(post, len(data["arms"])) for post in posts]
    is_variant = [post["arm"] == variant for post in posts]
    if len(posts) < 2:
        return None
    try:
        test = paired.stratified_permutation_test(values, is_variant, strata, alpha)
    except StatsError:
        return None
    low, high = test.interval or (-math.inf, math.inf)
    found = {
        "p": test.p,
        "is_significant": False,
        "raw_interval": [math.expm1(low), math.expm1(high) if high < math.inf else math.inf],
    }
    error = _standard_error(values, [post["v"] for post in posts], is_variant, strata)
    return found | effect(test.estimate, error, prior_of(data), lower_is_better=experiment.lower_is_better, alpha=alpha)


def _draw_of(post: Post, arms: int) -> str:
    """The posts whose styles were drawn together: of each such block every style got one."""
    return f"{post['block']}/{post['position'] // arms}"


def _standard_error(values: list[float], variances: list[float], is_variant: list[bool], strata: list[str]) -> float:
    """Of the weighted mean of differences within strata, from the scatter of these and never below their counts'."""
    differences, counted = [], 0.0
    for name in dict.fromkeys(strata):
        sides: dict[bool, list[int]] = {True: [], False: []}
        for place, other in enumerate(strata):
            if other == name:
                sides[is_variant[place]].append(place)
        if sides[True] and sides[False]:
            means = {side: sum(values[place] for place in places) / len(places) for side, places in sides.items()}
            differences.append(means[True] - means[False])
            counted += sum(sum(variances[place] for place in places) / len(places) ** 2 for places in sides.values())
    number = len(differences)
    counted /= number**2
    if number < 2:
        return math.sqrt(counted)
    mean = sum(differences) / number
    scattered = sum((value - mean) ** 2 for value in differences) / (number - 1) / number
    return math.sqrt(max(scattered, counted))
