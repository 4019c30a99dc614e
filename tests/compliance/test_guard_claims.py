from typing import Any

import pytest

from compliance.guard.engines.claims import ClaimsEngine
from compliance.guard.engines.phrases import PhrasesEngine
from compliance.guard.port import Context, Draft
from compliance.guard.rules import shipped_rules

CLAIMS, PHRASES = ClaimsEngine(), PhrasesEngine()


def rules_hit(text: str, *jurisdictions: str, engine: Any = CLAIMS, **context: Any) -> set[str]:
    given = Context(jurisdictions=jurisdictions or ("US", "UK", "EU"), **context)
    return {hit.rule for hit in engine.check(Draft.of(text), given, shipped_rules()).hits}


ENGLISH = {
    "CL-BEST": [
        "Our serum is the best in the world",
        "The #1 hair oil",
        "Voted number one brand in the UK",
        "Get the cheapest flights on the market",
        "the world's most advanced toothbrush",
        "Better than Dyson's",
        "We outperform all competitors",
        "Unrivalled comfort, second to none",
        "Longer-lasting than any other battery",
        "The T.H.E #1",
    ],
    "CL-HEALTH": [
        "Clinically tested formula",
        "Scientifically proven to relax",
        "FDA-approved gummies",
        "Lose 10 lbs in a week!",
        "Doctors recommend our mattress",
        "Dentist-approved toothpaste",
        "Look 10 years younger",
        "Detoxes your liver",
        "No side effects",
        "boost your immunity",
        "cl\u200binically pro\u200bven",
    ],
    "CL-SURE": [
        "Guaranteed weight loss",
        "Results guaranteed",
        "100% risk free trial",
        "100 % safe",
        "works instantly",
        "A miracle in a jar",
    ],
    "CL-FIGURE": [
        "97% of customers agree",
        "9 out of 10 dentists recommend it",
        "Scientists prove it works",
        "three times faster than before",
        "A new study shows it lasts",
        "Trusted by 20,000 teams",
    ],
    "CL-GREEN": [
        "Eco-friendly packaging",
        "Carbon neutral shipping",
        "A climate-positive burger",
        "Zero-waste refill",
        "100% recycled",
    ],
}


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in ENGLISH.items() for text in texts])
def test_a_claim_without_proof_asks_for_a_look(rule: str, text: str) -> None:
    assert rule in rules_hit(text)


@pytest.mark.parametrize("facts", [{"sources": ["https://example.com/study"]}, {"proof": True}])
@pytest.mark.parametrize("text", [texts[0] for texts in ENGLISH.values()])
def test_proof_on_file_settles_it(text: str, facts: dict[str, Any]) -> None:
    assert rules_hit(text, facts=facts) == set()


@pytest.mark.parametrize("facts", [{"sources": []}, {"proof": False}, {"proof": "maybe"}, {}])
def test_no_proof_is_no_proof(facts: dict[str, Any]) -> None:
    assert rules_hit("97% of customers agree", facts=facts) == {"CL-FIGURE"}


@pytest.mark.parametrize("jurisdiction", ["US", "UK", "GB", "EU"])
def test_each_market_with_such_a_law_is_asked(jurisdiction: str) -> None:
    assert rules_hit("97% of customers agree", jurisdiction) == {"CL-FIGURE"}


@pytest.mark.parametrize("jurisdiction", ["CN", "JP", "BR"])
def test_other_markets_are_not(jurisdiction: str) -> None:
    assert rules_hit("97% of customers agree", jurisdiction) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Our new summer roast is back in stores on Friday",
        "Best regards from the team",
        "We are number 10 on the street; page 1 of 3",
        "Thanks to 500 followers!",
        "The study room opens at 9",
        "Winner of the 2025 Good Food Award",
        "Half price until Sunday, 20% off everything",
        "A 30-day money-back guarantee",
        "We cannot guarantee results",
        "Made of 100% cotton",
        "Ask your doctor before use",
        "The only way is up",
        "Leading the way: our founder's story",
        "She is better than yesterday",
        "Green tea, green shop, green door",
        "According to Eurostat (2025), 93% of people own a phone",
        "Clinically proven (source: our trial of 2025, n=120)",
        "Carbon neutral, certified by the Carbon Trust",
        "Order #12 has shipped",
        "Natural light in the studio",
    ],
)
def test_ordinary_talk_is_left_alone(text: str) -> None:
    assert rules_hit(text) == set()
    assert rules_hit(text, engine=PHRASES) == set()


@pytest.mark.parametrize(
    ("text", "is_cure"),
    [
        ("This tea cures diabetes", True),
        ("Heals arthritis, fights cancer", True),
        ("A miracle cure for your back", True),
        ("Throw away your insulin", True),
        ("c.u.r.e.s cancer", False),
        ("CURES CANCER", True),
        ("Not intended to diagnose, treat, cure or prevent any disease", False),
        ("We donate until somebody cures cancer", False),
        ("Cured ham, healing tea, a treat for dogs", False),
        ("There is no product that cures autism", False),
    ],
)
def test_no_product_cures_disease(text: str, is_cure: bool) -> None:
    assert ("CL-CURE" in rules_hit(text, engine=PHRASES)) is is_cure


@pytest.mark.parametrize(
    "text",
    [
        "研究表明，九成人卸妆不彻底",
        "95%的用户愿意回购",
        "年销突破300万支",
        "销量突破三百万",
        "第三方实验室测试：保湿8小时",
        "据不完全统计，多数人选错色号",
        "经临床验证的保湿力",
        "复购率高达87%",
        "保湿力提升3倍",
        "权威机构检测显示持久12小时",
    ],
)
def test_quoted_data_in_china_names_its_source(text: str) -> None:
    assert rules_hit(text, "CN", industry="cosmetics") == {"AL11.2"}
    assert rules_hit(f"{text}，数据来源：中国消费者协会2025年报告", "CN", industry="cosmetics") == set()
    assert rules_hit(text, "CN", industry="cosmetics", facts={"proof": True}) == set()


@pytest.mark.parametrize(
    "text",
    [
        "烟酰胺浓度为5%",
        "全场8折，满200减30",
        "第3支半价",
        "保湿8小时",
        "2026年新品",
        "欢迎参与问卷调查",
        "100%纯棉",
        "预付50%定金",
    ],
)
def test_figures_that_quote_nobody_need_no_source(text: str) -> None:
    assert rules_hit(text, "CN", industry="cosmetics") == set()


def test_a_source_named_without_proof_on_file_is_looked_at() -> None:
    text = "2025年销量第一（数据来源：生意参谋）"
    assert rules_hit(text, "CN", facts={"proof": False}) == {"AL11.2"}
    assert rules_hit(text, "CN") == set()
