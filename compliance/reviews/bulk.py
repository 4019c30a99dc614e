"""Several decisions at once, where that is safe. What is not done is named, with the reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.access import Actor, Perm
from compliance.guard import Verdict
from compliance.models import Review
from compliance.models.review import Risk
from compliance.reviews.decisions import approve_review, clean_reason, is_own, reject_review
from compliance.reviews.subjects import SUBJECTS, ReviewClosed
from lib.clock import now

MOST = 100


@dataclass(frozen=True)
class Left:
    review: Review
    why: str


def approve_reviews(reviews: Iterable[tuple[Review, str]], *, by: Actor) -> list[Left]:
    """(review, the hash that was on the screen): approves what nobody has to read twice, and names the rest."""
    by.require(Perm.REVIEW)
    pairs = list(reviews)
    _check_size(len(pairs))
    lock_subjects([review for review, _ in pairs])
    left = []
    for review, seen_hash in pairs:
        why = why_not_unread(review, by) or _try(partial(approve_review, review, by=by, seen_hash=seen_hash))
        left += [Left(review, why)] if why else []
    return left


def reject_reviews(reviews: Iterable[Review], *, by: Actor, reason: str) -> list[Left]:
    """With one reason for all of them."""
    by.require(Perm.REVIEW)
    rows, reason = list(reviews), clean_reason(reason)
    _check_size(len(rows))
    lock_subjects(rows)
    tried = [(row, _try(partial(reject_review, row, by=by, reason=reason))) for row in rows]
    return [Left(row, why) for row, why in tried if why]


def why_not_unread(review: Review, by: Actor) -> str:
    """Why this one has to be opened before it is approved; empty where it need not be."""
    if review.risk != Risk.LOW:
        return f"Its risk is {review.risk}: open it."
    if review.guard.get("verdict") != Verdict.ALLOW:
        return "The rules ask for a person: open it."
    if is_own(review, by.user):
        return "You worked on it: somebody else has to look."
    if review.is_claimed(now()) and review.claimed_by != by.user:
        return f"{review.claimed_by} is looking at it."
    return ""


def lock_subjects(reviews: Iterable[Review]) -> None:
    """Every decision holds the head of the audit chain to the end: locks that come after it would block others."""
    by_kind: dict[str, list[Review]] = {}
    for review in reviews:
        by_kind.setdefault(review.kind, []).append(review)
    for kind in sorted(by_kind):
        SUBJECTS[kind].lock([review.object_id for review in by_kind[kind]])


def _check_size(number: int) -> None:
    if not number:
        raise ValidationError("Choose at least one.")
    if number > MOST:
        raise ValidationError(f"At most {MOST} at once.")


def _try(act: Callable[[], None]) -> str:
    """Why it was refused, or nothing."""
    try:
        with transaction.atomic():
            act()
    except ValidationError as error:
        return " ".join(error.messages)
    except (ReviewClosed, PermissionDenied) as refusal:
        return str(refusal)
    return ""
