from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts import audit_anchor, notifications, rate
from accounts.models import Invitation
from accounts.services import invitation_token
from lib.text import one_line


@shared_task(name="accounts.mail_invitation")
def mail_invitation(invitation_id: int) -> None:
    invitation = Invitation.objects.select_related("workspace", "invited_by").filter(pk=invitation_id).first()
    if invitation is None or invitation.accepted_at:
        return
    inviter = one_line(invitation.invited_by or "A colleague")
    context = {
        "inviter": inviter,
        "workspace": one_line(invitation.workspace),
        "role": invitation.get_role_display().lower(),
        "email": invitation.email,
        "url": f"{settings.BASE_URL}/invitations/{invitation_token(invitation)}",
    }
    send_mail(
        f"{inviter} invites you to {context['workspace']}",
        render_to_string("accounts/mail_invitation.txt", context),
        None,
        [invitation.email],
    )


@shared_task(name="accounts.mail_alerts", expires=30)
def mail_alerts() -> None:
    notifications.mail_alerts()


@shared_task(name="accounts.anchor_audit")
def anchor_audit() -> None:
    audit_anchor.anchor_chains()


@shared_task(name="accounts.sweep_rates", expires=3600)
def sweep_rates() -> None:
    rate.sweep()
