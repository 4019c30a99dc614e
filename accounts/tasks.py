from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts.models import Invitation
from accounts.services import invitation_token


@shared_task(name="accounts.mail_invitation")
def mail_invitation(invitation_id: int) -> None:
    invitation = Invitation.objects.select_related("workspace", "invited_by").filter(pk=invitation_id).first()
    if invitation is None or invitation.accepted_at:
        return
    context = {
        "invitation": invitation,
        "url": f"{settings.BASE_URL}/invitations/{invitation_token(invitation)}",
    }
    send_mail(
        f"{invitation.invited_by} invites you to {invitation.workspace}",
        render_to_string("accounts/mail_invitation.txt", context),
        None,
        [invitation.email],
    )
