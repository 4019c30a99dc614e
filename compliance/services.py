"""Acts on reviews, for every door. They live in `compliance.reviews`."""

from compliance.reviews.bulk import Left, approve_reviews, reject_reviews
from compliance.reviews.claims import claim_review, release_review
from compliance.reviews.decisions import approve_review, expire_review, is_own, reject_review, request_changes
from compliance.reviews.holds import comment_review, hold_review, resume_review
from compliance.reviews.requests import SLA_MINUTES, note_event, request_review, withdraw_reviews
from compliance.reviews.subjects import CLOSED, SUBJECTS, TOLD, ReviewClaimed, ReviewClosed, ReviewHeld, Subject

__all__ = [
    "CLOSED",
    "SLA_MINUTES",
    "SUBJECTS",
    "TOLD",
    "Left",
    "ReviewClaimed",
    "ReviewClosed",
    "ReviewHeld",
    "Subject",
    "approve_review",
    "approve_reviews",
    "claim_review",
    "comment_review",
    "expire_review",
    "hold_review",
    "is_own",
    "note_event",
    "reject_review",
    "reject_reviews",
    "release_review",
    "request_changes",
    "request_review",
    "resume_review",
    "withdraw_reviews",
]
