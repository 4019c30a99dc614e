"""Who gets which arm from when on: every change of shares is an epoch, kept with its seed and its data."""

from datetime import timedelta
from typing import Any

from accounts import audit
from accounts.access import system_actor
from experiments import exposures, splits
from experiments.canonical import digest, seed_of
from experiments.models import Epoch, Experiment
from lib.clock import now

Allocation = Experiment.Allocation
Weights = dict[str, float]
LABEL = "experiments"
# Shares that move by less are left alone: an epoch that changes nothing only makes the record long.
LEAST_MOVE = 0.005


def equal_weights(experiment: Experiment) -> Weights:
    """Over the arms that are open; a closed one is not in it."""
    keys = [arm.key for arm in experiment.arms.order_by("position") if arm.closed_at is None]
    return dict.fromkeys(keys, 1 / len(keys))


def start_epoch(experiment: Experiment, weights: Weights, *, reason: str, data: dict[str, Any] | None = None) -> Epoch:
    """Writes the weights on the links; those already assigned keep their arm."""
    last = experiment.epochs.order_by("-number").first()
    number = last.number + 1 if last else 1
    data = data or {}
    epoch = Epoch.objects.create(
        workspace=experiment.workspace,
        experiment=experiment,
        number=number,
        weights=weights,
        salt=salt_of(experiment),
        seed=seed_of(experiment.seed, number),
        data=data,
        data_hash=digest(data),
        reason=reason[:200],
    )
    splits.write_split(experiment, epoch)
    audit.record(
        "experiment.epoch",
        experiment,
        by=system_actor(experiment.workspace, LABEL, ()),
        number=number,
        weights=weights,
        seed=epoch.seed,
        data_hash=epoch.data_hash,
        reason=epoch.reason,
    )
    return epoch


def salt_of(experiment: Experiment) -> str:
    """One for all epochs of a version: who would move between epochs is drawn by the same number."""
    return f"{experiment.pk}/{experiment.version}"


def close_split(experiment: Experiment) -> None:
    """Nobody new is assigned; whoever has an arm keeps it."""
    last = experiment.epochs.order_by("-number").first()
    if last:
        splits.write_split(experiment, last, share=0.0)


def open_split(experiment: Experiment) -> None:
    """With the shares from before the pause, unless arms came or went meanwhile."""
    last = experiment.epochs.order_by("-number").first()
    if last is None:
        return
    equal = equal_weights(experiment)
    if equal.keys() == last.weights.keys():
        splits.write_split(experiment, last)
    else:
        start_epoch(experiment, equal, reason="Arms came or went during the pause.")


def next_epoch(experiment: Experiment) -> Epoch | None:
    """New shares from what was seen; None where they stay."""
    if experiment.allocation == Allocation.FIXED or not _is_burnt_in(experiment):
        return None
    last = experiment.epochs.order_by("-number").first()
    data = bandit_data(experiment)
    weights = weights_of(data)
    if last and weights.keys() == last.weights.keys() and _largest_move(weights, last.weights) < LEAST_MOVE:
        return None
    return start_epoch(experiment, weights, reason="Shares by what was seen so far.", data=data)


def _is_burnt_in(experiment: Experiment) -> bool:
    """One daily cycle at equal shares, so that the hours of a day do not pass for arms."""
    started, hours = experiment.started_at, experiment.settings["burn_in_h"]
    return started is not None and now() >= started + timedelta(hours=hours)


def _largest_move(new: Weights, old: Weights) -> float:
    return max(abs(new[key] - old[key]) for key in new)


def bandit_data(experiment: Experiment) -> dict[str, Any]:
    """All that the weights follow from, besides the seed."""
    settings = experiment.settings
    return {
        "policy": experiment.allocation,
        "lower_is_better": experiment.lower_is_better,
        "arms": list(equal_weights(experiment)),
        **{name: settings[name] for name in ("holdout", "floor", "half_life_days")},
        # [arm, age in hours, units, conversions]
        "ages": [list(row) for row in exposures.ages(experiment)],
        # [age of the exposure in hours, minutes until it converted, how many]
        "delays": [list(row) for row in exposures.delays(experiment)],
    }


def replay(epoch: Epoch) -> Weights:
    """The weights, computed again from what the epoch keeps."""
    if not epoch.data:
        return {key: 1 / len(epoch.weights) for key in epoch.weights}
    return weights_of(epoch.data)


def weights_of(data: dict[str, Any]) -> Weights:
    """A function of its argument alone. Batches are shares and not draws, so the epoch's seed is needed for nothing."""
    from experiments.bandit_weights import policy_weights

    return policy_weights(data)
