"""An inverted index for scopes that have grown large: each word with the rows it stands in, and how often in each.

Row-level security keeps PostgreSQL from using a GIN index for `@@` (the operator is not leakproof), and an index over
all tenants would look through strangers' rows first. So each scope has its own: one row a word, found by equality. It
knows rows by their place in `SearchScope.members`, and is ranked by what ranks lists in memory.
"""

import hashlib
import heapq
import hmac
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, Q, UUIDField, Value
from psycopg import Cursor

from accounts.scope import workspace_scope
from agents.memory.plain import LENGTH_BITS, MAX_LENGTH, Answer, Postings, best_places, coverage_of, weigh
from agents.memory.query import Query
from agents.memory.search import Known, Scope, count_fresh, rank, read_texts
from agents.memory.tokens import MAX_PLACES
from agents.models import Chunk, MemoryItem, SearchScope
from lib.clock import now

# With more fresh rows than this a scope gets its index, or what is fresh is added to it.
FRESH = 200
BATCH = 5_000
# So many entries are looked through, those of the rarest words first.
MOST_ENTRIES = 200_000
# A person's rows are numbered from here on, so that theirs and everybody's stand in one list.
FIRST_OWN = 1 << 30
# Answers are read in such blocks: mostly the first has all that is asked for.
BLOCK = 32
ASKED_AGAIN_S = 600
MODELS: dict[str, type[MemoryItem] | type[Chunk]] = {"item": MemoryItem, "chunk": Chunk}

# OFFSET 0 keeps the planner from reading all words of the scope for a hash join.
TERMS = """
SELECT lexeme, row_count, CASE WHEN so_far <= {most} THEN places END, CASE WHEN so_far <= {most} THEN entries END
FROM (
    SELECT lexeme, known.*, sum(row_count) OVER (ORDER BY row_count, lexeme, scope_id) AS so_far
    FROM unnest(%(terms)s::text[]) AS asked(lexeme), LATERAL (
        SELECT scope_id, row_count, places, entries FROM agents_searchterm
        WHERE workspace_id = %(workspace)s AND scope_id = ANY(%(scopes)s)
          AND term = hashtextextended(asked.lexeme, %(seed)s) OFFSET 0
    ) AS known
) AS counted
ORDER BY array_position(%(scopes)s, scope_id)
"""
MEMBERS = """
SELECT place, substring(members FROM (place %% {first_own}) * 16 + 1 FOR 16)
FROM unnest(%(places)s::int[]) AS place
JOIN agents_searchscope ON workspace_id = %(workspace)s AND id = ANY(%(scopes)s)
 AND (owner IS NULL) = (place < {first_own})
"""
ADD = """
INSERT INTO agents_searchterm AS known (id, workspace_id, scope_id, term, row_count, places, entries)
SELECT gen_random_uuid(), %(workspace)s, %(scope)s, hashtextextended(word.lexeme, %(seed)s), count(*),
       string_agg(int4send((%(first)s + at)::int), ''::bytea ORDER BY at),
       string_agg(int4send(least(coalesce(cardinality(word.positions), 1), {max_places}) << {length_bits}
                           | least(fresh.n_tokens, {max_length})), ''::bytea ORDER BY at)
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS added(id, at) JOIN {table} fresh USING (id),
     LATERAL unnest(fresh.tokens) AS word
GROUP BY hashtextextended(word.lexeme, %(seed)s)
ON CONFLICT (scope_id, term) DO UPDATE
SET row_count = known.row_count + excluded.row_count, places = known.places || excluded.places,
    entries = known.entries || excluded.entries
"""


@dataclass(frozen=True)
class Index:
    """The indexed parts of what may be searched."""

    workspace_id: UUID
    scopes: list[UUID]
    rows: int
    tokens: int

    @property
    def average(self) -> float:
        return max(self.tokens / max(self.rows, 1), 1.0)


def search_rows(scope: Scope, query: Query) -> Iterator[Answer[UUID]]:
    """The best first, read as they are asked for. A scope that is too large for its index asks for a better one."""
    if not query:
        return
    index, fresh = _index_of(scope), count_fresh(scope)
    if fresh > FRESH:
        _ask_for_index(scope)
    if not index.rows:
        yield from rank(scope, query) if fresh else []
        return
    frequencies, postings = _read_postings(index, query)
    indexed = _rank_indexed(scope, index, query, frequencies, postings)
    rest = rank(scope, query, Known(index.rows, index.average, frequencies)) if fresh else []
    yield from heapq.merge(indexed, rest, key=lambda answer: -answer.score)


def _index_of(scope: Scope) -> Index:
    mine = Q(owner=None) | Q(owner=scope.owner)
    rows = SearchScope.objects.filter(mine, workspace_id=scope.workspace_id, kind=scope.kind)
    # Everybody's first: their places are the lower ones.
    found = rows.order_by(F("owner").asc(nulls_first=True)).values_list("pk", "row_count", "token_count")
    keys, row_counts, token_counts = zip(*found, strict=True) if found else ((), (), ())
    return Index(scope.workspace_id, list(keys), sum(row_counts), sum(token_counts))


def _read_postings(index: Index, query: Query) -> tuple[dict[str, int], dict[str, Postings]]:
    """In how many rows each term stands, and in which; the latter not of the most common ones of long questions."""
    frequencies: dict[str, int] = {}
    postings: dict[str, Postings] = {}
    params = {"terms": list(query.terms), "seed": seed_of(index.workspace_id)}
    for term, count, places, entries in _fetch(TERMS.format(most=MOST_ENTRIES), index, params):
        frequencies[term] = frequencies.get(term, 0) + count
        if places is not None:
            known = postings.setdefault(term, Postings())
            known.places += _numbers(places)
            known.entries += _numbers(entries)
    return frequencies, postings


def _rank_indexed(
    scope: Scope, index: Index, query: Query, frequencies: dict[str, int], postings: dict[str, Postings]
) -> Iterator[Answer[UUID]]:
    asked = weigh(query, postings, frequencies, index.rows)
    best = best_places(asked, index.average)
    for start in range(0, len(best), BLOCK):
        block = best[start : start + BLOCK]
        text = MEMBERS.format(first_own=FIRST_OWN)
        keys = {at: UUID(bytes=key) for at, key in _fetch(text, index, {"places": [at for at, _ in block]})}
        texts = read_texts(scope, list(keys.values()))
        for at, score in block:
            # What has ended, was superseded or is gone has still a place.
            if (key := keys[at]) in texts:
                yield Answer(key, score, coverage_of(at, asked), texts[key])


def _fetch(text: str, index: Index, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    # Django's own cursor would have bytes sent as hexadecimal digits.
    with Cursor(connection.connection) as cursor:
        cursor.execute(text, params | {"workspace": index.workspace_id, "scopes": index.scopes}, binary=True)
        return cursor.fetchall()


def _numbers(sent: bytes) -> "array[int]":
    found = array("i", sent)
    if sys.byteorder == "little":
        found.byteswap()
    return found


def seed_of(workspace_id: UUID) -> int:
    """Without the key, nobody finds out by guessing which words stood in rows that are gone."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"search" + workspace_id.bytes, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _ask_for_index(scope: Scope) -> None:
    from agents.tasks import index_memory as task

    if cache.add(f"index-memory:{scope.workspace_id}", 1, ASKED_AGAIN_S):
        transaction.on_commit(lambda: task.delay(str(scope.workspace_id)))


# --- the worker's side ------------------------------------------------------------------------------------


def index_memory(workspace_id: UUID) -> int:
    """Take what is fresh into the indexes of a workspace; how many rows. May be killed between two batches."""
    done = 0
    for kind in MODELS:
        while True:
            with workspace_scope(workspace_id):
                count = _index_batch(workspace_id, kind)
            done += count
            if count < FRESH:
                break
    return done


def _index_batch(workspace_id: UUID, kind: str) -> int:
    """The owner with the most fresh rows; 0 where nobody has too many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7301004, hashtext(%s))", [str(workspace_id)])
    fresh = MODELS[kind].objects.filter(workspace_id=workspace_id, is_indexed=False).order_by("pk")
    by_owner: dict[UUID | None, list[tuple[UUID, int]]] = {}
    # Knowledge is everybody's.
    whose = F("user_id") if kind == "item" else Value(None, UUIDField())
    for key, tokens, owner in fresh.annotate(whose=whose).values_list("pk", "n_tokens", "whose")[: 4 * BATCH]:
        by_owner.setdefault(owner, []).append((key, tokens))
    owner, rows = max(by_owner.items(), key=lambda pair: len(pair[1]), default=(None, []))
    if len(rows) < FRESH:
        return 0
    _add_rows(workspace_id, kind, owner, rows[:BATCH])
    return len(rows[:BATCH])


def _add_rows(workspace_id: UUID, kind: str, owner: UUID | None, rows: list[tuple[UUID, int]]) -> None:
    scope, _ = SearchScope.objects.get_or_create(workspace_id=workspace_id, kind=kind, owner=owner)
    model, ids = MODELS[kind], [key for key, _ in rows]
    params: dict[str, Any] = {"workspace": workspace_id, "scope": scope.pk, "seed": seed_of(workspace_id), "ids": ids}
    # Counted from one.
    params["first"] = (FIRST_OWN if owner else 0) + scope.row_count - 1
    sizes = {"max_places": MAX_PLACES, "max_length": MAX_LENGTH, "length_bits": LENGTH_BITS}
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(table=model._meta.db_table, **sizes), params)
    model.objects.filter(pk__in=ids).update(is_indexed=True)
    scope.row_count += len(rows)
    scope.token_count += sum(tokens for _, tokens in rows)
    scope.members = bytes(scope.members) + b"".join(key.bytes for key in ids)
    scope.updated_at = now()
    scope.save(update_fields=["row_count", "token_count", "members", "updated_at"])
