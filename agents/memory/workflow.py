"""The workflow that tidies memory, and when it starts by itself."""

import hashlib
import json
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm, actor_for
from accounts.models import Membership, Role, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from agents.llm.types import Ask, Said
from agents.memory.brand import brand_of
from agents.memory.consolidation import SCHEMA, apply_changes, gather, has_news
from agents.models import AISettings, Run
from agents.runs.flow import Flow
from agents.runs.services import start_run
from agents.workflows.registry import Workflow
from lib.clock import now

NAME = "consolidate"
ANY_LANGUAGE = "the language of the material"
MAX_OUTPUT = 4_000
INPUT_SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date"},
        # Tidy the caller's own memory, not the workspace's.
        "is_own": {"type": "boolean"},
    },
    "required": ["day", "is_own"],
    "additionalProperties": False,
}


def run_consolidation(flow: Flow) -> dict[str, Any]:
    day, user = date.fromisoformat(flow.input["day"]), flow.run.user if flow.input["is_own"] else None
    material = flow.step("material", lambda: _material(flow, user), kind="memory", agent="memory_keeper")
    if not material["new"] and not material["said"]:
        return {"changed": 0}
    flow.report("Tidying what was learnt")
    system = flow.prompt(NAME, language=material["language"])
    answer = flow.ask(
        "changes",
        Ask(
            role="memory",
            system=system,
            messages=(Said("user", json.dumps(material, ensure_ascii=False)),),
            schema=SCHEMA,
            max_output=MAX_OUTPUT,
        ),
        agent="memory_keeper",
    )
    changes = (answer["data"] or {}).get("changes", [])
    shown = [row["id"] for row in material["new"] + material["known"]]
    args = {"day": flow.input["day"], "changes": changes}
    return dict(
        flow.act(
            "apply",
            tool="consolidate_memory",
            args=args,
            do=lambda: apply_changes(changes, shown, day=day, user=user, by=flow.by),
        )
    )


def _material(flow: Flow, user: User | None) -> dict[str, Any]:
    with flow.scope():
        languages = brand_of(flow.run.workspace).languages
        return gather(flow.run.workspace, user) | {"language": languages[:200] or ANY_LANGUAGE}


WORKFLOW = Workflow(NAME, "Tidy memory", run_consolidation, INPUT_SCHEMA, is_inner=True, is_private=True)


def start_consolidation(*, by: Actor, is_own: bool, idem_key: str = "") -> Run:
    by.require(Perm.CONTENT_EDIT)
    if is_own and by.user is None:
        raise ValidationError("Only a person has a memory of their own.")
    day = now().astimezone(ZoneInfo(by.workspace.time_zone)).date()
    return start_run(NAME, {"day": day.isoformat(), "is_own": is_own}, by=by, idem_key=idem_key)


# --- by itself --------------------------------------------------------------------------------------------


def due_workspaces() -> list[UUID]:
    """Those whose hour it is, past their own minute of it: not all of a zone start in the same second."""
    with all_workspaces_scope("find whose memory is to be tidied"):
        rows = AISettings.objects.filter(consolidate_hour__isnull=False, is_paused=False)
        rows = rows.filter(workspace__is_suspended=False).select_related("workspace")
        return [row.workspace_id for row in rows if is_due(row, now())]


def is_due(row: AISettings, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(row.workspace.time_zone))
    return local.hour == row.consolidate_hour and local.minute >= slot_minute(row.workspace_id)


def slot_minute(workspace_id: UUID) -> int:
    """0 to 54, so that a tick of the clock still falls into the hour."""
    return int.from_bytes(hashlib.blake2b(workspace_id.bytes, digest_size=4).digest(), "big") % 55


def start_due(workspace_id: UUID) -> int:
    """A run for the workspace, and one for each member with something new of their own. How many."""
    with workspace_scope(workspace_id):
        settings = (
            AISettings.objects.select_related("workspace", "updated_by").filter(workspace_id=workspace_id).first()
        )
        if settings is None or not is_due(settings, now()):
            return 0
        workspace = settings.workspace
        members = _members(workspace)
        keeper = _keeper(members, settings.updated_by)
        wanted = [(keeper, False)] if keeper and has_news(workspace, None) else []
        wanted += [(member, True) for member in members if has_news(workspace, member.user)]
        return sum(_start(member, is_own) for member, is_own in wanted)


def _members(workspace: Workspace) -> list[Membership]:
    rows = Membership.objects.filter(workspace=workspace, user__is_active=True).select_related("user", "workspace")
    return [row for row in rows.order_by("pk") if actor_for(row).can(Perm.CONTENT_EDIT)]


def _keeper(members: list[Membership], chosen_by: User | None) -> Membership | None:
    """In whose name the workspace's memory is tidied: whoever switched it on, else the owner."""
    by_choice = [member for member in members if chosen_by and member.user_id == chosen_by.pk]
    owners = [member for member in members if member.role == Role.OWNER]
    return next(iter(by_choice + owners), None)


def _start(member: Membership, is_own: bool) -> bool:
    by = actor_for(member)
    day = now().astimezone(ZoneInfo(member.workspace.time_zone)).date()
    key = f"consolidate:{day}:{member.user_id if is_own else 'all'}"
    try:
        start_consolidation(by=by, is_own=is_own, idem_key=key)
    except (ValidationError, PermissionDenied):
        return False
    return True


def consolidate_hour(workspace: Workspace) -> int | None:
    row = AISettings.objects.filter(workspace=workspace).first()
    return row.consolidate_hour if row else None


def set_consolidate_hour(hour: int | None, *, by: Actor) -> None:
    """On the workspace's clock; None switches it off. Raises ValidationError."""
    by.require(Perm.SETTINGS)
    if hour is not None and not 0 <= hour <= 23:
        raise ValidationError({"hour": "Choose an hour between 0 and 23."})
    with transaction.atomic():
        row, _ = AISettings.objects.select_for_update(no_key=True).get_or_create(workspace=by.workspace)
        before = row.consolidate_hour
        row.consolidate_hour, row.updated_by, row.updated_at = hour, by.user, now()
        row.save(update_fields=["consolidate_hour", "updated_by", "updated_at"])
        audit.record("memory.consolidate_hour", row, by=by, before=before, after=hour)
