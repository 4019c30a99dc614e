"""Which buttons a page offers. The services decide; this only spares people a refusal."""

from collections.abc import Collection

from accounts.access import Actor, Perm
from campaigns.engine.look_up import MAY_BE_LIVE
from campaigns.models import Delivery

State = Delivery.State
SENT = {State.PUBLISHING, State.PUBLISHED, State.UNCONFIRMED}
BEFORE_APPROVAL = {State.DRAFT, State.IN_REVIEW}


def delivery_actions(delivery: Delivery, actor: Actor) -> set[str]:
    if not actor.can(Perm.PUBLISH):
        return set()
    if delivery.state in SENT:
        return {"settle"} if delivery.state == State.UNCONFIRMED else set()
    if delivery.state == State.FAILED and delivery.problem_code == MAY_BE_LIVE:
        return {"settle", "cancel"}
    actions = {"schedule", "slot"}
    if delivery.state != State.CANCELED:
        actions.add("cancel")
        if delivery.scheduled_at and delivery.state not in {State.FAILED, State.PAUSED}:
            actions.add("unschedule")
        if delivery.state not in BEFORE_APPROVAL:
            actions.add("publish")
    return actions


def post_actions(deliveries: Collection[Delivery], actor: Actor) -> set[str]:
    """Expects live_parts prefetched."""
    if not actor.can(Perm.CONTENT_EDIT):
        return set()
    actions = {"duplicate"}
    if not any(row.state in SENT or row.live_parts.all() for row in deliveries):
        actions.add("edit")
    if not deliveries or any(row.state == State.DRAFT for row in deliveries):
        actions.add("submit")
    if not any(row.fence for row in deliveries):
        actions.add("delete")
    return actions
