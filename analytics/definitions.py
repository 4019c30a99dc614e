"""What people define for their results: funnels, segments, goals and media costs."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.access import Actor, Perm
from analytics.models import Funnel, MediaCost, Segment, Target
from analytics.queries.funnels import LABELS as STEP_LABELS
from analytics.queries.funnels import NAMED
from analytics.queries.goals import LABELS as GOAL_LABELS
from analytics.queries.segments import check_rules, contacts_in
from campaigns.models import Campaign
from compliance.models import Contact
from lib.text import one_line, storable

FEWEST_STEPS, MOST_STEPS = 2, 8
MOST_MICRO = 10**15
Steps = list[dict[str, str]]


# --- funnels ----------------------------------------------------------------------------------------------


def save_funnel(name: str, steps: Any, *, by: Actor, funnel: Funnel | None = None) -> Funnel:
    """A new one, or the one given. `steps` are [{"kind", "name"}]; only some kinds have names."""
    by.require(Perm.CONTENT_EDIT)
    row = funnel or Funnel(workspace=by.workspace, created_by=by.user)
    row.name, row.steps = _name(name), check_steps(steps)
    _save(row, "There is a funnel of this name already.", by=by, kind="funnel", is_new=funnel is None)
    return row


def check_steps(steps: Any) -> Steps:
    if not isinstance(steps, list) or not FEWEST_STEPS <= len(steps) <= MOST_STEPS:
        raise ValidationError({"steps": f"A funnel has {FEWEST_STEPS} to {MOST_STEPS} steps."})
    return [_step(step) for step in steps]


def _step(step: Any) -> dict[str, str]:
    kind = step.get("kind") if isinstance(step, dict) else None
    if kind not in STEP_LABELS:
        raise ValidationError({"steps": "Choose what each step counts."})
    name = one_line(storable(str(step.get("name", ""))))[:60] if kind in NAMED else ""
    if kind == "custom" and not name:
        raise ValidationError({"steps": "An event of your own needs its name."})
    return {"kind": kind, "name": name}


def delete_funnel(funnel: Funnel, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    _delete(funnel, by=by, kind="funnel")


# --- segments ---------------------------------------------------------------------------------------------


def save_segment(name: str, subject: str, rules: Any, *, by: Actor, segment: Segment | None = None) -> Segment:
    by.require(Perm.CONTENT_EDIT)
    try:
        check_rules(subject, rules)
    except ValidationError as error:
        raise ValidationError({"rules": error.messages}) from error
    row = segment or Segment(workspace=by.workspace, created_by=by.user)
    row.name, row.subject, row.rules = _name(name), subject, rules
    _save(row, "There is a segment of this name already.", by=by, kind="segment", is_new=segment is None)
    return row


def delete_segment(segment: Segment, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    _delete(segment, by=by, kind="segment")


def export_contacts(segment: Segment, *, by: Actor) -> list[Contact]:
    """Who is in it now. Taking people's data out of the product is written down."""
    by.require(Perm.CONTENT_EDIT)
    if segment.subject != Segment.Subject.CONTACT:
        raise ValidationError("Visitors have no names that could be exported.")
    rows = list(contacts_in(by.workspace, segment.rules))
    audit.record("segment.export", segment, by=by, name=segment.name, contacts=len(rows))
    return rows


# --- goals and costs --------------------------------------------------------------------------------------


def set_target(campaign: Campaign, metric: str, value: int, *, by: Actor) -> Target:
    """One for each metric; a second one takes the place of the first. Revenue is in millionths."""
    by.require(Perm.CONTENT_EDIT)
    if metric not in GOAL_LABELS:
        raise ValidationError({"metric": "Choose what is to be reached."})
    if not 0 < value <= MOST_MICRO:
        raise ValidationError({"value": "Write a number above zero."})
    with transaction.atomic():
        row, _is_new = Target.objects.update_or_create(
            workspace=by.workspace, campaign=campaign, metric=metric, defaults={"value": value}
        )
        audit.record("target.set", row, by=by, campaign=str(campaign.pk), metric=metric, value=value)
    return row


def delete_target(target: Target, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("target.delete", target, by=by, metric=target.metric, value=target.value)
        target.delete()


def add_media_cost(campaign: Campaign, day: date, amount_micro: int, note: str, *, by: Actor) -> MediaCost:
    by.require(Perm.CONTENT_EDIT)
    if not 0 < amount_micro <= MOST_MICRO:
        raise ValidationError({"amount": "Write an amount above zero."})
    with transaction.atomic():
        row = MediaCost.objects.create(
            workspace=by.workspace,
            campaign=campaign,
            day=day,
            amount_micro=amount_micro,
            note=one_line(storable(note))[:200],
            created_by=by.user,
        )
        audit.record("media_cost.add", row, by=by, campaign=str(campaign.pk), day=str(day), amount_micro=amount_micro)
    return row


def delete_media_cost(cost: MediaCost, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("media_cost.delete", cost, by=by, day=str(cost.day), amount_micro=cost.amount_micro)
        cost.delete()


# --- what they share --------------------------------------------------------------------------------------


def _name(text: str) -> str:
    name = one_line(storable(text))[:80]
    if not name:
        raise ValidationError({"name": "Give it a name."})
    return name


def _save(row: Funnel | Segment, taken: str, *, by: Actor, kind: str, is_new: bool) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=is_new)
            audit.record(f"{kind}.{'create' if is_new else 'update'}", row, by=by, name=row.name)
    except IntegrityError as error:
        raise ValidationError({"name": taken}) from error


def _delete(row: Funnel | Segment, *, by: Actor, kind: str) -> None:
    with transaction.atomic():
        audit.record(f"{kind}.delete", row, by=by, name=row.name)
        row.delete()
