"""Answers of one's assistant that come by themselves: a run in a thread of its own, and a brief that keeps them."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.access import Actor
from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import PeriodicTask, Run, Thread
from agents.threads import create_thread, post_message, visible_threads
from lib.clock import now
from personal.briefs import hand_over
from personal.models import Brief, Preference
from personal.preferences import language_of
from personal.wording import words

# An answer that has not come by then is not waited for.
PATIENCE = timedelta(hours=1)
LIMIT = 200


def ask_assistant(task: PeriodicTask, wanted_at: datetime, *, by: Actor) -> Brief:
    """Start the run; its answer is fetched by `fetch_answers`. Inside the workspace's scope and a transaction."""
    run = post_message(_thread(task, by), task.args["instruction"], by=by, idem_key=f"task:{task.pk}:{wanted_at}")
    return Brief.objects.create(
        workspace=by.workspace,
        user=task.user,
        task_id=task.pk,
        wanted_at=wanted_at,
        title=task.name,
        language=language_of(task.user, by.workspace.pk),
        data={"sections": []},
        run_id=run.pk,
    )


def _thread(task: PeriodicTask, by: Actor) -> Thread:
    """One for the task, so that its assistant remembers what it said before."""
    place = f"task:{task.pk}"
    found = visible_threads(by).filter(metadata__place=place).first()
    return found or create_thread(by=by, title=task.name, metadata={"place": place})


def fetch_answers() -> int:
    """The number of answers that have come, or never will."""
    with all_workspaces_scope("find answers to fetch"):
        open_ones = Brief.objects.filter(data__sections=[], sent_at=None, archived_at=None).exclude(run_id=None)
        open_ones = open_ones.filter(created_at__gt=now() - 2 * PATIENCE)
        found = list(open_ones.values_list("workspace_id", "pk")[:LIMIT])
    return sum(_fetch(workspace_id, pk) for workspace_id, pk in found)


def _fetch(workspace_id: UUID, pk: UUID) -> bool:
    with workspace_scope(workspace_id):
        brief = Brief.objects.select_for_update(no_key=True).get(pk=pk)
        run = Run.objects.filter(pk=brief.run_id).first() if brief.run_id else None
        is_late = brief.created_at < now() - PATIENCE
        if not brief.data or brief.data["sections"] or not (run is None or run.is_ended or is_late):
            return False
        brief.data = {"sections": [{"key": "answer", **_section(run, brief.language)}], "words": ""}
        brief.save(update_fields=["data"])
        liked = Preference.objects.filter(workspace=workspace_id, user=brief.user_id).first()
        hand_over(brief, tuple(liked.channels) if liked else ("in_app",))
    return True


def _section(run: Run | None, language: str) -> dict[str, object]:
    say = words(language)
    path = f"/assistant/{run.thread_id}" if run and run.thread_id else ""
    output = run.output if run and isinstance(run.output, dict) else {}
    if text := output.get("text"):
        lines = [{"text": part.strip(), "path": ""} for part in str(text).split("\n") if part.strip()]
    else:
        error = run.error if run and isinstance(run.error, dict) else {}
        lines = [{"text": say["no_answer"].format(why=error.get("message") or "—"), "path": ""}]
    lines[-1]["path"] = path
    return {"title": say["answer"], "lines": lines}
