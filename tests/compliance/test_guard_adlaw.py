import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compliance.guard.engines.claims import ClaimsEngine
from compliance.guard.engines.phrases import PhrasesEngine, check_match
from compliance.guard.pipeline import check
from compliance.guard.port import Context, Decision, Draft, Severity, Verdict
from compliance.guard.rules import Rule, shipped_rules
from tests.compliance.guard_adlaw_rows import ROWS

TODAY = date(2026, 11, 21)
ENGINES = (PhrasesEngine(), ClaimsEngine())
RULES = shipped_rules()
WORDED = [rule for rule in RULES.rules if rule.engine in {"phrases", "claims"}]
CHINESE = [rule for rule in WORDED if rule.pack.startswith("cn_")]
# Ask for a look at what the law leaves to evidence, where nothing else is wrong.
LOOKS = {"MB-REVIEW", "COS-EVID"}
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "agents" / "adlaw_cn" / "ads.jsonl"
VERDICTS = ("allow", "review", "block")


def judge(text: str, industry: str = "cosmetics", facts: dict[str, Any] | None = None, **context: Any) -> Decision:
    given = {"jurisdictions": ("CN",), "today": TODAY} | context
    return check(Draft.of(text), Context(industry=industry, facts=facts or {}, **given), RULES, ENGINES)


def words_hit(text: str, rule: str, **context: Any) -> list[str]:
    return [text[hit.start : hit.end] for hit in judge(text, **context).hits if hit.rule == rule]


def pack_rows() -> dict[tuple[str, str], dict[str, str]]:
    """Rows of all rules of the Chinese packs, joined by text and context: each names every rule that must speak."""
    joined: dict[tuple[str, str], dict[str, str]] = {}
    for rule in CHINESE:
        for row in rule.tests:
            key = (row["text"], json.dumps(row["context"], sort_keys=True))
            wanted = joined.setdefault(key, {})
            if row["verdict"] != "allow" and row.get("hit", True):
                wanted[rule.id] = row["verdict"]
    return joined


PACK_ROWS = pack_rows()


@pytest.mark.parametrize(("text", "data"), PACK_ROWS, ids=[text[:12] for text, _ in PACK_ROWS])
def test_each_row_of_the_packs_breaks_these_rules_and_no_others(text: str, data: str) -> None:
    wanted = PACK_ROWS[text, data]
    context = json.loads(data)
    if "today" in context:
        context["today"] = date.fromisoformat(context["today"])
    decision = judge(text, **(context | {"jurisdictions": tuple(context["jurisdictions"])}))
    assert decision.rules - LOOKS == set(wanted) - LOOKS
    if not decision.rules & LOOKS:
        assert decision.verdict == max([*wanted.values(), "allow"], key=VERDICTS.index)


def test_the_packs_bring_many_rows_of_their_own() -> None:
    verdicts = Counter(max([*wanted.values(), "allow"], key=VERDICTS.index) for wanted in PACK_ROWS.values())
    assert len(PACK_ROWS) >= 150
    assert min(verdicts["block"], verdicts["allow"]) >= 60


@pytest.mark.parametrize(("text", "industry", "facts", "verdict", "rules"), ROWS, ids=[row[0][:12] for row in ROWS])
def test_each_wording_breaks_these_rules_and_no_others(
    text: str, industry: str, facts: dict[str, Any], verdict: str, rules: str
) -> None:
    decision = judge(text, industry, facts)
    assert (decision.verdict, decision.rules) == (verdict, frozenset(rules.split()))


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared rows are not here")
def test_the_shared_rows_are_answered_as_well_as_promised() -> None:
    rows = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    answers = [(row, judge(row["text"], row["industry"], row["context"])) for row in rows]
    blocks = [answer.verdict == "block" for row, answer in answers if row["decision"] == "block"]
    allows = [answer.verdict == "block" for row, answer in answers if row["decision"] == "allow"]
    exact = [answer.rules - LOOKS == set(row["rules"]) for row, answer in answers]
    assert sum(blocks) / len(blocks) >= 0.97
    assert sum(allows) / len(allows) <= 0.02
    assert sum(exact) / len(exact) >= 0.95


@pytest.mark.parametrize("rule", WORDED, ids=[rule.id for rule in WORDED])
def test_each_rule_is_well_formed_and_brings_rows(rule: Rule) -> None:
    check_match(rule.match)
    assert {row["verdict"] for row in rule.tests} >= {"allow"}
    assert {row["verdict"] for row in rule.tests} & {"review", "block"}


@pytest.mark.parametrize("rule", CHINESE, ids=[rule.id for rule in CHINESE])
def test_each_chinese_rule_is_dated_and_says_its_law(rule: Rule) -> None:
    assert rule.jurisdictions == {"CN"}
    assert any("\u4e00" <= char <= "\u9fff" for char in rule.citation)
    assert rule.valid_from is not None


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("这是最好的面膜，也是顶级的", "AL9.3", ["最好", "顶级"]),
        ("蕞好的医美医院", "AL9.3", ["蕞好"]),
        ("使用顶jí护理", "AL9.3", ["顶jí"]),
        ("这里有最🌟先🌟进的光电设备", "AL9.3", ["最🌟先🌟进"]),
        ("面霜能除螨止痒", "COS43", ["除螨", "止痒"]),
        ("中南海特供面膜", "AL9.2", ["中南海特供"]),
        ("面霜全国\u200b第\u200b一", "AL9.3", ["全国\u200b第\u200b一"]),
    ],
)
def test_a_hit_names_the_word_and_not_the_sentence(text: str, rule: str, words: list[str]) -> None:
    assert words_hit(text, rule) == words


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("最好的面膜", "很好的面膜"),
        ("顶级护肤", "优质护肤"),
        ("独一无二的香味", "独特的香味"),
        ("最专业的店", "专业的店"),
    ],
)
def test_swapping_the_word_settles_the_hit(text: str, mended: str) -> None:
    (hit,) = judge(text).hits
    assert hit.replacement is not None
    assert text[: hit.start] + hit.replacement + text[hit.end :] == mended
    assert judge(mended).verdict == "allow"


GUIDELINE = [
    ("5(1)", "我们的经营理念是把服务做到最好", "我们的服务最好"),
    ("5(2)", "目标是成为行业第一", "我们是行业第一"),
    ("5(3)", "祝你遇见最好的自己", "遇见最好的面霜"),
    ("6(1)", "全系列中最清爽的一款", "市面上最清爽的一款"),
    ("6(2)", "最佳使用时间为睡前", "最佳美白面霜"),
    ("6(3)", "执行GB/T 23347，等级为特级", "特级护肤享受"),
    ("6(4)", "“顶级时光”（注册商标）香皂", "顶级香皂"),
    ("6(5)", "入选国家级非物质文化遗产", "国家级护肤配方"),
    ("6(6)", "据尼尔森统计，2025年类目销量第一", "类目销量第一"),
    ("6(6)", "最新到货：豆沙色", "最新科技：豆沙色"),
]


@pytest.mark.parametrize(("article", "legal", "illegal"), GUIDELINE)
def test_exceptions_of_the_guideline_reach_no_further(article: str, legal: str, illegal: str) -> None:
    assert (article, judge(legal).verdict, judge(illegal).verdict) == (article, Verdict.ALLOW, Verdict.BLOCK)


TWISTS = [
    str,
    lambda text: text.replace("第一", "第①"),
    "\u200b".join,
    lambda text: text.replace("国", "國").replace("级", "級").replace("顶", "頂"),
    lambda text: f"✨{text}✨",
    lambda text: f"大家好！{text}！快来看",
]


@pytest.mark.parametrize("twist", range(len(TWISTS)))
@pytest.mark.parametrize(
    "text", ["国家级护肤", "全网第一面霜", "顶级面膜", "最好的口红", "独一无二的香氛", "史上最强遮瑕"]
)
def test_dressing_a_claim_up_does_not_hide_it(text: str, twist: int) -> None:
    assert judge(TWISTS[twist](text)).verdict == "block"


@pytest.mark.parametrize("jurisdictions", [(), ("US",), ("EU", "UK")])
def test_chinese_law_is_asked_in_china_only(jurisdictions: tuple[str, ...]) -> None:
    assert judge("国家级护肤品牌", jurisdictions=jurisdictions).verdict == "allow"
    assert judge("国家级护肤品牌", jurisdictions=("CN", *jurisdictions)).verdict == "block"


@pytest.mark.parametrize(
    ("rule", "text", "industry", "others"),
    [
        ("AL16.1", "零风险隆鼻", "medical_aesthetics", "cosmetics"),
        ("AL17", "消炎止痒", "cosmetics", "medical"),
        ("AL18", "预防癌症", "supplement", "cosmetics"),
        ("AL24", "考前押题班", "education", "cosmetics"),
        ("AL26", "十年必涨", "real_estate", "cosmetics"),
        ("COS43", "药妆面霜", "cosmetics", "food"),
        ("MB-ANX", "颜值就是正义", "medical_aesthetics", "cosmetics"),
    ],
)
def test_rules_of_a_trade_stay_in_it(rule: str, text: str, industry: str, others: str) -> None:
    assert rule in judge(text, industry).rules
    assert rule not in judge(text, others).rules


@pytest.mark.parametrize(
    ("today", "rules"), [(date(2025, 8, 31), frozenset()), (date(2025, 9, 1), frozenset({"AI-LABEL"}))]
)
def test_the_label_for_ai_is_asked_from_its_day_on(today: date, rules: frozenset[str]) -> None:
    assert judge("新品上架", facts={"ai_generated": True, "label": None}, today=today).rules == rules


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"has_purchase_link": True, "paid": True}, "block"),
        ({"paid": True}, "block"),
        ({"has_purchase_link": True}, "block"),
        ({"has_purchase_link": True, "paid": False}, "review"),
        ({"has_purchase_link": False, "paid": False}, "allow"),
        ({}, "allow"),
    ],
)
def test_what_sells_is_marked_as_an_advertisement(facts: dict[str, Any], verdict: str) -> None:
    assert judge("这支口红我回购三次", facts=facts).verdict == verdict
    assert judge("#广告 这支口红我回购三次", facts=facts).verdict == "allow"


@pytest.mark.parametrize(
    ("text", "has_cert", "rules"),
    [
        ("皮秒体验价199元", False, "MB1"),
        ("皮秒体验价199元", True, "MB-REVIEW"),
        ("皮秒体验价199元", None, "MB-REVIEW"),
        ("零风险的皮秒", None, "AL16.1"),
        ("皮秒属于医疗美容项目，请到正规医疗机构咨询医生", False, ""),
    ],
)
def test_medical_beauty_is_looked_at_unless_it_is_worse(text: str, has_cert: bool | None, rules: str) -> None:
    assert judge(text, "medical_aesthetics", {"has_review_cert": has_cert}).rules == frozenset(rules.split())


@pytest.mark.parametrize(
    "text",
    [
        "敏感肌建议先在耳后试用，如有不适请停止使用并就医",
        "湿疹患者慎用，避开伤口",
        "周末市集在老街举行，欢迎来逛",
        "新店地址：人民路一号，最近的地铁站是二号线",
        "今年第一场雪，记得涂护手霜",
        "我们把包装做得更轻，运费也更低",
        "买两支送一支，数量有限",
        "她最喜欢豆沙色，我最常用裸色",
        "顶部喷头可拆卸，底部防滑",
        "一级棒的天气，适合出门走走",
        "秋天第一杯奶茶，配上新口红",
        "全场最高减80元，最低29元起",
        "客服最晚回复时间为晚上十点",
        "本周唯一休息日是周一",
        "如需退货，请在七天内联系我们",
        "绝对不是所有人都适合浓香，可以先闻香",
        "冠军书单和口红一起寄出",
        "首页活动已更新，点开看看",
        "国家图书馆旁的小店开业了",
        "治愈系插画，手绘包装",
    ],
)
def test_ordinary_talk_of_a_shop_is_left_alone(text: str) -> None:
    assert judge(text).verdict == "allow", judge(text).hits


def test_a_review_asks_and_a_block_stops() -> None:
    decision = judge("采用专利技术的最好面霜")
    assert {(hit.rule, hit.severity) for hit in decision.hits} == {
        ("AL12", Severity.REVIEW),
        ("AL9.3", Severity.BLOCK),
    }
    assert [hit.rule for hit in decision.blocking] == ["AL9.3"]
