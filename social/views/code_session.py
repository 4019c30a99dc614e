"""A code is stored as a hash, so the page that shows it keeps it in the person's session for its quarter of an hour."""

from dataclasses import dataclass
from datetime import datetime

from accounts.web import MemberRequest
from lib.clock import now
from social.telegram.codes import create_code

KEY = "telegram_codes"


@dataclass(frozen=True)
class StoredCode:
    text: str
    expires_at: datetime


def keep_code(request: MemberRequest, purpose: str, bot_id: int) -> StoredCode:
    """A new code in place of the one before."""
    new = create_code(purpose, bot_id, by=request.actor)
    codes = request.session.get(KEY, {})
    codes[_name(request, purpose, bot_id)] = [new.text, new.expires_at.isoformat()]
    request.session[KEY] = codes
    return StoredCode(new.text, new.expires_at)


def stored_code(request: MemberRequest, purpose: str, bot_id: int) -> StoredCode | None:
    """None when there is none or it has expired."""
    found = request.session.get(KEY, {}).get(_name(request, purpose, bot_id))
    if found is None:
        return None
    code = StoredCode(found[0], datetime.fromisoformat(found[1]))
    return code if code.expires_at > now() else None


def _name(request: MemberRequest, purpose: str, bot_id: int) -> str:
    return f"{purpose}:{request.actor.workspace.pk}:{bot_id}"
