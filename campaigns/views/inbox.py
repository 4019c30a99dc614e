"""The inbox in three panes: conversations, one of them, and what is known about it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.inbox import acts
from campaigns.inbox.collect import MENTIONS, set_reading
from campaigns.models import Conversation, InboxCursor, InboxMessage, Snippet
from social.models import Connection, Network

PAGE_SIZE = 40
FILTERS = {
    "open": "Open",
    "unread": "Unread",
    "mine": "Mine",
    "unassigned": "Nobody's",
    "negative": "Unhappy",
    "done": "Done",
}


@member_view(Perm.VIEW)
@require_GET
def inbox(request: MemberRequest) -> HttpResponse:
    return _page(request, None)


@member_view(Perm.VIEW)
@require_GET
def conversation(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    talk = acts.get_conversation(request.actor, conversation_id)
    if request.actor.can(Perm.CONTENT_EDIT):
        acts.mark_read(talk)
    return _page(request, talk)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def act(request: MemberRequest, conversation_id: UUID, act: str) -> HttpResponse:
    talk = acts.get_conversation(request.actor, conversation_id)
    try:
        if act in ("done", "reopen"):
            acts.set_done(talk, act == "done", by=request.actor)
        elif act == "assign":
            acts.assign(talk, _uuid(request.POST.get("person", "")), by=request.actor)
        else:
            raise Http404
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("campaigns:inbox") if act == "done" else redirect("campaigns:conversation", talk.pk)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def draft(request: MemberRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    talk = acts.get_conversation(request.actor, conversation_id)
    message = _message(talk, message_id)
    try:
        acts.ask_for_draft(message, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("campaigns:conversation", talk.pk)


@member_view(Perm.CONTENT_EDIT)
@require_POST
def reply(request: MemberRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    talk = acts.get_conversation(request.actor, conversation_id)
    message = _message(talk, message_id)
    text = request.POST.get("text", "")
    try:
        acts.reply(message, text, by=request.actor, is_agent_text=bool(message.draft))
    except ValidationError as error:
        return _page(request, talk, error=" ".join(error.messages), typed=text, status=400)
    messages.success(request, "It waits for approval, and goes out then.")
    return redirect("campaigns:conversation", talk.pk)


@member_view(Perm.CONNECTIONS)
@require_POST
def reading(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = Connection.objects.shown().filter(workspace=request.actor.workspace, pk=connection_id).first()
    if connection is None or connection.network != Network.X:
        raise Http404
    is_on = request.POST.get("on") == "1"
    set_reading(connection, is_on, by=request.actor)
    said = "Its mentions arrive here, every few minutes." if is_on else "Its mentions are read no more."
    messages.success(request, f"{connection}: {said}")
    return redirect("campaigns:inbox")


def _page(
    request: MemberRequest, talk: Conversation | None, *, error: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    wanted = request.GET.get("show", "open")
    wanted = wanted if wanted in FILTERS else "open"
    words = request.GET.get("q", "")[:200]
    rows = acts.find_conversations(request.actor, wanted=wanted, words=words)
    accounts = _accounts(request)
    context: dict[str, Any] = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "filters": FILTERS,
        "wanted": wanted,
        "words": words,
        "talk": talk,
        "error": error,
        "accounts": accounts,
        "is_read": any(account["is_on"] for account in accounts),
    }
    if talk:
        context |= _talk(request, talk, typed)
    if request.htmx and request.GET.get("part") == "turns" and talk:
        return render(request, "campaigns/inbox_turns.html", context)
    return render(request, "campaigns/inbox.html", context, status=status)


def _talk(request: MemberRequest, talk: Conversation, typed: str) -> dict[str, Any]:
    turns = list(talk.messages.select_related("delivery"))
    last = next((turn for turn in reversed(turns) if not turn.is_ours), None)
    found = acts.draft_of(last) if last else None
    if last and found and found["is_ready"] and not talk.intent:
        acts.take_over(last)
        talk.refresh_from_db()
    answered = {turn.remote_id for turn in turns if turn.is_ours}
    return {
        "turns": turns,
        "last": last,
        "draft": found,
        "why_not": acts.why_no_reply(last) if last else "",
        "is_answered": last is not None and f"reply:{last.pk}" in answered,
        "intent": talk.intent.replace("_", " "),
        "typed": typed or (found["text"] if found else ""),
        "people": acts.people_who_answer(request.actor),
        "saved": Snippet.objects.filter(workspace=request.actor.workspace, kind=Snippet.Kind.REPLY),
        "history": acts.visible_conversations(request.actor)
        .filter(author_id=talk.author_id, connection=talk.connection_id)
        .exclude(pk=talk.pk)[:5],
    }


def _accounts(request: MemberRequest) -> list[dict[str, Any]]:
    """Accounts on X, whether their mentions are read, and what went wrong with it."""
    on = dict(InboxCursor.objects.filter(kind=MENTIONS).values_list("connection_id", "problem"))
    rows = Connection.objects.shown().filter(workspace=request.actor.workspace, network=Network.X)
    return [{"connection": row, "is_on": row.pk in on, "problem": on.get(row.pk, "")} for row in rows]


def _message(talk: Conversation, message_id: UUID) -> InboxMessage:
    message = talk.messages.select_related("conversation__connection").filter(pk=message_id).first()
    if message is None:
        raise Http404
    return message


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Http404 from error
