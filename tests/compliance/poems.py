"""Reviews of a kind of their own, so that the queue is tested apart from posts."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts.access import Actor
from compliance.guard import Decision, Verdict
from compliance.models import Review, ReviewEvent
from compliance.reviews.subjects import SUBJECTS, ReviewClosed, Subject
from compliance.services import request_review
from lib.ids import uuid7

KIND = "poem"
ALLOWED = Decision(Verdict.ALLOW, ())


class Poems:
    """What followed from decisions on poems, who wrote them, and which are too late."""

    def __init__(self) -> None:
        self.done: list[tuple[str, UUID]] = []
        self.authors: set[UUID] = set()
        self.late: set[UUID] = set()
        self.gone: set[UUID] = set()
        self.forbidden = ""

    def approve(self, review: Review, by: Actor) -> None:
        if self.forbidden:
            raise ValidationError(self.forbidden)
        self.done.append(("approved", review.pk))

    def send_back(self, review: Review, by: Actor, status: str) -> None:
        if review.object_id in self.gone:
            raise ReviewClosed("It is gone.")
        self.done.append((status, review.pk))

    def too_late(self, ids: Collection[UUID], at: datetime) -> set[UUID]:
        return set(ids) & self.late

    def register(self) -> None:
        SUBJECTS[KIND] = Subject(lambda _id: self.authors, self.approve, self.send_back, self.too_late)


def ask(by: Actor, text: str = "Roses", **fields: Any) -> Review:
    values = {"action_hash": "a" * 64, "snapshot": {"text": text}, "decision": ALLOWED}
    return request_review(KIND, fields.pop("object_id", None) or uuid7(), by=by, **values | fields)


def fresh(review: Review) -> Review:
    return Review.objects.get(pk=review.pk)


def events(review: Review) -> list[str]:
    return list(ReviewEvent.objects.filter(review=review).values_list("kind", flat=True))
