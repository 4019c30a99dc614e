"""The posts of an experiment: drafts with a planned time, which need their approval like any other."""

from datetime import datetime
from uuid import UUID

from accounts.access import Actor, Perm, system_actor
from campaigns.deliveries import cancel_delivery, schedule_delivery
from campaigns.drafts import PartDraft, PostDraft
from campaigns.models import Delivery
from campaigns.services import create_post
from experiments.models import Arm, Experiment, Unit
from social.models import Connection

State = Delivery.State
MAKES_POSTS = {Experiment.Design.PAIRED_SLOTS, Experiment.Design.CROSSOVER}
NOT_SENT = (State.DRAFT, State.IN_REVIEW, State.APPROVED, State.SCHEDULED, State.PAUSED)


def make_unit(
    experiment: Experiment,
    arm: Arm,
    *,
    block: str,
    position: int,
    at: datetime,
    connection: Connection,
    text: str,
    by: Actor,
) -> Unit:
    delivery = make_delivery(experiment, text, connection, at, by=by, title=_title(experiment, block, position))
    return Unit.objects.create(
        workspace=experiment.workspace,
        experiment=experiment,
        block=block,
        position=position,
        arm=arm,
        propensity=0.5,
        delivery=delivery,
        planned_at=at,
    )


def make_delivery(
    experiment: Experiment, text: str, connection: Connection, at: datetime, *, by: Actor, title: str
) -> Delivery:
    draft = PostDraft(
        parts=(PartDraft(text),),
        title=title,
        campaign=experiment.campaign,
        connections=(connection.pk,),
    )
    post = create_post(draft, by=by)
    return schedule_delivery(Delivery.objects.get(post=post), at, by=by)


def cancel_planned(experiment: Experiment) -> None:
    """What was not sent is not needed any more: it leaves the calendar. Posts of other designs are people's own."""
    if experiment.design not in MAKES_POSTS:
        return
    by = system_actor(experiment.workspace, "experiments", {Perm.PUBLISH})
    planned = Unit.objects.filter(experiment=experiment, state=Unit.State.PLANNED, delivery__state__in=NOT_SENT)
    for unit in planned.select_related("delivery"):
        if unit.delivery:
            cancel_delivery(unit.delivery, by=by)


def is_one_block(delivery_id: UUID, other_id: UUID) -> bool:
    """Whether both are posts of one pair: two wordings of one content are alike on purpose."""
    units = Unit.objects.filter(delivery__in=[delivery_id, other_id])
    places = {(unit.experiment_id, unit.block, unit.position // 2) for unit in units}
    return len(units) == 2 and len(places) == 1


def _title(experiment: Experiment, block: str, position: int) -> str:
    # Without the arm: whoever approves should not see which wording is hoped to win.
    return f"{experiment.name[:80]}: {block}, post {position + 1}"
