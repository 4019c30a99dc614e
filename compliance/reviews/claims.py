"""Who is looking at a review right now: a lock of ten minutes, renewed while the page is open."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.access import Actor, Perm
from accounts.models import User
from compliance.models import Review, ReviewEvent
from compliance.reviews.requests import note_event
from compliance.reviews.subjects import CLOSED, ReviewClaimed, ReviewClosed
from lib.clock import now

CLAIM = timedelta(minutes=10)
Status = Review.Status


def claim_review(review: Review, *, by: Actor, renews: bool = False) -> Review:
    """Take it, or keep it for longer. Raises ReviewClaimed while somebody else has it.

    `renews`: only keep what is held already. A person looks at one review at a time: another claim of theirs ends.
    """
    by.require(Perm.REVIEW)
    at = now()
    mine = Review.objects.filter(pk=review.pk, status=Status.WAITING, claimed_by=by.user, claimed_until__gt=at)
    if mine.update(claimed_until=at + CLAIM):
        return _reload(review)
    if renews:
        _explain(review, by.user, at)
        raise ReviewClosed("Your claim has ended.")
    free = Review.objects.filter(_free(at), pk=review.pk, status=Status.WAITING)
    if not free.update(claimed_by=by.user, claimed_until=at + CLAIM):
        _explain(review, by.user, at)
        raise ReviewClosed(CLOSED)
    note_event(review, ReviewEvent.Kind.CLAIMED, by=by)
    others = Review.objects.filter(workspace=by.workspace, status=Status.WAITING, claimed_by=by.user)
    others.exclude(pk=review.pk).update(claimed_by=None, claimed_until=None)
    return _reload(review)


def release_review(review: Review, *, by: Actor) -> None:
    """Give it back. Nothing happens where it is not the person's own."""
    by.require(Perm.REVIEW)
    mine = Review.objects.filter(pk=review.pk, claimed_by=by.user, claimed_until__gt=now())
    if mine.update(claimed_by=None, claimed_until=None):
        note_event(review, ReviewEvent.Kind.RELEASED, by=by)


def open_to(user: User | None, at: datetime) -> Q:
    """Reviews that this person may decide, as far as claims go."""
    return _free(at) | Q(claimed_by=user) if user else _free(at)


def _free(at: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=at) | Q(claimed_by=None)


def check_claim(review: Review, user: User | None, at: datetime) -> None:
    """Raises ReviewClaimed, which says who has it and until when. Expects the row as it is now."""
    if review.claimed_by is None or review.claimed_until is None or review.claimed_until <= at:
        return
    if user is None or review.claimed_by != user:
        until = _clock(review.claimed_until, review.workspace.time_zone)
        raise ReviewClaimed(f"{review.claimed_by} is looking at this until {until}. You can decide afterwards.")


def _explain(review: Review, user: User | None, at: datetime) -> None:
    check_claim(_reload(review), user, at)


def _reload(review: Review) -> Review:
    return Review.objects.select_related("claimed_by", "workspace").get(pk=review.pk)


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M} ({zone})"
