"""What a question finds: remembered things and pieces of documents, few enough to stand in a prompt."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from agents.memory.index import search_rows
from agents.memory.plain import Answer, keep_answers
from agents.memory.query import read_query
from agents.memory.search import chunk_scope, item_scope
from agents.memory.tokens import is_wide
from agents.models import Chunk, MemoryItem

ITEM, CHUNK = "item", "chunk"


@dataclass(frozen=True)
class Found:
    """`kind` is "item" or "chunk", `id` the row's; `title` names the source for a citation, `url` leads there."""

    kind: str
    id: UUID
    text: str
    title: str
    url: str
    score: float


def recall(workspace: Workspace, user: User | None, query: str, *, k: int = 8, max_tokens: int = 1200) -> list[Found]:
    """The best first; nothing where nothing answers. Never what came from strangers' words."""
    question = read_query(query)
    user_id = user.pk if user else None
    with workspace_scope(workspace.pk):
        items = keep_answers(search_rows(item_scope(workspace.pk, user_id), question), k)
        chunks = keep_answers(search_rows(chunk_scope(workspace.pk), question), k)
        found = [*_items(items), *_chunks(chunks)]
    found.sort(key=lambda one: -one.score)
    return list(_within(found[:k], max_tokens))


def count_tokens(text: str) -> int:
    """An upper estimate of what a model counts: a wide character is one, four others are one."""
    wide = sum(map(is_wide, text))
    return wide + (len(text) - wide + 3) // 4


def _items(answers: list[Answer[UUID]]) -> Iterable[Found]:
    rows = MemoryItem.objects.in_bulk([answer.key for answer in answers])
    for answer in answers:
        row = rows[answer.key]
        yield Found(ITEM, row.pk, row.text, f"Memory of {row.created_at:%Y-%m-%d}", "", answer.score)


def _chunks(answers: list[Answer[UUID]]) -> Iterable[Found]:
    rows = Chunk.objects.select_related("document").in_bulk([answer.key for answer in answers])
    for answer in answers:
        row = rows[answer.key]
        parts = [row.document.title, row.heading, str(row.n)]
        yield Found(CHUNK, row.pk, row.text, " · ".join(filter(None, parts)), row.document.url, answer.score)


def _within(found: list[Found], max_tokens: int) -> Iterable[Found]:
    left = max_tokens
    for one in found:
        left -= count_tokens(one.text)
        if left < 0:
            return
        yield one
