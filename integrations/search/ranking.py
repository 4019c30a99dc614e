"""BM25 over what one person may find: first the rows with the rarest of the words, from the database, then their order.

Row-level security keeps PostgreSQL from using a GIN index for `@@`, so the rows of the workspace are looked through;
ten thousand take some milliseconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.access import Actor
from agents.memory.query import K1, B
from agents.memory.tokens import tokens
from campaigns.access import visible_campaigns
from integrations.models import SearchEntry
from integrations.search.queries import Asked

CANDIDATES = 30
# Of what is asked, by weight: less is no answer.
LEAST_COVERAGE = 0.3

RANK = """
WITH hit AS MATERIALIZED (
    SELECT id, kind, at, {matches} FROM integrations_searchentry
    WHERE workspace_id = %(workspace)s AND kind = ANY(%(kinds)s) {only_shared} AND {found} {phrases}
),
known AS MATERIALIZED (
    SELECT {idfs} FROM (
        SELECT count(*)::float AS n FROM integrations_searchentry WHERE workspace_id = %(workspace)s {only_shared}
    ) counted, (SELECT {counts} FROM hit) found
)
SELECT best.id, known.* FROM known, unnest(%(kinds)s::text[]) AS wanted(kind), LATERAL (
    SELECT id FROM hit WHERE hit.kind = wanted.kind ORDER BY {score} DESC, at DESC LIMIT {candidates}
) best
"""


@dataclass(frozen=True)
class Found:
    kind: str
    object_id: UUID
    title: str
    body: str
    at: datetime
    score: float
    coverage: float
    has_all: bool


def rank(by: Actor, asked: Asked, kinds: Sequence[str]) -> list[Found]:
    """The best first, inside the workspace's scope."""
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_sql(asked, by), _params(asked, by, kinds))
        rows = cursor.fetchall()
    entries = SearchEntry.objects.defer("tokens").in_bulk([row[0] for row in rows])
    return _ordered([_score(entries[pk], idfs, asked) for pk, *idfs in rows])


def _sql(asked: Asked, by: Actor) -> str:
    numbers = range(len(asked.terms))
    idf = "ln(1 + (greatest(n, df{0}) - df{0} + 0.5) / (df{0} + 0.5)) AS idf{0}"
    return RANK.format(
        only_shared="AND campaign_id = ANY(%(campaigns)s)" if by.is_guest else "",
        matches=", ".join(f"tokens @@ %(q{n})s::tsquery AS m{n}" for n in numbers) or "true AS m",
        found="tokens @@ %(any)s::tsquery" if asked.terms else "true",
        phrases=" ".join(
            f"AND position(%(p{n})s IN lower(title || ' ' || body)) > 0" for n in range(len(asked.phrases))
        ),
        idfs=", ".join(idf.format(n) for n in numbers) or "0 AS idf",
        counts=", ".join(f"count(*) FILTER (WHERE m{n})::float AS df{n}" for n in numbers) or "0 AS df",
        score=" + ".join(f"CASE WHEN m{n} THEN idf{n} ELSE 0 END" for n in numbers) or "0",
        candidates=CANDIDATES,
    )


def _params(asked: Asked, by: Actor, kinds: Sequence[str]) -> dict[str, Any]:
    queries = asked.tsqueries()
    params: dict[str, Any] = {"workspace": by.workspace.pk, "kinds": list(kinds)}
    params |= {f"q{n}": query for n, query in enumerate(queries)}
    params |= {f"p{n}": phrase.lower() for n, phrase in enumerate(asked.phrases)}
    if queries:
        params["any"] = " | ".join(queries)
    if by.is_guest:
        params["campaigns"] = list(visible_campaigns(by).values_list("pk", flat=True))
    return params


# An average length needs no look at all rows: it only says how much a longer text has to say more often.
AVERAGE = 60


def _score(row: SearchEntry, idfs: list[float], asked: Asked) -> Found:
    counts = Counter([*tokens(row.body), *tokens(row.title) * 2])
    score = share = 0.0
    matched = set()
    for term, idf in zip(asked.terms, idfs, strict=False):
        tf = _count(term, counts, asked)
        if tf:
            matched.add(term)
            share += idf
            score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * row.n_tokens / AVERAGE))
    coverage = share / (sum(idfs) or 1.0) if asked.terms else 1.0
    has_all = matched == set(asked.terms)
    return Found(row.kind, row.object_id, row.title, row.body, row.at, score, coverage, has_all)


def _count(term: str, counts: Counter[str], asked: Asked) -> int:
    if term not in asked.variants:
        return counts[term]
    return sum(count for token, count in counts.items() if asked.matches(term, token))


def _ordered(found: list[Found]) -> list[Found]:
    """Where something has all that was asked for, the rest is noise."""
    whole = [row for row in found if row.has_all]
    kept = whole or [row for row in found if row.coverage >= LEAST_COVERAGE]
    return sorted(kept, key=lambda row: (-row.score, -row.at.timestamp()))
