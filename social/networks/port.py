"""What the publishing engine knows of a network: values in, values or one `NetworkError` out."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

SCHEME = re.compile(r"\bhttp://", re.IGNORECASE)


class Failure(StrEnum):
    """What the engine has to know about a failed call."""

    UNKNOWN = "unknown"  # it may have gone through: look before doing anything else
    RATE_LIMIT = "rate_limit"  # wait until `retry_at`; costs no retry
    TEMPORARY = "temporary"  # nothing happened; try again later
    UNAUTHORIZED = "unauthorized"  # refresh the token, then try again
    DUPLICATE = "duplicate"  # the network says it has this already: look
    PAUSED = "paused"  # out of credits or over the cap: nothing goes until somebody acts
    REJECTED = "rejected"  # final: the content or the right to post it is the problem


class NetworkError(Exception):
    """`message` is for users; `raw` is the network's own answer, for staff."""

    def __init__(
        self,
        failure: Failure,
        code: str,
        message: str,
        *,
        raw: str = "",
        http_status: int | None = None,
        request_id: str = "",
        retry_at: datetime | None = None,
        moved_to: str = "",
        windows: tuple["RateWindow", ...] = (),
    ) -> None:
        super().__init__(message)
        self.failure, self.code, self.message, self.raw = failure, code, message, raw[:4000]
        self.http_status, self.request_id, self.retry_at = http_status, request_id, retry_at
        # The account goes by another id now (a group that became a supergroup).
        self.moved_to, self.windows = moved_to, windows


@dataclass(frozen=True)
class Account:
    remote_id: str
    handle: str
    name: str
    is_premium: bool = False
    followers: int = 0


@dataclass(frozen=True)
class OutgoingMedia:
    open: Callable[[], BinaryIO]
    mime: str
    kind: str
    size_bytes: int
    name: str = "file"
    width: int = 0
    height: int = 0
    duration_ms: int = 0


@dataclass(frozen=True)
class Entity:
    """Formatting of a piece of text. Offset and length in UTF-16 code units; `kind` as Telegram names it."""

    kind: str
    offset: int
    length: int
    url: str = ""
    language: str = ""


@dataclass(frozen=True)
class Upload:
    """A file on the network. Not ready means: ask again after `check_after_s`."""

    remote_id: str
    is_ready: bool
    expires_in_s: int
    check_after_s: int = 0


@dataclass(frozen=True)
class OutgoingPart:
    """`media_ids` where files go up before the call, `media` where they travel with it."""

    text: str
    entities: tuple[Entity, ...] = ()
    media_ids: tuple[str, ...] = ()
    media: tuple[OutgoingMedia, ...] = ()
    reply_to: str | None = None
    made_with_ai: bool = False
    poll: dict[str, Any] | None = None
    # What only this network knows (`social.networks.options`); the last part carries what stands below a message.
    options: dict[str, Any] = field(default_factory=dict)
    is_first: bool = True
    is_last: bool = True
    # An edit: the live part has media, so its text is a caption.
    has_media: bool = False


@dataclass(frozen=True)
class RateWindow:
    """What an answer said about a rate window. `scope` is user or app."""

    scope: str
    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True)
class Accepted:
    remote_id: str
    url: str
    http_status: int
    request_id: str
    raw: str
    # All messages of an album.
    remote_ids: tuple[str, ...] = ()
    # How long the account has to rest before its next post.
    rest_s: float = 0.0
    windows: tuple[RateWindow, ...] = ()


def _comparable(text: str) -> str:
    return " ".join(SCHEME.sub("", unicodedata.normalize("NFC", text)).split())


@dataclass(frozen=True)
class RemotePost:
    """A post as the network shows it, links expanded."""

    remote_id: str
    text: str
    created_at: datetime
    media_count: int
    reply_to: str | None
    url: str

    def says(self, text: str) -> bool:
        """Whether this is what we sent: networks compose characters, trim, and write example.com as http://example.com."""
        return _comparable(self.text) == _comparable(text)


@dataclass(frozen=True)
class SeenPost:
    """Somebody's post. `has_summoned`: it mentions or quotes us (or is ours), so an answer is not unsolicited."""

    remote_id: str
    author_id: str
    author: str
    text: str
    created_at: datetime
    has_summoned: bool
    # The network's name of the thread it belongs to, where it says so.
    conversation: str = ""


@dataclass(frozen=True)
class Billed:
    """A call that the network charges for. `key` names what is charged once a day; empty where each call counts."""

    kind: str
    amount_micro: int
    key: str = ""


@dataclass(frozen=True)
class PostNumbers:
    """What is known of a post, by the names of `analytics.models.METRICS`, and why the rest is not.

    `missing`: name to not_here, not_granted, vanished, needs_session or not_yet.
    """

    metrics: dict[str, int]
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Readings:
    """By id; `gone` are the ids that the network says do not exist any more."""

    posts: dict[str, PostNumbers]
    gone: frozenset[str] = frozenset()
    windows: tuple[RateWindow, ...] = ()


class NetworkClient(Protocol):
    """Every method raises NetworkError. Nothing here retries or sleeps."""

    # How long `publish` may take at most: the engine makes no call that could outlast its lease.
    timeout_s: float
    # Files go up in calls of their own before the one that cannot be undone.
    uploads_ahead: bool
    # Whether `own_posts` can tell if an uncertain part is live.
    can_read_posts: bool

    def me(self) -> Account: ...
    def upload(self, media: OutgoingMedia) -> Upload: ...
    def upload_state(self, remote_id: str) -> Upload: ...
    def set_alt_text(self, remote_id: str, text: str) -> None: ...
    def publish(self, part: OutgoingPart) -> Accepted: ...
    def own_posts(self, since: datetime) -> list[RemotePost]: ...
    def edit(self, remote_id: str, part: OutgoingPart) -> str:
        """Answers the id that the post has now."""
        ...

    def pin(self, remote_id: str) -> None:
        """Where the network has it, and the post's options ask for it."""
        ...

    def delete(self, remote_ids: Sequence[str]) -> None:
        """A post that is gone already counts as deleted."""
        ...

    def read_metrics(self, remote_ids: Sequence[str], *, with_private: bool = True) -> Readings:
        """At most 100 ids. What X charges for it is held back by the caller."""
        ...

    def read_timeline(self, since_id: str = "", since: datetime | None = None) -> list[RemotePost]:
        """The account's own posts after that one (or moment), oldest first; at most a hundred."""
        ...

    def read_followers(self) -> int: ...
