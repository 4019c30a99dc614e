"""Acts on experiments. What decides one is written down at its start; a change after that is a new version."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign
from experiments import allocation, designs, winners
from experiments.arms import MOST_ARMS, ArmDraft, add_arm, close_arm, write_arms
from experiments.canonical import seed_of
from experiments.models import Experiment, Look, Unit
from experiments.options import VISITOR_DESIGNS, clean_guardrails, clean_metric, clean_settings, clean_units
from experiments.planning import plan_units
from experiments.post_making import MAKES_POSTS, cancel_planned
from experiments.proposals import Goal, Proposal, propose_design
from experiments.registration import DECISIVE, register
from lib.clock import now
from lib.ids import uuid7
from lib.text import storable

__all__ = [
    "MOST_ARMS",
    "ArmDraft",
    "Goal",
    "Proposal",
    "add_arm",
    "archive_experiment",
    "change_experiment",
    "choose_winner",
    "close_arm",
    "create_experiment",
    "delete_experiment",
    "exclude_unit",
    "look_now",
    "new_version",
    "pause_experiment",
    "propose_design",
    "resume_experiment",
    "start_experiment",
    "stop_experiment",
]

Design, Status, Allocation = Experiment.Design, Experiment.Status, Experiment.Allocation
CHANGEABLE = ("name", "campaign", *(name for name in DECISIVE if name != "design"))
# All but what people write.
UNCHECKED = {field.name for field in Experiment._meta.fields} - {"name", "hypothesis", "metric", "allocation"}
# So soon after the start it is looked at for the first time.
FIRST_LOOK = timedelta(hours=1)


def create_experiment(
    *,
    by: Actor,
    name: str,
    hypothesis: str,
    design: str,
    metric: str,
    arms: Sequence[ArmDraft],
    campaign: Campaign | None = None,
    lower_is_better: bool = False,
    guardrails: list[dict[str, Any]] | None = None,
    allocation: str = Allocation.FIXED,
    settings: dict[str, Any] | None = None,
    horizon_days: int = 28,
    planned_units: int | None = None,
    pk: UUID | None = None,
) -> Experiment:
    """A draft. Without planned_units they follow from the smallest lift worth finding."""
    by.require(Perm.CONTENT_EDIT)
    experiment = Experiment(
        pk=pk or uuid7(),
        workspace=by.workspace,
        name=name,
        hypothesis=hypothesis,
        design=design,
        metric=metric,
        campaign=campaign,
        lower_is_better=lower_is_better,
        guardrails=guardrails or [],
        allocation=allocation,
        settings=settings or {},
        horizon_days=horizon_days,
        planned_units=planned_units,
        created_by=by.user,
    )
    with transaction.atomic():
        _clean(experiment)
        experiment.save(force_insert=True)
        write_arms(experiment, arms)
        audit.record("experiment.create", experiment, by=by, name=experiment.name, design=experiment.design)
    return experiment


def change_experiment(
    experiment: Experiment, *, by: Actor, arms: Sequence[ArmDraft] | None = None, **fields: Any
) -> Experiment:
    """Any of CHANGEABLE. A draft changes; of one that runs, the old version ends and the new one starts at once."""
    by.require(Perm.CONTENT_EDIT)
    if unknown := fields.keys() - set(CHANGEABLE):
        raise TypeError(f"Not to be changed: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        row = _locked(experiment)
        if row.status == Status.DRAFT:
            return _change_draft(row, arms, fields, by)
        changed = [name for name in fields if name in DECISIVE and fields[name] != getattr(row, name)]
        if not changed and arms is None:
            return _rename(row, fields, by)
        if row.status not in {Status.RUNNING, Status.PAUSED}:
            raise NotAllowedNow("This experiment is over, so its results stay as they are. Start a new version of it.")
        _stop(row, by, f"Replaced by version {row.version + 1}.")
        fresh = _copy(row, by)
        _change_draft(fresh, arms, fields, by)
        return _start(fresh, by)


def start_experiment(experiment: Experiment, *, by: Actor) -> Experiment:
    """Write down what decides, and begin to assign."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        if row.status != Status.DRAFT:
            raise NotAllowedNow(f"It is {row.get_status_display().lower()} already.")
        return _start(row, by)


def pause_experiment(experiment: Experiment, *, by: Actor, reason: str = "") -> Experiment:
    """Nobody is assigned any more; those who have an arm keep it."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.RUNNING}, "Only a running experiment can be paused.")
        _set_status(row, Status.PAUSED, reason or f"Paused by {by.label}.", due_at=None)
        allocation.close_split(row)
        audit.record("experiment.pause", row, by=by, reason=row.status_text)
    return row


def resume_experiment(experiment: Experiment, *, by: Actor) -> Experiment:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.PAUSED}, "Only a paused experiment can go on.")
        _set_status(row, Status.RUNNING, "", due_at=now())
        allocation.open_split(row)
        audit.record("experiment.resume", row, by=by)
    return row


def look_now(experiment: Experiment, *, by: Actor) -> Look:
    """A look between those of the beat. It counts like any other, so it may pause or end the experiment."""
    by.require(Perm.CONTENT_EDIT)
    from experiments.looks import look_at

    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.RUNNING, Status.PAUSED}, "It does not run.")
        return look_at(row)


def stop_experiment(experiment: Experiment, *, by: Actor, reason: str = "") -> Experiment:
    """For good. The last look is taken first, so that it is judged by all its data."""
    by.require(Perm.CONTENT_EDIT)
    from experiments.looks import look_at

    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.RUNNING, Status.PAUSED}, "It does not run.")
        look_at(row, is_stopped=True)
        # The look itself may have ended it.
        if row.status in {Status.RUNNING, Status.PAUSED}:
            _stop(row, by, reason or f"Stopped by {by.label}.")
    return row


def choose_winner(experiment: Experiment, arm_key: str, *, by: Actor) -> Experiment:
    """Any arm, whatever the numbers say: a person decides, and the record keeps what was known then."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.RUNNING, Status.PAUSED, Status.STOPPED}, "Start the experiment first.")
        if row.design == Design.OBSERVATION:
            raise NotAllowedNow("This was no experiment, so it has no winner. Test the change with design C or E.")
        arm = row.arms.filter(key=arm_key).first()
        if arm is None:
            raise ValidationError({"arm": "Choose one of the arms."})
        look = row.looks.first()
        if row.status != Status.STOPPED:
            _stop(row, by, f"“{arm.name}” was made the winner.")
        row.winner = arm.key
        row.save(update_fields=["winner"])
        winners.apply_winner(row, arm, by=by)
        told = {"verdict": look.verdict, "data_hash": look.data_hash} if look else {}
        audit.record("experiment.winner", row, by=by, arm=arm.key, **told)
    return row


def archive_experiment(experiment: Experiment, *, by: Actor) -> Experiment:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.DRAFT, Status.STOPPED}, "Stop it first.")
        _set_status(row, Status.ARCHIVED, row.status_text, due_at=None)
        audit.record("experiment.archive", row, by=by)
    return row


def delete_experiment(experiment: Experiment, *, by: Actor) -> None:
    """Only a draft: what assigned anybody keeps its record."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        _require(row, {Status.DRAFT}, "It was started, so its record stays. Archive it instead.")
        audit.record("experiment.delete", row, by=by, name=row.name)
        row.delete()


def exclude_unit(unit: Unit, *, by: Actor, reason: str) -> Unit:
    """A post that must not count, such as one that was measured too late. The reason stays with it."""
    by.require(Perm.CONTENT_EDIT)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it does not count."})
    with transaction.atomic():
        # A look writes all units back: it must not have read this one before.
        _locked(unit.experiment)
        row = Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
        row.state, row.reason = Unit.State.EXCLUDED, reason.strip()[:200]
        row.save(update_fields=["state", "reason"])
        audit.record("experiment.unit_exclude", unit.experiment, by=by, unit=str(unit.pk), reason=row.reason)
    return row


def new_version(experiment: Experiment, *, by: Actor) -> Experiment:
    """A draft with the same arms and settings."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = _locked(experiment)
        fresh = _copy(row, by)
        audit.record("experiment.version", fresh, by=by, of=str(row.pk), version=fresh.version)
    return fresh


def _locked(experiment: Experiment) -> Experiment:
    rows = Experiment.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace", "campaign")
    row = rows.filter(pk=experiment.pk).first()
    if row is None:
        # A draft may be deleted between its loading and an act.
        raise Http404("Not found.")
    return row


def _require(row: Experiment, statuses: set[Experiment.Status], text: str) -> None:
    if row.status not in statuses:
        raise NotAllowedNow(text)


def _set_status(row: Experiment, status: str, text: str, **fields: Any) -> None:
    row.status, row.status_text, row.updated_at = status, text[:300], now()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=["status", "status_text", "updated_at", *fields])


def _clean(row: Experiment) -> None:
    row.name, row.hypothesis = storable(str(row.name)).strip(), storable(str(row.hypothesis)).strip()
    if row.design not in Design.values:
        raise ValidationError({"design": "Choose one of the designs."})
    row.settings = clean_settings(row.design, row.settings)
    row.metric = clean_metric(row.design, row.metric)
    row.guardrails = clean_guardrails(row.guardrails)
    if row.guardrails and row.design not in VISITOR_DESIGNS:
        raise ValidationError({"guardrails": "Guardrails are goals of visitors: this design has none to watch."})
    if row.allocation != Allocation.FIXED and row.design not in VISITOR_DESIGNS:
        raise ValidationError({"allocation": "Shares can move only where visitors or subscribers are assigned."})
    if isinstance(row.horizon_days, bool) or not isinstance(row.horizon_days, int) or not 1 <= row.horizon_days <= 366:
        raise ValidationError({"horizon_days": "From 1 to 366 days."})
    row.planned_units = clean_units(row.planned_units) or plan_units(row)
    row.clean_fields(exclude=UNCHECKED)


def _change_draft(row: Experiment, arms: Sequence[ArmDraft] | None, fields: dict[str, Any], by: Actor) -> Experiment:
    for name, value in fields.items():
        setattr(row, name, value)
    # How many are needed follows from the settings unless a person says otherwise.
    if "settings" in fields and "planned_units" not in fields:
        row.planned_units = None
    _clean(row)
    row.updated_at = now()
    row.save()
    if arms is not None:
        row.arms.all().delete()
        write_arms(row, arms)
    audit.record("experiment.change", row, by=by, changed=sorted([*fields, *(["arms"] if arms is not None else [])]))
    return row


def _rename(row: Experiment, fields: dict[str, Any], by: Actor) -> Experiment:
    row.name = str(fields.get("name", row.name)).strip()
    row.campaign = fields.get("campaign", row.campaign)
    row.clean_fields(exclude=UNCHECKED)
    row.updated_at = now()
    row.save(update_fields=["name", "campaign", "updated_at"])
    audit.record("experiment.change", row, by=by, changed=sorted(fields))
    return row


def _start(row: Experiment, by: Actor) -> Experiment:
    _clean(row)
    design = designs.of(row)
    row.seed = seed_of(row.pk, row.version)
    row.started_at = now()
    row.ends_at = row.started_at + timedelta(days=row.horizon_days)
    design.check_start(row)
    register(row)
    row.status, row.status_text, row.due_at = Status.RUNNING, "", row.started_at + FIRST_LOOK
    row.updated_at = now()
    row.save()
    design.plan(row, by)
    audit.record("experiment.start", row, by=by, registered=row.registered_hash, seed=row.seed, version=row.version)
    return row


def _stop(row: Experiment, by: Actor, reason: str) -> None:
    _set_status(row, Status.STOPPED, reason, stopped_at=now(), due_at=None)
    allocation.close_split(row)
    if row.design in MAKES_POSTS:
        cancel_planned(row)
    audit.record("experiment.stop", row, by=by, reason=row.status_text)


def _copy(row: Experiment, by: Actor) -> Experiment:
    fresh = Experiment(
        workspace=row.workspace,
        name=row.name,
        campaign=row.campaign,
        version=row.version + 1,
        parent=row,
        created_by=by.user,
        **{name: getattr(row, name) for name in DECISIVE},
    )
    fresh.save(force_insert=True)
    write_arms(fresh, [ArmDraft(arm.name, arm.content, arm.is_control) for arm in row.arms.filter(closed_at=None)])
    return fresh
