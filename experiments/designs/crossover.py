"""D: several channels over several periods; each channel changes between the wordings and is held against itself."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from accounts.access import Actor, Perm
from campaigns.slots import resolve
from experiments import outcomes, paired_posts
from experiments.models import Experiment
from experiments.post_making import make_unit
from experiments.slots import check_horizon, connection_of, first_day, wall_times, washout_of
from lib.clock import now
from lib.splitting import score
from social.models import Connection

FEWEST_CHANNELS, FEWEST_PERIODS = 2, 4


def check_start(experiment: Experiment) -> None:
    channels = _channels(experiment)
    settings = experiment.settings
    if settings["periods"] < FEWEST_PERIODS or settings["periods"] % 2:
        raise ValidationError({"periods": "An even number of periods, at least 4: each wording gets half of them."})
    for channel in channels:
        wall_times(experiment, channel)
        if timedelta(days=settings["period_days"]) < washout_of(experiment, channel):
            raise ValidationError({"period_days": f"Periods on {channel} have to be longer than its wash-out."})
        last = _time_of(experiment, channel, settings["periods"] - 1)
        check_horizon(experiment, last, outcomes.age_of(experiment, channel.network))


def plan(experiment: Experiment, by: Actor) -> None:
    """One post for each channel and period; every two periods hold both wordings, in an order that is drawn."""
    by.require(Perm.PUBLISH)
    arms = list(experiment.arms.order_by("position"))
    for channel in _channels(experiment):
        for period in range(experiment.settings["periods"]):
            is_swapped = score(f"{experiment.seed}/{channel.pk}", str(period // 2)) >= 0.5
            arm = arms[(period + is_swapped) % 2]
            texts = arm.content["texts"]
            make_unit(
                experiment,
                arm,
                block=str(channel.pk),
                position=period,
                at=_time_of(experiment, channel, period),
                connection=channel,
                text=texts[(period // 2) % len(texts)],
                by=by,
            )


def _time_of(experiment: Experiment, channel: Connection, period: int) -> datetime:
    """The same time of day and, in periods of weeks, the same weekday throughout."""
    weekday, at, zone = wall_times(experiment, channel)[0]
    start = first_day(experiment)
    day = start + timedelta(days=(weekday - start.weekday()) % 7)
    if resolve(day, at, zone) <= now():
        day += timedelta(days=7)
    return resolve(day + timedelta(days=period * experiment.settings["period_days"]), at, zone)


def _channels(experiment: Experiment) -> list[Connection]:
    channels = [connection_of(experiment, pk) for pk in dict.fromkeys(experiment.settings["connections"])]
    if len(channels) < FEWEST_CHANNELS:
        raise ValidationError({"connections": "Choose at least two channels; with one, use paired slots."})
    return channels


def collect(experiment: Experiment) -> dict[str, Any]:
    return outcomes.collect(experiment)


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    return paired_posts.analyse(experiment, data)
