"""Acts on deliveries: ask for review, schedule, move, cancel, settle what is uncertain."""

from campaigns.deliveries.review import (
    KIND,
    REVIEW_SUBJECT,
    approve_delivery,
    authors_of,
    recheck_approvals,
    request_delivery_review,
    send_back_delivery,
    submit_post,
    withdraw_review,
)
from campaigns.deliveries.settling import confirm_live, send_again
from campaigns.deliveries.timing import (
    add_to_next_slot,
    cancel_delivery,
    drop_delivery,
    publish_now,
    schedule_delivery,
    unschedule,
)

__all__ = [
    "KIND",
    "REVIEW_SUBJECT",
    "add_to_next_slot",
    "approve_delivery",
    "authors_of",
    "cancel_delivery",
    "confirm_live",
    "drop_delivery",
    "publish_now",
    "recheck_approvals",
    "request_delivery_review",
    "schedule_delivery",
    "send_again",
    "send_back_delivery",
    "submit_post",
    "unschedule",
    "withdraw_review",
]
