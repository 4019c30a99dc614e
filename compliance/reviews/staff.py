"""Acts of staff on reviews, inside the all-workspaces scope. Staff decide nothing; they clear what blocks others."""

from collections.abc import Iterable

from django.db import transaction

from accounts import audit
from accounts.access import system_actor
from accounts.models import User
from compliance.models import Review, ReviewEvent, ReviewLink
from compliance.reviews.decisions import expire_review
from compliance.reviews.requests import note_event
from compliance.reviews.subjects import ReviewClosed
from lib.clock import now

STAFF = "support"


def release_claims(reviews: Iterable[Review], *, staff: User) -> int:
    """End claims that their owners left behind; the number of them."""
    return sum(_release(review, staff) for review in reviews)


def _release(review: Review, staff: User) -> bool:
    with transaction.atomic():
        claimed = Review.objects.filter(pk=review.pk, status=Review.Status.WAITING, claimed_until__gt=now())
        if not claimed.update(claimed_by=None, claimed_until=None):
            return False
        note_event(review, ReviewEvent.Kind.RELEASED, by=system_actor(review.workspace, STAFF, ()))
        audit.record_staff("review.release", review, staff=staff.email)
    return True


def expire_reviews(reviews: Iterable[Review], *, staff: User) -> int:
    """Give them back to their authors; the number of those that still waited."""
    return sum(_expire(review, staff) for review in reviews)


def _expire(review: Review, staff: User) -> bool:
    try:
        with transaction.atomic():
            expire_review(review, by=system_actor(review.workspace, STAFF, ()))
            audit.record_staff("review.expire", review, staff=staff.email)
    except ReviewClosed:
        return False
    return True


def revoke_links(links: Iterable[ReviewLink], *, staff: User) -> int:
    return sum(_revoke(link, staff) for link in links)


def _revoke(link: ReviewLink, staff: User) -> bool:
    with transaction.atomic():
        changed = ReviewLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now())
        if changed:
            audit.record_staff("review_link.revoke", link, staff=staff.email, client=link.name)
    return bool(changed)
