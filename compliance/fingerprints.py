"""Has something like this been said before? Keyed digests answer, without a word of anybody's text being kept.

Near-identical means that the sets of three-letter pieces overlap by three quarters or more, estimated by MinHash
(Broder 1997): 64 hashes, found by 16 bands of 4.
"""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q

from compliance.models import Fingerprint
from lib.clock import now

PIECE = 3
HASHES = 64
ROWS_PER_BAND = 4
PRIME = 2**61 - 1
ALIKE = 0.75
# Shorter texts are alike by accident.
SHORTEST_NEAR = 24
LONGEST = 2000
ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Print:
    exact: str
    bands: tuple[int, ...]
    signature: tuple[int, ...]

    def is_like(self, other: Fingerprint) -> bool:
        if self.exact == other.exact:
            return True
        same = sum(mine == theirs for mine, theirs in zip(self.signature, other.signature, strict=True))
        return same / HASHES >= ALIKE


def print_of(text: str) -> Print | None:
    """None for a text without any words. Case, spaces, punctuation, links and look-alike widths do not count."""
    words = _normal(text)
    if not words:
        return None
    exact = hmac.new(_key(), words.encode(), hashlib.sha256).hexdigest()
    if len(words) < SHORTEST_NEAR:
        return Print(exact, (), (0,) * HASHES)
    pieces = {words[at : at + PIECE] for at in range(len(words) - PIECE + 1)}
    numbers = [_number(piece.encode()) for piece in pieces]
    signature = tuple(min((a * number + b) % PRIME for number in numbers) for a, b in _permutations())
    bands = tuple(
        _number(repr((at, signature[at : at + ROWS_PER_BAND])).encode()) for at in range(0, HASHES, ROWS_PER_BAND)
    )
    return Print(exact, bands, signature)


def find_alike(network: str, text: str, *, workspace_id: UUID, delivery_id: UUID, since: datetime) -> list[Fingerprint]:
    """What is alike since then: all of the own workspace, and what others have published."""
    mine = print_of(text)
    if mine is None:
        return []
    _take_turns(mine)
    rows = Fingerprint.objects.filter(network=network, seen_at__gte=since).exclude(delivery_id=delivery_id)
    rows = rows.filter(Q(exact=mine.exact) | Q(bands__overlap=list(mine.bands)))
    rows = rows.filter(Q(workspace_id=workspace_id) | Q(is_published=True))
    return [row for row in rows.order_by("-seen_at")[:200] if mine.is_like(row)]


def remember(
    network: str, text: str, *, workspace_id: UUID, connection_id: UUID, delivery_id: UUID, is_published: bool = False
) -> None:
    mine = print_of(text)
    if mine is None:
        forget(delivery_id)
        return
    Fingerprint.objects.update_or_create(
        delivery_id=delivery_id,
        defaults={
            "workspace_id": workspace_id,
            "connection_id": connection_id,
            "network": network,
            "exact": mine.exact,
            "bands": list(mine.bands),
            "signature": list(mine.signature),
            "is_published": is_published,
            "seen_at": now(),
        },
    )


def mark_published(delivery_id: UUID) -> None:
    Fingerprint.objects.filter(delivery_id=delivery_id).update(is_published=True, seen_at=now())


def forget(delivery_id: UUID) -> None:
    Fingerprint.objects.filter(delivery_id=delivery_id).delete()


def _normal(text: str) -> str:
    plain = unicodedata.normalize("NFKC", ADDRESS.sub(" ", text[: 2 * LONGEST])).casefold()
    return "".join(character for character in plain if character.isalnum())[:LONGEST]


def _take_turns(mine: Print) -> None:
    """Two who submit the same text at once: the later one sees the earlier one's row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7301002, %s)", [int(mine.exact[:7], 16)])


def _number(data: bytes) -> int:
    digest = hashlib.blake2b(data, digest_size=8, key=_key()[:32]).digest()
    # Postgres has signed numbers of 64 bits.
    return int.from_bytes(digest, "big") >> 3


@lru_cache(1)
def _permutations() -> tuple[tuple[int, int], ...]:
    return tuple((_number(b"a%d" % n) | 1, _number(b"b%d" % n)) for n in range(HASHES))


def _key() -> bytes:
    return hashlib.sha256(b"fingerprints" + settings.SECRET_KEY.encode()).digest()
