import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.guard import Context, Decision, Draft, check
from compliance.guard.engines.disclosure import DisclosureEngine, check_match
from compliance.guard.port import Disclosure, Severity
from compliance.guard.rules import BadPack, shipped_rules

VECTORS = Path(__file__).resolve().parents[3] / "shared/vectors/agents/disclosure/disclosure.jsonl"
TODAY = date(2026, 11, 21)
CAPTION = "the lake was still and we paddled out before breakfast, then came back for coffee and a long swim near home "


def ask(text: str | tuple[str, ...], **context: Any) -> Decision:
    draft = Draft((text,) if isinstance(text, str) else text)
    return check(draft, Context(**({"today": TODAY} | context)), shipped_rules(), [DisclosureEngine()])


def state(text: str | tuple[str, ...], market: str, relationship: str = "paid", **more: Any) -> str | None:
    more = {"platform": "instagram"} | more
    return ask(text, jurisdictions=(market,), relationship=relationship, **more).disclosure


def table() -> Iterator[tuple[str, str, str, str]]:
    """Market, relationship, wanted, text."""
    for market, relationship, wanted, texts in ROWS:
        for text in texts.strip().splitlines():
            yield market, relationship, wanted, text.strip()


ROWS = [
    (
        "US",
        "paid",
        "ok",
        """
        #advertisement Out on the lake with @oar
        #sponsored my boat, my rules
        Advertisement: out on the lake
        @oar paid me to try this canoe
        (AD) out on the lake
        ad | out on the lake
        This post is sponsored by Oar.
        This video is a paid promotion for Oar
        Thanks to Oar for sponsoring this video
        #paidpartnership out on the lake
        [Sponsored] out on the lake
        ✨ #ad ✨ out on the lake
        I'm being paid by Oar to say this
        Out on the lake with @oar #ad
        Oar sponsored this post
        ＃ad out on the lake
        """,
    ),
    (
        "US",
        "paid",
        "ambiguous",
        """
        #sp out on the lake
        #partner @oar out on the lake
        #ambassador out on the lake
        Partnering with @oar on the lake
        In collaboration with @oar
        #promo out on the lake
        Brought to you by Oar
        #gifted out on the lake
        Teamed up with @oar
        thank you @oar 💛 what a day
        #sponcon what a day
        """,
    ),
    (
        "US",
        "paid",
        "missing",
        """
        Out on the lake with @oar, use code OAR10
        Obsessed with my @oar canoe
        Not an ad, I simply love this boat
        No ad here: I simply love this boat
        Best canoe ever. Link in bio
        My iPad, my dad and a nomad life
        Loading the boat, adding the paddles
        """,
    ),
    (
        "US",
        "paid",
        "buried",
        f"""
        {CAPTION * 2}#ad
        #lake #canoe #ad #oar love it
        Love this. Disclosure in bio
        Love it! (ad disclosure in comments)
        Love it, sponsorship details in my profile
        """,
    ),
    (
        "US",
        "gift",
        "ok",
        """
        Gifted by @oar
        I got this canoe free from @oar
        Received this complimentary from Oar
        #gifted by @oar, thoughts below
        PR gift: @oar sent this to me
        Thank you @oar for the free canoe!
        """,
    ),
    ("US", "gift", "missing", "My new canoe\nI love @oar canoes"),
    ("US", "gift", "ambiguous", "Thanks @oar! trying this today\n#prhaul today"),
    (
        "US",
        "affiliate",
        "ok",
        """
        I get a commission if you buy through my link
        #ad shop here oar.example/x
        I may earn a small commission from links
        Commissions earned: oar.example/x
        paid link: oar.example/x
        I make money when you buy using this link
        """,
    ),
    (
        "US",
        "affiliate",
        "ambiguous",
        "#affiliate oar.example/x\naffiliate link: oar.example/x\nShop my affiliate links",
    ),
    ("US", "affiliate", "missing", "Shop here oar.example/x\nGet 10% off with OAR10 oar.example/x"),
    (
        "US",
        "employee",
        "ok",
        """
        I work for Oar and love our canoe
        As an Oar employee, I use it daily
        Disclosure: I am an employee of Oar
        My employer Oar just launched a canoe
        #OarEmployee loving it
        I am on the Oar team
        I’m the founder of Oar
        """,
    ),
    ("US", "employee", "missing", "New canoe from Oar is out, so good\nEveryone should try it"),
    ("US", "employee", "ambiguous", "#employee love it\nOur new canoe is out!"),
    ("US", "own_brand", "not_required", "New canoe out now\nThanks to all who came"),
    ("US", "none", "not_required", "I love this canoe"),
    (
        "UK",
        "paid",
        "ok",
        """
        AD: out on the lake
        #advert out on the lake
        @oar #ad out on the lake
        Advertising – out on the lake
        AD / out on the lake with @oar
        """,
    ),
    (
        "UK",
        "paid",
        "ambiguous",
        """
        Sponsored by @oar: out on the lake
        #sponsored out on the lake
        In partnership with @oar
        In association with Oar
        #aff out on the lake
        Supported by Oar
        Funded by Oar
        #paid out on the lake
        """,
    ),
    ("UK", "paid", "buried", "Out on the lake with Oar. #ad\nsee my bio for ad disclosures"),
    ("UK", "paid", "missing", "out on the lake with @oar\nAdvent calendar on the lake"),
    ("UK", "gift", "ambiguous", "#gifted out on the lake\n@oar sent me this"),
    ("UK", "gift", "ok", "#ad gifted: out on the lake\nAd - gifted"),
    ("UK", "affiliate", "ok", "Ad: affiliate links below\nAd (affiliate link) shop"),
    ("UK", "affiliate", "ambiguous", "affiliate link: shop my boat\nI earn commission from this link"),
    (
        "CN",
        "paid",
        "ok",
        """
        【广告】这条小船不错
        广告：这条小船不错
        [广告]这条小船
        #广告#小船
        （广告）小船
        本文为广告，小船体验
        廣告｜小船體驗
        """,
    ),
    (
        "CN",
        "paid",
        "ambiguous",
        """
        推广｜小船
        赞助｜小船
        恰饭时间，小船
        #合作 小船
        感谢品牌方赠送的小船
        #ad 小船体验
        利益相关：小船
        """,
    ),
    ("CN", "paid", "missing", "小船好用，链接在评论\n这不是广告，小船真好\n这家广告公司的小船"),
    (
        "CN",
        "paid",
        "buried",
        "这条小船我用了一个月，清晨去湖里划两圈，秋天特别舒服，记得穿救生衣 #湖 #小船 #秋天 #广告",
    ),
    (
        "EU",
        "paid",
        "ok",
        "Werbung: neues Kanu\nPublicité - nouveau canoë\n#ad new canoe\nCollaboration commerciale avec Oar",
    ),
    ("EU", "paid", "missing", "Neues Kanu von @oar\nKeine Werbung: neues Kanu"),
    ("EU", "paid", "ambiguous", "#collab new canoe\nDanke @oar\nKooperation mit @oar"),
    ("DE", "paid", "ambiguous", "#ad neues Kanu\n#sponsoredby Oar neues Kanu"),
    ("DE", "paid", "ok", "Anzeige | neues Kanu"),
    ("FR", "paid", "ambiguous", "#ad nouveau canoë\nPartenariat avec Oar"),
    ("FR", "paid", "ok", "Publicité : nouveau canoë"),
    ("AU", "paid", "missing", "Out on the lake"),
    ("AU", "paid", "ok", "#ad Out on the lake"),
]


@pytest.mark.parametrize(("market", "relationship", "wanted", "text"), list(table()))
def test_label_is_judged_as_the_market_does(market: str, relationship: str, wanted: str, text: str) -> None:
    assert state(text, market, relationship) == wanted


@pytest.mark.parametrize(
    ("market", "wanted", "text", "facts"),
    [
        ("CN", "ok", "内容由AI生成：夏日海报", {}),
        ("CN", "ok", "夏日海报（AI 合成）", {}),
        ("CN", "ok", "夏日海报", {"label": "explicit"}),
        ("CN", "missing", "夏日海报", {"label": "implicit"}),
        ("CN", "missing", "夏日海报", {"label": None}),
        ("CN", "ambiguous", "AI辅助 夏日海报", {}),
        ("CN", "missing", "夏日海报，非AI生成", {}),
        ("EU", "ok", "Chat window opens with “You are talking to an AI.”", {}),
        ("EU", "missing", "Chat window opens with “Hello, this is Tom from support”", {}),
        ("EU", "missing", "Hello, I am Tom from support", {"chatbot": True}),
        ("EU", "ambiguous", "Hello, I am Tom, your assistant", {"chatbot": True}),
        ("EU", "ok", "Deepfake of our founder, visible label “AI-generated”", {}),
        ("EU", "missing", "Deepfake of our founder, no label", {}),
        ("EU", "missing", "Our founder speaks", {"deepfake": True}),
        ("EU", "ok", "Mit KI erzeugt: unsere Gründerin spricht", {"deepfake": True}),
        ("EU", "not_required", "Our founder speaks", {"deepfake": True, "artistic_exempt": True}),
        ("EU", "missing", "What the referendum means", {}),
        ("EU", "not_required", "What the referendum means", {"human_reviewed": True}),
        ("EU", "not_required", "Product copy drafted with AI", {}),
        ("EU", "not_required", "Great news: summer sale", {}),
        ("UK", "not_required", "Summer sale", {}),
        ("US", "not_required", "Summer sale", {}),
    ],
)
def test_what_a_machine_made_says_so(market: str, wanted: str, text: str, facts: dict[str, Any]) -> None:
    assert state(text, market, "own_brand", ai_generated=True, platform="web", facts=facts) == wanted


@pytest.mark.parametrize(
    ("market", "day", "text", "before"),
    [
        ("CN", date(2025, 9, 1), "夏日海报", "not_required"),
        ("EU", date(2026, 8, 2), "Deepfake of our founder", "not_required"),
    ],
)
def test_a_law_binds_from_its_day(market: str, day: date, text: str, before: str) -> None:
    asked: dict[str, Any] = {"relationship": "own_brand", "ai_generated": True, "platform": "web"}

    assert state(text, market, today=day, **asked) == "missing"
    assert state(text, market, today=date.fromordinal(day.toordinal() - 1), **asked) == before


def test_nothing_is_said_where_nothing_was_asked() -> None:
    decision = ask("Best canoe ever", jurisdictions=("US",), platform="instagram")

    assert decision.disclosure is None
    assert decision.hits == ()


def test_the_strictest_market_wins_and_each_has_its_hit() -> None:
    decision = ask("#ad neues Kanu", jurisdictions=("US", "DE", "CN"), relationship="paid", platform="instagram")

    assert decision.disclosure == Disclosure.AMBIGUOUS
    assert {hit.rule for hit in decision.hits} == {"DISC-DE-AD", "DISC-CN-AD"}


def test_the_general_duty_steps_back_where_a_market_has_its_own() -> None:
    assert {hit.rule for hit in ask("Kanu", jurisdictions=("US",), relationship="paid").hits} == {"DISC-US-PAID"}
    assert {hit.rule for hit in ask("Kanu", jurisdictions=("BR",), relationship="paid").hits} == {"DISC-AD"}


def test_paid_and_generated_owes_both() -> None:
    context = {"jurisdictions": ("EU",), "relationship": "paid", "ai_generated": True, "facts": {"deepfake": True}}

    assert ask("Our founder speaks", **context).rules == {"DISC-EU-AD", "DISC-EU-DEEPFAKE"}
    assert ask("Ad: our founder speaks", **context).rules == {"DISC-EU-DEEPFAKE"}
    assert ask("Ad: AI-generated: our founder speaks", **context).disclosure == Disclosure.OK


@pytest.mark.parametrize(("wanted", "texts"), [("ok", ("#ad one", "two")), ("buried", ("one", "#ad two"))])
def test_the_first_part_of_a_thread_carries_the_label(wanted: str, texts: tuple[str, ...]) -> None:
    assert state(texts, "US", platform="x") == wanted


@pytest.mark.parametrize(
    ("platform", "length", "wanted"),
    [
        ("tiktok", 90, "ok"),
        ("tiktok", 99, "buried"),
        ("instagram", 99, "ok"),
        ("instagram", 125, "buried"),
        ("x", 250, "ok"),
    ],
)
def test_what_is_seen_at_once_depends_on_the_platform(platform: str, length: int, wanted: str) -> None:
    assert state("x" * length + " #ad", "US", platform=platform) == wanted


def test_callers_may_know_the_fold_better() -> None:
    text = "x" * 60 + " #ad"

    assert state(text, "US", facts={"fold_chars": 50}) == "buried"
    assert state(text, "US", facts={"fold_chars": 70}) == "ok"


def test_line_breaks_hide_a_label_as_words_do() -> None:
    assert state("Lake\n\n#ad", "US") == "ok"
    assert state("Lake\n.\n.\n.\n#ad", "US") == "buried"


def test_a_label_leads_a_row_of_tags_or_drowns_in_it() -> None:
    assert state("Lake #ad #canoe #oar", "US") == "ok"
    assert state("Lake #canoe #ad #oar", "US") == "buried"
    assert state("Lake #canoe #ad", "US") == "ok"


@pytest.mark.parametrize(("market", "wanted"), [("US", "ambiguous"), ("UK", "ok"), ("EU", "ok")])
def test_the_label_of_the_platform_counts_for_what_the_market_says(market: str, wanted: str) -> None:
    assert state("Out on the lake", market, facts={"platform_label": True}) == wanted
    assert state("Out on the lake", market, facts={"platform_label": False}) == "missing"


def test_a_label_elsewhere_is_buried() -> None:
    assert state("Out on the lake", "US", facts={"disclosure_location": "first_comment"}) == "buried"


def test_a_title_in_chinese_may_end_with_the_label() -> None:
    assert state("湖上的清晨与小船的故事【广告】\n今天去划船了", "CN", platform="xiaohongshu") == "ok"
    assert state("湖上的清晨与小船的故事，今天去划船了【广告】", "CN", platform="xiaohongshu") == "buried"


def test_a_label_in_a_script_that_readers_do_not_read_is_not_clear() -> None:
    assert state("广告 out on the lake with friends", "US") == "ambiguous"
    assert state("广告 今天去湖上划船了", "US") == "ok"


def test_missing_weighs_more_than_unclear() -> None:
    missing, unclear = (ask(text, jurisdictions=("US",), relationship="paid") for text in ("Lake", "#sp lake"))

    assert [hit.severity for hit in missing.hits] == [Severity.BLOCK]
    assert [hit.severity for hit in unclear.hits] == [Severity.REVIEW]
    assert "#sp" in unclear.hits[0].message


def test_every_hit_names_its_law_and_a_way_out() -> None:
    hits = [
        hit
        for market, relationship, _, text in table()
        for hit in ask(text, jurisdictions=(market,), relationship=relationship).hits
    ]

    assert len(hits) > 50
    assert all(hit.message and hit.fix and hit.citation for hit in hits)


PAID = st.sampled_from(["paid", "gift", "affiliate"])
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
WORDS = st.lists(
    st.sampled_from(["#sp", "lake", "广告", "#ad", "小船", "@oar", "thanks", "not", "an", "\n", "。"])
).map(" ".join)


@settings(deadline=None)
@given(st.sampled_from(["US", "UK", "EU", "DE", "FR", "CN", "AU"]), PAID, TEXTS | WORDS)
def test_the_replacement_put_in_place_settles_the_hit(market: str, relationship: str, text: str) -> None:
    context = {"jurisdictions": (market,), "relationship": relationship, "platform": "instagram"}
    for hit in ask(text, **context).hits:
        assert hit.replacement is not None
        mended = text[: hit.start] + hit.replacement + text[hit.end :]
        assert hit.rule not in {other.rule for other in ask(mended, **context).hits}


@settings(deadline=None)
@given(TEXTS | WORDS, st.sampled_from(["US", "UK", "EU", "CN"]))
def test_hits_and_state_agree(text: str, market: str) -> None:
    decision = ask(text, jurisdictions=(market,), relationship="paid")

    assert bool(decision.hits) is (decision.disclosure != Disclosure.OK)
    assert not decision.runs[0].error


@pytest.mark.parametrize(
    "change",
    [
        {"place": "middle"},
        {"clear": []},
        {"clear": ["("]},
        {"cues": ["[a-"]},
        {"unknown": 1},
        {"when": {"a": None}},
        {"ai": False},
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(change: dict[str, Any]) -> None:
    check_match({"place": "start", "clear": ["ad"]})
    with pytest.raises(BadPack):
        check_match({"place": "start", "clear": ["ad"]} | change)


def test_staff_may_change_a_duty() -> None:
    rules = shipped_rules()
    us = next(rule for rule in rules.rules if rule.id == "DISC-US-PAID")
    changed = rules.extended([replace(us, match={**us.match, "clear": ["\\bbezahlt\\b"]})])
    context = Context(platform="x", jurisdictions=("US",), relationship="paid", today=TODAY)

    assert check(Draft.of("Bezahlt: Kanu"), context, changed, [DisclosureEngine()]).disclosure == Disclosure.OK
    assert check(Draft.of("Ad: Kanu"), context, changed, [DisclosureEngine()]).disclosure != Disclosure.OK


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not here")
def test_answers_of_the_shared_rows() -> None:
    rows = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines() if line]
    right = [
        ask(
            row["text"],
            platform=row["platform"],
            jurisdictions=(row["jurisdiction"],),
            relationship=row["relationship"],
            ai_generated=row["ai_generated"],
            facts={name: row[name] for name in ("label", "has_purchase_link") if name in row},
        ).disclosure
        == row["verdict"]
        for row in rows
    ]

    assert sum(right) >= 0.92 * len(rows)


@pytest.mark.parametrize("unit", ["x" * 300 + " #ad", "#a ", "广", "i am ", "\n", "“", "#,", "ad\n"])
def test_a_long_text_made_to_be_slow_is_not(unit: str) -> None:
    text = "x" * 300 + unit * (24_000 // len(unit))
    run = ask(text, jurisdictions=("US", "UK", "EU", "CN"), relationship="paid", ai_generated=True).runs[0]

    assert run.took_us < 5_000_000


def test_a_duty_that_only_words_hint_at_never_blocks() -> None:
    context: dict[str, Any] = {"jurisdictions": ("EU",), "ai_generated": True}
    hinted = ask("Our chat widget is new: talk to a human in seconds", **context)
    known = ask("Our new window is open", facts={"chatbot": True}, **context)

    assert [hit.severity for hit in hinted.hits] == [Severity.REVIEW]
    assert [hit.severity for hit in known.hits] == [Severity.BLOCK]
