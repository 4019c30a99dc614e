"""What polling knows of a provider: one value in, one reading or one `ProviderError` out."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

Data = dict[str, Any]


class Trouble(StrEnum):
    TEMPORARY = "temporary"  # try again later
    LIMITED = "limited"  # not before `retry_at`; nobody's fault
    UNKNOWN = "unknown"  # the provider knows no such thing
    REFUSED = "refused"  # the key or the credit is the problem: nothing of this provider goes until it is mended


class ProviderError(Exception):
    """`message` is for those who watch it."""

    def __init__(self, trouble: Trouble, message: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.trouble, self.message, self.retry_at = trouble, message, retry_at


@dataclass(frozen=True)
class Reading:
    """`data` is what is shown as the newest, `items` what is new: [{"id", "text", "at", "url"}], oldest first.

    A price: {"price": float, "text": as written, "currency", "at"}. Posts: {"id", "text", "at", "url"} of the newest.
    """

    data: Data
    items: tuple[Data, ...] = ()
    cost_micro: int = 0

    @property
    def digest(self) -> str:
        """The same for the same news, whenever it was read."""
        text = json.dumps([_told(self.data), [item["id"] for item in self.items]], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def is_news_after(self, former: Data) -> bool:
        return bool(self.items) or _told(self.data) != _told(former)


def _told(data: Data) -> Data:
    return {name: value for name, value in data.items() if name != "at"}


@dataclass(frozen=True)
class Pace:
    """How a provider wants to be asked: so many calls in a time, `burst` of them at once, by so many workers."""

    count: float
    per: timedelta
    burst: int
    workers: int


class Provider(Protocol):
    """Nothing here retries or sleeps."""

    name: str

    def pace(self) -> Pace: ...

    def why_not(self) -> str:
        """Why nobody can watch this kind here; empty where they can."""
        ...

    def read(self, kind: str, value: str, since: Data) -> Reading:
        """`since` is the data of the last reading, empty at first. With nothing new its data is `since` again."""
        ...
