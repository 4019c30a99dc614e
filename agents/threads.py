"""Acts on threads. A person sees their own; an integrator those it began."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from agents.models import Assistant, Message, Provenance, Run, Thread
from agents.runs.services import start_run
from agents.workflows.registry import WORKFLOWS
from lib.clock import now
from lib.text import one_line, storable

MAX_TEXT = 20_000
MAX_METADATA = 20
TITLE = 120
# Where nobody said otherwise.
CHAT = "chat"


def visible_threads(by: Actor) -> QuerySet[Thread]:
    by.require(Perm.VIEW)
    return Thread.objects.filter(workspace=by.workspace, user=by.user)


def get_thread(by: Actor, thread_id: UUID) -> Thread:
    thread = visible_threads(by).filter(pk=thread_id).first()
    if thread is None:
        raise Http404
    return thread


def get_run(by: Actor, run_id: UUID, thread_id: UUID | None = None) -> Run:
    """A run of a thread the caller sees."""
    runs = Run.objects.select_related("workspace", "thread").filter(pk=run_id, thread__in=visible_threads(by))
    run = (runs.filter(thread_id=thread_id) if thread_id else runs).first()
    if run is None:
        raise Http404
    return run


def create_thread(
    *,
    by: Actor,
    title: str = "",
    assistant: Assistant | None = None,
    metadata: Mapping[str, Any] | None = None,
    expires_in_hours: int | None = None,
) -> Thread:
    by.require(Perm.CONTENT_EDIT)
    return Thread.objects.create(
        workspace=by.workspace,
        user=by.user,
        assistant=assistant,
        title=_title(title),
        metadata=_metadata(metadata),
        expires_at=now() + timedelta(hours=expires_in_hours) if expires_in_hours else None,
    )


def update_thread(
    thread: Thread, *, by: Actor, title: str | None = None, metadata: Mapping[str, Any] | None = None
) -> Thread:
    by.require(Perm.CONTENT_EDIT)
    if title is not None:
        thread.title = _title(title)
    if metadata is not None:
        thread.metadata = _metadata(metadata)
    thread.updated_at = now()
    thread.save(update_fields=["title", "metadata", "updated_at"])
    return thread


def delete_thread(thread: Thread, *, by: Actor) -> None:
    """With its messages, runs and steps. What they cost stays in the ledger."""
    by.require(Perm.CONTENT_EDIT)
    if thread.runs.filter(status__in=Run.OPEN).exists():
        raise ValidationError("The assistant is still at work in this thread. Stop it first.")
    thread.delete()


def copy_thread(thread: Thread, *, by: Actor) -> Thread:
    """The same conversation, to go on from here in another way."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        copy = Thread.objects.create(
            workspace=by.workspace,
            user=by.user,
            assistant_id=thread.assistant_id,
            title=_title(f"{thread.title} (copy)" if thread.title else ""),
            metadata=thread.metadata,
            last_seq=thread.last_seq,
            summary=thread.summary,
            summary_seq=thread.summary_seq,
        )
        Message.objects.bulk_create(
            Message(
                workspace=by.workspace,
                thread=copy,
                **{
                    name: getattr(message, name)
                    for name in ("seq", "role", "text", "provenance", "citations", "author_id", "created_at")
                },
            )
            for message in thread.messages.all()
        )
    return copy


def post_message(thread: Thread, text: str, *, by: Actor, **options: Any) -> Run:
    """Say something in a thread and let its assistant answer. `options`: those of `start_run`.

    The message stands there at once, also while the assistant is still busy with an earlier one.
    """
    text = storable(text).strip()
    if not text:
        raise ValidationError({"message": "Write something first."})
    if len(text) > MAX_TEXT:
        raise ValidationError({"message": f"At most {MAX_TEXT:,} characters; this is {len(text):,}."})
    with transaction.atomic():
        run = start_thread_run(thread, {"message": text}, by=by, **options)
        if not run.messages.filter(role=Message.Role.USER).exists():
            _add_user_message(thread, run, text, by)
    return run


def start_thread_run(
    thread: Thread,
    input: Any,
    *,
    by: Actor,
    assistant: Assistant | None = None,
    workflow: str = "",
    **options: Any,
) -> Run:
    """Run a workflow in a thread: the named one, its assistant's, or the chat."""
    chosen = assistant or thread.assistant
    name = workflow or (chosen.workflow if chosen else CHAT)
    if name not in WORKFLOWS or WORKFLOWS[name].is_inner:
        raise ValidationError({"workflow": f"There is no workflow called {one_line(name)[:60]}."})
    return start_run(name, input, by=by, thread=thread, assistant=chosen, **options)


def _add_user_message(thread: Thread, run: Run, text: str, by: Actor) -> None:
    locked = Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)
    Message.objects.create(
        workspace=by.workspace,
        thread=thread,
        seq=locked.last_seq + 1,
        role=Message.Role.USER,
        text=text,
        # Words of an integrator's customers are anybody's.
        provenance=Provenance.MEMBER if by.user else Provenance.UNTRUSTED,
        run=run,
        author=by.user,
    )
    locked.last_seq += 1
    locked.title = locked.title or _title(text)
    locked.updated_at = now()
    locked.save(update_fields=["last_seq", "title", "updated_at"])


def expire_threads() -> int:
    """Those whose time is over and that nothing works in. Expects the all-workspaces scope."""
    return Thread.objects.filter(expires_at__lt=now()).exclude(runs__status__in=Run.OPEN).delete()[0]


def _title(text: str) -> str:
    line = one_line(storable(text))
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"


def _metadata(metadata: Mapping[str, Any] | None) -> dict[str, str]:
    found = {storable(str(key)): storable(str(value)) for key, value in (metadata or {}).items()}
    if len(found) > MAX_METADATA or any(len(key) > 60 or len(value) > 500 for key, value in found.items()):
        raise ValidationError({"metadata": "At most 20 entries, names of 60 and values of 500 characters."})
    return found
