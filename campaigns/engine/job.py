"""One claimed delivery in a worker's hands: what it holds, and the guarded writes that keep or lose the claim."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from accounts import plans
from accounts.rate import in_words
from accounts.scope import workspace_scope
from campaigns.engine.budget import hold_cost
from campaigns.engine.holds import find_hold
from campaigns.engine.pace import is_about_account, take_turn
from campaigns.guarding import explain_hits, judge_delivery, keep_judged, known_at_sending, rules_at_approval
from campaigns.models import Attempt, Delivery, LiveChange, LivePart
from campaigns.post_room import count_used
from campaigns.queries import with_content
from campaigns.rendering import Rendered, render
from compliance.guard import Verdict
from compliance.models import GuardDecision
from lib.clock import boot_seconds, now
from lib.http import CONNECT_TIMEOUT_S
from social.models import Connection

State = Delivery.State
QUEUED = LiveChange.State.QUEUED
TAKEN_DOWN = "Its live parts were taken down, so the rest is not sent. Duplicate the post to publish it anew."


class ClaimLost(Exception):
    """The lease ran out or somebody else has the delivery: stop, send nothing."""


class NotNow(Exception):
    """A check says no: `state` is where the delivery goes instead, without a call, and `until` when it is tried again.

    `rests_account`: the same is true of everything on this account.
    """

    def __init__(
        self, state: str, code: str, message: str, *, until: datetime | None = None, rests_account: bool = False
    ) -> None:
        self.state, self.code, self.message = state, code, message
        self.until, self.rests_account = until, rests_account


@dataclass
class Job:
    workspace_id: UUID
    delivery: Delivery
    fence: int
    rendered: Rendered
    live: dict[int, str]
    # On the clock that also runs while the machine sleeps.
    lease_ends: float
    # Set while a call is out whose outcome is not recorded yet.
    submitting_part: int | None = field(default=None)
    # What held it back when it was taken over; asked in that transaction, and again right before the call.
    refused: NotNow | None = field(default=None)

    @property
    def connection(self) -> Connection:
        return self.delivery.connection

    @property
    def remaining(self) -> range:
        return range(len(self.live), len(self.rendered.parts))


def start_job(workspace_id: UUID, delivery_id: UUID, fence: int) -> Job | None:
    """Take over the claim. None when this message is a repeat, or came after the lease ran out."""
    with workspace_scope(workspace_id):
        started = Attempt.objects.filter(
            delivery_id=delivery_id, number=fence, started_at=None, outcome=Attempt.Outcome.OPEN
        ).update(started_at=now())
        if not (started and _extend(delivery_id, fence)):
            return None
        delivery = with_content(Delivery.objects.filter(pk=delivery_id)).get()
        live = dict(LivePart.objects.filter(delivery=delivery).values_list("position", "remote_id"))
        job = Job(workspace_id, delivery, fence, render(delivery), live, _lease_end())
        try:
            check_holds(job)
            check_guard(job)
        except NotNow as no:
            job.refused = no
    return job


def check_guard(job: Job) -> None:
    """The last look of the rules: they, the account or the facts may have changed since the approval. Raises NotNow."""
    if job.rendered.content_hash != job.delivery.approved_hash:
        return
    known = known_at_sending(job.delivery.workspace, [job.rendered])
    judged = judge_delivery(job.delivery, job.rendered, known)
    decision = judged.decision
    if decision.verdict == Verdict.ALLOW:
        return
    if decision.blocking:
        no = NotNow(State.FAILED, "guard_blocked", " ".join(explain_hits(decision.blocking))[:300])
    elif decision.rules <= rules_at_approval(job.delivery):
        # The person who approved it saw all of this.
        return
    else:
        no = NotNow(State.IN_REVIEW, "guard_review", "A rule that came after the approval asks for another look.")
    keep_judged(judged, job.delivery, job.rendered, GuardDecision.Stage.SEND)
    raise no


def keep_lease(job: Job) -> None:
    """Renew the claim during long preparations; raises ClaimLost when it is gone."""
    with workspace_scope(job.workspace_id):
        if not _extend(job.delivery.pk, job.fence):
            raise ClaimLost
    job.lease_ends = _lease_end()


def begin_submission(job: Job, position: int) -> None:
    """Commit that the call is about to happen. From here on the part may be live, whatever becomes of us."""
    with workspace_scope(job.workspace_id):
        if not _extend(job.delivery.pk, job.fence) or _is_settled(job, position):
            raise ClaimLost
        # Read afresh: uploads take minutes.
        check_holds(job)
        check_plan(job)
        hold_cost(job, position)
        check_pace(job)
        marked = Attempt.objects.filter(
            delivery=job.delivery, number=job.fence, outcome=Attempt.Outcome.OPEN, submitting_part=None
        ).update(submitting_part=position, submitting_at=now())
        if not marked:
            raise ClaimLost
    job.submitting_part, job.lease_ends = position, _lease_end()


def check_holds(job: Job) -> None:
    """A pause lets a thread finish, a stop or a suspension does not. Raises NotNow."""
    if job.live and is_taken_down(job.delivery):
        raise NotNow(State.CANCELED, "taken_down", TAKEN_DOWN)
    if find_hold(job.delivery, is_begun=bool(job.live)):
        raise NotNow(State.RETRY_WAIT, "held", "Publishing is on hold.")


def check_plan(job: Job) -> None:
    """Room for one more post in the plan's month; a thread that has begun goes on. Raises NotNow."""
    if job.live:
        return
    try:
        workspace = job.delivery.workspace
        plans.require_room(workspace, "posts", lambda: count_used(workspace, besides=[job.delivery.pk]))
    except plans.PlanLimit as full:
        raise NotNow(State.FAILED, "plan_limit", " ".join(full.messages)) from full


def check_pace(job: Job) -> None:
    """Too many in too little time is a reason to wait, never to fail. Raises NotNow, which gives back what was held."""
    taken = take_turn(job)
    if taken.ok:
        return
    until = now() + timedelta(seconds=taken.retry_after_s)
    text = f"Sending more slowly: this may go out in {in_words(taken.retry_after_s)}."
    rests_account = is_about_account(taken, job.connection)
    raise NotNow(State.RETRY_WAIT, "paced", text, until=until, rests_account=rests_account)


def is_taken_down(delivery: Delivery) -> bool:
    """Nothing may follow a part that is gone, or about to be."""
    gone = Q(deleted_at__isnull=False) | Q(changes__action=LiveChange.Action.DELETE, changes__state=QUEUED)
    return delivery.live_parts.filter(gone).exists()


def check_deadline(job: Job, timeout_s: float) -> None:
    """The last look before the call: a worker that was frozen since the commit must not send any more."""
    if boot_seconds() > job.lease_ends - timeout_s - CONNECT_TIMEOUT_S:
        raise ClaimLost


def _is_settled(job: Job, position: int) -> bool:
    """The late answer of an earlier worker said that it is live. Expects the delivery's lock."""
    return LivePart.objects.filter(delivery=job.delivery, position=position).exists()


def _extend(delivery_id: UUID, fence: int) -> int:
    until = now() + timedelta(seconds=settings.LEASE_S)
    held = Delivery.objects.filter(pk=delivery_id, fence=fence, state=State.PUBLISHING, lease_until__gt=now())
    return held.update(lease_until=until)


def _lease_end() -> float:
    return boot_seconds() + settings.LEASE_S
