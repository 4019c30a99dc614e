"""What each network takes, for checking a post before anybody approves it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.media import MediaInfo
from social.models import Connection, Network
from social.networks.x import limits as x_limits
from social.networks.x.text import normalise_newlines, parse_tweet, weighted_length

MAX_PARTS = 25


@dataclass(frozen=True)
class Rules:
    length: Callable[[str], int]
    limit: Callable[[Connection], int]
    has_only_allowed_characters: Callable[[str], bool]
    check_media: Callable[[Sequence[MediaInfo]], list[str]]
    max_alt_text: int
    # Scopes without which nothing can be sent, and those that media need on top.
    scopes: frozenset[str]
    media_scopes: frozenset[str]


RULES: dict[str, Rules] = {
    Network.X: Rules(
        length=weighted_length,
        limit=lambda connection: 25_000 if connection.is_premium else 280,
        has_only_allowed_characters=lambda text: not text or parse_tweet(text, 25_000).valid,
        check_media=x_limits.check_media,
        max_alt_text=x_limits.MAX_ALT_TEXT,
        scopes=frozenset({"tweet.read", "tweet.write", "users.read"}),
        media_scopes=frozenset({"media.write"}),
    )
}


def check_part(connection: Connection, text: str, media: Sequence[MediaInfo]) -> list[str]:
    """What the network would refuse about one part, as sentences for the author."""
    rules = RULES[connection.network]
    messages = rules.check_media(media)
    if not text and not media:
        messages.append("There is no text and no media yet.")
    over = rules.length(text) - rules.limit(connection)
    if over > 0:
        messages.append(f"The text is {over} over the limit of {rules.limit(connection)} characters.")
    elif not rules.has_only_allowed_characters(text):
        messages.append("The text contains a character that the network refuses (an invisible control character).")
    return messages


def missing_scopes(connection: Connection, *, has_media: bool) -> list[str]:
    if "oauth1" in connection.scopes:
        return []
    rules = RULES[connection.network]
    wanted = rules.scopes | (rules.media_scopes if has_media else frozenset())
    return sorted(wanted - set(connection.scopes))


def clean_text(text: str) -> str:
    """As it is sent: one kind of line end, and no white space around, which networks drop anyway."""
    return normalise_newlines(text).strip()
