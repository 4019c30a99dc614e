"""One-time codes that a person sends to a bot, to prove who they are or which chat is theirs."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.access import Actor, Perm
from accounts.scope import all_workspaces_scope, resolver_scope, workspace_scope
from lib.clock import now
from social.models import TelegramCode

Purpose = TelegramCode.Purpose
MINUTES = 15
# A chat in which a code was posted may be connected this much later, counted from the code's end.
PROOF_LASTS = timedelta(hours=1)
# Nothing that looks like something else when somebody types it.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GROUPS, GROUP_LENGTH = 3, 4


@dataclass(frozen=True)
class NewCode:
    text: str = field(repr=False)
    expires_at: datetime


def create_code(purpose: str, bot_id: int, *, by: Actor) -> NewCode:
    """The only moment at which the code can be read: its hash is stored."""
    if purpose == Purpose.CONNECT:
        by.require(Perm.CONNECTIONS)
    assert by.user is not None, "a code stands for a person"
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    new = NewCode("-".join(groups), now() + timedelta(minutes=MINUTES))
    TelegramCode.objects.create(
        workspace=by.workspace,
        code_hash=hash_code(new.text),
        purpose=purpose,
        user=by.user,
        bot_id=bot_id,
        expires_at=new.expires_at,
    )
    return new


def hash_code(text: str) -> str:
    return hashlib.sha256(re.sub(r"[^A-Z0-9]", "", text.upper()).encode()).hexdigest()


def use_code(text: str, purpose: str, bot_id: int, *, chat_id: int | None = None) -> TelegramCode | None:
    """Use the code up. None when it is wrong, old, used or meant for another bot."""
    key = hash_code(text)
    with resolver_scope(key):
        code = TelegramCode.objects.select_related("user", "workspace").filter(code_hash=key).first()
    if code is None:
        return None
    with workspace_scope(code.workspace_id):
        open_codes = TelegramCode.objects.filter(purpose=purpose, bot_id=bot_id, used_at=None, expires_at__gt=now())
        if not open_codes.filter(pk=code.pk).update(used_at=now(), chat_id=chat_id):
            return None
    return code


def proven_chats(bot_id: int, *, by: Actor) -> list[int]:
    """The chats in which this person posted a code of this workspace lately."""
    codes = TelegramCode.objects.filter(workspace=by.workspace, user=by.user, bot_id=bot_id, purpose=Purpose.CONNECT)
    recent = codes.filter(expires_at__gt=now() - PROOF_LASTS).exclude(chat_id=None)
    return [code.chat_id for code in recent if code.chat_id]


def forget_codes() -> None:
    with all_workspaces_scope("delete codes that prove nothing any more"):
        TelegramCode.objects.filter(expires_at__lt=now() - PROOF_LASTS).delete()
