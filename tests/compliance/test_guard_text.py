import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.guard.text import fold, fold_term

ODD = "最好ＢＥＳＴ①\u200b\u200d\ufe0f\u0301éЬра國家級 \u3000\n🌸ﷺ㎏ǅßİ\U000e0041\u202e가ガｶﾞ"
TEXTS = st.text(alphabet=st.one_of(st.sampled_from(ODD), st.characters()), max_size=60)
FEW = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("BEST", "best"),
        ("ＢＥＳＴ　１００％", "best 100%"),
        ("第①", "第1"),
        ("⑩", "10"),
        ("第❶", "第1"),
        ("m²", "m2"),
        ("壹号", "一号"),
        ("jí", "ji"),
        ("ji\u0301", "ji"),
        ("café", "cafe"),
        ("b\u200be\u200cs\u200dt\ufeff", "best"),
        ("b\u00adest", "best"),
        ("\u202eabc\u202c", "abc"),
        ("a\U000e0062\U000e0063b", "ab"),
        ("最\ufe0f好", "最好"),
        ("𝐁𝐞𝐬𝐭", "best"),
        ("ｆｒｅｅ", "free"),
        ("Ьest", "best"),
        ("bеst", "best"),
        ("ρaypal", "paypal"),
        ("國家級", "国家级"),
        ("頂級", "顶级"),
        ("١٢٣", "123"),
        ("a\tb\u3000c\u2800d", "a b c d"),
        ("a\r\nb", "a\n\nb"),
        ("㎏", "kg"),
        ("가나", "가나"),
        ("", ""),
        ("\u200b", ""),
        ("，。！", ",。!"),
    ],
)
def test_what_looks_the_same_folds_to_the_same(raw: str, folded: str) -> None:
    assert fold(raw).text == folded


@pytest.mark.parametrize("raw", ["一", "丨", "〇", "ー", "ニ", "の", "한", "0", "1", "l", "|", "o"])
def test_east_asian_and_plain_characters_stand_for_themselves(raw: str) -> None:
    assert fold(raw).text == unicodedata.normalize("NFKC", raw)


@pytest.mark.parametrize(
    ("raw", "bare"),
    [
        ("最 好!", "最好"),
        ("No. 1", "no1"),
        ("100 %", "100%"),
        ("变美=成功", "变美=成功"),
        ("🌸最🌸好🌸", "最好"),
        ("a-b_c", "abc"),
        ("…", ""),
    ],
)
def test_bare_text_keeps_letters_digits_and_signs(raw: str, bare: str) -> None:
    assert fold(raw).bare == bare


@pytest.mark.parametrize(
    ("raw", "part", "span"),
    [
        ("这是最好的", "最好", (2, 4)),
        ("最\u200b好", "最好", (0, 3)),
        ("🌸🌸最好", "最好", (2, 4)),
        ("顶ji\u0301", "顶ji", (0, 4)),
        ("a㎏b", "kg", (1, 2)),
        ("a㎏b", "k", (1, 2)),
        ("①②", "12", (0, 2)),
    ],
)
def test_a_span_leads_back_to_the_code_points_typed(raw: str, part: str, span: tuple[int, int]) -> None:
    folded = fold(raw)
    start = folded.text.index(part)
    assert folded.raw_span(start, start + len(part)) == span


def test_an_empty_span_is_about_the_whole() -> None:
    assert fold("最好").raw_span(1, 1) == (0, 0)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("一。二！三", 3),
        ("Best. Ever", 2),
        ("v1.2 is out", 1),
        ("一\n二", 2),
        ("one; two? three", 3),
        ("没有句号", 1),
        ("", 1),
    ],
)
def test_sentences_are_told_apart(text: str, sentences: int) -> None:
    folded = fold(text)
    assert folded.sentence(len(folded.text)) == sentences


def test_a_sentence_spans_from_its_start_to_the_next() -> None:
    folded = fold("一二。三四。五")
    assert [folded.text[slice(*folded.sentence_span(place))] for place in (0, 4, 6)] == ["一二。", "三四。", "五"]


@pytest.mark.parametrize(
    ("term", "bare", "gaps"),
    [
        ("risk-free", "riskfree", {4}),
        ("no. 1", "no1", {2}),
        ("最好", "最好", set()),
        ("one two three", "onetwothree", {3, 6}),
        ("!", "", set()),
    ],
)
def test_a_term_knows_its_own_separators(term: str, bare: str, gaps: set[int]) -> None:
    assert fold_term(term) == (bare, frozenset(gaps))


@FEW
@given(TEXTS)
@example("İ")
@example("ǅ")
@example("\u0345")
def test_folding_twice_changes_nothing(raw: str) -> None:
    once = fold(raw)
    assert fold(once.text).text == once.text
    assert fold(once.bare).bare == once.bare


@FEW
@given(TEXTS)
def test_every_offset_lies_inside_the_raw_text(raw: str) -> None:
    folded = fold(raw)
    assert len(folded.starts) == len(folded.text)
    assert all(0 <= start < len(raw) for start in folded.starts)
    assert folded.starts == sorted(folded.starts)
    assert [folded.text[place] for place in folded.places] == list(folded.bare)


@FEW
@given(TEXTS, st.data())
def test_every_span_leads_back_inside_the_raw_text(raw: str, data: st.DataObject) -> None:
    folded = fold(raw)
    start = data.draw(st.integers(0, len(folded.text)))
    end = data.draw(st.integers(start, len(folded.text)))
    raw_start, raw_end = folded.raw_span(start, end)
    assert 0 <= raw_start <= raw_end <= len(raw)
    if start < end:
        assert folded.text[start:end] in fold(raw[raw_start:raw_end]).text


@FEW
@given(TEXTS, st.lists(st.integers(0, 60), max_size=8))
def test_unseen_characters_change_nothing(raw: str, places: list[int]) -> None:
    stuffed = raw
    for place in sorted(places, reverse=True):
        stuffed = stuffed[:place] + "\u200b" + stuffed[place:]
    assert fold(stuffed).text == fold(raw).text


@FEW
@given(TEXTS)
def test_sentences_cover_every_place_once(raw: str) -> None:
    folded = fold(raw)
    for place in range(len(folded.text)):
        start, end = folded.sentence_span(place)
        assert start <= place < end
