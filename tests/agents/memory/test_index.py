"""The index of large scopes: the same answers as without it, inside the scope, without words of what is gone."""

import random
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Workspace
from accounts.scope import workspace_scope
from accounts.services import create_workspace
from agents.memory import index
from agents.memory.plain import Ranker, keep_answers
from agents.memory.query import read_query
from agents.memory.search import count_fresh, item_scope, search_fields
from agents.models import MemoryItem, SearchScope, SearchTerm
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
WORDS = ["espresso", "filter", "roast", "拼配", "咖啡豆", "price", "euro", "sunday", "berlin", "会员日", "grinder"]


@pytest.fixture
def many(in_workspace: Workspace, monkeypatch) -> list[MemoryItem]:
    monkeypatch.setattr(index, "FRESH", 50)
    monkeypatch.setattr(index, "BATCH", 120)
    rng = random.Random(7)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(3, 9))) + f" {n % 40}" for n in range(400)]
    rows = [MemoryItem(workspace=in_workspace, text=text, **search_fields(text)) for text in texts]
    return MemoryItem.objects.bulk_create(rows)


def by_id(row: MemoryItem) -> UUID:
    """Of equal answers the earlier comes first."""
    return row.pk


def found(workspace: Workspace, question: str, user=None) -> list[object]:
    scope = item_scope(workspace.pk, user.pk if user else None)
    return [answer.key for answer in keep_answers(index.search_rows(scope, read_query(question)), 10)]


def test_an_index_changes_no_answer(many, in_workspace: Workspace, monkeypatch) -> None:
    monkeypatch.setattr(index, "FRESH", 1)
    questions = ["会员日 berlin 7", "euro espresso grinder", "sunday price", "roast 33 拼配", "nothing of it"]
    before = [found(in_workspace, question) for question in questions]
    assert index.index_memory(in_workspace.pk) == 400
    assert SearchTerm.objects.exists()
    after = [found(in_workspace, question) for question in questions]
    assert after == before
    assert after[-1] == []


def test_fresh_ended_and_superseded_rows_are_seen_as_they_are(many, learn, in_workspace: Workspace) -> None:
    index.index_memory(in_workspace.pk)
    fresh = learn("Sidamo tastes of bergamot.")
    assert found(in_workspace, "bergamot") == [fresh.pk]
    gone = MemoryItem.objects.filter(is_indexed=True).first()
    assert gone is not None
    gone_text = gone.text
    MemoryItem.objects.filter(pk=gone.pk).update(status="undone")
    assert gone.pk not in found(in_workspace, gone_text)
    gone.delete()
    assert gone.pk not in found(in_workspace, gone_text)


def test_a_persons_rows_have_an_index_of_their_own(many, in_workspace: Workspace) -> None:
    one, other = make_user("One"), make_user("Other")
    rows = [
        MemoryItem(workspace=in_workspace, user=user, text=f"secret of {user.name} {n}", **search_fields(f"secret {n}"))
        for user in (one, other)
        for n in range(60)
    ]
    MemoryItem.objects.bulk_create(rows)
    index.index_memory(in_workspace.pk)
    assert set(SearchScope.objects.values_list("owner", flat=True)) == {None, one.pk, other.pk}
    own = set(MemoryItem.objects.filter(user=one).values_list("pk", flat=True))
    keys = found(in_workspace, "secret", one)
    assert keys
    assert set(keys) <= own
    assert found(in_workspace, "secret") == []


def test_the_index_holds_no_words_and_needs_the_key(many, in_workspace: Workspace, settings) -> None:
    index.index_memory(in_workspace.pk)
    assert found(in_workspace, "espresso")
    assert all(isinstance(term, int) for term in SearchTerm.objects.values_list("term", flat=True))
    before = index.seed_of(in_workspace.pk)
    settings.SECRET_KEY = "another"
    assert index.seed_of(in_workspace.pk) != before


def test_a_large_scope_asks_for_its_index_once(
    many, in_workspace: Workspace, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as asked:
        found(in_workspace, "espresso")
        found(in_workspace, "filter")
    assert len(asked) == 1
    index.index_memory(in_workspace.pk)
    assert count_fresh(item_scope(in_workspace.pk, None)) < 50


def test_an_index_ranks_as_memory_does(many, in_workspace: Workspace, monkeypatch) -> None:
    """In batches, of everybody's rows and a person's own, the scores included."""
    monkeypatch.setattr(index, "FRESH", 1)
    user = make_user("One")
    texts = [f"{row.text} own" for row in many[:90]]
    own = [MemoryItem(workspace=in_workspace, user=user, text=text, **search_fields(text)) for text in texts]
    MemoryItem.objects.bulk_create(own)
    rows = [*sorted(many, key=by_id), *sorted(own, key=by_id)]
    assert index.index_memory(in_workspace.pk) == len(rows)
    scope = item_scope(in_workspace.pk, user.pk)
    assert count_fresh(scope) == 0
    ranker = Ranker([row.text for row in rows])
    for question in ("会员日 berlin 7", "euro espresso grinder own", "price", "own", "咖啡豆 拼配 roast 12", "missing"):
        answers = keep_answers(index.search_rows(scope, read_query(question)), 10)
        expected = ranker.search(question, 10)
        assert [answer.key for answer in answers] == [rows[at].pk for at, _ in expected], question
        assert [answer.score for answer in answers] == pytest.approx([score for _, score in expected])


def test_answers_are_found_behind_many_that_ended(many, learn, in_workspace: Workspace, monkeypatch) -> None:
    monkeypatch.setattr(index, "BLOCK", 4)
    index.index_memory(in_workspace.pk)
    before = found(in_workspace, "espresso berlin")
    MemoryItem.objects.filter(pk__in=before).update(status="superseded")
    after = found(in_workspace, "espresso berlin")
    assert len(after) == len(before) == 10
    assert not set(after) & set(before)


def test_fresh_rows_stand_among_indexed_ones_by_their_score(many, in_workspace: Workspace) -> None:
    index.index_memory(in_workspace.pk)
    text = "espresso berlin 会员日"
    fresh = MemoryItem.objects.create(workspace=in_workspace, text=text, **search_fields(text))
    answers = keep_answers(index.search_rows(item_scope(in_workspace.pk, None), read_query(text)), 10)
    assert answers[0].key == fresh.pk
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)


def test_another_workspaces_index_is_out_of_reach(many, in_workspace: Workspace) -> None:
    index.index_memory(in_workspace.pk)
    assert SearchTerm.objects.count() > 0
    other = create_workspace("Elsewhere", owner=make_user("Eve"))
    with workspace_scope(other.pk):
        assert SearchTerm.objects.count() == SearchScope.objects.count() == 0
        # Even the neighbour's own scope, asked for from here.
        assert found(in_workspace, "espresso berlin") == []
        assert found(other, "espresso berlin") == []


def test_words_left_out_of_a_long_question_are_the_common_ones(many, in_workspace: Workspace, monkeypatch) -> None:
    index.index_memory(in_workspace.pk)
    query = read_query("espresso berlin 33")
    known = index._index_of(item_scope(in_workspace.pk, None))
    frequencies, postings = index._read_postings(known, query)
    assert {term: len(found) for term, found in postings.items()} == frequencies
    assert sorted(frequencies) == sorted(query.terms)
    monkeypatch.setattr(index, "MOST_ENTRIES", frequencies["33"])
    assert list(index._read_postings(known, query)[1]) == ["33"]
    assert index._read_postings(known, query)[0] == frequencies


def test_an_index_keeps_the_planner_from_reading_every_row(many, in_workspace: Workspace) -> None:
    """With row-level security on: what stands between a question and its words must be an index."""
    index.index_memory(in_workspace.pk)
    known = index._index_of(item_scope(in_workspace.pk, None))
    params = {"terms": ["espresso", "berlin"], "seed": index.seed_of(in_workspace.pk)}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = index._fetch("EXPLAIN " + index.TERMS.format(most=index.MOST_ENTRIES), known, params)
    lines = "\n".join(line for (line,) in plan)
    assert "search_term_once" in lines
    assert "Seq Scan" not in lines
