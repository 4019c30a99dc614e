"""What the author of a plan should look at again: posts that clash in time, and texts that come twice."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.calendar_days import moment_of
from campaigns.models import Delivery
from social.networks.rules import RULES, clean_text

State = Delivery.State
TOO_CLOSE = timedelta(minutes=10)
GOES_NOWHERE = {State.CANCELED, State.FAILED, State.MISSED}
SENT = {State.PUBLISHED, State.PUBLISHING, State.UNCONFIRMED}
Warnings = dict[UUID, tuple[str, ...]]


def find_warnings(deliveries: Iterable[Delivery], zone: ZoneInfo) -> Warnings:
    """By delivery. Expects post.parts and connection loaded. What was sent is history and carries no warning."""
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


def _texts(row: Delivery) -> list[str]:
    own = row.override_texts
    parts = row.post.parts.all()
    return [own[part.position] or part.text if part.position < len(own) else part.text for part in parts]


def _clock(row: Delivery, zone: ZoneInfo) -> str:
    return f"{_local(row, zone):%H:%M}"


def _day(row: Delivery, zone: ZoneInfo) -> str:
    return f"{_local(row, zone).day} {_local(row, zone):%b}"


def _local(row: Delivery, zone: ZoneInfo) -> datetime:
    return moment_of(row).astimezone(zone)
