"""The assistant: one's own conversations, answered by a run each."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, member_view
from agents import threads
from agents.models import Interrupt, Run, Thread
from agents.runs.errors import RunConflict
from agents.runs.services import answer_interrupt, cancel_run
from agents.streaming import event_stream
from lib.money import dollars

LISTED = 50
PANEL = "composer"
IDEAS = (
    "What could we post this week?",
    "Three ways to say what we do, for people who have never heard of us",
    "May I write “the best in town”?",
    "给新品写三个小红书标题",
)


@member_view(Perm.VIEW)
@require_GET
def chat_home(request: MemberRequest) -> HttpResponse:
    return _page(request, None)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def chat_begin(request: MemberRequest) -> HttpResponse:
    """The first message makes its thread."""
    thread = threads.create_thread(by=request.actor)
    try:
        threads.post_message(thread, request.POST.get("message", ""), by=request.actor)
    except ValidationError as error:
        thread.delete()
        return _page(request, None, error=" ".join(error.messages), status=400)
    return redirect("agents:chat", thread.pk)


@member_view(Perm.VIEW)
def chat(request: MemberRequest, thread_id: UUID) -> HttpResponse:
    thread = threads.get_thread(request.actor, thread_id)
    if request.method != "POST":
        return _page(request, thread)
    try:
        threads.post_message(thread, request.POST.get("message", ""), by=request.actor)
    except ValidationError as error:
        return _page(request, thread, error=" ".join(error.messages), status=400)
    return redirect("agents:chat", thread.pk)


@member_view(Perm.CONTENT_EDIT)
def chat_panel(request: MemberRequest) -> HttpResponse:
    """Beside the composer: the person's conversation there. Without htmx it is the page of the assistant."""
    if not request.htmx:
        return redirect("agents:chats")
    thread = threads.visible_threads(request.actor).filter(metadata__place=PANEL).first()
    error = ""
    if request.method == "POST":
        thread = thread or threads.create_thread(by=request.actor, metadata={"place": PANEL})
        try:
            threads.post_message(thread, request.POST.get("message", ""), by=request.actor)
        except ValidationError as refused:
            error = " ".join(refused.messages)
    context = {"thread": thread, "error": error, "typed": request.POST.get("message", "") if error else ""}
    if thread:
        context |= _conversation(thread)
    return render(request, "agents/chat_panel_body.html", context)


@member_view(Perm.VIEW, scope=False)
@require_GET
def chat_stream(request: MemberRequest, thread_id: UUID, run_id: UUID) -> Any:
    with workspace_scope(request.actor.workspace.pk):
        run = threads.get_run(request.actor, run_id, thread_id)
    return event_stream(run, request.headers.get("Last-Event-ID", ""))


@member_view(Perm.CONTENT_EDIT)
@require_POST
def chat_stop(request: MemberRequest, thread_id: UUID, run_id: UUID) -> HttpResponse:
    run = threads.get_run(request.actor, run_id, thread_id)
    # It may have ended in the same moment: the page shows how.
    with suppress(RunConflict):
        cancel_run(run, by=request.actor)
    return redirect("agents:chat", thread_id)


@member_view(Perm.VIEW)
@require_POST
def chat_answer(request: MemberRequest, thread_id: UUID, run_id: UUID) -> HttpResponse:
    """Yes or no to what the assistant wants to do."""
    run = threads.get_run(request.actor, run_id, thread_id)
    asked = Interrupt.objects.filter(run=run, pk=_uuid(request.POST.get("interrupt", ""))).first()
    if asked is None:
        raise Http404
    thread = threads.get_thread(request.actor, thread_id)
    given = {"note": request.POST.get("note", "")[:500]}
    try:
        answer_interrupt(
            asked,
            request.POST.get("answer", ""),
            by=request.actor,
            given=given,
            seen_sha256=request.POST.get("sha256", ""),
        )
    except (RunConflict, PermissionDenied) as error:
        return _page(request, thread, error=str(error), status=409)
    except ValidationError as error:
        return _page(request, thread, error=" ".join(error.messages), status=400)
    return redirect("agents:chat", thread_id)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def chat_rename(request: MemberRequest, thread_id: UUID) -> HttpResponse:
    thread = threads.get_thread(request.actor, thread_id)
    threads.update_thread(thread, by=request.actor, title=request.POST.get("title", ""))
    return redirect("agents:chat", thread.pk)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def chat_delete(request: MemberRequest, thread_id: UUID) -> HttpResponse:
    thread = threads.get_thread(request.actor, thread_id)
    try:
        threads.delete_thread(thread, by=request.actor)
    except ValidationError as error:
        return _page(request, thread, error=" ".join(error.messages), status=409)
    return redirect("agents:chats")


def _page(request: MemberRequest, thread: Thread | None, *, error: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "threads": threads.visible_threads(request.actor)[:LISTED],
        "thread": thread,
        "error": error,
        "typed": request.POST.get("message", "") if error else "",
        "ideas": IDEAS,
    }
    if thread:
        context |= _conversation(thread)
    name = "agents/chat_turns.html" if request.htmx and thread and request.method == "GET" else "agents/chat.html"
    return render(request, name, context, status=status)


def _conversation(thread: Thread) -> dict[str, Any]:
    runs = {run.pk: run for run in thread.runs.order_by("created_at")}
    open_run = next((run for run in runs.values() if not run.is_ended), None)
    return {
        "turns": [_turn(message, runs) for message in thread.messages.select_related("author")],
        "open_run": open_run,
        "asked": open_run.interrupts.filter(answer="").first() if open_run else None,
    }


def _turn(message: Any, runs: dict[UUID, Run]) -> dict[str, Any]:
    """A message, and for an answer what it cost; for a question why it got none."""
    run = runs.get(message.run_id)
    output = run.output if run and isinstance(run.output, dict) else {}
    is_answer = message.role == "assistant"
    failure = run.error if run and run.error and not is_answer else None
    return {
        "message": message,
        "run": run,
        "cost": dollars(output.get("cost_micro", 0)) if is_answer and output else "",
        "agent": str(output.get("agent", "")).replace("_", " ") if is_answer else "",
        "is_sandbox": bool(output.get("is_sandbox")) and is_answer,
        "failure": failure,
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
