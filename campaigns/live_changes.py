"""Changing what is live: an edit, which is approved like a post, or taking it down, which is not held up by anything.

Neither ever sends the post again.
"""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Switch
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import emit, notify
from campaigns.account_health import hear_gone, on_hold
from campaigns.deliveries.review import authors_of
from campaigns.engine.outcome import backoff
from campaigns.errors import NotAllowedNow
from campaigns.guarding import Judged, asked_of_person, explain_hits, gather_known, judge_delivery
from campaigns.live_rules import check_text, text_now, why_not_editable
from campaigns.models import Delivery, LiveChange, LivePart
from campaigns.queries import with_content
from campaigns.rendering import RenderedPart, digest, render, render_part
from compliance.decisions import risk_of
from compliance.models import Review
from compliance.services import TOLD, ReviewClosed, Subject, request_review, withdraw_reviews
from lib.clock import now
from social.credentials import credential_version, mark_reconnect, open_client, refresh_credential
from social.models import Connection
from social.networks.port import Entity, Failure, NetworkError, OutgoingPart

log = structlog.get_logger(__name__)
KIND = "live_change"
State, Action = LiveChange.State, LiveChange.Action
NEW_RULE = "A rule that came after the approval asks for another look. Ask for the edit again."


def request_edit(part: LivePart, text: str, *, by: Actor) -> LiveChange:
    """Ask for a new text of a live part. What was approved is what will be live, so this needs an approval, too."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        held = _locked(part)
        delivery = _with_content(held)
        old = render(delivery).parts[held.position]
        if why_not := why_not_editable(held, old):
            raise NotAllowedNow(why_not)
        new = render_part(held.connection, text, old.media, is_marked=delivery.post.is_marked)
        check_text(held, new)
        judged = judge_edit(delivery, held.position, new)
        if judged.decision.blocking:
            raise ValidationError({"text": explain_hits(judged.decision.blocking)})
        change = _start(held, Action.EDIT, State.IN_REVIEW, new, by)
        before = text_now(held, old)
        snapshot = {"delivery": str(delivery.pk), "part": held.position, "before": before, "text": new.text}
        request_review(
            KIND,
            change.pk,
            by=by,
            action_hash=change.action_hash,
            snapshot=snapshot,
            scopes=[key for key in (delivery.post_id, delivery.post.campaign_id) if key],
            decision=judged.decision,
            risk=risk_of(judged.decision, judged.context),
        )
        waits = f"An edit of “{delivery.post}” waits for approval."
        notify(by.workspace, "review.requested", waits, path="/reviews", perm=Perm.REVIEW)
        audit.record("live.edit_request", delivery, by=by, part=held.position)
    return change


def judge_edit(delivery: Delivery, position: int, new: RenderedPart, *, with_links: bool = True) -> Judged:
    """The whole thread as it would stand: a label in the first part counts for all."""
    rendered = render(delivery)
    parts = (*rendered.parts[:position], new, *rendered.parts[position + 1 :])
    rendered = replace(rendered, parts=parts)
    known = gather_known(delivery.workspace, [rendered])
    return judge_delivery(delivery, rendered, known if with_links else replace(known, links={}))


def take_down(part: LivePart, *, by: Actor) -> LiveChange:
    """Delete a part that is live. Harm is stopped at once: no approval."""
    by.require(Perm.PUBLISH)
    with transaction.atomic():
        held = _locked(part)
        # An approved edit may wait for long, while publishing is stopped; one in a worker's hands is done in a moment.
        waiting = Q(state=State.IN_REVIEW) | Q(state=State.QUEUED) & _free(now())
        for edit in held.changes.filter(waiting, action=Action.EDIT):
            withdraw_reviews(KIND, edit.pk, by=by)
            held.changes.filter(waiting, pk=edit.pk).update(
                state=State.REJECTED, problem_text="It is taken down.", due_at=None, done_at=now()
            )
        change = _start(held, Action.DELETE, State.QUEUED, RenderedPart("", ()), by)
        audit.record("live.take_down", held.delivery, by=by, part=held.position)
    return change


def take_down_all(delivery: Delivery, *, by: Actor) -> int:
    """The last part first, so that no thread is left without its beginning."""
    parts = delivery.live_parts.filter(deleted_at=None).order_by("-position")
    with transaction.atomic():
        return len([take_down(part, by=by) for part in parts])


def approve_change(review: Review, by: Actor) -> None:
    change = LiveChange.objects.select_related("part").get(pk=review.object_id)
    delivery = _with_content(change.part)
    old = render(delivery).parts[change.part.position]
    new = replace(old, text=change.text, entities=tuple(Entity(**entity) for entity in change.entities))
    judged = judge_edit(delivery, change.part.position, new)
    if judged.decision.blocking:
        raise ValidationError(explain_hits(judged.decision.blocking))
    moved = LiveChange.objects.filter(
        pk=review.object_id, state=State.IN_REVIEW, action_hash=review.action_hash, part__deleted_at=None
    ).update(state=State.QUEUED, due_at=now())
    if not moved:
        raise ReviewClosed("This edit is no longer waiting.")


def send_back_change(review: Review, by: Actor, status: str) -> None:
    problem = f"{Review.Status(status).label}: {review.reason}"[:300]
    moved = LiveChange.objects.filter(pk=review.object_id, state=State.IN_REVIEW).update(
        state=State.REJECTED, problem_text=problem, done_at=now()
    )
    if not moved:
        raise ReviewClosed("This edit is no longer waiting.")
    change = LiveChange.objects.select_related("part__delivery__post", "workspace").get(pk=review.object_id)
    delivery = change.part.delivery
    text = f"An edit of “{delivery.post}” {TOLD[status]}: {review.reason}"
    notify(change.workspace, f"delivery.{status}", text, path=f"/deliveries/{delivery.pk}", perm=Perm.CONTENT_EDIT)


def authors_of_change(change_id: UUID) -> set[UUID]:
    delivery_id = LiveChange.objects.values_list("part__delivery", flat=True).get(pk=change_id)
    return authors_of(delivery_id)


REVIEW_SUBJECT = Subject(authors=authors_of_change, approve=approve_change, send_back=send_back_change)


# --- doing it ---------------------------------------------------------------------------------------------


def due_changes(limit: int = 50) -> list[tuple[UUID, UUID]]:
    """(workspace, change), each on a lease: every one of these calls may be repeated without harm."""
    at = now()
    with all_workspaces_scope("change what is live"):
        # Of the change alone: the account and the workspace are locked by others all the time.
        rows = LiveChange.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        rows = rows.filter(_free(at), state=State.QUEUED, due_at__lte=at)
        found = list(rows.filter(_may_go()).order_by("due_at")[:limit])
        lease = at + timedelta(seconds=settings.LEASE_S)
        LiveChange.objects.filter(pk__in=[row.pk for row in found]).update(lease_until=lease)
    return [(row.workspace_id, row.pk) for row in found]


def _free(at: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=at)


def _may_go() -> Q:
    """An edit waits for whatever a post waits for. Taking down goes on while publishing stands still."""
    active = Q(part__connection__status=Connection.Status.ACTIVE)
    gone = Q(action=Action.DELETE) & (active | Q(part__connection__status=Connection.Status.PAUSED))
    if Switch.objects.filter(name=Switch.PUBLISHING, is_on=True).exists():
        return gone
    going = active & Q(workspace__is_stopped=False, workspace__is_suspended=False)
    return gone | going & ~Q(on_hold("part__connection_id"))


def make_change(workspace_id: UUID, change_id: UUID) -> None:
    with workspace_scope(workspace_id):
        change = _queued(change_id)
        problem = _forbidden_now(change) if change and change.action == Action.EDIT else ""
    if change is None:
        return
    if problem:
        _fail(change, problem)
        return
    try:
        remote_id = _call(change)
    except NetworkError as error:
        _record_failure(change, _refreshed(change.part.connection, error))
    except Exception:
        # The outermost loop of a worker: counted, or it would come back for ever.
        log.exception("live_change_crashed", change=str(change_id))
        _record_failure(change, NetworkError(Failure.TEMPORARY, "internal", "Something went wrong on our side."))
    else:
        _record_done(change, remote_id)


def _forbidden_now(change: LiveChange) -> str:
    """The last look of the rules, as for a post: they may have changed while the edit waited. A reason, or nothing."""
    delivery, new = _with_content(change.part), _changed_part(change)
    # A link that does not answer for a moment takes no approval back.
    decision = judge_edit(delivery, change.part.position, new, with_links=False).decision
    if decision.blocking:
        return " ".join(explain_hits(decision.blocking))
    review = Review.objects.filter(kind=KIND, object_id=change.pk).order_by("-requested_at").first()
    seen = asked_of_person(review.guard.get("hits", ())) if review else frozenset()
    return "" if decision.rules <= seen else NEW_RULE


def _refreshed(connection: Connection, error: NetworkError) -> NetworkError:
    """X sometimes refuses a token before its time: with a new one it was a passing failure."""
    if error.failure is not Failure.UNAUTHORIZED:
        return error
    try:
        refresh_credential(connection, seen_version=credential_version(connection))
    except NetworkError as refused:
        return refused
    return NetworkError(Failure.TEMPORARY, "refreshed", "The log-in was renewed.")


def _call(change: LiveChange) -> str:
    part = change.part
    client = open_client(part.connection)
    if change.action == Action.DELETE:
        client.delete(part.remote_ids or [part.remote_id])
        return part.remote_id
    with workspace_scope(change.workspace_id):
        rendered = render(_with_content(part))
        before = LivePart.objects.filter(delivery=part.delivery_id, position=part.position - 1).first()
    outgoing = OutgoingPart(
        change.text,
        _entities(change),
        reply_to=before.remote_id if before else None,
        made_with_ai=rendered.made_with_ai,
        options=rendered.options,
        is_first=part.position == 0,
        is_last=part.position + 1 == len(rendered.parts),
        has_media=bool(rendered.parts[part.position].media),
    )
    return client.edit(part.remote_id, outgoing)


def _record_done(change: LiveChange, remote_id: str) -> None:
    part = change.part
    with workspace_scope(change.workspace_id):
        if not _finish(change, State.DONE):
            return
        if change.action == Action.DELETE:
            LivePart.objects.filter(pk=part.pk).update(deleted_at=now())
        else:
            content_hash = _changed_part(change).content_hash
            LivePart.objects.filter(pk=part.pk).update(remote_id=remote_id, content_hash=content_hash)
        emit(change.workspace, EVENTS[Action(change.action)], delivery=str(part.delivery_id))


EVENTS = {Action.EDIT: "delivery.edited", Action.DELETE: "delivery.taken_down"}


def _changed_part(change: LiveChange) -> RenderedPart:
    old = render(_with_content(change.part)).parts[change.part.position]
    return replace(old, text=change.text, entities=_entities(change))


def _entities(change: LiveChange) -> tuple[Entity, ...]:
    return tuple(Entity(**entity) for entity in change.entities)


def _record_failure(change: LiveChange, error: NetworkError) -> None:
    # As with a post, waiting for a rate window costs no retry.
    failures = change.failures + (error.failure is not Failure.RATE_LIMIT)
    is_final = error.failure in {Failure.REJECTED, Failure.DUPLICATE} or failures > settings.RETRY_LIMIT
    with workspace_scope(change.workspace_id):
        hear_gone(change.part, error)
        if is_final:
            _fail(change, error.message)
            return
        if error.failure is Failure.UNAUTHORIZED:
            mark_reconnect(change.part.connection, error.message)
        due = max(now() + backoff(max(1, failures)), error.retry_at or now())
        LiveChange.objects.filter(pk=change.pk, state=State.QUEUED).update(
            failures=failures, due_at=due, lease_until=None, problem_text=error.message[:300]
        )


def _fail(change: LiveChange, problem: str) -> None:
    with workspace_scope(change.workspace_id):
        if _finish(change, State.FAILED, problem):
            text = f"“{change.part.delivery.post}” could not be changed: {problem}"
            notify(change.workspace, "delivery.change_failed", text, path=f"/deliveries/{change.part.delivery_id}")


def _finish(change: LiveChange, state: str, problem: str = "") -> int:
    queued = LiveChange.objects.filter(pk=change.pk, state=State.QUEUED)
    return queued.update(state=state, done_at=now(), due_at=None, lease_until=None, problem_text=problem[:300])


def _queued(change_id: UUID) -> LiveChange | None:
    rows = LiveChange.objects.select_related("part__connection", "part__delivery__post", "workspace")
    # Asked again: somebody may have stopped everything since it was handed out.
    return rows.filter(_may_go(), pk=change_id, state=State.QUEUED).first()


# --- what may be changed ----------------------------------------------------------------------------------


def _locked(part: LivePart) -> LivePart:
    rows = LivePart.objects.select_related("connection", "delivery__post").select_for_update(no_key=True, of=("self",))
    held = rows.filter(pk=part.pk, deleted_at=None).first()
    if held is None:
        raise NotAllowedNow("This was taken down already.")
    if held.connection.status == Connection.Status.DISCONNECTED:
        raise NotAllowedNow(f"{held.connection} is disconnected. Connect it again first.")
    return held


def _with_content(part: LivePart) -> Delivery:
    return with_content(Delivery.objects.filter(pk=part.delivery_id)).get()


def _start(part: LivePart, action: str, state: str, new: RenderedPart, by: Actor) -> LiveChange:
    action_hash = digest({"part": str(part.pk), "action": action, "from": part.content_hash, "to": new.content_hash})
    try:
        with transaction.atomic():
            return LiveChange.objects.create(
                workspace_id=part.workspace_id,
                part=part,
                action=action,
                state=state,
                text=new.text,
                entities=[asdict(entity) for entity in new.entities],
                action_hash=action_hash,
                requested_by=by.user,
                due_at=now() if state == State.QUEUED else None,
            )
    except IntegrityError:
        raise NotAllowedNow("Another change of this part is on its way. Wait for it, or reject it first.") from None
