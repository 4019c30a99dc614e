"""What only a person can settle: a call without a clear answer."""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, plans
from accounts.access import Actor, Perm
from accounts.services import emit
from campaigns import publishing_log, repeats
from campaigns.deliveries.loading import locked_one, may_be_live
from campaigns.engine.budget import release_cost, settle_cost
from campaigns.errors import NotAllowedNow
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.rendering import render
from lib.clock import now
from social.models import Network
from social.networks.links import LINK_EXAMPLES, find_post_id, post_url

State = Delivery.State


def confirm_live(delivery: Delivery, link: str, *, by: Actor) -> Delivery:
    """A person saw it live: the link (or id) of the post becomes its receipt."""
    by.require(Perm.PUBLISH)
    remote_id = find_post_id(delivery.connection, link)
    if not remote_id:
        example = LINK_EXAMPLES[Network(delivery.connection.network)]
        raise ValidationError({"link": f"Paste the link of the post on {delivery.connection}, such as {example}."})
    with transaction.atomic():
        row, attempt, position = _uncertain(delivery)
        if LivePart.objects.filter(connection=row.connection, remote_id=remote_id).exists():
            raise ValidationError({"link": "Another delivery has this post already."})
        parts = render(row).parts
        LivePart.objects.create(
            workspace=row.workspace,
            delivery=row,
            connection=row.connection,
            position=position,
            content_hash=parts[position].content_hash,
            remote_id=remote_id,
            # Ours, not the pasted one: that may lead anywhere.
            url=post_url(row.connection, remote_id),
            was_found=True,
        )
        _answer(attempt, Attempt.Outcome.ACCEPTED, f"{by.label} says it is live.")
        settle_cost(row, position)
        is_last = position + 1 == len(parts)
        row.state = State.PUBLISHED if is_last else State.RETRY_WAIT
        row.published_at, row.due_at = (now(), None) if is_last else (None, now())
        row.lease_until, row.problem_code, row.problem_text = None, "", ""
        row.save()
        if is_last:
            repeats.mark_published(row)
            plans.count_done(row.workspace, "posts")
            emit(row.workspace, "delivery.published", delivery=str(row.pk), post=str(row.post_id))
            publishing_log.write(row, "published", publishing_log.SUCCESS, f"{by.label} says it is live.")
        audit.record("delivery.confirm_live", row, by=by, remote_id=remote_id)
    return row


def send_again(delivery: Delivery, *, by: Actor) -> Delivery:
    """A person looked and it is not there."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        row, attempt, position = _uncertain(delivery)
        if attempt.submitting_at and now() < attempt.submitting_at + _call_period(row):
            raise NotAllowedNow("The network may still take the first try. Look again in a minute or two.")
        _answer(attempt, Attempt.Outcome.REFUSED, f"{by.label} says it is not live.")
        release_cost(row, position)
        row.state, row.due_at, row.lease_until = State.RETRY_WAIT, now(), None
        row.scheduled_at = now()
        row.save()
        audit.record("delivery.send_again", row, by=by)
    return row


def _call_period(row: Delivery) -> timedelta:
    """How long after its beginning a call may still go through."""
    is_on_x = row.connection.network == Network.X
    longest = settings.X_TIMEOUT_S if is_on_x else settings.TELEGRAM_TIMEOUT_S
    return timedelta(seconds=longest + settings.LATE_ACCEPT_S + settings.READ_LAG_S)


def _uncertain(delivery: Delivery) -> tuple[Delivery, Attempt, int]:
    row = locked_one(delivery)
    attempt = row.attempts.exclude(submitting_part=None).order_by("-number").first()
    is_open = row.state == State.UNCONFIRMED or may_be_live(row)
    if not is_open or attempt is None or attempt.submitting_part is None:
        raise NotAllowedNow("This is settled already.")
    return row, attempt, attempt.submitting_part


def _answer(attempt: Attempt, result: str, message: str) -> None:
    Attempt.objects.filter(delivery_id=attempt.delivery_id).exclude(submitting_part=None).update(submitting_part=None)
    Attempt.objects.filter(pk=attempt.pk).update(outcome=result, message=message[:300], finished_at=now())
