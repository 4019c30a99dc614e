"""Analysis where the unit is a person: conversions of those who were assigned an arm with a known chance."""

import math
from typing import Any

from experiments import exposures
from experiments.effects import Prior, effect, prior_of
from experiments.health import split_health
from experiments.models import Experiment
from experiments.options import FIXED

Counts = dict[int, dict[str, list[int]]]
DAYS_OF_A_CYCLE = 7
# The chance that a guardrail ever pauses a test that does no harm.
GUARDRAIL_ALPHA = 0.01


def analyse_visitors(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    """A function of its arguments alone. Rates are as they were seen; lifts are shrunk, the raw ones beside them."""
    settings = experiment.settings
    epochs = exposures.people(data)
    weights = {epoch["number"]: epoch["weights"] for epoch in data["epochs"]}
    totals = exposures.totals(epochs, data["arms"])
    arms = _rates(totals, data["prior"]["rates"], experiment.lower_is_better, settings["alpha"])
    control = data["control"]
    for arm in arms:
        if arm["key"] != control:
            arm["lift"] = _lift(experiment, epochs, weights, control, arm["key"], prior_of(data))
    _mark_significant(arms, settings["alpha"], is_fixed=settings["analysis"] == FIXED)
    return {
        "unit": data["unit"],
        "method": "fixed horizon" if settings["analysis"] == FIXED else "e-process",
        "alpha": settings["alpha"],
        "arms": arms,
        "leader": max(arms, key=lambda arm: arm["p_best"])["key"],
        "is_settled": _is_settled(experiment, arms, data["days_run"]),
        "smallest_arm": min(arm["units"] for arm in arms if arm["key"] not in data["closed"]),
        "health": split_health(data) if data["unit"] == "visitor" else None,
        "guardrails": _guardrails(experiment, data, weights),
        "without_propensity": _without_propensity(data, weights),
    }


def _rates(
    totals: dict[str, tuple[int, int]], prior: list[float], lower_is_better: bool, alpha: float
) -> list[dict[str, Any]]:
    from experiments.stats import bayes

    posteriors = [bayes.posterior_of(hits, units, prior[0], prior[1]) for units, hits in totals.values()]
    best = bayes.best_arm(posteriors, lower_is_better)
    return [
        {
            "key": key,
            "units": units,
            "hits": hits,
            "rate": hits / units if units else None,
            "rate_interval": list(posterior.interval(alpha)),
            "p_best": float(best.p_best[place]),
            "expected_loss": float(best.expected_loss[place]),
            "lift": None,
        }
        for place, ((key, (units, hits)), posterior) in enumerate(zip(totals.items(), posteriors, strict=True))
    ]


def _is_settled(experiment: Experiment, arms: list[dict[str, Any]], days_run: float) -> bool:
    """Whether a bandit has little left to gain: its leader loses next to nothing, and a whole week was seen."""
    leader = min(arms, key=lambda arm: arm["expected_loss"])
    if experiment.allocation == Experiment.Allocation.FIXED or days_run < DAYS_OF_A_CYCLE or not leader["hits"]:
        return False
    return bool(leader["expected_loss"] < experiment.settings["caring"] * leader["rate"])


def _lift(
    experiment: Experiment,
    epochs: Counts,
    weights: dict[int, dict[str, float]],
    control: str,
    variant: str,
    prior: Prior,
) -> dict[str, Any]:
    """The variant against the control: the evidence, and the log ratio with its error, raw and shrunk."""
    alpha = experiment.settings["alpha"]
    epochs = together(epochs, weights, control, variant)
    totals = exposures.totals(epochs, (control, variant))
    rows = paired_rows(epochs, weights, control, variant)
    tested = (
        _fixed(totals[control], totals[variant], alpha)
        if experiment.settings["analysis"] == FIXED
        else _sequential(rows, alpha, is_adaptive=experiment.allocation != Experiment.Allocation.FIXED)
    )
    log_ratio, error = estimate(rows, totals[control], totals[variant])
    return tested | effect(log_ratio, error, prior, lower_is_better=experiment.lower_is_better, alpha=alpha)


def together(epochs: Counts, weights: dict[int, dict[str, float]], control: str, variant: str) -> Counts:
    """The epochs that had both: an arm that came late is not held against what the control did before."""
    return {
        number: counts
        for number, counts in sorted(epochs.items())
        if all(weights.get(number, {}).get(key, 0.0) > 0 for key in (control, variant))
    }


def paired_rows(
    epochs: Counts, weights: dict[int, dict[str, float]], control: str, variant: str
) -> list[tuple[float, int, int]]:
    """(the variant's propensity among the two, hits of the control, hits of the variant) for epochs that had both."""
    rows = []
    for number, counts in together(epochs, weights, control, variant).items():
        a, b = weights[number][control], weights[number][variant]
        rows.append((b / (a + b), counts.get(control, [0, 0])[1], counts.get(variant, [0, 0])[1]))
    return rows


def _sequential(rows: list[tuple[float, int, int]], alpha: float, *, is_adaptive: bool) -> dict[str, Any]:
    """May be read at any time. Shares that never move have the sharper test."""
    from experiments.stats import sequential

    if not rows:
        return {"e": 1.0, "log_e": 0.0, "p": 1.0, "raw_interval": [None, None]}
    share = rows[0][0]
    if not is_adaptive and all(abs(row[0] - share) < 1e-9 for row in rows):
        found = sequential.share_evidence(sum(row[1] for row in rows), sum(row[2] for row in rows), share, alpha=alpha)
    else:
        found = sequential.ratio_evidence(rows, alpha=alpha)
    low, high = found.ratio_interval
    return {"e": found.e, "log_e": found.log_e, "p": found.p, "raw_interval": [low - 1, high - 1]}


def _fixed(control: tuple[int, int], variant: tuple[int, int], alpha: float) -> dict[str, Any]:
    """Read once, at the end. At low counts the exact test has to agree."""
    from experiments.stats import exact, frequentist

    if not (control[0] and variant[0]):
        return {"e": None, "log_e": None, "p": 1.0, "raw_interval": [None, None]}
    table = frequentist.table_of(control[1], control[0], variant[1], variant[0])
    p = frequentist.pooled_test(table).p
    if exact.smallest_expected_count(table) < exact.SMALL_EXPECTATION:
        p = max(p, exact.boschloo_p(table))
    low, high = frequentist.score_interval_of_ratio(table, alpha)
    return {"e": None, "log_e": None, "p": p, "raw_interval": [low - 1, high - 1]}


def estimate(
    rows: list[tuple[float, int, int]], control: tuple[int, int], variant: tuple[int, int]
) -> tuple[float, float]:
    """log(rate of the variant / rate of the control) and its standard error.

    Where shares moved, from each epoch by itself: pooled rates would mix the arms with the times that they were shown.
    """
    from experiments.stats.sequential import Epochs

    has_moved = len({round(row[0], 9) for row in rows}) > 1
    if has_moved and any(row[1] for row in rows) and any(row[2] for row in rows):
        epochs = Epochs.of(rows)
        best = epochs.most_likely()
        return best, 1 / math.sqrt(epochs.curvature(best))
    # Half a conversion for each, where one has none: its logarithm would be endless.
    extra = 0.0 if control[1] and variant[1] else 0.5
    (n1, x1), (n2, x2) = ((units + 2 * extra, hits + extra) for units, hits in (control, variant))
    variance = 1 / x1 - 1 / n1 + 1 / x2 - 1 / n2
    return math.log(x2 / n2) - math.log(x1 / n1), math.sqrt(max(variance, 1e-12))


def _mark_significant(arms: list[dict[str, Any]], alpha: float, *, is_fixed: bool) -> None:
    """Several arms are several chances to be wrong: e-BH on e-values, Holm on p."""
    from experiments.stats import multiple

    lifts = [arm["lift"] for arm in arms if arm["lift"]]
    if not lifts:
        return
    if is_fixed:
        adjusted = multiple.holm([lift["p"] for lift in lifts])
        kept = {place for place, p in enumerate(adjusted) if p <= alpha}
    else:
        kept = set(multiple.e_benjamini_hochberg([lift["e"] for lift in lifts], alpha))
    for place, lift in enumerate(lifts):
        lift["is_significant"] = place in kept


def _guardrails(
    experiment: Experiment, data: dict[str, Any], weights: dict[int, dict[str, float]]
) -> list[dict[str, Any]]:
    """For each guarded goal and variant: whether it is more frequent than the control's by more than the margin."""
    from experiments.stats import sequential

    found = []
    for rail in experiment.guardrails:
        epochs = exposures.by_epoch(
            (epoch, arm, units, units) for goal, epoch, arm, units in data["guarded"] if goal == rail["metric"]
        )
        for key in data["arms"]:
            if key == data["control"]:
                continue
            rows = paired_rows(epochs, weights, data["control"], key)
            if not any(row[1] or row[2] for row in rows):
                continue
            evidence = sequential.margin_evidence(rows, rail["margin"], alpha=GUARDRAIL_ALPHA)
            found.append({"arm": key, **rail, "p": evidence.p, "is_broken": evidence.is_rejected})
    return found


def _without_propensity(data: dict[str, Any], weights: dict[int, dict[str, float]]) -> int:
    """Units whose chance of their arm is not known."""
    return sum(cell[5] for cell in data["cells"] if not cell[2] and weights.get(cell[0], {}).get(cell[1], 0.0) <= 0)
