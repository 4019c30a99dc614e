"""A person's own Telegram account."""

from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.access import actor_for
from accounts.models import Membership, User
from accounts.scope import workspace_scope
from lib.clock import now
from social.models import TelegramCode, TelegramLink
from social.telegram.codes import Purpose, use_code

GONE = "This code is no longer valid. Open your profile in Rostrum and choose “Link Telegram” again."
TAKEN = "This Telegram account is linked with somebody else. Send /unlink, then start again from your profile."


def link_person(code_text: str, sender: dict[str, Any], bot_id: int) -> str:
    """What the bot answers to the sender of a code."""
    holder = TelegramLink.objects.select_related("user").filter(telegram_user_id=sender["id"]).first()
    code = use_code(code_text, Purpose.LINK, bot_id)
    if code is None:
        return GONE
    if holder and holder.user_id != code.user_id:
        return TAKEN
    member = Membership.objects.select_related("user", "workspace").filter(user=code.user, workspace=code.workspace)
    if not (found := member.first()):
        return GONE
    return _store_link(code, found, sender, bot_id)


def _store_link(code: TelegramCode, member: Membership, sender: dict[str, Any], bot_id: int) -> str:
    name = " ".join(filter(None, [sender.get("first_name"), sender.get("last_name")]))
    try:
        with transaction.atomic():
            link, _ = TelegramLink.objects.update_or_create(
                user=code.user,
                defaults={
                    "telegram_user_id": sender["id"],
                    "bot_id": bot_id,
                    "username": sender.get("username") or "",
                    "name": name[:120],
                    "linked_at": now(),
                },
            )
    except IntegrityError:
        # Somebody else linked the same account a moment ago.
        return TAKEN
    with workspace_scope(member.workspace_id):
        audit.record("telegram.link", link, by=actor_for(member), username=link.username)
    return f"Linked with {code.user} ({code.user.email}) on Rostrum. If that is not you, send /unlink."


def unlink_sender(telegram_user_id: int) -> str:
    deleted, _ = TelegramLink.objects.filter(telegram_user_id=telegram_user_id).delete()
    return "Your Telegram account is not linked any more." if deleted else "Your Telegram account is not linked."


def unlink_person(user: User) -> bool:
    return bool(TelegramLink.objects.filter(user=user).delete()[0])
