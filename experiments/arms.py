"""The variants of an experiment: written with the draft, added and closed while it runs."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.errors import NotAllowedNow
from experiments import allocation
from experiments.models import Arm, Experiment
from lib.clock import now
from lib.text import storable

Design, Status = Experiment.Design, Experiment.Status
MOST_ARMS, MOST_TEXTS = 10, 500
MAX_TEXT = 25_000
# What an arm is made of, by design; empty: nothing.
CONTENT = {
    Design.LINK_SPLIT: "url",
    Design.SUBSCRIBER_SPLIT: "text",
    Design.PAIRED_SLOTS: "texts",
    Design.CROSSOVER: "texts",
    Design.PROGRAMME: "style",
    Design.OPTIMISER: "",
    Design.OBSERVATION: "",
}
TWO_ONLY = {Design.PAIRED_SLOTS, Design.CROSSOVER}
NO_ARMS = {Design.OPTIMISER, Design.OBSERVATION}


@dataclass(frozen=True)
class ArmDraft:
    name: str
    content: dict[str, Any] = field(default_factory=dict)
    is_control: bool = False


def write_arms(experiment: Experiment, drafts: Sequence[ArmDraft]) -> list[Arm]:
    """The first is the control where none is."""
    drafts = [] if experiment.design in NO_ARMS else list(drafts)
    _check_count(experiment, len(drafts))
    controls = [position for position, draft in enumerate(drafts) if draft.is_control]
    if len(controls) > 1:
        raise ValidationError({"arms": "One arm is the control."})
    control = controls[0] if controls else 0
    rows = [
        Arm(
            workspace=experiment.workspace,
            experiment=experiment,
            key=string.ascii_lowercase[position],
            name=_name(draft, position),
            position=position,
            is_control=position == control,
            content=clean_content(experiment.design, draft.content),
        )
        for position, draft in enumerate(drafts)
    ]
    return Arm.objects.bulk_create(rows)


def add_arm(experiment: Experiment, draft: ArmDraft, *, by: Actor) -> Arm:
    """At any time: a split makes room for it in a new epoch, and nobody who has an arm moves."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = (
            Experiment.objects.select_for_update(no_key=True, of=("self",))
            .select_related("workspace")
            .get(pk=experiment.pk)
        )
        arms = list(row.arms.all())
        _require_open(row)
        _check_count(row, len(arms) + 1)
        arm = Arm.objects.create(
            workspace=row.workspace,
            experiment=row,
            key=string.ascii_lowercase[len(arms)],
            name=_name(draft, len(arms)),
            position=len(arms),
            content=clean_content(row.design, draft.content),
        )
        if row.status == Status.RUNNING:
            allocation.start_epoch(row, allocation.equal_weights(row), reason=f"“{arm.name}” came in.")
        audit.record("experiment.arm_add", row, by=by, arm=arm.key)
    return arm


def close_arm(arm: Arm, *, by: Actor) -> Arm:
    """It gets nobody any more. The control stays: the others are held against it."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = (
            Experiment.objects.select_for_update(no_key=True, of=("self",))
            .select_related("workspace")
            .get(pk=arm.experiment_id)
        )
        arm = row.arms.get(pk=arm.pk)
        _require_open(row)
        if arm.is_control:
            raise NotAllowedNow("The control stays open: the others are held against it.")
        if row.arms.filter(closed_at=None).count() <= 2:
            raise NotAllowedNow("Two arms have to stay open. Stop the experiment instead.")
        arm.closed_at = now()
        arm.save(update_fields=["closed_at"])
        if row.status == Status.RUNNING:
            allocation.start_epoch(row, allocation.equal_weights(row), reason=f"“{arm.name}” was closed.")
        audit.record("experiment.arm_close", row, by=by, arm=arm.key)
    return arm


def _require_open(row: Experiment) -> None:
    """Posts and subscribers were dealt to all arms at the start; visitors come one by one."""
    if row.status not in {Status.DRAFT, Status.RUNNING, Status.PAUSED}:
        raise NotAllowedNow("This experiment is over.")
    if row.status != Status.DRAFT and row.design != Design.LINK_SPLIT:
        raise NotAllowedNow("Only a split of visitors can change its arms while it runs. Start a new version.")


def clean_content(design: str, content: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationError where an arm has not what its design needs."""
    kind = CONTENT[Design(design)]
    if not isinstance(content, dict):
        raise ValidationError({"arms": "The content of an arm has names."})
    if kind == "url":
        return {"url": _clean_url(content.get("url", ""))}
    if kind == "texts":
        given = content.get("texts") or [content.get("text", "")]
        if not isinstance(given, list) or len(given) > MOST_TEXTS:
            raise ValidationError({"arms": f"An arm has at most {MOST_TEXTS} texts."})
        return {"texts": [_clean_text(text, "text") for text in given]}
    return {kind: _clean_text(content.get(kind, ""), kind)} if kind else {}


def _clean_url(given: Any) -> str:
    url = storable(str(given)).strip()
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= 2000
    except ValueError:
        is_fit = False
    if not is_fit:
        raise ValidationError({"arms": "Each arm needs an address that begins with https:// or http://."})
    return url


def _clean_text(given: Any, kind: str) -> str:
    text = storable(given).strip() if isinstance(given, str) else ""
    if not text or len(text) > MAX_TEXT:
        raise ValidationError({"arms": f"Each arm needs its {kind}, of at most {MAX_TEXT:,} characters."})
    return text


def _check_count(experiment: Experiment, count: int) -> None:
    if experiment.design in NO_ARMS:
        return
    if count < 2 or count > (2 if experiment.design in TWO_ONLY else MOST_ARMS):
        most = "two arms" if experiment.design in TWO_ONLY else f"2 to {MOST_ARMS} arms"
        raise ValidationError({"arms": f"This design has {most}."})


def _name(draft: ArmDraft, position: int) -> str:
    return storable(str(draft.name)).strip()[:80] or f"Variant {string.ascii_uppercase[position]}"
