"""E: many posts, each given a style when it enters, balanced within hour, weekday and format."""

from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, PartMedia
from experiments import outcomes, stratified_posts
from experiments.models import Arm, Experiment, Unit
from experiments.options import FEWEST_POSTS
from lib.clock import now
from lib.splitting import score

NOT_SENT = {Delivery.State.DRAFT, Delivery.State.IN_REVIEW}
STRATA = ("hour", "weekday", "format")
# Wide enough to hold posts of every arm.
HOURS_A_STRATUM = 6


def check_start(experiment: Experiment) -> None:
    if unknown := [name for name in experiment.settings["strata"] if name not in STRATA]:
        raise ValidationError({"strata": f"{unknown[0]} is not one of {', '.join(STRATA)}."})
    if experiment.settings["posts"] < FEWEST_POSTS * experiment.arms.count():
        raise ValidationError({"posts": f"At least {FEWEST_POSTS} posts for each style."})


def plan(experiment: Experiment, by: Actor) -> None:
    """Posts come later, one by one."""


def enter(experiment: Experiment, delivery: Delivery, *, by: Actor) -> Unit:
    """Draw the style of a planned post before it is written; `unit.arm.content` says what it has to be."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        # The lock deals the places of a stratum one after the other.
        row = (
            Experiment.objects.select_for_update(no_key=True, of=("self",))
            .select_related("workspace")
            .get(pk=experiment.pk)
        )
        if row.design != Experiment.Design.PROGRAMME or row.status != Experiment.Status.RUNNING:
            raise NotAllowedNow("This style programme does not run.")
        if delivery.state not in NOT_SENT or delivery.scheduled_at is None:
            raise NotAllowedNow("Only a draft with a planned time can enter: its style is drawn before it is written.")
        if Unit.objects.filter(delivery=delivery).exists():
            raise NotAllowedNow("This post is in an experiment already.")
        entered = Unit.objects.filter(experiment=row).exclude(state=Unit.State.EXCLUDED)
        if entered.count() >= row.settings["posts"]:
            raise NotAllowedNow("All its posts have entered. It ends when the last of them is measured.")
        stratum = stratum_of(row, delivery)
        position = Unit.objects.filter(experiment=row, block=stratum).count()
        arm = drawn_arm(row, stratum, position)
        unit = Unit.objects.create(
            workspace=row.workspace,
            experiment=row,
            block=stratum,
            position=position,
            arm=arm,
            propensity=1 / row.arms.count(),
            delivery=delivery,
            planned_at=delivery.scheduled_at,
        )
        audit.record("experiment.post_enter", row, by=by, delivery=str(delivery.pk), arm=arm.key, stratum=stratum)
    return unit


def candidates(experiment: Experiment) -> QuerySet[Delivery]:
    """Planned drafts of its account that are in no experiment, the next first."""
    taken = Unit.objects.filter(delivery=OuterRef("pk"))
    rows = Delivery.objects.filter(workspace=experiment.workspace_id, state__in=NOT_SENT, scheduled_at__gt=now())
    rows = rows.filter(connection=experiment.settings["connection"]).exclude(Exists(taken))
    return rows.select_related("post", "connection").order_by("scheduled_at")


def drawn_arm(experiment: Experiment, stratum: str, position: int) -> Arm:
    """Permuted blocks: of every k posts of a stratum each of the k arms gets one, in an order that is drawn."""
    arms = list(experiment.arms.order_by("position"))
    block, place = divmod(position, len(arms))
    salt = f"{experiment.seed}/{stratum}/{block}"
    return sorted(arms, key=lambda arm: score(salt, arm.key))[place]


def stratum_of(experiment: Experiment, delivery: Delivery) -> str:
    assert delivery.scheduled_at is not None
    local = delivery.scheduled_at.astimezone(ZoneInfo(experiment.workspace.time_zone))
    has_media = PartMedia.objects.filter(part__post=delivery.post_id).exists()
    facts = {
        "hour": f"hour {local.hour // HOURS_A_STRATUM * HOURS_A_STRATUM:02}",
        "weekday": "weekend" if local.weekday() >= 5 else "week",
        "format": "media" if has_media else "text",
    }
    return ", ".join(facts[name] for name in experiment.settings["strata"]) or "all"


def collect(experiment: Experiment) -> dict[str, Any]:
    return outcomes.collect(experiment)


def analyse(experiment: Experiment, data: dict[str, Any]) -> dict[str, Any]:
    return stratified_posts.analyse(experiment, data)
