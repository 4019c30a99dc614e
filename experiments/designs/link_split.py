"""A: visitors of one link. Each gets an arm before the redirect and keeps it; conversions are counted for it."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.access import Actor
from campaigns.errors import NotAllowedNow
from experiments import allocation, exposures
from experiments.models import Experiment
from experiments.options import VISITOR_DESIGNS
from experiments.splits import links_of
from experiments.visitors import analyse_visitors

Status = Experiment.Status


def check_start(experiment: Experiment) -> None:
    links = links_of(experiment)
    if not links or len(links) < len(set(experiment.settings["links"])):
        raise ValidationError({"links": "Choose the short links whose visitors are split."})
    if experiment.metric != "conversions":
        raise ValidationError({"metric": "Visitors of a link have clicked already: decide by conversions."})
    if closed := [str(link) for link in links if not link.is_active]:
        raise NotAllowedNow(f"Switch the link {closed[0]} on first.")
    running = Experiment.objects.filter(
        workspace=experiment.workspace_id, design__in=VISITOR_DESIGNS, status__in=[Status.RUNNING, Status.PAUSED]
    ).exclude(pk=experiment.pk)
    taken = {pk: other.name for other in running for pk in other.settings.get("links", [])}
    if busy := [link for link in links if str(link.pk) in taken]:
        name = taken[str(busy[0].pk)]
        raise NotAllowedNow(f"“{name}” splits the link {busy[0]} already. Stop it first, or make another link.")


def plan(experiment: Experiment, by: Actor) -> None:
    weights = allocation.equal_weights(experiment)
    allocation.start_epoch(experiment, weights, reason="The start: equal shares.")


def collect(experiment: Experiment) -> dict[str, Any]:
    return exposures.collect(experiment)


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    return analyse_visitors(experiment, data)
