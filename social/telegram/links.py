"""Addresses that open Telegram with the right thing to do."""

from urllib.parse import urlencode

from django.conf import settings

CHANNEL_RIGHTS = "post_messages+edit_messages+delete_messages+pin_messages+invite_users"
GROUP_RIGHTS = "delete_messages+pin_messages+invite_users+manage_topics"


def add_to_channel(username: str) -> str:
    return f"{settings.TELEGRAM_WEB_BASE_URL}/{username}?startchannel&admin={CHANNEL_RIGHTS}"


def add_to_group(username: str, code: str) -> str:
    """The bot hears the code as soon as it is in the group."""
    start = code or "true"
    return f"{settings.TELEGRAM_WEB_BASE_URL}/{username}?startgroup={start}&admin={GROUP_RIGHTS}"


def start_private(username: str, payload: str) -> str:
    return f"{settings.TELEGRAM_WEB_BASE_URL}/{username}?{urlencode({'start': payload})}"
