"""What the tests of live changes look at."""

from typing import Any

from campaigns.models import LiveChange
from compliance.models import Review

EDITED = "Better words"


def review_of(change: LiveChange) -> Review:
    return Review.objects.get(object_id=change.pk)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)
