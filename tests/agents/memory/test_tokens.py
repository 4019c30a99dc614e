"""How texts are cut for search: scripts without spaces, stems, names, and literals that PostgreSQL reads back."""

import random

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.memory import plain
from agents.memory.glossary import groups, other_words
from agents.memory.plain import Answer, Ranker, keep_answers
from agents.memory.query import read_query
from agents.memory.tokens import MAX_WORD, asked, is_wide, skeleton, tokens, tsvector


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("光子嫩肤", ["光", "子", "嫩", "肤", "光子", "子嫩", "嫩肤"]),
        ("我们的IPL项目", ["我", "们", "我们", "们的", "ipl", "项", "目", "项目"]),
        ("コーヒー豆", ["コ", "ー", "ヒ", "ー", "豆", "コー", "ーヒ", "ヒー", "ー豆"]),
        ("커피 콩", ["커", "피", "커피", "콩"]),
        ("creating the creations", ["creat", "creation"]),
        ("WebSocket", ["web", "socket", "websocket"]),
        ("default_manifest GLW-8842", ["default", "manifest", "glw", "8842"]),
        ("ＦＵＬＬ ｗｉｄｔｈ　１２", ["full", "width", "12"]),
        ("the of and", []),
        ("¡Crème brûlée! 9,50 €", ["crème", "brûlée", "9", "50"]),
        ("𠀀𠀁", ["𠀀", "𠀁", "𠀀𠀁"]),
        ("", []),
    ],
)
def test_texts_are_cut(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@given(st.text(max_size=200))
def test_tokens_are_short_plain_and_the_same_twice(text: str) -> None:
    found = tokens(text)
    assert found == tokens(text)
    assert all(0 < len(token) <= MAX_WORD and not set(token) & set(" '\\:|&!()") for token in found)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_the_literal_is_read_back_with_its_counts(text: str) -> None:
    words = tokens(text)
    with connection.cursor() as cursor:
        cursor.execute("SELECT lexeme, cardinality(positions) FROM unnest(%s::tsvector)", [tsvector(words)])
        assert dict(cursor.fetchall()) == {word: words.count(word) for word in words}


def test_a_word_said_ten_thousand_times_fits() -> None:
    literal = tsvector(["spam"] * 30_000 + ["egg"])
    assert literal.count(",") == 254
    assert literal.endswith("'egg':16383")


def test_how_a_question_is_asked_is_not_what_is_asked() -> None:
    assert asked("热玛吉多少") == asked("请问热玛吉")
    assert asked("什么") != []


def test_synonyms_lead_across_languages_and_not_to_the_word_itself() -> None:
    found = other_words("退款怎么回答")
    assert found["refund"] == 0.5
    assert "退款" not in found
    assert other_words("Xylophon") == {}
    assert all(term.words for group in groups() for term in group)


def test_questions_are_held_short() -> None:
    query = read_query("beans " * 5_000 + "".join(chr(0x4E00 + n) for n in range(3_000)))
    assert len(query.terms) <= 128
    assert len(query.terms) == len(query.weights) == len(query.shares) == len(query.is_asked)


def test_of_near_identical_answers_one_stands_in_front() -> None:
    texts = [f"第{n}位顾客完成回访" for n in range(100, 120)] + ["顾客对酒精过敏"]
    found = Ranker(texts).search("顾客回访过敏", 3)
    assert {at for at, _ in found[:2]} >= {20}
    assert skeleton("第1位!") == skeleton("第 22 位")


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=30), st.integers(1, 10))
def test_kept_answers_are_few_and_the_best(scores: list[float], k: int) -> None:
    rows = [Answer(n, score, 0.5, str(n)) for n, score in enumerate(sorted(scores, reverse=True))]
    kept = keep_answers(rows, k)
    assert len(kept) <= k
    assert kept[0] == rows[0]
    assert keep_answers([Answer(1, 9.0, 0.01, "x")], k) == []


def all_scores(ranker: Ranker, question: str) -> list[int]:
    """Places by their scores, with every entry added up."""
    whole: dict[int, float] = {}
    gains = plain.Gains(ranker.average)
    for term in ranker.weigh(read_query(question)):
        for at, entry in zip(term.postings.places, term.postings.entries, strict=True):
            whole[at] = whole.get(at, 0.0) + term.weight * gains[entry]
    return sorted(whole, key=lambda at: (-whole[at], at))


def test_pruning_changes_no_answer() -> None:
    """Common words only lift what rare words found, once nothing new can come in."""
    texts = [f"common word number {n} {'rare' if n % 97 == 0 else 'usual'} {'x' * (n % 5)}" for n in range(3_000)]
    ranker = Ranker(texts)
    for question in ("rare common number", "usual common", "common", "rare usual word 97", "number 7 rare"):
        best = plain.best_places(ranker.weigh(read_query(question)), ranker.average)
        assert [at for at, _ in best[:30]] == all_scores(ranker, question)[:30], question
    assert not is_wide("x")


def test_a_long_question_is_cut_short_without_another_answer(monkeypatch) -> None:
    rng = random.Random(3)
    words = [f"w{n}" for n in range(60)]
    # As in a language: some words stand nearly everywhere.
    texts = [" ".join(rng.choices(words, [1 / (n + 1) for n in range(60)], k=rng.randint(5, 30))) for _ in range(4_000)]
    ranker = Ranker(texts)
    monkeypatch.setattr(plain, "MOST_ADDED", 3_000)
    monkeypatch.setattr(plain, "KEPT", 1_000)
    for start in range(0, 40, 4):
        question = " ".join(words[start : start + 20])
        asked = ranker.weigh(read_query(question))
        assert len(plain.score_places(asked, ranker.average)) <= plain.KEPT
        best = plain.best_places(asked, ranker.average)
        assert [at for at, _ in best[:5]] == all_scores(ranker, question)[:5]


@given(st.integers(1, 400), st.integers(1, 9_000), st.integers(1, 5_000))
def test_an_entry_earns_what_the_formula_says(count: int, length: int, average: int) -> None:
    postings = plain.Postings()
    postings.add(4, count, length)
    kept = min(count, 255)
    expected = kept * 2.2 / (kept + 1.2 * (0.25 + 0.75 * length / average))
    assert plain.Gains(average)[postings.entry(4)] == pytest.approx(expected)
    assert postings.entry(3) == postings.entry(5) == 0


def test_a_term_adds_no_more_than_it_promises() -> None:
    ranker = Ranker(["rare", "rare rare rare word", "word " * 40, "other words of another kind"])
    for term in ranker.weigh(read_query("rare word other missing")):
        gains = [plain.Gains(ranker.average)[entry] * term.weight for entry in term.postings.entries]
        assert max(gains, default=0.0) <= term.most
