"""Connecting Telegram: the bot, the chat, a test message. One page; the address says how far it is."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from social.access import get_bot, get_connection, get_own_bot
from social.forms import BotForm, ChatForm, TopicForm
from social.models import BotChat, Connection
from social.networks.port import NetworkError
from social.telegram import bots, chats, links, receiver, topics, trial
from social.telegram.bots import KnownBot
from social.telegram.codes import Purpose
from social.views.code_session import keep_code, stored_code

NEW = "social:telegram-new"


@dataclass(frozen=True)
class ChatRow:
    """A chat on the list, and what of it is connected already."""

    chat: BotChat
    connected: tuple[Connection, ...]
    topics: list[tuple[int, str]]

    @property
    def is_connected(self) -> bool:
        return any(":" not in connection.remote_id for connection in self.connected)


@require_GET
@never_cache
@member_view(Perm.CONNECTIONS, scope=False)
def new(request: MemberRequest) -> HttpResponse:
    return _page(request)


def _page(request: MemberRequest, *, wrong_form: forms.Form | None = None, bot: KnownBot | None = None) -> HttpResponse:
    """`wrong_form` is shown again where it belongs, with what is wrong beside its fields."""
    problem = _meet_instance_bot()
    with workspace_scope(request.actor.workspace.pk):
        bot, connection = bot or _chosen_bot(request), _chosen_connection(request)
        context: dict[str, Any] = {
            "bots": bots.usable_bots(request.actor.workspace),
            "problem": problem,
            "bot": bot,
            "bot_form": wrong_form if isinstance(wrong_form, BotForm) else BotForm(),
            "connection": connection,
        }
        if bot:
            context |= _chat_step(request, bot, wrong_form)
            # Nothing new: what somebody has opened or begun to type in the list stays.
            if request.htmx and request.GET.get("seen") == context["version"]:
                return HttpResponse(status=204)
        if connection:
            context["test"] = trial.read_test(request.GET.get("test", ""), connection.pk)
        status = 422 if wrong_form else 200
        return render(request, "social/telegram_new.html", context, status=status)


def _meet_instance_bot() -> str:
    """What is wrong with the instance's bot, for the page."""
    try:
        bots.meet_instance_bot()
    except NetworkError as error:
        return f"The bot of this instance does not answer. {error.message}"
    return ""


def _chosen_bot(request: MemberRequest) -> KnownBot | None:
    number = request.GET.get("bot", "")
    return get_bot(request.actor, int(number)) if number.isascii() and number.isdigit() else None


def _chosen_connection(request: MemberRequest) -> Connection | None:
    try:
        return get_connection(request.actor, UUID(request.GET.get("connection", "")))
    except ValueError:
        return None


def _chat_step(request: MemberRequest, bot: KnownBot, wrong_form: forms.Form | None) -> dict[str, Any]:
    code = stored_code(request, Purpose.CONNECT, bot.bot_id)
    rows, is_waiting = _chat_rows(request, bot), code is not None and "connection" not in request.GET
    # Somebody waits for the list to grow.
    receiver.wake(bot.bot_id)
    return {
        "rows": rows,
        "version": hashlib.sha256(repr([is_waiting, *map(_state, rows)]).encode()).hexdigest()[:16],
        "code": code,
        "add_to_channel": links.add_to_channel(bot.username),
        "add_to_group": links.add_to_group(bot.username, code.text if code else ""),
        "chat_form": wrong_form if isinstance(wrong_form, ChatForm) else ChatForm(),
        "topic_form": wrong_form if isinstance(wrong_form, TopicForm) else None,
        "is_waiting": is_waiting,
    }


def _chat_rows(request: MemberRequest, bot: KnownBot) -> list[ChatRow]:
    found = list(chats.connectable_chats(bot, by=request.actor))
    connected = list(Connection.objects.shown().filter(workspace=request.actor.workspace, app_key=bot.app_key))
    return [ChatRow(chat, _of_chat(connected, chat), topics.known_topics(chat)) for chat in found]


def _state(row: ChatRow) -> list[object]:
    """Everything that the list shows of a chat."""
    chat = row.chat
    return [chat.chat_id, chat.title, chat.username, chat.kind, chat.can_post, row.topics, len(row.connected)]


def _of_chat(connected: list[Connection], chat: BotChat) -> tuple[Connection, ...]:
    return tuple(row for row in connected if chats.chat_id_of(row.remote_id) == chat.chat_id)


# --- the bot ------------------------------------------------------------------------------------------------


@sensitive_post_parameters("token")
@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def bot_add(request: MemberRequest) -> HttpResponse:
    form = BotForm(request.POST)
    if form.is_valid():
        try:
            bot = bots.add_bot(form.cleaned_data["token"], by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{bot} is added.")
            return _choose(request, bot.bot_id)
    return _page(request, wrong_form=form)


@require_POST
@member_view(Perm.CONNECTIONS)
def bot_choose(request: MemberRequest, bot_id: int) -> HttpResponse:
    """With a fresh code, which is shown on the page that follows."""
    return _choose(request, get_bot(request.actor, bot_id).bot_id)


def _choose(request: MemberRequest, bot_id: int) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        keep_code(request, Purpose.CONNECT, bot_id)
    return _back(bot_id)


def _back(bot_id: int, **query: str) -> HttpResponse:
    return redirect(reverse(NEW, query={"bot": str(bot_id), **query}))


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def bot_remove(request: MemberRequest, bot_id: int) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        bot = get_own_bot(request.actor, bot_id)
    try:
        bots.remove_bot(bot, by=request.actor)
        messages.success(request, f"{bot} is removed, and its token is deleted.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(NEW)


# --- the chat -----------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def chat_connect(request: MemberRequest, bot_id: int) -> HttpResponse:
    bot = _bot(request, bot_id)
    form = ChatForm(request.POST)
    return _connect(request, bot, form, lambda data: chats.connect_chat(bot, data["chat"], by=request.actor))


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def topic_connect(request: MemberRequest, bot_id: int, chat_id: str) -> HttpResponse:
    """A topic of a forum: one of the list, one by its link, or a new one."""
    bot = _bot(request, bot_id)

    def connect(data: dict[str, str]) -> Connection:
        if data["name"]:
            return topics.create_topic(bot, chat_id, data["name"], by=request.actor)
        topic = topics.parse_topic(data["link"] or data["topic"])
        return chats.connect_chat(bot, chat_id, by=request.actor, topic=topic)

    return _connect(request, bot, TopicForm(request.POST), connect)


def _bot(request: MemberRequest, bot_id: int) -> KnownBot:
    with workspace_scope(request.actor.workspace.pk):
        return get_bot(request.actor, bot_id)


def _connect(request: MemberRequest, bot: KnownBot, form: forms.Form, connect: Any) -> HttpResponse:
    if form.is_valid():
        try:
            connection = connect(form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{connection.name} is connected.")
            return _back(bot.bot_id, connection=str(connection.pk))
    return _page(request, wrong_form=form, bot=bot)


# --- the test message ---------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def test_send(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = _telegram_connection(request, connection_id)
    query = {"connection": str(connection.pk)}
    try:
        query["test"] = trial.send_test(connection, by=request.actor).token
        messages.success(request, "The test message is live.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(bots.bot_id_of(connection), **query)


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def test_delete(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = _telegram_connection(request, connection_id)
    query = {"connection": str(connection.pk)}
    test = trial.read_test(request.POST.get("test", ""), connection.pk)
    try:
        if test:
            trial.delete_test(connection, test, by=request.actor)
            messages.success(request, "The test message is deleted.")
    except ValidationError as error:
        query["test"] = request.POST["test"]
        messages.error(request, " ".join(error.messages))
    return _back(bots.bot_id_of(connection), **query)


def _telegram_connection(request: MemberRequest, connection_id: UUID) -> Connection:
    with workspace_scope(request.actor.workspace.pk):
        connection = get_connection(request.actor, connection_id)
        connection.workspace = request.actor.workspace
    if not connection.app_key.startswith("bot:"):
        raise Http404("No such Telegram chat.")
    return connection
