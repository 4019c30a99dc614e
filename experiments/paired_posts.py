"""Analysis of posts in pairs (C, D): the same content in both wordings, one after the other, in an order that was
drawn. The pair is the unit, and the test asks how often the drawn orders alone would give such a difference."""

import math
from collections import defaultdict
from typing import Any

from experiments.effects import effect, prior_of
from experiments.models import Experiment

Pair = dict[str, Any]


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    """A function of its arguments alone."""
    from experiments.stats import paired

    alpha = experiment.settings["alpha"]
    pairs = complete_pairs(data)
    control, variant = data["control"], next(key for key in data["arms"] if key != data["control"])
    differences = [pair["difference"] for pair in pairs]
    lift = None
    if differences:
        test = paired.sign_flip_test(differences, alpha)
        low, high = test.interval or (-math.inf, math.inf)
        lift = {
            "p": test.p,
            "is_significant": test.p <= alpha,
            "min_attainable_p": test.min_attainable_p,
            "hodges_lehmann": math.expm1(test.hodges_lehmann),
            "raw_interval": [math.expm1(low), math.expm1(high) if high < math.inf else math.inf],
        }
        lift |= effect(
            test.mean,
            standard_error(pairs),
            prior_of(data),
            lower_is_better=experiment.lower_is_better,
            alpha=alpha,
        )
    return {
        "unit": "pair",
        "method": "sign-flip test of pairs",
        "alpha": alpha,
        "arms": [_arm(data, control, None), _arm(data, variant, lift)],
        "leader": _leader(experiment, control, variant, lift),
        "pairs": pairs,
        "smallest_arm": len(pairs),
        "order_p": _order_p(pairs, paired.order_check, "difference"),
        "carry_over_p": _order_p(pairs, paired.carry_over_check, "total"),
        "health": None,
        "guardrails": [],
    }


def complete_pairs(data: dict[str, Any]) -> list[Pair]:
    """Those with both posts measured: what the variant's did beyond its forecast, less the same of the control's."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for post in data["posts"]:
        groups[f"{post['block']}/{post['position'] // 2}"].append(post)
    pairs = []
    for name, posts in sorted(groups.items()):
        by_arm = {post["arm"]: post for post in posts}
        if len(posts) == 2 and len(by_arm) == 2:
            first = min(posts, key=lambda post: post["position"])
            control = by_arm.pop(data["control"])
            (variant,) = by_arm.values()
            values = [post["y"] - (post["baseline"] or 0.0) for post in (control, variant)]
            pairs.append(
                {
                    "pair": name,
                    "difference": values[1] - values[0],
                    "total": values[0] + values[1],
                    "variance": control["v"] + variant["v"],
                    "is_variant_first": first["arm"] == variant["arm"],
                }
            )
    return pairs


def standard_error(pairs: list[Pair]) -> float:
    """Of the mean difference: what pairs really scatter, and never less than their counts alone would."""
    number = len(pairs)
    counted = sum(pair["variance"] for pair in pairs) / number**2
    if number < 2:
        return math.sqrt(counted)
    mean = sum(pair["difference"] for pair in pairs) / number
    scattered = sum((pair["difference"] - mean) ** 2 for pair in pairs) / (number - 1) / number
    return math.sqrt(max(scattered, counted))


def _arm(data: dict[str, Any], key: str, lift: dict[str, Any] | None) -> dict[str, Any]:
    posts = [post for post in data["posts"] if post["arm"] == key]
    rates = [post["events"] / post["exposures"] for post in posts]
    return {
        "key": key,
        "units": len(posts),
        # The mean of the posts' own rates; their impressions are never added up.
        "rate": sum(rates) / len(rates) if rates else None,
        "lift": lift,
    }


def _leader(experiment: Experiment, control: str, variant: str, lift: dict[str, Any] | None) -> str:
    return variant if lift and (lift["log_ratio"] < 0) == experiment.lower_is_better else control


def _order_p(pairs: list[Pair], check: Any, value: str) -> float | None:
    """None where one order has no pair."""
    first = [pair["is_variant_first"] for pair in pairs]
    if len(set(first)) < 2:
        return None
    return float(check([pair[value] for pair in pairs], first).p)
