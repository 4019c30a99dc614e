"""BM25 in SQL, inside one scope: what a question may find is settled before anything is compared."""

from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Cast

from agents.memory.plain import Answer
from agents.memory.query import K1, MAX_ROWS, B, Query
from agents.memory.tokens import tokens, tsvector
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
    """Rows of one kind that a person may find. `sql` names `id`, `text`, `tokens`, `n_tokens` and `is_indexed`."""

    kind: str
    workspace_id: UUID
    owner: UUID | None
    sql: str
    params: dict[str, Any]


def item_scope(workspace_id: UUID, user_id: UUID | None) -> Scope:
    """What is remembered of the workspace and of this person, is in force, and was said by one of us."""
    sql = """
        SELECT id, text, tokens, n_tokens, is_indexed FROM agents_memoryitem
        WHERE workspace_id = %(workspace)s AND (user_id IS NULL OR user_id = %(user)s)
          AND status = 'active' AND superseded_by_id IS NULL AND provenance <> 'untrusted'
          AND (expires_at IS NULL OR expires_at > %(now)s)
    """
    return Scope("item", workspace_id, user_id, sql, {"workspace": workspace_id, "user": user_id, "now": now()})


def chunk_scope(workspace_id: UUID) -> Scope:
    sql = "SELECT id, text, tokens, n_tokens, is_indexed FROM agents_chunk WHERE workspace_id = %(workspace)s"
    return Scope("chunk", workspace_id, None, sql, {"workspace": workspace_id})


@dataclass(frozen=True)
class Known:
    """What an index says of its rows: how many there are, how long, and how often each term stands in them."""

    rows: int
    average: float
    frequencies: dict[str, int]


# First who has which word, which is cheap; then Robertson's BM25 of the most promising rows, for which `unnest` of a
# tsvector tells how often each word stands there.
RANK = """
WITH scope AS MATERIALIZED ({scope}),
stats AS ({stats}),
term AS MATERIALIZED (
    SELECT asked.*, quote_literal(lexeme)::tsquery AS wanted
    FROM unnest(%(terms)s::text[], %(weights)s::float[], %(shares)s::float[], %(is_asked)s::bool[], %(known)s::int[])
      AS asked(lexeme, weight, share, is_asked, known)
),
pair AS MATERIALIZED (SELECT scope.id, term.lexeme FROM scope JOIN term ON scope.tokens @@ term.wanted),
found AS (SELECT lexeme, count(*) AS df FROM pair GROUP BY lexeme),
known AS MATERIALIZED (
    SELECT lexeme, weight, share, is_asked,
           ln(1 + (greatest(stats.n, df) - df + 0.5) / (df + 0.5)) AS idf
    FROM (SELECT term.*, coalesce(term.known, found.df, 0) AS df FROM term LEFT JOIN found USING (lexeme)) counted
    CROSS JOIN stats
),
candidate AS MATERIALIZED (
    SELECT id FROM pair JOIN known USING (lexeme) GROUP BY id ORDER BY sum(weight * idf) DESC, id LIMIT {candidates}
),
hit AS (
    SELECT scope.id, scope.n_tokens, word.lexeme, coalesce(cardinality(word.positions), 1) AS tf
    FROM candidate JOIN scope USING (id), LATERAL unnest(scope.tokens) AS word
    WHERE word.lexeme = ANY(%(terms)s)
),
ranked AS (
    SELECT hit.id,
           sum(weight * idf * tf * ({k1} + 1) / (tf + {k1} * (1 - {b} + {b} * hit.n_tokens / stats.average))) AS score,
           sum(share * idf) / (SELECT nullif(sum(share * idf), 0) FROM known WHERE is_asked) AS coverage
    FROM hit JOIN known USING (lexeme) CROSS JOIN stats GROUP BY hit.id
)
SELECT ranked.id, score, coalesce(coverage, 0), scope.text
FROM ranked JOIN scope USING (id) ORDER BY score DESC, ranked.id LIMIT {limit}
"""
COUNTED = "SELECT count(*)::float AS n, greatest(avg(n_tokens), 1)::float AS average FROM scope"
GIVEN = "SELECT %(n)s::float AS n, greatest(%(average)s, 1)::float AS average"
# More would be compared in vain: what is asked for is ten rows.
CANDIDATES = 200


def rank(scope: Scope, query: Query, known: Known | None = None) -> list[Answer[UUID]]:
    """The best first, with what is near nothing still among them; where there is an index, of what it does not hold."""
    params = scope.params | {
        "terms": list(query.terms),
        "weights": list(query.weights),
        "shares": list(query.shares),
        "is_asked": list(query.is_asked),
        "known": [known.frequencies.get(term, 0) if known else None for term in query.terms],
    }
    sql, stats = scope.sql, COUNTED
    if known:
        params |= {"n": known.rows, "average": known.average}
        sql, stats = f"{scope.sql} AND NOT is_indexed", GIVEN
    text = RANK.format(scope=sql, stats=stats, k1=K1, b=B, candidates=CANDIDATES, limit=MAX_ROWS)
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return [Answer(*row) for row in cursor.fetchall()]


def count_fresh(scope: Scope) -> int:
    """How many rows no index holds yet."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({scope.sql} AND NOT is_indexed) fresh", scope.params)  # noqa: S608
        return int(cursor.fetchone()[0])


def read_texts(scope: Scope, ids: list[UUID]) -> dict[UUID, str]:
    """Of those rows that the scope still contains."""
    with connection.cursor() as cursor:
        text = f"SELECT id, text FROM ({scope.sql} AND id = ANY(%(ids)s)) indexed"  # noqa: S608
        cursor.execute(text, scope.params | {"ids": ids})
        return dict(cursor.fetchall())
