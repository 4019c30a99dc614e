"""Briefs by mail and Telegram: claimed before they go, so rather one too few, which the page shows, than one twice."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q

from accounts.models import Membership, Notification
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from lib.text import one_line
from personal.archive import data_of
from personal.briefs import as_text
from personal.models import Brief, Preference
from personal.wording import words
from social.models import TelegramLink
from social.networks.port import Failure, NetworkError
from social.networks.telegram import api
from social.telegram import bots
from social.telegram.bots import KnownBot

log = structlog.get_logger(__name__)
# An older one is news no more.
FRESH = timedelta(days=1)
# Its own message is on the way meanwhile.
GRACE = timedelta(minutes=2)
LONGEST = 3_500
UNSENT = "brief.unsent"
BLOCKED = "You have blocked {bot} there, or never started it. Open it and press Start, or choose other channels."


def send_waiting(limit: int = 200) -> int:
    """Those whose message or worker was lost."""
    with all_workspaces_scope("find briefs to send"):
        waiting = Brief.objects.filter(Q(run_id=None) | ~Q(data__words=None), sent_at=None, archived_at=None)
        waiting = waiting.filter(created_at__gt=now() - FRESH, created_at__lt=now() - GRACE)
        found = list(waiting.values_list("workspace_id", "pk")[:limit])
    return sum(send_brief(workspace_id, pk) for workspace_id, pk in found)


def send_brief(workspace_id: UUID, brief_id: UUID) -> bool:
    """Outside of any transaction: it talks to a mail server and to Telegram. False where it went before."""
    with workspace_scope(workspace_id):
        if not Brief.objects.filter(pk=brief_id, sent_at=None).update(sent_at=now()):
            return False
        brief = Brief.objects.select_related("workspace", "user").get(pk=brief_id)
        liked = Preference.objects.filter(workspace=workspace_id, user=brief.user_id).first()
        channels = set(liked.channels) if liked else set()
        # Who left the workspace is told nothing of it any more, and one that is suspended sends nothing.
        is_member = Membership.objects.filter(workspace=workspace_id, user=brief.user_id).exclude(role="guest").exists()
        trusted = {bot.bot_id: bot for bot in bots.usable_bots(brief.workspace)}
        link = TelegramLink.objects.filter(user=brief.user_id, bot_id__in=trusted).first()
    if brief.workspace.is_suspended or not is_member or not brief.user.is_active:
        return False
    if "mail" in channels:
        _mail(brief)
    if "telegram" in channels and link:
        _telegram(brief, link, trusted[link.bot_id])
    return True


def _mail(brief: Brief) -> None:
    say, home = words(brief.language), f"{settings.BASE_URL}/w/{brief.workspace.slug}"
    text = "\n\n".join(
        [
            say["mail_intro"].format(workspace=one_line(brief.workspace)),
            as_text(data_of(brief)),
            say["mail_open"].format(url=f"{home}/you/briefs/{brief.pk}"),
            say["mail_stop"].format(url=f"{home}/you/preferences"),
        ]
    )
    subject = one_line(f"{brief.workspace}: {brief.title}")[:150]
    headers = {"Message-ID": f"<brief.{brief.pk}@rostrum>", "List-Unsubscribe": f"<{home}/you/preferences>"}
    try:
        EmailMessage(subject, text, None, [brief.user.email], headers=headers).send()
    except OSError:
        log.exception("brief_not_mailed", brief=str(brief.pk))


def _telegram(brief: Brief, link: TelegramLink, bot: KnownBot) -> None:
    text = f"{brief.title}\n\n{as_text(data_of(brief))}"
    more = words(brief.language)["mail_open"].format(
        url=f"{settings.BASE_URL}/w/{brief.workspace.slug}/you/briefs/{brief.pk}"
    )
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    try:
        api.send_text(bot.token, link.telegram_user_id, f"{short}\n\n{more}")
    except NetworkError as error:
        log.warning("brief_not_sent", brief=str(brief.pk), code=error.code)
        _note_unsent(brief, bot, error)


def _note_unsent(brief: Brief, bot: KnownBot, error: NetworkError) -> None:
    """It is not tried again: its person reads here why, and not every day anew while the first note is unread."""
    is_unsure = error.failure == Failure.UNKNOWN
    why = BLOCKED.format(bot=bot) if error.code == "bot_blocked" else error.message
    text = f"“{brief.title}” {'may not have arrived' if is_unsure else 'was not sent'} on Telegram. {why}"
    with workspace_scope(brief.workspace_id):
        notes = Notification.objects.filter(workspace=brief.workspace_id, user=brief.user_id, kind=UNSENT)
        if not notes.filter(read_at=None).exists():
            Notification.objects.create(
                workspace_id=brief.workspace_id,
                user_id=brief.user_id,
                kind=UNSENT,
                text=text[:300],
                path=f"/you/briefs/{brief.pk}",
            )
