"""What people decide about the lines of a plan: edit, swap, rewrite, reject, accept."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from agents.models import Run
from agents.runs.services import start_run
from campaigns.deliveries import schedule_delivery, submit_post
from campaigns.deliveries.loading import lock_accounts
from campaigns.draft_checks import Place, judge_text
from campaigns.drafts import PartDraft, PostDraft
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Plan, PlanLine, Post
from campaigns.origins import keep_origin, offered
from campaigns.plan_times import suggest_times
from campaigns.plans import get_plan, runs_of, save_strategy
from campaigns.services import MAX_TEXT, create_campaign, create_post
from lib.clock import now
from lib.text import storable
from social.models import Connection

Data = dict[str, Any]
Status, LineStatus = Plan.Status, PlanLine.Status
LINE = "plan_line"
MAX_WISH = 400


def get_line(actor: Actor, plan_id: UUID, line_id: UUID) -> PlanLine:
    line = PlanLine.objects.filter(plan=get_plan(actor, plan_id), pk=line_id).select_related("plan").first()
    if line is None:
        raise Http404("Not found.")
    return line


def edit_line(line: PlanLine, *, by: Actor, text: str | None = None, planned_at: datetime | None = None) -> PlanLine:
    """The rules look again at what a person changed."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        line = _open_line(line)
        if text is not None:
            line.text = _clean_text(text)
            line.findings = judge_line(line)
        if planned_at is not None:
            line.planned_at = planned_at
        line.save(update_fields=["text", "findings", "planned_at"])
    return line


def _clean_text(text: str) -> str:
    text = storable(text).replace("\r\n", "\n").strip()
    if not text or len(text) > MAX_TEXT:
        raise ValidationError({"text": f"Write something, up to {MAX_TEXT:,} characters."})
    return text


def judge_line(line: PlanLine) -> Data:
    place = Place(connection=line.connection) if line.connection else Place()
    return judge_text(line.workspace, line.text, place, language=line.language, campaign=line.plan.campaign)


def use_variant(line: PlanLine, number: int, *, by: Actor) -> PlanLine:
    """The other wording takes the text's place, and the text that of the other wording."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        line = _open_line(line)
        if not 0 <= number < len(line.variants):
            raise NotAllowedNow("This wording is gone. Look at the ones that are there now.")
        chosen = line.variants[number]
        line.variants[number] = {"text": line.text, "angle": "Before"}
        line.text = chosen["text"]
        line.findings = judge_line(line)
        line.save(update_fields=["text", "variants", "findings"])
    return line


def rewrite_line(line: PlanLine, wish: str, *, by: Actor) -> Run:
    """Written anew as somebody wishes."""
    by.require(Perm.CONTENT_EDIT)
    wish = storable(wish).strip()[:MAX_WISH]
    with transaction.atomic():
        line = _open_line(line)
        if rewriting_run(line, is_open=True):
            raise NotAllowedNow("This line is being written anew already.")
        plan = Plan.objects.select_for_update(no_key=True).get(pk=line.plan_id)
        run = start_run(LINE, {"line": str(line.pk), "wish": wish}, by=by, campaign_id=plan.campaign_id)
        line.origin = line.origin | {"rewriting": str(run.pk)}
        line.save(update_fields=["origin"])
        save_strategy(plan.pk, {"runs": [*runs_of(plan), str(run.pk)]})
    return run


def rewriting_run(line: PlanLine, *, is_open: bool = False) -> Run | None:
    """The run that writes it anew, or that failed to."""
    run_id = line.origin.get("rewriting")
    run = Run.objects.filter(pk=run_id).first() if run_id else None
    return None if run and is_open and run.is_ended else run


def reject_line(line: PlanLine, *, by: Actor) -> PlanLine:
    return _decide(line, LineStatus.PROPOSED, LineStatus.REJECTED, by)


def propose_again(line: PlanLine, *, by: Actor) -> PlanLine:
    """Takes a rejection back."""
    return _decide(line, LineStatus.REJECTED, LineStatus.PROPOSED, by)


def _decide(line: PlanLine, before: PlanLine.Status, after: PlanLine.Status, by: Actor) -> PlanLine:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        decided = {"decided_by": by.user, "decided_at": now()}
        if after == LineStatus.PROPOSED:
            decided = {"decided_by": None, "decided_at": None}
        if not PlanLine.objects.filter(pk=line.pk, status=before).update(status=after, **decided):
            raise NotAllowedNow("Somebody decided on this line meanwhile.")
        _close_or_open(line.plan_id)
        audit.record(f"plan.{after.value}", line.plan, by=by, line=line.n)
    line.refresh_from_db()
    return line


def accept_line(line: PlanLine, *, by: Actor) -> Post:
    """A post that waits for review, planned for the line's time. Raises ValidationError with what must change first."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        if line.connection_id:
            lock_accounts([line.connection_id])
        line = _open_line(line)
        post = _post_of(line, by)
        if line.planned_at and by.can(Perm.PUBLISH):
            schedule_delivery(post.deliveries.get(), line.planned_at, by=by)
        submit_post(post, by=by)
        line.status, line.post, line.decided_by, line.decided_at = LineStatus.ACCEPTED, post, by.user, now()
        line.save(update_fields=["status", "post", "decided_by", "decided_at"])
        _close_or_open(line.plan_id)
        audit.record("plan.accepted", line.plan, by=by, line=line.n, post=str(post.pk))
    return post


def _post_of(line: PlanLine, by: Actor) -> Post:
    if line.connection is None or line.connection.status == Connection.Status.DISCONNECTED:
        raise NotAllowedNow("The account of this line is no longer connected.")
    draft = PostDraft(
        parts=(PartDraft(line.text),),
        campaign=_campaign_of(line.plan_id, by),
        made_with_ai=True,
        connections=(line.connection.pk,),
        language=line.language,
    )
    post = create_post(draft, by=replace(by, is_agent=True))
    keep_origin(post, line.origin, offered(str(line.origin.get("text", line.text)), line.text), by=by)
    return post


def _campaign_of(plan_id: UUID, by: Actor) -> Campaign:
    """The first accepted line makes the campaign."""
    plan = Plan.objects.select_for_update(no_key=True).get(pk=plan_id)
    if plan.campaign is None:
        name = str(plan.strategy.get("name") or plan.brief)[:120]
        goal = str(plan.strategy.get("goal", ""))[:200]
        plan.campaign = create_campaign(by=by, name=name, goal=goal, brief=plan.brief)
        plan.save(update_fields=["campaign"])
    return plan.campaign


@dataclass(frozen=True)
class Outcome:
    done: int = 0
    # What stays, and why: by the line's id.
    left: dict[UUID, str] = field(default_factory=dict)


def accept_all(plan: Plan, *, by: Actor) -> Outcome:
    """Each for itself: one that must change first keeps no other back."""
    return _all(plan, lambda line: accept_line(line, by=by))


def reject_all(plan: Plan, *, by: Actor) -> Outcome:
    return _all(plan, lambda line: reject_line(line, by=by))


def _all(plan: Plan, act: Callable[[PlanLine], object]) -> Outcome:
    done, left = 0, {}
    for line in plan.lines.filter(status=LineStatus.PROPOSED).select_related("plan"):
        try:
            with transaction.atomic():
                act(line)
        except ValidationError as refusal:
            left[line.pk] = " ".join(refusal.messages)
        except NotAllowedNow as refusal:
            left[line.pk] = str(refusal)
        else:
            done += 1
    return Outcome(done, left)


def new_times(plan: Plan, *, by: Actor) -> int:
    """For lines whose time has passed while nobody decided. How many got another."""
    by.require(Perm.CONTENT_EDIT)
    passed = plan.lines.filter(status=LineStatus.PROPOSED, planned_at__lt=now()).select_related("connection")
    with transaction.atomic():
        for line in passed:
            if line.connection:
                line.planned_at = next(iter(suggest_times(line.connection, 1, by.workspace.time_zone)), None)
                line.save(update_fields=["planned_at"])
    return len(passed)


def _open_line(line: PlanLine) -> PlanLine:
    """Under its lock, and still to be decided."""
    row = PlanLine.objects.select_for_update(no_key=True).filter(pk=line.pk).first()
    if row is None or row.status != LineStatus.PROPOSED:
        raise NotAllowedNow("Somebody decided on this line meanwhile.")
    return row


def _close_or_open(plan_id: UUID) -> None:
    is_open = PlanLine.objects.filter(plan=plan_id, status=LineStatus.PROPOSED).exists()
    before, after = (Status.CLOSED, Status.READY) if is_open else (Status.READY, Status.CLOSED)
    Plan.objects.filter(pk=plan_id, status=before).update(status=after)
