"""What each network takes, for checking a post before anybody approves it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.media import MediaInfo
from social.models import Connection, Network
from social.networks.port import Entity
from social.networks.telegram import limits as telegram_limits
from social.networks.telegram import text as telegram_text
from social.networks.x import limits as x_limits
from social.networks.x.text import normalise_newlines, parse_tweet, weighted_length

MAX_PARTS = 25


@dataclass(frozen=True)
class Rules:
    length: Callable[[str], int]
    # With media a caption may be shorter than a text.
    limit: Callable[[Connection, bool], int]
    has_only_allowed_characters: Callable[[str], bool]
    check_media: Callable[[Sequence[MediaInfo]], list[str]]
    max_alt_text: int
    # Scopes without which nothing can be sent, and those that media need on top.
    scopes: frozenset[str]
    media_scopes: frozenset[str]
    # Bold, links behind words and the like; elsewhere marks become plain text.
    has_formatting: bool = False
    has_polls: bool = False
    # The same text on several accounts, or again, is against the network's rules.
    forbids_repeats: bool = False
    # What is wrong with the network's own options for parts with so many media each.
    check_options: Callable[[Mapping[str, Any], Sequence[int]], list[str]] = lambda options, media_counts: []
    check_entities: Callable[[Sequence[Entity]], list[str]] = lambda entities: []


RULES: dict[str, Rules] = {
    Network.X: Rules(
        length=weighted_length,
        limit=lambda connection, has_media: 25_000 if connection.is_premium else 280,
        has_only_allowed_characters=lambda text: not text or parse_tweet(text, 25_000).valid,
        check_media=x_limits.check_media,
        max_alt_text=x_limits.MAX_ALT_TEXT,
        scopes=frozenset({"tweet.read", "tweet.write", "users.read"}),
        media_scopes=frozenset({"media.write"}),
        has_polls=True,
        forbids_repeats=True,
    ),
    Network.TELEGRAM: Rules(
        length=telegram_text.utf16_length,
        limit=lambda connection, has_media: (
            telegram_text.MAX_CAPTION_LENGTH if has_media else telegram_text.MAX_TEXT_LENGTH
        ),
        has_only_allowed_characters=telegram_text.can_be_sent,
        check_media=telegram_limits.check_media,
        # Telegram has no descriptions; they are for the networks that do.
        max_alt_text=x_limits.MAX_ALT_TEXT,
        scopes=frozenset(),
        media_scopes=frozenset(),
        has_formatting=True,
        check_options=telegram_limits.check_options,
        check_entities=telegram_limits.check_entities,
    ),
}


def check_part(
    connection: Connection, text: str, media: Sequence[MediaInfo], poll: Mapping[str, Any] | None = None
) -> list[str]:
    """What the network would refuse about one part, as sentences for the author."""
    rules = RULES[connection.network]
    messages = rules.check_media(media) + _check_poll(connection, text, media, poll)
    if not text and not media:
        messages.append("There is no text and no media yet.")
    limit = rules.limit(connection, bool(media))
    over = rules.length(text) - limit
    if over > 0:
        what = "caption" if media and limit < rules.limit(connection, False) else "text"
        messages.append(f"The {what} is {over} over the limit of {limit} characters.")
    elif not rules.has_only_allowed_characters(text):
        messages.append("The text contains a character that the network refuses (an invisible control character).")
    return messages


def _check_poll(
    connection: Connection, text: str, media: Sequence[MediaInfo], poll: Mapping[str, Any] | None
) -> list[str]:
    if not poll:
        return []
    if not RULES[connection.network].has_polls:
        return [f"Polls cannot be sent to {connection.get_network_display()} yet. Take the poll off."]
    if media:
        return ["A post has either a poll or media."]
    return [] if text else ["A poll needs a question: write it as the text."]


def missing_scopes(connection: Connection, *, has_media: bool) -> list[str]:
    if "oauth1" in connection.scopes:
        return []
    rules = RULES[connection.network]
    wanted = rules.scopes | (rules.media_scopes if has_media else frozenset())
    return sorted(wanted - set(connection.scopes))


def clean_text(text: str) -> str:
    """As it is sent: one kind of line end, and no white space around, which networks drop anyway."""
    return normalise_newlines(text).strip()
