"""An import becomes posts in the background: in batches, from where it stopped, each row once."""

import time
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, transaction

from accounts.access import Actor, Perm, system_actor
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import emit
from campaigns.deliveries import schedule_delivery
from campaigns.deliveries.loading import lock_accounts
from campaigns.errors import NotAllowedNow
from campaigns.imports.plan import Fate, Group, Plan, as_draft, decide, existing_posts, read_plan
from campaigns.models import Campaign, Delivery, Import, Post
from campaigns.services import create_campaign, create_post, update_post
from lib.clock import now

BATCH = 20
# Below the time limit of a task; the next one goes on.
MAX_RUN_S = 240
APPLY_PERMS = {Perm.CONTENT_EDIT, Perm.PUBLISH}
Status = Import.Status


def imports_to_resume() -> list[tuple[UUID, UUID]]:
    """Workspace and import ids of whatever is under way, in case its worker died."""
    with all_workspaces_scope("find imports to go on with"):
        rows = Import.objects.filter(status=Status.APPLYING, workspace__is_suspended=False)
        return list(rows.order_by("created_at").values_list("workspace_id", "pk")[:100])


def apply_import(workspace_id: UUID, import_id: UUID) -> bool:
    """True when all is settled, or nothing is to do. Safe to call twice, also at once."""
    with workspace_scope(workspace_id):
        imported = Import.objects.select_related("workspace", "created_by").filter(pk=import_id).first()
        if imported is None or imported.status != Status.APPLYING:
            return True
        plan = read_plan(imported)
    actor = system_actor(imported.workspace, f"import {imported.name}", APPLY_PERMS, author=imported.created_by)
    ends_at = time.monotonic() + MAX_RUN_S
    for start in range(0, len(plan.groups), BATCH):
        if time.monotonic() > ends_at:
            return False
        with workspace_scope(workspace_id):
            _apply_batch(import_id, plan, plan.groups[start : start + BATCH], actor)
    with workspace_scope(workspace_id):
        _finish(import_id, imported)
    return True


def _apply_batch(import_id: UUID, plan: Plan, groups: list[Group], by: Actor) -> None:
    # Under the row's lock a second worker waits, and then sees what is done. Not the workspace's: all write below it.
    row = Import.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace").get(pk=import_id)
    left = [group for group in groups if not all(row.fates[one.number]["is_done"] for one in group.rows)]
    if row.status != Status.APPLYING or not left:
        return
    posts = existing_posts(row, left)
    lock_accounts(pk for group in left for pk in group.times)
    list(Delivery.objects.select_for_update(no_key=True).filter(post__in=posts.values()).order_by("pk"))
    list(Post.objects.select_for_update(no_key=True).filter(pk__in=[post.pk for post in posts.values()]).order_by("pk"))
    for group in left:
        fate = _apply_group(group, posts.get(group.external_id), plan, by)
        fate.is_done = True
        for one in group.rows:
            row.fates[one.number] = fate.as_json()
    row.done_rows = sum(fate["is_done"] for fate in row.fates)
    row.save(update_fields=["fates", "done_rows"])


def _apply_group(group: Group, post: Post | None, plan: Plan, by: Actor) -> Fate:
    # As it is now, not as it was when the file was checked.
    fate = decide(group, post, plan.known)
    if fate.action not in {"create", "update"}:
        return fate
    try:
        with transaction.atomic():
            campaign = _campaign(group, post, by)
            draft = as_draft(group, post, campaign)
            saved = update_post(post, draft, by=by) if post else create_post(draft, by=by)
            _plan_times(group, saved, by)
    except ValidationError as refusal:
        return Fate("error", refusal.messages)
    except (NotAllowedNow, PermissionDenied) as refusal:
        return Fate("error", [str(refusal)])
    except (IntegrityError, DataError):
        return Fate("error", ["It could not be saved, since the post changed meanwhile. Import the file again."])
    return Fate(fate.action, fate.messages, str(saved.pk))


def _campaign(group: Group, post: Post | None, by: Actor) -> Campaign | None:
    name = group.first.campaign
    if name is None:
        return post.campaign if post else None
    if not name:
        return None
    open_ones = Campaign.objects.filter(workspace=by.workspace).exclude(status=Campaign.Status.ARCHIVED)
    return open_ones.filter(name__iexact=name).first() or create_campaign(by=by, name=name)


def _plan_times(group: Group, post: Post, by: Actor) -> None:
    times = {pk: at for pk, at in group.times.items() if at}
    # What a person canceled stays canceled.
    rows = Delivery.objects.filter(post=post, connection__in=times).exclude(state=Delivery.State.CANCELED)
    for row in rows:
        if row.scheduled_at != times[row.connection_id]:
            schedule_delivery(row, times[row.connection_id], by=by)


def _finish(import_id: UUID, imported: Import) -> None:
    done: dict[str, Any] = {"status": Status.APPLIED, "applied_at": now(), "done_rows": len(imported.rows)}
    if Import.objects.filter(pk=import_id, status=Status.APPLYING).update(**done):
        emit(imported.workspace, "import.applied", **{"import": str(import_id)})
