"""Write down what became of an attempt. Each write is guarded by the fence; a lost claim writes nothing."""

import random
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings

from accounts import plans
from accounts.scope import workspace_scope
from accounts.services import emit, notify
from accounts.usage import BudgetExceeded, campaign_scope
from campaigns import publishing_log, repeats
from campaigns.account_health import is_app_limit
from campaigns.engine.budget import release_cost, settle_cost
from campaigns.engine.dispatch import quiet_period
from campaigns.engine.health import note_failure, note_network_success
from campaigns.engine.job import Job, NotNow
from campaigns.engine.media import forget_uploads
from campaigns.models import Attempt, Delivery, LivePart
from lib.clock import now
from lib.text import storable
from social import credentials
from social.models import Connection
from social.networks.port import Accepted, Failure, NetworkError
from social.services import follow_move, pause_by_network

log = structlog.get_logger(__name__)
State, Outcome = Delivery.State, Attempt.Outcome
MAX_BACKOFF_S = 3600


def record_accepted(job: Job, position: int, accepted: Accepted) -> None:
    """An answer always counts, however late: the part is live, whatever was decided meanwhile."""
    with workspace_scope(job.workspace_id):
        rows = Delivery.objects.select_related("connection", "workspace").select_for_update(no_key=True, of=("self",))
        held = rows.filter(pk=job.delivery.pk).first()
        if held is None:
            log.error("answer_for_nothing", delivery=str(job.delivery.pk), remote_id=accepted.remote_id)
            return
        _keep_receipt(job, position, accepted)
        settle_cost(held, position)
        note_network_success(job.connection.network)
        in_hand = held.state == State.PUBLISHING and held.fence == job.fence
        is_last = position + 1 == len(job.rendered.parts)
        _close_attempt(
            job,
            Outcome.OPEN if in_hand and not is_last else Outcome.ACCEPTED,
            submitting_part=None,
            http_status=accepted.http_status,
            request_id=accepted.request_id,
            raw=accepted.raw,
        )
        # A newer claim finds the part live before its own call, and finishes by itself.
        if held.state == State.PUBLISHED or (held.state == State.PUBLISHING and not in_hand):
            return
        if is_last:
            mark_published(held)
        elif held.state == State.UNCONFIRMED and not is_uncertain(held):
            held.state, held.due_at, held.lease_until = State.RETRY_WAIT, now(), None
            held.save(update_fields=["state", "due_at", "lease_until"])


def _keep_receipt(job: Job, position: int, accepted: Accepted) -> None:
    part, is_new = LivePart.objects.get_or_create(
        delivery=job.delivery,
        position=position,
        defaults={
            "workspace_id": job.workspace_id,
            "connection": job.connection,
            "content_hash": job.rendered.parts[position].content_hash,
            "remote_id": accepted.remote_id,
            "remote_ids": list(accepted.remote_ids),
            "url": accepted.url,
        },
    )
    if not is_new and part.remote_id != accepted.remote_id:
        log.error("live_twice", delivery=str(job.delivery.pk), remote_ids=[part.remote_id, accepted.remote_id])


def is_uncertain(delivery: Delivery) -> bool:
    """Whether the answer to any call is still open."""
    return delivery.attempts.exclude(submitting_part=None).exists()


def finish(job: Job) -> None:
    """Every part was live already when this claim began."""
    with workspace_scope(job.workspace_id):
        held = Delivery.objects.select_for_update(no_key=True).filter(
            pk=job.delivery.pk, fence=job.fence, state=State.PUBLISHING
        )
        if delivery := held.first():
            _close_attempt(job, Outcome.ABANDONED, message="Everything was live already.")
            mark_published(delivery)


def mark_published(delivery: Delivery) -> None:
    """Expects the row's lock."""
    delivery.state, delivery.published_at, delivery.due_at, delivery.lease_until = State.PUBLISHED, now(), None, None
    delivery.problem_code = delivery.problem_text = ""
    delivery.updated_at = now()
    delivery.save(
        update_fields=[
            "state", "published_at", "due_at", "lease_until", "problem_code", "problem_text", "updated_at",
        ]
    )  # fmt: skip
    repeats.mark_published(delivery)
    plans.count_done(delivery.workspace, "posts")
    tell(delivery, "published", f"Published on {delivery.connection}.", status=publishing_log.SUCCESS)


def tell(delivery: Delivery, kind: str, text: str, *, status: str = publishing_log.ERROR) -> None:
    """The outbox, the log and the people hear of what became of it, in the transaction of the change."""
    emit(delivery.workspace, f"delivery.{kind}", delivery=str(delivery.pk), post=str(delivery.post_id))
    publishing_log.write(delivery, kind, status, text, code=delivery.problem_code)
    is_alert = status == publishing_log.ERROR
    notify(delivery.workspace, f"delivery.{kind}", text, path=f"/deliveries/{delivery.pk}", alert=is_alert)


def rest(job: Job, position: int, seconds: float) -> None:
    """The next part follows after the pause that the network wants between two messages."""
    with workspace_scope(job.workspace_id):
        due = now() + timedelta(seconds=seconds)
        if _move(job, State.RETRY_WAIT, due_at=due, code="", message=""):
            _close_attempt(job, Outcome.ACCEPTED, message=f"Part {position + 1} of {len(job.rendered.parts)} is live.")


def stop_spending(job: Job, error: BudgetExceeded) -> None:
    """No money: the account, or the campaign whose budget it is, pauses and says so. Nothing was sent."""
    text = str(error)
    with workspace_scope(job.workspace_id):
        # The account before the delivery, as everybody takes them.
        Connection.objects.select_for_update(no_key=True).get(pk=job.connection.pk)
        if not _move(job, State.RETRY_WAIT, due_at=now(), code="budget", message=text):
            return
        _close_attempt(job, Outcome.ABANDONED, code="budget", message=text)
        campaign = job.delivery.post.campaign
        from campaigns.services import pause_for_budget

        if campaign and error.budget.scope == campaign_scope(campaign.pk):
            pause_for_budget(campaign, text)
        else:
            pause_by_network(job.connection, NetworkError(Failure.PAUSED, "monthly_cap", text))


def set_aside(job: Job, no: NotNow) -> None:
    """A pre-check stopped it: nothing was sent."""
    with workspace_scope(job.workspace_id):
        if no.rests_account:
            # The account before the delivery, as everybody takes them.
            Connection.objects.filter(pk=job.connection.pk).update(limited_until=no.until)
        due = no.until or _plan(job, no.state)
        if not _move(job, no.state, due_at=due, code=no.code, message=no.message):
            return
        _close_attempt(job, Outcome.ABANDONED, code=no.code, message=no.message)
        if no.state == State.FAILED:
            tell(job.delivery, "failed", no.message)
        if no.state == State.IN_REVIEW:
            from campaigns.deliveries import request_delivery_review

            request_delivery_review(job.delivery, code=no.code, message=no.message)


def wait_for_media(job: Job, check_after_s: int) -> None:
    text = "The network is still processing a file."
    with workspace_scope(job.workspace_id):
        due = now() + timedelta(seconds=check_after_s)
        if _move(job, State.RETRY_WAIT, due_at=due, code="media_processing", message=text):
            _close_attempt(job, Outcome.ABANDONED, code="media_processing", message=text)


def record_failure(job: Job, error: NetworkError) -> None:
    failure = error.failure
    if failure is Failure.UNKNOWN and job.submitting_part is None:
        # A token call or an upload without an answer leaves nothing on the account.
        failure = Failure.TEMPORARY
    if failure is Failure.UNAUTHORIZED:
        failure = _try_refresh(job)
    with workspace_scope(job.workspace_id):
        SETTLE[failure](job, error)
        # Refused calls cost nothing; what is unknown keeps its reservation until somebody knows.
        position, is_refused = job.submitting_part, failure not in {Failure.UNKNOWN, Failure.DUPLICATE}
        mine = Delivery.objects.filter(pk=job.delivery.pk, fence=job.fence)
        # Where somebody else has the delivery by now, what is held back is theirs.
        if is_refused and position is not None and mine.exists():
            release_cost(job.delivery, position)
    note_failure(job.connection, failure, error)


def record_crash(job: Job) -> None:
    """An error of ours. Before the call it is a retry; once the call may be out, the reaper has it looked up."""
    with workspace_scope(job.workspace_id):
        open_attempt = Attempt.objects.filter(delivery=job.delivery, number=job.fence, outcome=Outcome.OPEN)
        if open_attempt.filter(submitting_part=None).exists():
            text = "Something went wrong on our side. Staff can see what."
            count_failure(job.delivery, "internal", text, fence=job.fence)
            _close_attempt(job, Outcome.ABANDONED, code="internal", message=text)


def _try_refresh(job: Job) -> Failure:
    """With a new token the refusal was temporary; without one the account has to be connected again."""
    try:
        version = credentials.credential_version(job.connection)
        credentials.refresh_credential(job.connection, seen_version=version)
    except NetworkError as error:
        return Failure.UNAUTHORIZED if error.failure is Failure.UNAUTHORIZED else Failure.TEMPORARY
    return Failure.TEMPORARY


def _unknown(job: Job, error: NetworkError) -> None:
    if _move(job, State.UNCONFIRMED, due_at=now() + quiet_period(), code=error.code, message=error.message):
        _close_attempt(job, Outcome.UNKNOWN, **_facts(error))
        text = f"No clear answer from {job.connection}. Checking whether it is live."
        tell(job.delivery, "unconfirmed", text, status=publishing_log.WARNING)


def _duplicate(job: Job, error: NetworkError) -> None:
    """Evidence that an earlier try went through; only the look-up may decide."""
    due = now() + timedelta(seconds=settings.READ_LAG_S)
    if _move(job, State.UNCONFIRMED, due_at=due, code=error.code, message=error.message):
        _close_attempt(job, Outcome.REFUSED, **_facts(error))


def _rate_limit(job: Job, error: NetworkError) -> None:
    """The whole account waits for its window; that costs no retry."""
    until = error.retry_at or now() + timedelta(minutes=1)
    if not is_app_limit(error):
        Connection.objects.filter(pk=job.connection.pk).update(limited_until=until)
    if _move(job, State.RETRY_WAIT, due_at=until, code=error.code, message=error.message):
        _close_attempt(job, Outcome.REFUSED, submitting_part=None, **_facts(error))


def _unauthorized(job: Job, error: NetworkError) -> None:
    """It waits, still due, until the account is connected again."""
    credentials.mark_reconnect(job.connection, error.message)
    _hold(job, error)


def _paused(job: Job, error: NetworkError) -> None:
    pause_by_network(job.connection, error)
    _hold(job, error)


def _hold(job: Job, error: NetworkError) -> None:
    if _move(job, State.RETRY_WAIT, due_at=now(), code=error.code, message=error.message):
        _close_attempt(job, Outcome.REFUSED, submitting_part=None, **_facts(error))


def _temporary(job: Job, error: NetworkError) -> None:
    if error.moved_to:
        follow_move(job.connection, error.moved_to)
    count_failure(job.delivery, error.code, error.message, fence=job.fence, not_before=error.retry_at)
    _close_attempt(job, Outcome.REFUSED, submitting_part=None, **_facts(error))


def _rejected(job: Job, error: NetworkError) -> None:
    forget_uploads(job)
    if _move(job, State.FAILED, due_at=None, code=error.code, message=error.message):
        _close_attempt(job, Outcome.REFUSED, submitting_part=None, **_facts(error))
        tell(job.delivery, "failed", storable(f"Not published on {job.connection}: {error.message}"))


SETTLE = {
    Failure.UNKNOWN: _unknown,
    Failure.DUPLICATE: _duplicate,
    Failure.RATE_LIMIT: _rate_limit,
    Failure.UNAUTHORIZED: _unauthorized,
    Failure.PAUSED: _paused,
    Failure.TEMPORARY: _temporary,
    Failure.REJECTED: _rejected,
}


def count_failure(
    delivery: Delivery, code: str, message: str, *, fence: int, not_before: datetime | None = None
) -> None:
    """Try again later, with full jitter, or give up when the limit is reached."""
    failures = delivery.failures + 1
    gives_up = failures > settings.RETRY_LIMIT
    state = State.FAILED if gives_up else State.RETRY_WAIT
    due = max(now() + backoff(failures), not_before or now())
    moved = Delivery.objects.filter(
        pk=delivery.pk, fence=fence, state__in=[State.PUBLISHING, State.UNCONFIRMED]
    ).update(
        state=state,
        failures=failures,
        due_at=None if gives_up else due,
        lease_until=None,
        problem_code=code[:40],
        problem_text=storable(message)[:300],
        updated_at=now(),
    )
    if moved and gives_up:
        tell(delivery, "failed", storable(f"Gave up after {settings.RETRY_LIMIT} retries: {message}"))


def backoff(failures: int) -> timedelta:
    ceiling = min(MAX_BACKOFF_S, settings.RETRY_BASE_S * 2 ** (failures - 1))
    return timedelta(seconds=random.uniform(0, ceiling))  # noqa: S311 (spreading load, not a secret)


def _plan(job: Job, state: str) -> datetime | None:
    return now() if state == State.RETRY_WAIT else None


def _move(job: Job, state: str, *, due_at: datetime | None, code: str, message: str) -> bool:
    held = Delivery.objects.filter(pk=job.delivery.pk, fence=job.fence, state=State.PUBLISHING)
    return bool(
        held.update(
            state=state,
            due_at=due_at,
            lease_until=None,
            problem_code=code[:40],
            problem_text=storable(message)[:300],
            updated_at=now(),
        )
    )


def _facts(error: NetworkError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "raw": error.raw,
        "http_status": error.http_status,
        "request_id": error.request_id,
    }


# What a network says goes into columns of these sizes, whatever it says.
LIMITS = {"code": 40, "message": 300, "request_id": 80, "raw": 4000}


def _close_attempt(job: Job, outcome: str, **fields: Any) -> None:
    fields |= {name: storable(fields[name])[:limit] for name, limit in LIMITS.items() if name in fields}
    fields |= {"outcome": outcome}
    if outcome != Outcome.OPEN:
        fields["finished_at"] = now()
    Attempt.objects.filter(delivery=job.delivery, number=job.fence).update(**fields)
