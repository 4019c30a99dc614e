"""An inverted index for scopes that have grown large: which rows a question is compared with at all.

Row-level security keeps PostgreSQL from using a GIN index for `@@` (the operator is not leakproof), and an index over
all tenants would look through strangers' rows first. So each scope has its own: one row a word, found by equality.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, UUIDField, Value

from accounts.scope import workspace_scope
from agents.memory.plain import Answer
from agents.memory.query import Query
from agents.memory.search import CANDIDATES, Known, Scope, rank
from agents.models import Chunk, MemoryItem, SearchScope
from lib.clock import now

# With more fresh rows than this a scope gets its index, or what is fresh is added to it.
FRESH = 500
BATCH = 5_000
# So many entries are looked through to choose the candidates, those of the rarest words first.
NOMINATED = 30_000
ASKED_AGAIN_S = 600
MODELS: dict[str, type[MemoryItem] | type[Chunk]] = {"item": MemoryItem, "chunk": Chunk}

TERMS = """
SELECT asked.lexeme, coalesce(sum(term.row_count), 0) FROM unnest(%(terms)s::text[]) AS asked(lexeme)
LEFT JOIN agents_searchterm term ON term.workspace_id = %(workspace)s AND term.scope_id = ANY(%(scopes)s)
 AND term.term = hashtextextended(asked.lexeme, %(seed)s)
GROUP BY asked.lexeme
"""
NOMINATE = """
SELECT entry.id FROM unnest(%(terms)s::text[], %(weights)s::float[]) AS asked(lexeme, weight)
JOIN agents_searchterm term ON term.workspace_id = %(workspace)s AND term.scope_id = ANY(%(scopes)s)
 AND term.term = hashtextextended(asked.lexeme, %(seed)s), LATERAL unnest(term.rows) AS entry(id)
GROUP BY entry.id ORDER BY sum(asked.weight) DESC, entry.id LIMIT {limit}
"""
ADD = """
INSERT INTO agents_searchterm AS known (id, workspace_id, scope_id, term, row_count, rows)
SELECT gen_random_uuid(), %(workspace)s, %(scope)s, hashtextextended(word.lexeme, %(seed)s), count(*),
       array_agg(fresh.id)
FROM {table} fresh, LATERAL unnest(fresh.tokens) AS word WHERE fresh.id = ANY(%(ids)s)
GROUP BY hashtextextended(word.lexeme, %(seed)s)
ON CONFLICT (scope_id, term) DO UPDATE
SET row_count = known.row_count + excluded.row_count, rows = known.rows || excluded.rows
"""


@dataclass(frozen=True)
class Index:
    """The indexed parts of what may be searched."""

    workspace_id: UUID
    scopes: list[UUID]
    rows: int
    tokens: int


def search_rows(scope: Scope, query: Query) -> list[Answer[UUID]]:
    """As `rank`, in time for large scopes as well. A scope that is too large for its index asks for a better one."""
    if not query:
        return []
    index = _index_of(scope)
    answers, fresh = rank(scope, query, _nominate(index, query) if index.rows else None)
    if fresh > FRESH:
        _ask_for_index(scope)
    return answers


def _index_of(scope: Scope) -> Index:
    owners = [scope.owner] if scope.owner else []
    rows = SearchScope.objects.filter(workspace_id=scope.workspace_id, kind=scope.kind)
    found = [*rows.filter(owner=None), *rows.filter(owner__in=owners)]
    return Index(
        scope.workspace_id,
        [row.pk for row in found],
        sum(row.row_count for row in found),
        sum(row.token_count for row in found),
    )


def _nominate(index: Index, query: Query) -> Known:
    params: dict[str, Any] = {
        "workspace": index.workspace_id,
        "scopes": index.scopes,
        "seed": seed_of(index.workspace_id),
        "terms": list(query.terms),
    }
    with connection.cursor() as cursor:
        cursor.execute(TERMS, params)
        frequency = {term: int(count) for term, count in cursor.fetchall()}
        chosen = _rarest(query, frequency, index.rows)
        params |= {"terms": list(chosen), "weights": list(chosen.values())}
        cursor.execute(NOMINATE.format(limit=CANDIDATES), params)
        ids = [row[0] for row in cursor.fetchall()]
    return Known(ids, index.rows, index.tokens / max(index.rows, 1), [frequency[term] for term in query.terms])


def _rarest(query: Query, frequency: dict[str, int], rows: int) -> dict[str, float]:
    """Words with their weights, the rarest first, until there is enough to look through."""
    chosen: dict[str, float] = {}
    left = NOMINATED
    for term, weight in sorted(zip(query.terms, query.weights, strict=True), key=lambda pair: frequency[pair[0]]):
        count = frequency[term]
        if count and chosen and count > left:
            break
        if count:
            chosen[term] = weight * math.log(1 + max(rows - count + 0.5, 0.5) / (count + 0.5))
            left -= count
    return chosen


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
    fresh = MODELS[kind].objects.filter(workspace_id=workspace_id, is_indexed=False)
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
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(table=model._meta.db_table), params)
    model.objects.filter(pk__in=ids).update(is_indexed=True)
    scope.row_count += len(rows)
    scope.token_count += sum(tokens for _, tokens in rows)
    scope.updated_at = now()
    scope.save(update_fields=["row_count", "token_count", "updated_at"])
