"""Send one claimed delivery. The only code that makes the call that cannot be undone."""

from typing import Any
from uuid import UUID

import structlog

from accounts.usage import BudgetExceeded
from campaigns.engine import outcome
from campaigns.engine.health import note_success
from campaigns.engine.job import ClaimLost, Job, NotNow, begin_submission, check_deadline, start_job
from campaigns.engine.media import MediaPending, checked_media, upload_media
from campaigns.models import Delivery
from social.credentials import open_client
from social.networks.port import Accepted, NetworkClient, NetworkError, OutgoingPart
from social.networks.rules import missing_scopes

log = structlog.get_logger(__name__)
State = Delivery.State
NOT_SUMMONED = "X only allows an answer to a post that mentions or quotes this account."


def publish_delivery(workspace_id: UUID, delivery_id: UUID, fence: int) -> None:
    job = start_job(workspace_id, delivery_id, fence)
    if job is None:
        return
    try:
        _check(job)
        _send_parts(job)
    except ClaimLost:
        log.warning("claim_lost", delivery=str(delivery_id), fence=fence)
    except NotNow as no:
        outcome.set_aside(job, no)
    except BudgetExceeded as error:
        outcome.stop_spending(job, error)
    except MediaPending as pending:
        outcome.wait_for_media(job, pending.check_after_s)
    except NetworkError as error:
        outcome.record_failure(job, error)
    except Exception:
        # The outermost loop of a worker: without this the claim would run out and come back for ever.
        log.exception("publish_crashed", delivery=str(delivery_id), fence=fence)
        outcome.record_crash(job)


def _check(job: Job) -> None:
    """Everything that can be known before any call. What changes meanwhile is looked at again right before it."""
    if job.rendered.content_hash != job.delivery.approved_hash:
        raise NotNow(State.IN_REVIEW, "changed", "The content is not what was approved. It needs a new approval.")
    if job.refused:
        raise job.refused
    has_media = any(part.media for part in job.rendered.parts)
    if missing := missing_scopes(job.connection, has_media=has_media):
        text = f"The connection lacks the permission {', '.join(missing)}. Connect it again and allow everything."
        raise NotNow(State.FAILED, "missing_scopes", text)
    if job.rendered.reply_to and not job.delivery.post.reply_facts.get("is_summoned"):
        raise NotNow(State.FAILED, "not_summoned", NOT_SUMMONED)


def _send_parts(job: Job) -> None:
    if not job.remaining:
        outcome.finish(job)
        return
    client = open_client(job.connection)
    for position in job.remaining:
        files = _prepare_media(job, client, position)
        accepted = _submit(job, client, position, files)
        _record(job, client, position, accepted)
        if accepted.rest_s and position + 1 < len(job.rendered.parts):
            # The network wants a pause between two messages; a worker does not wait for it.
            outcome.rest(job, position, accepted.rest_s)
            return


def _prepare_media(job: Job, client: NetworkClient, position: int) -> dict[str, Any]:
    part = job.rendered.parts[position]
    if client.uploads_ahead:
        return {"media_ids": upload_media(job, client, part)}
    return {"media": checked_media(job, part)}


def _submit(job: Job, client: NetworkClient, position: int, files: dict[str, Any]) -> Accepted:
    rendered = job.rendered
    part = OutgoingPart(
        text=rendered.parts[position].text,
        entities=rendered.parts[position].entities,
        reply_to=job.live.get(position - 1) or rendered.reply_to or None,
        made_with_ai=rendered.made_with_ai,
        poll=rendered.parts[position].poll,
        options=rendered.options,
        is_first=position == 0,
        is_last=position + 1 == len(rendered.parts),
        **files,
    )
    begin_submission(job, position)
    check_deadline(job, client.timeout_s)
    return client.publish(part)


def _record(job: Job, client: NetworkClient, position: int, accepted: Accepted) -> None:
    """It is live. Whatever fails from here on must not look like a failure to publish."""
    try:
        outcome.record_accepted(job, position, accepted)
    except Exception as error:
        log.exception("record_failed", delivery=str(job.delivery.pk), remote_id=accepted.remote_id)
        # The attempt still says `submitting`: the reaper will look the part up and adopt it.
        raise ClaimLost from error
    job.live[position], job.submitting_part = accepted.remote_id, None
    try:
        note_success(job.connection, accepted)
        _pin(job, client, position, accepted)
    except Exception:
        # Best effort: the post is live and recorded.
        log.exception("afterwards_failed", delivery=str(job.delivery.pk), remote_id=accepted.remote_id)


def _pin(job: Job, client: NetworkClient, position: int, accepted: Accepted) -> None:
    if position == 0 and job.rendered.options.get("pin"):
        client.pin(accepted.remote_id)
