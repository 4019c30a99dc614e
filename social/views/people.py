"""A member's own Telegram account."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.scope import workspace_scope
from accounts.web import MemberRequest, member_view
from social.models import TelegramLink
from social.networks.port import NetworkError
from social.telegram import bots, links, people, receiver
from social.telegram.bots import KnownBot
from social.telegram.codes import Purpose
from social.telegram.commands import LINK_PREFIX
from social.views.code_session import keep_code, stored_code

PAGE = "social:telegram-link"


@require_GET
@never_cache
@member_view(scope=False)
def telegram_link(request: MemberRequest) -> HttpResponse:
    """The state, and the way into Telegram while a code is open."""
    problem = _meet_instance_bot()
    with workspace_scope(request.actor.workspace.pk):
        link = TelegramLink.objects.filter(user=request.user).first()
        bot = linking_bot(request)
        code = stored_code(request, Purpose.LINK, bot.bot_id) if bot and not link else None
        context = {"link": link, "bot": bot, "code": code, "problem": problem}
        if bot and code:
            receiver.wake(bot.bot_id)
            context["open_telegram"] = links.start_private(bot.username, LINK_PREFIX + code.text)
        return render(request, "social/telegram_link.html", context)


def _meet_instance_bot() -> str:
    try:
        bots.meet_instance_bot()
    except NetworkError as error:
        return f"The bot of this instance does not answer. {error.message}"
    return ""


def linking_bot(request: MemberRequest) -> KnownBot | None:
    """The instance's, or the workspace's first."""
    return next(iter(bots.usable_bots(request.actor.workspace)), None)


@require_POST
@member_view()
def telegram_link_start(request: MemberRequest) -> HttpResponse:
    bot = linking_bot(request)
    if bot:
        keep_code(request, Purpose.LINK, bot.bot_id)
    else:
        messages.error(request, "There is no Telegram bot yet. An admin adds one on the connections page.")
    return redirect(PAGE)


@require_POST
@member_view()
def telegram_unlink(request: MemberRequest) -> HttpResponse:
    if people.unlink_person(request.user):
        messages.success(request, "Your Telegram account is not linked any more.")
    return redirect(PAGE)
