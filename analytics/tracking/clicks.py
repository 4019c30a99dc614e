"""Ids of clicks: the instant of a click stands in its id, so that it is found again in its month at once."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def new_click(at: datetime) -> tuple[UUID, datetime]:
    """RFC 9562 version 7, and its instant, cut to milliseconds."""
    ms = (at - EPOCH) // MILLISECOND
    value = int.from_bytes(os.urandom(10)) | ms << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value), EPOCH + ms * MILLISECOND


def instant_of(click_id: UUID) -> datetime | None:
    """None where this is no id of a click."""
    if click_id.version != 7:
        return None
    try:
        return EPOCH + (click_id.int >> 80) * MILLISECOND
    except OverflowError:
        return None
