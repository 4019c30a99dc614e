"""Send one claimed delivery. The only code that makes the call that cannot be undone."""

from uuid import UUID

import structlog

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.engine import outcome
from campaigns.engine.job import ClaimLost, Job, begin_submission, check_deadline, start_job
from campaigns.engine.media import MediaPending, upload_media
from campaigns.models import Campaign, Post
from social.credentials import open_client
from social.models import Connection
from social.networks.port import Accepted, NetworkClient, NetworkError, OutgoingPart
from social.networks.rules import missing_scopes

log = structlog.get_logger(__name__)


class NotNow(Exception):
    """A pre-check says no: `state` is where the delivery goes instead, without a call."""

    def __init__(self, state: str, code: str, message: str) -> None:
        self.state, self.code, self.message = state, code, message


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
        outcome.set_aside(job, no.state, no.code, no.message)
    except MediaPending as pending:
        outcome.wait_for_media(job, pending.check_after_s)
    except NetworkError as error:
        outcome.record_failure(job, error)
    except Exception:
        # The outermost loop of a worker: without this the claim would run out and come back for ever.
        log.exception("publish_crashed", delivery=str(delivery_id), fence=fence)
        outcome.record_crash(job)


def _check(job: Job) -> None:
    """Everything that can be known before the call. Budgets and breakers belong here, too."""
    if job.rendered.content_hash != job.delivery.approved_hash:
        raise NotNow("in_review", "changed", "The content is not what was approved. It needs a new approval.")
    _check_hold(job)
    has_media = any(part.media for part in job.rendered.parts)
    if missing := missing_scopes(job.connection, has_media=has_media):
        text = f"The connection lacks the permission {', '.join(missing)}. Connect it again and allow everything."
        raise NotNow("failed", "missing_scopes", text)


def _check_hold(job: Job) -> None:
    """Read afresh before every call: uploads take minutes. A pause lets a thread finish, a suspension does not."""
    with workspace_scope(job.workspace_id):
        is_suspended = Workspace.objects.values_list("is_suspended", flat=True).get(pk=job.workspace_id)
        status = Connection.objects.values_list("status", flat=True).get(pk=job.connection.pk)
        on_hold = not job.live and _is_held(job.delivery.post)
    if is_suspended or on_hold or status != Connection.Status.ACTIVE:
        raise NotNow("retry_wait", "held", "Publishing is on hold.")


def _is_held(post: Post) -> bool:
    return Campaign.objects.filter(posts=post).exclude(status=Campaign.Status.RUNNING).exists()


def _send_parts(job: Job) -> None:
    if not job.remaining:
        outcome.finish(job)
        return
    client = open_client(job.connection)
    for position in job.remaining:
        media_ids = upload_media(job, client, job.rendered.parts[position])
        _check_hold(job)
        accepted = _submit(job, client, position, media_ids)
        _record(job, position, accepted)


def _submit(job: Job, client: NetworkClient, position: int, media_ids: tuple[str, ...]) -> Accepted:
    part = OutgoingPart(
        text=job.rendered.parts[position].text,
        media_ids=media_ids,
        reply_to=job.live.get(position - 1),
        made_with_ai=job.rendered.made_with_ai,
    )
    begin_submission(job, position)
    check_deadline(job)
    return client.publish(part)


def _record(job: Job, position: int, accepted: Accepted) -> None:
    """It is live. Whatever fails from here on must not look like a failure to publish."""
    try:
        outcome.record_accepted(job, position, accepted)
    except Exception as error:
        log.exception("record_failed", delivery=str(job.delivery.pk), remote_id=accepted.remote_id)
        # The attempt still says `submitting`: the reaper will look the part up and adopt it.
        raise ClaimLost from error
    job.live[position], job.submitting_part = accepted.remote_id, None
