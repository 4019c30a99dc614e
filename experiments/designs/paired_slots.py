"""C: the same content in two wordings, in matched slots; which goes first is drawn for each pair."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.access import Actor, Perm
from experiments import outcomes, paired_posts
from experiments.models import Experiment
from experiments.options import FEWEST_PAIRS
from experiments.post_making import make_unit
from experiments.slots import check_horizon, connection_of, paired_times
from lib.splitting import score


def check_start(experiment: Experiment) -> None:
    connection = connection_of(experiment)
    if experiment.settings["pairs"] < FEWEST_PAIRS:
        raise ValidationError({"pairs": f"At least {FEWEST_PAIRS} pairs: fewer can prove nothing."})
    times = paired_times(experiment, connection, experiment.settings["pairs"])
    age_h = outcomes.age_of(experiment, connection.network)
    check_horizon(experiment, max(second for _first, second in times), age_h)


def plan(experiment: Experiment, by: Actor) -> None:
    """Each pair is a block; its two posts stand in the calendar and wait for their approval."""
    by.require(Perm.PUBLISH)
    connection = connection_of(experiment)
    arms = list(experiment.arms.order_by("position"))
    for number, times in enumerate(paired_times(experiment, connection, experiment.settings["pairs"])):
        is_swapped = score(f"{experiment.seed}/order", str(number)) >= 0.5
        for position, (at, arm) in enumerate(zip(times, arms[::-1] if is_swapped else arms, strict=True)):
            texts = arm.content["texts"]
            make_unit(
                experiment,
                arm,
                block=f"pair {number + 1:03}",
                position=position,
                at=at,
                connection=connection,
                text=texts[number % len(texts)],
                by=by,
            )


def collect(experiment: Experiment) -> dict[str, Any]:
    return outcomes.collect(experiment)


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    return paired_posts.analyse(experiment, data)
