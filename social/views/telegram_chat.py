"""What a connected Telegram chat has on top: its policy, invite links and topics."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from social import services
from social.access import get_connection, get_invite_link
from social.forms import InviteLinkForm, NewTopicForm, UnknownPolicyForm
from social.models import BotChat, Connection, InviteLink, Network
from social.telegram import bots, chats, invites, topics

PAGE = "social:telegram-chat"


def _load(request: MemberRequest, connection_id: UUID) -> Connection:
    connection = get_connection(request.actor, connection_id)
    if connection.network != Network.TELEGRAM:
        raise Http404("No such Telegram chat.")
    connection.workspace = request.actor.workspace
    return connection


@require_GET
@member_view(Perm.VIEW)
def chat(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    return _page(request, _load(request, connection_id))


def _page(request: MemberRequest, connection: Connection, wrong_form: forms.Form | None = None) -> HttpResponse:
    bot_id, chat_id = bots.bot_id_of(connection), chats.chat_id_of(connection.remote_id)
    context: dict[str, Any] = {
        "connection": connection,
        "bot": bots.find_bot(connection.workspace, bot_id),
        "bot_chat": BotChat.objects.filter(bot_id=bot_id, chat_id=chat_id).first(),
        "links": InviteLink.objects.filter(connection=connection).select_related("created_by"),
        "can_manage": request.actor.can(Perm.CONNECTIONS),
        "policy_form": UnknownPolicyForm(initial={"unknown_policy": connection.unknown_policy}),
        "link_form": InviteLinkForm(initial={"campaign_id": request.GET.get("campaign")}),
        "topic_form": NewTopicForm(),
    }
    names = {InviteLinkForm: "link_form", NewTopicForm: "topic_form", UnknownPolicyForm: "policy_form"}
    if wrong_form:
        context[names[type(wrong_form)]] = wrong_form
    return render(request, "social/telegram_chat.html", context, status=422 if wrong_form else 200)


@require_POST
@member_view(Perm.CONNECTIONS)
def set_policy(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = _load(request, connection_id)
    form = UnknownPolicyForm(request.POST)
    if not form.is_valid():
        return _page(request, connection, form)
    services.set_unknown_policy(connection, form.cleaned_data["unknown_policy"], by=request.actor)
    messages.success(request, "Saved.")
    return redirect(PAGE, connection.pk)


# --- invite links -------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def invite_link_create(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        connection = _load(request, connection_id)
    # The time is typed on the workspace's clock.
    with timezone.override(request.actor.workspace.time_zone):
        form = InviteLinkForm(request.POST)
        is_valid = form.is_valid()
    if is_valid:
        try:
            link = invites.create_invite_link(connection, by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"The link “{link.name}” is ready.")
            return redirect(PAGE, connection.pk)
    with workspace_scope(request.actor.workspace.pk):
        return _page(request, connection, form)


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def invite_link_revoke(request: MemberRequest, link_id: UUID) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        link = get_invite_link(request.actor, link_id)
    try:
        invites.revoke_invite_link(link, by=request.actor)
        messages.success(request, f"The link “{link.name}” lets nobody in any more.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(PAGE, link.connection_id)


# --- topics -------------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def topic_create(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        connection = _load(request, connection_id)
    form = NewTopicForm(request.POST)
    if form.is_valid():
        try:
            bot = invites.bot_of(connection)
            chat_id = str(chats.chat_id_of(connection.remote_id))
            made = topics.create_topic(bot, chat_id, form.cleaned_data["name"], by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{made.name} is connected.")
            return redirect(PAGE, made.pk)
    with workspace_scope(request.actor.workspace.pk):
        return _page(request, connection, form)
