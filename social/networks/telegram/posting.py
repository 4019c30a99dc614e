"""Whether a bot may post to a chat, from Telegram's own words about it."""

from collections.abc import Mapping
from typing import Any

IN_CHAT = {"creator", "administrator", "member", "restricted"}
ADMINS = {"creator", "administrator"}


def may_post(kind: str, member: Mapping[str, Any]) -> bool:
    """From a chat's type and a ChatMember, as Telegram spells them."""
    status = member.get("status")
    if kind == "channel":
        return status == "creator" or (status == "administrator" and bool(member.get("can_post_messages")))
    if status == "restricted":
        return bool(member.get("is_member") and member.get("can_send_messages"))
    return status in {"creator", "administrator", "member"}


def what_to_do(kind: str, member: Mapping[str, Any]) -> str:
    """Why the bot cannot post, as an instruction. Empty when it can."""
    status = member.get("status")
    if may_post(kind, member):
        return ""
    if status == "kicked":
        return "The bot was removed from this chat. Add it again as an admin."
    if status == "restricted":
        return "The bot is restricted in this chat. Lift the restriction in the group's settings."
    if status not in IN_CHAT:
        return "The bot is not in this chat. Add it as an admin."
    if status in ADMINS:
        return "The bot is an admin but may not post. Allow “Post messages” in the channel's admin settings."
    return "The bot is not an admin of this channel. Make it one, with the right to post messages."
