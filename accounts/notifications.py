"""Alerts by mail: one mail per person and workspace, never in quiet hours, each alert once."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string

from accounts.models import Membership, Notification, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now
from lib.locks import held_lock
from lib.text import one_line

log = structlog.get_logger(__name__)
MAILER_LOCK = 7_301_002
# What comes in shortly after a mail goes out together in the next one.
PAUSE = timedelta(minutes=5)
# Mail that cannot be delivered for so long is given up; the alert stays on the page.
GIVE_UP = timedelta(days=3)
RETRY_S = 300
# A mail server that refuses several in a row refuses everybody: the next round tries again.
FAILURES_IN_A_ROW = 3
LOADED, SHOWN = 500, 20


def mail_alerts() -> int:
    """Send what waits; the number of mails. An alert is marked after its mail went: no crash loses it."""
    with held_lock(MAILER_LOCK) as is_only:
        return _mail_everybody() if is_only else 0


def _mail_everybody() -> int:
    sent = failed = 0
    for user, workspace in _waiting():
        if failed == FAILURES_IN_A_ROW:
            break
        alerts = _due_alerts(user, workspace)
        if not alerts:
            continue
        if _send(user, workspace, alerts):
            sent, failed = sent + 1, 0
        else:
            failed += 1
    return sent


# --- who is mailed, and when --------------------------------------------------------------------------------


def _waiting() -> list[tuple[User, Workspace]]:
    with all_workspaces_scope("mail alerts"):
        waiting = Notification.objects.filter(is_alert=True, mailed_at=None)
        _let_go(waiting)
        pairs = list(waiting.order_by().values_list("user_id", "workspace_id").distinct())
    users = User.objects.in_bulk({user_id for user_id, _ in pairs})
    workspaces = Workspace.objects.in_bulk({workspace_id for _, workspace_id in pairs})
    found = [(users[user_id], workspaces[workspace_id]) for user_id, workspace_id in pairs]
    return [pair for pair in found if not is_quiet(*pair, now()) and not cache.get(_retry_key(pair[0]))]


def _let_go(waiting: QuerySet[Notification]) -> None:
    """What nobody wants by mail (any more) must not flood them on the day they do."""
    member = Membership.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
    unwanted = Q(user__mail_alerts=False) | Q(user__is_active=False) | Q(read_at__isnull=False) | ~Exists(member)
    waiting.filter(unwanted).update(is_alert=False)
    if given_up := waiting.filter(created_at__lt=now() - GIVE_UP).update(is_alert=False):
        log.error("alerts_not_mailed", count=given_up)


def is_quiet(user: User, workspace: Workspace, at: datetime) -> bool:
    """Whether it is between the person's quiet hours, on the clock of their wall."""
    if user.quiet_from is None or user.quiet_to is None:
        return False
    local = at.astimezone(ZoneInfo(user.time_zone or workspace.time_zone)).time()
    return is_between(local, user.quiet_from, user.quiet_to)


def is_between(moment: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= moment < end
    # Over midnight.
    return moment >= start or moment < end


def _due_alerts(user: User, workspace: Workspace) -> list[Notification]:
    """Read again right before sending; nothing while the last mail is fresh."""
    with workspace_scope(workspace.pk):
        mine = Notification.objects.filter(workspace=workspace, user=user, is_alert=True)
        # The bound on the creation is the index's; nothing older is ever mailed.
        recent = mine.filter(created_at__gt=now() - GIVE_UP - PAUSE)
        if recent.filter(mailed_at__gt=now() - PAUSE).exists():
            return []
        return list(recent.filter(mailed_at=None).order_by("created_at")[:LOADED])


# --- the mail -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    text: str
    url: str
    count: int


def _send(user: User, workspace: Workspace, alerts: list[Notification]) -> bool:
    try:
        _mail(user, workspace, alerts).send()
    # Whatever a mail backend raises, the alert must wait and the others must be sent.
    except Exception:
        log.exception("alert_mail_failed", user=str(user.pk), workspace=workspace.slug)
        cache.set(_retry_key(user), True, RETRY_S)
        return False
    with workspace_scope(workspace.pk):
        Notification.objects.filter(pk__in=[row.pk for row in alerts], mailed_at=None).update(mailed_at=now())
    return True


def _retry_key(user: User) -> str:
    return f"alert-mail-wait:{user.pk}"


def _mail(user: User, workspace: Workspace, alerts: list[Notification]) -> EmailMultiAlternatives:
    lines = _lines(workspace, alerts)
    home = f"{settings.BASE_URL}/w/{workspace.slug}"
    context = {
        "workspace": one_line(workspace),
        "lines": lines[:SHOWN],
        "more": len(lines) - SHOWN,
        "all_url": f"{home}/notifications",
        "settings_url": f"{home}/profile",
    }
    what = lines[0].text if len(lines) == 1 else f"{len(alerts)} alerts"
    mail = EmailMultiAlternatives(
        one_line(f"{workspace}: {what}")[:150],
        render_to_string("accounts/mail_alerts.txt", context),
        to=[user.email],
        headers={"Message-ID": _message_id(alerts), "List-Unsubscribe": f"<{context['settings_url']}>"},
    )
    mail.attach_alternative(render_to_string("accounts/mail_alerts.html", context), "text/html")
    return mail


def _lines(workspace: Workspace, alerts: list[Notification]) -> list[Line]:
    """The same text many times is one cause: one line."""
    times = Counter(row.text for row in alerts)
    first = {row.text: row for row in reversed(alerts)}
    return [Line(text, _url(workspace, first[text], count), count) for text, count in times.items()]


def _url(workspace: Workspace, alert: Notification, count: int) -> str:
    alert.workspace = workspace
    path = alert.href if count == 1 and alert.href else f"/w/{workspace.slug}/notifications"
    return settings.BASE_URL + path


def _message_id(alerts: list[Notification]) -> str:
    """The same for the same alerts: a mail that is sent again after a crash is recognised as a copy."""
    return f"<alerts.{alerts[0].pk}.{len(alerts)}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>"
