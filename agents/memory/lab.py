"""`manage.py lab search`: documents in one line, then questions."""

from typing import Any

from agents.memory.plain import Ranker

Json = dict[str, Any]
MAX_DOCUMENTS = 200_000
DEFAULT_K, MOST_K = 10, 200


class BadDocuments(ValueError):
    """A line that cannot be used, in words for whoever wrote it."""


class SearchLab:
    """Documents may name a tenant, a user and what superseded them; a question then finds its own tenant's only."""

    def __init__(self) -> None:
        self.documents: list[Json] | None = None
        self.rankers: dict[tuple[Any, Any], tuple[list[Json], Ranker]] = {}

    def answer(self, question: Json) -> Json:
        if "documents" in question:
            return self._take(question["documents"])
        if self.documents is None:
            raise BadDocuments("the first line must have “documents”")
        words = question.get("query", question.get("q"))
        if not isinstance(words, str):
            raise BadDocuments("“query” must be a string")
        documents, ranker = self._ranker(question.get("tenant"), question.get("user"))
        return {"ids": [documents[at]["id"] for at, _ in ranker.search(words, _count(question))]}

    def _take(self, given: Any) -> Json:
        if not isinstance(given, list) or len(given) > MAX_DOCUMENTS:
            raise BadDocuments(f"“documents” must be a list of at most {MAX_DOCUMENTS:,}")
        if not all(isinstance(row, dict) and "id" in row and isinstance(_body(row), str) for row in given):
            raise BadDocuments("each document needs an “id” and a “body” that is a string")
        self.documents = [row for row in given if not row.get("superseded_by")]
        self.rankers = {}
        return {"documents": len(self.documents)}

    def _ranker(self, tenant: Any, user: Any) -> tuple[list[Json], Ranker]:
        key = (str(tenant), str(user))
        if key not in self.rankers:
            rows = [row for row in self.documents or [] if _is_seen(row, tenant, user)]
            titles = [str(row.get("title") or row.get("heading") or "") for row in rows]
            self.rankers[key] = rows, Ranker([_body(row) for row in rows], titles)
        return self.rankers[key]


def _body(row: Json) -> Any:
    return row.get("body", row.get("text"))


def _is_seen(row: Json, tenant: Any, user: Any) -> bool:
    """What a document does not name, it does not ask for."""
    return all(row.get(name) in (None, wanted) for name, wanted in (("tenant", tenant), ("user", user)))


def _count(question: Json) -> int:
    k = question.get("k", DEFAULT_K)
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_K:
        raise BadDocuments(f"“k” must be a number from 1 to {MOST_K}")
    return k
