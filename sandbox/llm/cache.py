"""Prompt caches: what a provider has read before costs less.

Anthropic caches up to the marks a client sets; the others whatever begins alike, by 128 tokens from 1,024 on.
"""

import hashlib
import sqlite3
from collections.abc import Iterator

from sandbox.llm import tokens
from sandbox.llm.prompt import Usage
from sandbox.llm.tokens import Segment

LEAST_TOKENS = 1_024
STEP_TOKENS = 128
TTL_SECONDS = {"5m": 300.0, "1h": 3_600.0, "30m": 1_800.0}


def use_marks(db: sqlite3.Connection, now: float, scope: str, segments: list[Segment]) -> Usage:
    """Reads the longest known prefix that a mark covers and writes the rest up to the last mark."""
    ends = list(_ends(segments))
    marked = [end for end in ends if end[2] and end[1] >= LEAST_TOKENS]
    usage = Usage(sum(segment.tokens for segment in segments))
    if not marked:
        return usage
    covered = [end for end in ends if end[1] <= marked[-1][1]]
    usage.cached = max((size for prefix, size, _ in covered if _is_known(db, scope, prefix, now)), default=0)
    reached = usage.cached
    for prefix, size, ttl in marked:
        fresh = max(0, size - reached)
        if ttl == "1h":
            usage.written_1h += fresh
        else:
            usage.written_5m += fresh
        reached = max(reached, size)
        _remember(db, scope, prefix, ttl or "5m", now)
    return usage


def _ends(segments: list[Segment]) -> Iterator[tuple[str, int, str | None]]:
    """(hash of everything up to here, tokens up to here, the mark) for each segment."""
    digest, size = hashlib.sha256(), 0
    for segment in segments:
        digest.update(segment.text.encode("utf-8", "replace") + b"\0")
        size += segment.tokens
        yield digest.hexdigest(), size, segment.cache_ttl


def use_beginning(db: sqlite3.Connection, now: float, scope: str, segments: list[Segment]) -> Usage:
    usage = Usage(sum(segment.tokens for segment in segments))
    pieces = [
        piece for segment in segments for piece in [*tokens.pieces(segment.text), *["\0"] * tokens.BLOCK_OVERHEAD]
    ]
    digest = hashlib.sha256()
    is_known = True
    for start in range(0, len(pieces) - STEP_TOKENS + 1, STEP_TOKENS):
        digest.update("\1".join(pieces[start : start + STEP_TOKENS]).encode("utf-8", "replace"))
        size = start + STEP_TOKENS
        if size < LEAST_TOKENS:
            continue
        is_known = is_known and _is_known(db, scope, digest.hexdigest(), now)
        usage.cached = size if is_known else usage.cached
        _remember(db, scope, digest.hexdigest(), "30m", now)
    return usage


def _is_known(db: sqlite3.Connection, scope: str, prefix: str, now: float) -> bool:
    found = db.execute(
        "SELECT 1 FROM llm_cache WHERE scope = ? AND prefix = ? AND expires_at > ?", (scope, prefix, now)
    ).fetchone()
    return found is not None


def _remember(db: sqlite3.Connection, scope: str, prefix: str, ttl: str, now: float) -> None:
    db.execute("INSERT OR REPLACE INTO llm_cache VALUES (?,?,?,?)", (scope, prefix, ttl, now + TTL_SECONDS[ttl]))
