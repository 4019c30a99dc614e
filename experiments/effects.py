"""Effects as they are shown: drawn towards nothing by as much as past tests say that first numbers exaggerate."""

import math
from typing import Any, NamedTuple

from experiments.models import Experiment, Look

# Log ratios of true effects, until a workspace has finished enough tests for one of its own.
DEFAULT_SD = 0.30
# True effects are never all nothing.
LEAST_SD = 0.02
MOST_TESTS = 200
MOST_PRIOR_UNITS = 100.0


class Prior(NamedTuple):
    sd: float
    tests: int


def prior_of(data: dict[str, Any]) -> Prior:
    found = data.get("prior") or {}
    return Prior(float(found.get("sd", DEFAULT_SD)), int(found.get("tests", 0)))


def workspace_prior(looks: list[Look]) -> dict[str, Any]:
    """{"sd", "tests"}: learnt from the last looks of the workspace's finished tests once there are 20."""
    from experiments.stats import shrinkage

    past = past_effects(looks)
    spread = shrinkage.effect_spread([value for value, _ in past], [error**2 for _, error in past])
    return {"sd": max(spread, LEAST_SD), "tests": len(past)}


def rate_prior(looks: list[Look]) -> list[float]:
    """[a, b] of the beta distribution of rates: from the arms of past tests of visitors; flat before there are 20.

    Worth at most as much as a hundred visitors: the next page may be unlike all of the past.
    """
    from experiments.stats import shrinkage

    arms = [arm for look in looks for arm in look.result.get("arms", []) if "hits" in arm]
    if len(arms) < shrinkage.FEWEST_TESTS:
        return [1.0, 1.0]
    found = shrinkage.beta_by_moments([arm["hits"] for arm in arms], [arm["units"] for arm in arms])
    scale = min(1.0, MOST_PRIOR_UNITS / (found.a + found.b))
    return [found.a * scale, found.b * scale]


def past_looks(experiment: Experiment) -> list[Look]:
    """The last one of each test that is over."""
    over = Experiment.objects.filter(
        workspace=experiment.workspace_id, status__in=[Experiment.Status.STOPPED, Experiment.Status.ARCHIVED]
    ).exclude(pk=experiment.pk)
    looks = Look.objects.filter(experiment__in=over).order_by("-experiment_id", "-number").distinct("experiment_id")
    return list(looks.only("result")[:MOST_TESTS])


def past_effects(looks: list[Look]) -> list[tuple[float, float]]:
    """(raw log ratio, its error) of each variant in the last look of each test that is over."""
    found = []
    for look in looks:
        lifts = [arm["lift"] for arm in look.result.get("arms", []) if arm.get("lift")]
        found += [(lift["log_ratio"], lift["error"]) for lift in lifts if lift.get("error")]
    return found


def effect(log_ratio: float, error: float, prior: Prior, *, lower_is_better: bool, alpha: float) -> dict[str, Any]:
    """Normal prior times normal likelihood on the log scale; lifts are shares of the control."""
    from scipy.special import ndtr, ndtri

    from experiments.stats import shrinkage

    mean, sd = shrinkage.shrink_effect(log_ratio, error**2, prior.sd)
    half = -float(ndtri(alpha / 2)) * sd
    worse = float(ndtr(-mean / sd)) if sd else 0.5
    return {
        "log_ratio": log_ratio,
        "error": error,
        "raw": _lift(log_ratio),
        "shrunk_log": mean,
        "shrunk_sd": sd,
        "shrunk": _lift(mean),
        "interval": [_lift(mean - half), _lift(mean + half)],
        "chance_better": worse if lower_is_better else 1 - worse,
    }


def _lift(log_ratio: float) -> float:
    return math.expm1(min(log_ratio, 700.0))
