"""The index of large scopes: the same answers as without it, inside the scope, without words of what is gone."""

import random

import pytest

from accounts.models import Workspace
from agents.memory import index
from agents.memory.plain import keep_answers
from agents.memory.query import read_query
from agents.memory.search import item_scope, rank, search_fields
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


def found(workspace: Workspace, question: str, user=None) -> list[object]:
    scope = item_scope(workspace.pk, user.pk if user else None)
    return [answer.key for answer in keep_answers(index.search_rows(scope, read_query(question)), 10)]


def test_an_index_changes_no_answer(many, in_workspace: Workspace) -> None:
    questions = ["会员日 berlin 7", "euro espresso grinder", "sunday price", "roast 33 拼配", "nothing of it"]
    before = [found(in_workspace, question) for question in questions]
    assert index.index_memory(in_workspace.pk) >= 350
    assert SearchTerm.objects.exists()
    after = [found(in_workspace, question) for question in questions]
    assert [keys[:3] for keys in after] == [keys[:3] for keys in before]
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
    assert rank(item_scope(in_workspace.pk, None), read_query("espresso"))[1] < 50
