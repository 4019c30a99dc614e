"""B: subscribers who opted in. Each gets one wording for good; what they do is counted by the wording's own link."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, Q

from accounts.access import Actor
from analytics.models import Event, Link
from campaigns.errors import NotAllowedNow
from compliance.models import Contact
from experiments.models import Arm, Experiment, Unit
from experiments.visitors import analyse_visitors
from lib.clock import now
from lib.splitting import Split, assign

State = Unit.State
NO_BROADCAST = (
    "Messages to single subscribers cannot be sent yet: there is no way that reaches each of them exactly once. Test "
    "the wording with paired time slots (design C), or where it leads with a link split (design A)."
)


def check_start(experiment: Experiment) -> None:
    raise NotAllowedNow(NO_BROADCAST)


def plan(experiment: Experiment, by: Actor) -> None:
    """One unit for each subscriber; sending is not ours."""
    arms = list(experiment.arms.order_by("position"))
    split = Split(f"{experiment.pk}/{experiment.version}", tuple(1.0 for _ in arms))
    contacts = Contact.objects.filter(workspace=experiment.workspace_id, restricted_at=None, has_gpc=False)
    rows = contacts.filter(pk__in=_ids(experiment.settings["contacts"])).order_by("pk")
    if len(rows) < 2 * len(arms):
        raise ValidationError({"contacts": "Choose more subscribers: only those who may be written to are counted."})
    Unit.objects.bulk_create(_unit(experiment, arms, split, contact.pk) for contact in rows)


def _unit(experiment: Experiment, arms: list[Arm], split: Split, contact: UUID) -> Unit:
    drawn = assign(split, str(contact))
    assert drawn is not None
    return Unit(
        workspace=experiment.workspace,
        experiment=experiment,
        block=str(contact),
        arm=arms[drawn.arm],
        propensity=drawn.propensity,
    )


def collect(experiment: Experiment) -> dict[str, Any]:
    """Units that got their message, and the people who followed the link of each wording."""
    arms = list(experiment.arms.order_by("position"))
    sent = Unit.objects.filter(experiment=experiment, state__in=[State.LIVE, State.MEASURED])
    units = dict(sent.order_by().values_list("arm__key").annotate(number=Count("pk")))
    clicks = {arm.key: _visitors(experiment, arm) for arm in arms}
    weights = {arm.key: 1 / len(arms) for arm in arms}
    return {
        "unit": "subscriber",
        "at": now().isoformat(),
        "arms": [arm.key for arm in arms],
        "control": next(arm.key for arm in arms if arm.is_control),
        "closed": [],
        "epochs": [{"number": 1, "weights": weights}],
        "cells": [[1, key, False, "", "", units.get(key, 0), min(clicks[key], units.get(key, 0))] for key in weights],
        "devices": [],
        "guarded": [],
    }


def _visitors(experiment: Experiment, arm: Arm) -> int:
    link = Link.objects.filter(pk=experiment.settings["arm_links"].get(arm.key)).first()
    if link is None or experiment.started_at is None:
        return 0
    kind = Event.Kind.CONVERSION if experiment.metric == "conversions" else Event.Kind.CLICK
    events = Event.objects.filter(workspace_id=experiment.workspace_id, link_id=link.pk, at__gte=experiment.started_at)
    people = Q(kind=kind, is_bot=False) & ~Q(visitor="")
    return events.filter(people).aggregate(number=Count("visitor", distinct=True))["number"]


def _ids(given: list[Any]) -> list[UUID]:
    try:
        return [UUID(str(pk)) for pk in given]
    except ValueError as error:
        raise ValidationError({"contacts": "Choose contacts of this workspace."}) from error


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    return analyse_visitors(experiment, data)
