"""What the publishing engine knows of a network: values in, values or one `NetworkError` out."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol

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
    ) -> None:
        super().__init__(message)
        self.failure, self.code, self.message, self.raw = failure, code, message, raw[:4000]
        self.http_status, self.request_id, self.retry_at = http_status, request_id, retry_at


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


@dataclass(frozen=True)
class Upload:
    """A file on the network. Not ready means: ask again after `check_after_s`."""

    remote_id: str
    is_ready: bool
    expires_in_s: int
    check_after_s: int = 0


@dataclass(frozen=True)
class OutgoingPart:
    text: str
    media_ids: tuple[str, ...] = ()
    reply_to: str | None = None
    made_with_ai: bool = False


@dataclass(frozen=True)
class Accepted:
    remote_id: str
    url: str
    http_status: int
    request_id: str
    raw: str


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


class NetworkClient(Protocol):
    """Every method raises NetworkError. Nothing here retries or sleeps."""

    def me(self) -> Account: ...
    def upload(self, media: OutgoingMedia) -> Upload: ...
    def upload_state(self, remote_id: str) -> Upload: ...
    def set_alt_text(self, remote_id: str, text: str) -> None: ...
    def publish(self, part: OutgoingPart) -> Accepted: ...
    def own_posts(self, since: datetime) -> list[RemotePost]: ...
