from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.guard.engines.phrases import (
    PhrasesEngine,
    automaton_pass,
    check_match,
    matcher_for,
)
from compliance.guard.port import Context, Draft, Hit, Severity
from compliance.guard.rules import BadPack, Rule, RuleSet, rule_from, shipped_rules
from compliance.guard.terms import anchors_of, check_pattern, spell_out
from compliance.guard.variants import variants

ENGINE = PhrasesEngine()
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f\u202e"


def rule(match: Mapping[str, Any], rule_id: str = "R", **more: Any) -> Rule:
    data = {"id": rule_id, "engine": "phrases", "severity": "block", "message": "No.", "match": match}
    return rule_from(data | more)


def hits(text: str | tuple[str, ...], *rules: Rule, **context: Any) -> list[Hit]:
    draft = Draft((text,) if isinstance(text, str) else text)
    return list(ENGINE.check(draft, Context(**context), RuleSet(rules)).hits)


def found(text: str, match: Mapping[str, Any], **context: Any) -> list[str]:
    return [text[hit.start : hit.end] for hit in hits(text, rule(match), **context)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the best tea", ["best"]),
        ("THE BEST", ["BEST"]),
        ("bestow, abest, best1, 1best", []),
        ("best-of", ["best"]),
        ("我们best的茶", ["best"]),
        ("best,best", ["best", "best"]),
        ("b e s t tea", ["b e s t"]),
        ("b.e.s.t", ["b.e.s.t"]),
        ("b-e-s-t", ["b-e-s-t"]),
        ("be st", []),
        ("b est", []),
        ("b\ne\ns\nt", []),
        ("Ｂｅｓｔ", ["Ｂｅｓｔ"]),
        ("b\u0435st", ["b\u0435st"]),
        ("be\u0301st", ["be\u0301st"]),
        ("be\u200bst", ["be\u200bst"]),
        ("", []),
        ("🌸", []),
    ],
)
def test_a_latin_term_stands_for_itself_as_a_whole_word(text: str, words: list[str]) -> None:
    assert found(text, {"terms": ["best"]}) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("risk free", ["risk free"]),
        ("risk-free", ["risk-free"]),
        ("Riskfree", ["Riskfree"]),
        ("risk   free", ["risk   free"]),
        ("risk, then free", []),
        ("no asterisk free", []),
    ],
)
def test_separators_of_a_term_may_differ(text: str, words: list[str]) -> None:
    assert found(text, {"terms": ["risk free"]}) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("国家级品牌", ["国家级"]),
        ("国 家 级", ["国 家 级"]),
        ("国.家.级", ["国.家.级"]),
        ("国，家，级", ["国，家，级"]),
        ("国🌸家🌸级", ["国🌸家🌸级"]),
        ("国家 级", ["国家 级"]),
        ("国家，级别", []),
        ("爱国。家级", []),
        ("國家級", ["國家級"]),
        ("国\n家\n级", []),
        ("国     家     级", []),
    ],
)
def test_a_term_split_on_purpose_is_still_found(text: str, words: list[str]) -> None:
    assert found(text, {"terms": ["国家级"]}) == words


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("顶 级护肤", True),
        ("顶*级", True),
        ("真的顶 级！", True),
        ("屋顶 级别高", False),
        ("屋顶，级别高", False),
        ("屋顶🌸级别高", False),
    ],
)
def test_two_words_beside_each_other_are_not_a_split_term(text: str, is_found: bool) -> None:
    assert bool(found(text, {"terms": ["顶级"]})) is is_found


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("蕞好的面膜", "蕞好"),
        ("醉好", "醉好"),
        ("嘴好", "嘴好"),
        ("zui好", "zui好"),
        ("最hao", "最hao"),
        ("zuì好", "zuì好"),
        ("ZUI HAO的", "ZUI HAO"),
        ("zuihao", "zuihao"),
        ("最女子", "最女子"),
        ("最好", "最好"),
    ],
)
def test_what_sounds_like_a_term_is_found(text: str, word: str) -> None:
    assert found(text, {"terms": ["最好"], "homophones": True}) == [word]


@pytest.mark.parametrize(
    "text",
    ["喝醉好难受", "犯罪好处", "azuihao", "zuihaox", "最后", "好最", "为了好", "罪恶好人", "我zuihaox", "追好剧"],
)
def test_ordinary_words_are_not_taken_for_sound_alikes(text: str) -> None:
    assert found(text, {"terms": ["最好"], "homophones": True}) == []


def test_sound_alikes_are_only_found_where_asked_for() -> None:
    assert found("蕞好", {"terms": ["最好"]}) == []


@pytest.mark.parametrize(("term", "other"), [("第一", "第1"), ("第一", "d一"), ("顶级", "顶j"), ("顶级", "丁页级")])
def test_a_term_has_other_spellings(term: str, other: str) -> None:
    assert other in {text for text, _ in variants(term)}


@pytest.mark.parametrize("term", ["好", "best", "no1", "", "第1"])
def test_terms_not_wholly_chinese_have_no_other_spellings(term: str) -> None:
    assert list(variants(term)) == []


def test_a_numeral_is_never_replaced_by_its_sound() -> None:
    assert not {"弟一起", "地一"} & {text for text, _ in variants("第一")}
    assert all("一" in text for text, place in variants("第一") if place is not None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("最好的自己", []),
        ("最好的面膜", ["最好"]),
        ("做最好的自己，用最好的面膜", ["最好"]),
        ("《最好的我们》", []),
    ],
)
def test_a_hit_inside_an_allowed_compound_is_none(text: str, words: list[str]) -> None:
    assert found(text, {"terms": ["最好"], "allow": ["最好的自己", "/《[^》]{1,20}》/"]}) == words


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("推荐，由医生。", True), ("推荐。医生下班了", False), ("医生\n推荐", False), ("推荐给大家", False)],
)
def test_required_words_stand_in_the_same_sentence(text: str, is_found: bool) -> None:
    assert bool(found(text, {"terms": ["推荐"], "near": ["医生"]})) is is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("拒绝赌博", False), ("拒绝。赌博", True), ("赌博，拒绝！", False), ("拒绝烟草\n赌博", True)],
)
def test_an_exception_reaches_as_far_as_its_sentence(text: str, is_found: bool) -> None:
    assert bool(found(text, {"terms": ["赌博"], "unless": ["拒绝"]})) is is_found


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        (("口红", "链接"), 0),
        (("#广告 口红", "链接"), 0),
        (("口红 链接",), 0),
        (("口红",), 0),
        (("口红 二维码",), 1),
        (("口红", "二维码"), 1),
        (("#广告 口红", "二维码"), 0),
    ],
)
def test_words_may_be_asked_of_the_whole_draft(parts: tuple[str, ...], count: int) -> None:
    match = {"terms": ["口红"], "text": ["二维码"], "unless_text": ["#广告"]}
    assert len(hits(parts, rule(match))) == count


def test_each_part_has_spans_of_its_own() -> None:
    one, two = hits(("一二最好", "最好"), rule({"terms": ["最好"]}))
    assert [(one.part, one.start, one.end), (two.part, two.start, two.end)] == [(0, 2, 4), (1, 0, 2)]


@pytest.mark.parametrize(
    ("facts", "is_found"),
    [
        ({"paid": True}, True),
        ({"paid": False}, False),
        ({"paid": 1}, False),
        ({}, False),
        ({"paid": True, "label": "ad"}, False),
        ({"paid": True, "label": None}, True),
        ({"paid": True, "proof": True}, False),
    ],
)
def test_facts_decide(facts: Mapping[str, Any], is_found: bool) -> None:
    match = {"terms": ["口红"], "facts": {"paid": True, "label": [None, "none"]}, "unless_facts": {"proof": True}}
    assert bool(found("口红", match, facts=facts)) is is_found


def test_a_field_of_the_context_is_a_fact_too() -> None:
    match = {"facts": {"ai_generated": True}}
    assert [(hit.start, hit.end) for hit in hits("任何话", rule(match), ai_generated=True)] == [(0, 0)]
    assert hits("任何话", rule(match), ai_generated=False) == []
    assert hits("任何话", rule(match), ai_generated=True, facts={"ai_generated": False}) == []


def test_a_case_about_the_whole_hits_once() -> None:
    cases = [{"facts": {"ai_generated": True}}, {"facts": {"relationship": "paid"}}]
    assert len(hits(("一", "二"), rule({"cases": cases}), ai_generated=True, relationship="paid")) == 1


@pytest.mark.parametrize(("industry", "count"), [("cosmetics", 1), ("food", 0), ("medical", 0), ("", 1)])
def test_a_case_may_concern_some_industries_only(industry: str, count: int) -> None:
    assert len(found("消炎", {"terms": ["消炎"], "industries": ["cosmetics", ""]}, industry=industry)) == count
    others = {"terms": ["消炎"], "not_industries": ["food", "medical"]}
    assert len(found("消炎", others, industry=industry)) == count


def test_a_rule_that_speaks_last_yields_to_others() -> None:
    late = rule({"terms": ["项目"], "last": True}, "LATE", severity="review")
    first = rule({"terms": ["根治"]}, "FIRST")
    note = rule({"terms": ["光子"]}, "NOTE", severity="note")
    assert [hit.rule for hit in hits("光子项目", late, first, note)] == ["NOTE", "LATE"]
    assert [hit.rule for hit in hits("项目根治", late, first, note)] == ["FIRST"]


def test_cases_say_their_own_words() -> None:
    cases = [
        {"terms": ["最好"], "replace": {"最好": "很好"}},
        {"terms": ["首发"], "severity": "review", "message": "When?", "citation": "Art. 6", "fix": "Add the date."},
        {"terms": ["国家级"], "replace": ""},
    ]
    got = hits("最 好的首发，国家级", rule({"cases": cases}, fix="Change it."))
    by_start = sorted(got, key=lambda hit: hit.start)
    assert [(hit.severity, hit.replacement, hit.fix) for hit in by_start] == [
        (Severity.BLOCK, "很好", "Change it."),
        (Severity.REVIEW, None, "Add the date."),
        (Severity.BLOCK, "", "Change it."),
    ]
    assert (by_start[1].message, by_start[1].citation) == ("When?", "Art. 6")


def test_lists_above_the_cases_count_for_each() -> None:
    match = {"unless": ["禁止"], "cases": [{"terms": ["赌博"]}, {"terms": ["色情"], "unless": ["举报"]}]}
    assert found("禁止赌博和色情", match) == []
    assert found("举报赌博和色情", match) == ["赌博"]


def test_of_overlapping_hits_the_longest_is_told() -> None:
    assert found("国家级品牌", {"terms": ["国家", "国家级", "级"]}) == ["国家级"]


@pytest.mark.parametrize(
    ("long", "short", "told"),
    [
        ("review", "block", "block"),
        ("note", "review", "review"),
        ("note", "block", "block"),
        ("block", "review", "block"),
        (None, "note", "review"),
        (None, "block", "block"),
    ],
)
def test_of_overlapping_hits_the_strictest_is_told(long: str | None, short: str, told: str) -> None:
    first = {"terms": ["国家级品牌"]} | ({"severity": long} if long else {})
    match = {"cases": [first, {"terms": ["国家级"], "severity": short}]}
    assert [hit.severity for hit in hits("国家级品牌", rule(match, severity="review"))] == [told]


def test_alternatives_are_spelt_out() -> None:
    assert spell_out("{全,本}网{最,第一}") == ["全网最", "全网第一", "本网最", "本网第一"]
    assert found("本网第一", {"terms": ["{全,本}网{最,第一}"]}) == ["本网第一"]
    assert found("本网第一名", {"terms": ["第一"], "allow": ["第一{名,次}"]}) == []


def test_patterns_read_folded_text() -> None:
    assert found("比 XX 医院 更好", {"patterns": ["比[^,。]{1,8}更好"]}) == ["比 XX 医院 更好"]
    assert found("Ｎｏ．１", {"patterns": [r"no\.1"]}) == ["Ｎｏ．１"]


@pytest.mark.parametrize("context", [{"jurisdictions": ("US",)}, {"platform": "x"}, {"today": date(2020, 1, 1)}])
def test_a_rule_out_of_scope_is_silent(context: Mapping[str, Any]) -> None:
    scoped = rule({"terms": ["最好"]}, jurisdictions=["CN"], platforms=["telegram"], valid_from="2021-01-01")
    fitting = {"jurisdictions": ("CN",), "platform": "telegram", "today": date(2026, 1, 1)}
    assert hits("最好", scoped, **fitting)
    assert not hits("最好", scoped, **(fitting | context))


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ({}, "non-empty"),
        ({"words": ["a"]}, "words"),
        ({"terms": "a"}, "array"),
        ({"terms": [""]}, "non-empty"),
        ({"terms": ["!!"]}, "no letter"),
        ({"terms": ["a"], "allow": ["…"]}, "no letter"),
        ({"terms": ["a"], "severity": "fatal"}, "severity"),
        ({"cases": []}, "non-empty"),
        ({"cases": [{"cases": [{"terms": ["a"]}]}]}, "cases"),
        ({"patterns": ["a+"]}, "bound every repeat"),
        ({"patterns": ["a*b"]}, "bound every repeat"),
        ({"patterns": ["a{2,}"]}, "bound every repeat"),
        ({"patterns": ["(a{1,5}){1,5}"]}, "repeat inside a repeat"),
        ({"patterns": ["(a?b{0,3}){2,4}c"]}, "repeat inside a repeat"),
        ({"patterns": [r"(a)\1"]}, "references"),
        ({"patterns": ["(a"]}, "unterminated"),
        ({"patterns": ["a{0,3}"]}, "matches nothing"),
        ({"patterns": ["|a"]}, "matches nothing"),
        ({"patterns": ["[ab]{0,90}[ab]{0,90}c"]}, "too many ways"),
        ({"patterns": ["a" * 601]}, "too long"),
        ({"patterns": ["最，好"]}, "never stands in folded text"),
        ({"patterns": ["Best"]}, "never stands in folded text"),
        ({"terms": ["a"], "unless": ["/a+/"]}, "bound every repeat"),
        ({"terms": ["a"], "near": ["/Best/"]}, "never stands in folded text"),
    ],
)
def test_a_rule_that_could_not_work_or_be_slow_is_refused(match: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(BadPack, match=reason):
        check_match(match)


# Few ways in one round, and beyond counting in a hundred.
ROUNDS = ["(?:a|aa){1,100}x", r"(?:\w\w?){1,100}x", "((ab|a)(b|)){1,50}c", "(a|a)(a|a)(a|a){1,20}x"]


@pytest.mark.parametrize("pattern", ["(a|aa|ab){1,3}" * 8, "(a|a|a)" * 20, "(a|ab?)" * 14, "a?" * 40 + "b", *ROUNDS])
def test_alternatives_that_multiply_are_refused(pattern: str) -> None:
    with pytest.raises(BadPack):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(best|worst) [a-z]{1,20}", "(?<![a-z])#1(?!\\d)", "第[一1](名|位)?", "比[^,]{0,20}好"]
)
def test_plain_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "anchors"),
    [
        ("比[^,]{0,9}更好", {"更好"}),
        ("(顶级|最佳)的?", {"顶级", "最佳"}),
        ("(最好|最佳)的?", {"最"}),
        ("[ab]x{0,3}", {"a", "b"}),
        (r"\d{1,3}%", {"%"}),
        (r"\d{1,3}", set()),
        ("(a|)b", {"b"}),
        ("a?", set()),
        (", ", set()),
    ],
)
def test_a_pattern_is_only_read_where_an_anchor_was_found(pattern: str, anchors: set[str]) -> None:
    assert anchors_of(pattern) == anchors


PIECES = [
    "最好",
    "顶级",
    "国家级",
    "best",
    "risk free",
    "比别家更好",
    "今天",
    " ",
    "，",
    "the",
    "🌸",
    "x1",
    "蕞好",
    "。",
]
RULES = RuleSet(
    [
        rule({"terms": ["最好", "顶级", "国家级"], "homophones": True}, "ZH"),
        rule({"terms": ["best", "risk free"]}, "EN"),
        rule({"patterns": ["比[^,。]{0,6}更好"]}, "RE"),
    ]
)


def rules_hit(text: str) -> list[str]:
    return sorted(hit.rule for hit in ENGINE.check(Draft.of(text), Context(), RULES).hits)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.data())
def test_unseen_characters_never_hide_a_hit(text: str, data: st.DataObject) -> None:
    stuffed = "".join(char + data.draw(st.sampled_from(["", *UNSEEN])) for char in text)
    assert rules_hit(stuffed) == rules_hit(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join))
def test_every_hit_lies_inside_the_text_and_is_one_alone(text: str) -> None:
    for hit in ENGINE.check(Draft.of(text), Context(), RULES).hits:
        assert 0 <= hit.start < hit.end <= len(text)
        if hit.rule == "ZH":
            assert "ZH" in rules_hit(f"。{text[hit.start : hit.end]}。")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_shipped_rules_answer_any_text(text: str) -> None:
    answer = ENGINE.check(Draft.of(text), Context(jurisdictions=("CN", "US", "EU", "UK")), shipped_rules())
    assert all(0 <= hit.start <= hit.end <= len(text) for hit in answer.hits)


def test_one_matcher_serves_a_rule_set() -> None:
    rules = RuleSet([rule({"terms": ["最好"]})])
    assert matcher_for(rules, "phrases") is matcher_for(rules, "phrases")
    assert matcher_for(rules, "phrases") is not matcher_for(RuleSet(rules.rules), "phrases")


def test_no_rules_find_nothing() -> None:
    assert hits("最好") == []


def test_the_pass_alone_counts_what_it_finds() -> None:
    rules = RuleSet([rule({"terms": ["最好", "好"]})])
    assert automaton_pass("最好的好", rules) == 3


@pytest.mark.parametrize(
    "text",
    [
        "我们追求做到最好，本店护理手法最专业，热玛吉做完保证年轻十岁，研究表明95%的用户回购。" * 12,
        "今天天气很好，我们去公园散步，看到许多花开了，孩子们在草地上奔跑，大家都很开心。" * 13,
        "Clinically proven, the best in the world, guaranteed results in ten days for you. " * 6,
        "最" * 500,
        "a" * 500,
        "比" * 250 + "更" * 250,
        "1%" * 250,
    ],
)
def test_five_hundred_characters_take_few_milliseconds(text: str) -> None:
    draft, context = (
        Draft.of(text[:500]),
        Context(jurisdictions=("CN", "US", "UK", "EU"), industry="medical_aesthetics"),
    )
    took = []
    for _ in range(15):
        began = process_time()
        ENGINE.check(draft, context, shipped_rules())
        took.append(process_time() - began)
    assert min(took) < 0.008


def test_a_text_of_nothing_but_hits_takes_no_longer_than_its_length() -> None:
    text = "bad " * 6000
    began = process_time()
    assert len(hits(text, rule({"terms": ["bad"]}))) == 6000
    assert process_time() - began < 1


@given(st.lists(st.sampled_from(["ab", "b", "bcd", "d", "abcd", "x"]), min_size=1, max_size=30))
def test_hits_of_one_rule_never_overlap(pieces: list[str]) -> None:
    text = "".join(pieces)
    spans = sorted((hit.start, hit.end) for hit in hits(text, rule({"terms": ["ab", "bc", "bcd", "abcd", "d"]})))
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
