"""What the author of a plan should look at again: posts that clash in time, and texts that come twice."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from campaigns.calendar_days import moment_of
from campaigns.models import Delivery, PostPart
from social.networks.rules import RULES, clean_text

State = Delivery.State
TOO_CLOSE = timedelta(minutes=10)
GOES_NOWHERE = {State.CANCELED, State.FAILED, State.MISSED}
SENT = {State.PUBLISHED, State.PUBLISHING, State.UNCONFIRMED}
Warnings = dict[UUID, tuple[str, ...]]


def with_texts(deliveries: QuerySet[Delivery]) -> QuerySet[Any]:
    """Adds `texts`, those of the post's parts, by the same query."""
    parts = PostPart.objects.filter(post=OuterRef("post")).order_by("position")
    return deliveries.annotate(texts=ArraySubquery(parts.values("text")))


def find_warnings(deliveries: Iterable[Delivery], zone: ZoneInfo) -> Warnings:
    """By delivery. Expects post, connection and `with_texts`. What was sent is history and carries no warning."""
    rows = sorted((row for row in deliveries if row.state not in GOES_NOWHERE), key=moment_of)
    found: dict[UUID, list[str]] = defaultdict(list)
    for row, text in [*_clashes(rows, zone), *_same_texts(rows, zone)]:
        if row.state not in SENT:
            found[row.pk].append(text)
    return {pk: tuple(texts) for pk, texts in found.items()}


def _clashes(rows: list[Delivery], zone: ZoneInfo) -> Iterable[tuple[Delivery, str]]:
    for group in _grouped(rows, lambda row: row.connection_id):
        for one, other in pairwise(group):
            if moment_of(other) - moment_of(one) < TOO_CLOSE:
                yield one, f"Less than 10 minutes before “{other.post}” ({_clock(other, zone)}) on {one.connection}."
                yield other, f"Less than 10 minutes after “{one.post}” ({_clock(one, zone)}) on {one.connection}."


def _same_texts(rows: list[Delivery], zone: ZoneInfo) -> Iterable[tuple[Delivery, str]]:
    for group in _grouped(rows, _text_key):
        for row, other in [(group[0], group[1]), *((later, group[0]) for later in group[1:])] if group[1:] else []:
            yield row, f"The same text goes to {other.connection} on {_day(other, zone)}."


def _grouped(rows: list[Delivery], key_of: Callable[[Delivery], Hashable]) -> list[list[Delivery]]:
    groups: dict[Hashable, list[Delivery]] = defaultdict(list)
    for row in rows:
        if (key := key_of(row)) is not None:
            groups[key].append(row)
    return list(groups.values())


def _text_key(row: Delivery) -> Hashable:
    """Where a network forbids repeats, another account of it counts as the same place."""
    texts = tuple(clean_text(text) for text in _texts(row))
    if not any(texts):
        return None
    forbids = RULES[row.connection.network].forbids_repeats
    return (row.connection.network if forbids else row.connection_id, texts)


def _texts(row: Any) -> list[str]:
    """Those of the account, where it has texts of its own."""
    own = row.override_texts
    return [own[place] or text if place < len(own) else text for place, text in enumerate(row.texts)]


def _clock(row: Delivery, zone: ZoneInfo) -> str:
    return f"{_local(row, zone):%H:%M}"


def _day(row: Delivery, zone: ZoneInfo) -> str:
    return f"{_local(row, zone).day} {_local(row, zone):%b}"


def _local(row: Delivery, zone: ZoneInfo) -> datetime:
    return moment_of(row).astimezone(zone)
