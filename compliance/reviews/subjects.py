"""What a kind of review stands for. The app that owns the subject registers it in `SUBJECTS` (its apps.py)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.access import Actor
from compliance.models import Review

# What is told to the author of what comes back.
TOLD: dict[str, str] = {
    Review.Status.REJECTED: "was rejected",
    Review.Status.CHANGES: "needs changes",
    Review.Status.EXPIRED: "was not sent",
}
CLOSED = "This was decided already, or the post changed meanwhile."


class ReviewClosed(Exception):
    """Somebody decided already, the content changed meanwhile, or it is too late."""


class ReviewClaimed(ReviewClosed):
    """Somebody else is looking at it right now."""


class ReviewHeld(ReviewClosed):
    """It is on hold: nobody may approve it until it is taken off."""


def nothing_is_late(_ids: Collection[UUID], _at: datetime) -> set[UUID]:
    return set()


def lock_nothing(_ids: Collection[UUID]) -> None:
    return None


@dataclass(frozen=True)
class Subject:
    """Who made the content, and what follows from a decision."""

    authors: Callable[[UUID], set[UUID]]
    approve: Callable[[Review, Actor], None]
    # Back to its author; the last argument says why, as a `Review.Status`: rejected, changes or expired.
    send_back: Callable[[Review, Actor, str], None]
    # Which of these objects can no longer be done in time, even if they were approved now.
    too_late: Callable[[Collection[UUID], datetime], set[UUID]] = nothing_is_late
    # Before the first of several decisions in one transaction, so that two of them cannot block each other.
    lock: Callable[[Collection[UUID]], None] = lock_nothing


SUBJECTS: dict[str, Subject] = {}
