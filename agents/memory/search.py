"""BM25 in SQL, inside one scope: what a question may find is settled before anything is compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Cast

from agents.memory.plain import Answer
from agents.memory.query import K1, MAX_ROWS, B, Query
from agents.memory.tokens import skeleton, tokens, tsvector
from lib.clock import now


class SearchFields(TypedDict):
    tokens: Cast
    n_tokens: int


def search_fields(text: str, *, heading: str = "") -> SearchFields:
    """What search compares, for a row to be saved. Words of the heading count twice more."""
    words = tokens(text) + tokens(heading) * 2
    return {"tokens": Cast(Value(tsvector(words)), SearchVectorField()), "n_tokens": len(words)}


@dataclass(frozen=True)
class Scope:
    """Rows of one kind that a person may find. `sql` names `id`, `text`, `tokens` and `n_tokens`."""

    kind: str
    sql: str
    params: dict[str, Any]


def item_scope(workspace_id: UUID, user_id: int | UUID | None) -> Scope:
    """What is remembered of the workspace and of this person, is in force, and was said by one of us."""
    sql = """
        SELECT id, text, tokens, n_tokens FROM agents_memoryitem
        WHERE workspace_id = %(workspace)s AND (user_id IS NULL OR user_id = %(user)s)
          AND status = 'active' AND superseded_by_id IS NULL AND provenance <> 'untrusted'
          AND (expires_at IS NULL OR expires_at > %(now)s)
    """
    return Scope("item", sql, {"workspace": workspace_id, "user": user_id, "now": now()})


def chunk_scope(workspace_id: UUID) -> Scope:
    sql = "SELECT id, text, tokens, n_tokens FROM agents_chunk WHERE workspace_id = %(workspace)s"
    return Scope("chunk", sql, {"workspace": workspace_id})


# Robertson's BM25; `unnest` of a tsvector gives how often each word stands there.
RANK = """
WITH scope AS MATERIALIZED ({scope}),
stats AS (SELECT count(*)::float AS n, greatest(avg(n_tokens), 1)::float AS average FROM scope),
term AS (SELECT * FROM unnest(%(terms)s::text[], %(weights)s::float[], %(shares)s::float[], %(is_asked)s::bool[])
         AS term(lexeme, weight, share, is_asked)),
hit AS (SELECT scope.id, scope.n_tokens, word.lexeme, coalesce(cardinality(word.positions), 1) AS tf
        FROM scope, LATERAL unnest(scope.tokens) AS word
        WHERE scope.tokens @@ %(any)s::tsquery AND word.lexeme = ANY(%(terms)s)),
known AS (SELECT term.*, ln(1 + (stats.n - coalesce(found.df, 0) + 0.5) / (coalesce(found.df, 0) + 0.5)) AS idf
          FROM term CROSS JOIN stats LEFT JOIN (SELECT lexeme, count(*) AS df FROM hit GROUP BY lexeme) found
          USING (lexeme)),
ranked AS (
    SELECT hit.id,
           sum(weight * idf * tf * ({k1} + 1) / (tf + {k1} * (1 - {b} + {b} * hit.n_tokens / stats.average))) AS score,
           sum(share * idf) / (SELECT nullif(sum(share * idf), 0) FROM known WHERE is_asked) AS coverage
    FROM hit JOIN known USING (lexeme) CROSS JOIN stats GROUP BY hit.id
)
SELECT ranked.id, score, coalesce(coverage, 0), scope.text FROM ranked JOIN scope USING (id)
ORDER BY score DESC, ranked.id LIMIT {limit}
"""


def rank(scope: Scope, query: Query) -> Iterator[Answer[UUID]]:
    """The best first, with what is near nothing still among them: `keep_answers` looks through it."""
    if not query:
        return
    params = scope.params | {
        "terms": list(query.terms),
        "weights": list(query.weights),
        "shares": list(query.shares),
        "is_asked": list(query.is_asked),
        "any": " | ".join(f"'{term}'" for term in query.terms),
    }
    with connection.cursor() as cursor:
        cursor.execute(RANK.format(scope=scope.sql, k1=K1, b=B, limit=MAX_ROWS), params)
        rows = cursor.fetchall()
    for key, score, coverage, text in rows:
        yield Answer(key, score, coverage, skeleton(text))
