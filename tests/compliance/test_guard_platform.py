import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.guard import Context, Decision, Draft, check
from compliance.guard.engines.facts import FactEngine, check_bounded, check_match, facts_of
from compliance.guard.port import Verdict
from compliance.guard.rules import BadPack, Rule, RuleSet, Severity, shipped_rules

VECTORS = Path(__file__).resolve().parents[3] / "shared/vectors/agents/platform_tos/tos.jsonl"
TODAY = date(2026, 11, 21)
ENGINES = [FactEngine("platform"), FactEngine("account")]
PLATFORMS = ["x", "instagram", "facebook", "tiktok", "youtube", "linkedin", "reddit", "whatsapp", "telegram", "weibo"]
PLATFORMS += ["xiaohongshu", "wechat", "douyin", "email", "sms", "threads", "discord", "mastodon", "any"]
Rows = list[tuple[str, str, dict[str, Any]]]


def ask(platform: str, action: str, facts: dict[str, Any], text: str = "", **more: Any) -> Decision:
    context = Context(platform=platform, action=action, facts=facts, **({"today": TODAY} | more))
    return check(Draft.of(text), context, shipped_rules(), ENGINES)


BLOCK: Rows = [
    ("x", "reply", {"summoned": False, "via": "api", "tier": "free"}),
    ("x", "reply", {"summoned": True, "opted_out": True}),
    ("x", "reply", {"summoned": True, "replies_to_author_for_interaction": 3}),
    ("x", "reply", {"trigger": "hashtag"}),
    ("x", "quote", {"summoned": False, "via": "api"}),
    ("x", "publish", {"duplicate_across_accounts": 3}),
    ("x", "publish", {"hijacks_trending": True, "via": "api"}),
    ("x", "publish", {"automated": True, "unsolicited_mentions": 2}),
    ("x", "unfollow", {"automated": True}),
    ("x", "dm", {"prior_conversation": True, "opted_out": True}),
    ("x", "dm", {"prior_conversation": False, "recipient_follows": True}),
    ("instagram", "dm", {"hours_since_user_message": 200, "human_agent_tag": True}),
    ("instagram", "dm", {"hours_since_user_message": 49, "human_agent_tag": False}),
    ("instagram", "dm", {"hours_since_user_message": None, "prior_conversation": False}),
    ("instagram", "comment_private_reply", {"private_replies_for_comment": 1, "days_since_comment": 2}),
    ("instagram", "publish", {"published_24h": 101}),
    ("instagram", "comment", {"identical_comments_24h": 10}),
    ("messenger", "message", {"hours_since_user_message": 30}),
    ("whatsapp", "message", {"opt_in": False}),
    ("whatsapp", "message", {"opt_in": True, "hours_since_user_message": 48, "template": False}),
    ("xiaohongshu", "publish", {"via": "automation_script"}),
    ("xiaohongshu", "publish", {"identical_notes": 5}),
    ("xiaohongshu", "dm", {"automated": True, "bulk": True}),
    ("reddit", "reply", {"identical_comments_24h": 3}),
    ("reddit", "publish", {"subreddit_allows_self_promo": False}),
    ("linkedin", "message", {"via": "browser_automation"}),
    ("linkedin", "scrape", {}),
    ("email", "send", {"commercial": True, "has_unsubscribe": True, "has_postal_address": False}),
    ("email", "send", {"consent": False, "jurisdiction": "DE", "commercial": True}),
    ("sms", "send", {"consent": True, "local_hour": 22}),
    ("telegram", "send", {"messages_last_minute": 25, "chat_type": "group"}),
    ("tiktok", "publish", {"political": True, "paid": True}),
    ("youtube", "comment", {"identical_comments_24h": 20}),
    ("wechat", "message", {"hours_since_user_message": 49}),
    ("threads", "publish", {"published_24h": 250}),
    ("discord", "dm", {"bulk": True}),
    ("any", "reply", {"local_hour": 2, "quiet_start": 22, "quiet_end": 8}),
    ("any", "dm", {"sent_today": 50, "limit_per_day": 50}),
    ("any", "reply", {"account_health": "suspended"}),
]
REVIEW: Rows = [
    ("x", "publish", {"automated": True, "automated_label": False}),
    ("x", "repost", {"automated": True}),
    ("instagram", "dm", {"hours_since_user_message": 100, "human_agent_tag": True}),
    ("facebook", "publish", {"engagement_bait": True}),
    ("whatsapp", "message", {"opt_in": True, "template": True, "quality_rating": "low"}),
    ("xiaohongshu", "publish", {"ai_assisted": True, "ai_label": None}),
    ("reddit", "publish", {"self_promo_ratio": 0.5}),
    ("tiktok", "publish", {"branded_content": True, "disclosure_toggle": False}),
    ("youtube", "publish", {"altered_content": True, "disclosed": False}),
    ("email", "send", {"opt_in": False}),
    ("any", "publish", {"account_health": "warned", "strikes_30d": 3}),
    ("any", "publish", {"account_health": "restricted"}),
]
ALLOW: Rows = [
    ("x", "reply", {"summoned": False, "via": "manual_ui"}),
    ("x", "reply", {"summoned": False, "via": "api", "tier": "enterprise"}),
    ("x", "publish", {"duplicate_across_accounts": 0, "hijacks_trending": False, "scheduled": True}),
    ("x", "like", {"automated": False}),
    ("x", "dm", {"recipient_follows": True, "prior_conversation": True}),
    ("instagram", "dm", {"hours_since_user_message": 24}),
    ("instagram", "publish", {"published_24h": 0}),
    ("whatsapp", "message", {"opt_in": True, "hours_since_user_message": 24, "template": False}),
    ("xiaohongshu", "publish", {"ai_generated": True, "labelled": True}),
    ("reddit", "reply", {"automated": True, "discloses_bot": True, "identical_comments_24h": 1}),
    ("linkedin", "publish", {"via": "official_api", "published_24h": 2}),
    ("linkedin", "connect", {"via": "manual"}),
    ("email", "send", {"has_unsubscribe": True, "has_postal_address": True, "commercial": True}),
    ("sms", "send", {"consent": True, "local_hour": 10}),
    ("telegram", "publish", {"bot_is_admin": True}),
    ("any", "reply", {"sent_last_hour": 10, "limit_per_hour": 30}),
    ("any", "publish", {"account_health": "healthy", "strikes_30d": 0}),
    ("any", "publish", {}),
]


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        pytest.param(Verdict.BLOCK, BLOCK, id="block"),
        pytest.param(Verdict.REVIEW, REVIEW, id="review"),
        pytest.param(Verdict.ALLOW, ALLOW, id="allow"),
    ],
)
def test_platforms_allow_what_their_rules_say(wanted: Verdict, rows: Rows) -> None:
    wrong = [(row, sorted(ask(*row).rules)) for row in rows if ask(*row).verdict != wanted]

    assert not wrong


DIVERTS = "加v领取|私我vx: abc123|薇❤️：glow88|扫码进群|主页有微信号|加wx详聊"
DIVERTS += "|威信联系|+V 领资料|加我企鹅群|tb搜某某旗舰店|加 微 信"
HARMLESS = "谢谢喜欢～|可以看我主页的笔记|这个颜色真好看|这款在商城有售|微微有点辣"
HARMLESS += "|加点柠檬|她很有威信|添加微量元素|视频里有教程"


@pytest.mark.parametrize("text", DIVERTS.split("|"))
def test_leading_people_off_the_platform_is_seen(text: str) -> None:
    assert ask("xiaohongshu", "comment", {"text": text}).rules == {"XHS-DIVERT"}
    assert ask("xiaohongshu", "comment", {}, text).rules == {"XHS-DIVERT"}
    assert ask("x", "reply", {"text": text}).verdict == Verdict.ALLOW


@pytest.mark.parametrize("text", HARMLESS.split("|"))
def test_harmless_words_stay(text: str) -> None:
    assert ask("xiaohongshu", "comment", {"text": text}).verdict == Verdict.ALLOW


def test_words_are_marked_where_they_stand() -> None:
    text = "想要的姐妹，加 微\u200b 信 领取"
    (hit,) = ask("xiaohongshu", "comment", {"text": text}, text).hits

    assert text[hit.start : hit.end] == "加 微\u200b 信"


def test_words_that_only_a_fact_holds_have_no_place() -> None:
    (hit,) = ask("xiaohongshu", "publish", {"bio": "加微信"}, "今天很好").hits

    assert (hit.start, hit.end) == (0, 0)


def test_each_part_of_a_thread_is_read() -> None:
    context = Context(platform="xiaohongshu", today=TODAY)
    decision = check(Draft(("今天很好", "加微信", "加微信")), context, shipped_rules(), ENGINES)

    assert [hit.part for hit in decision.hits] == [1, 2]


def test_a_rule_binds_from_its_day() -> None:
    facts = {"summoned": False, "via": "api", "tier": "pro"}

    assert ask("x", "reply", facts, today=date(2026, 2, 23)).verdict == Verdict.ALLOW
    assert ask("x", "reply", facts, today=date(2026, 2, 24)).verdict == Verdict.BLOCK


def test_fields_of_the_context_are_facts_unless_facts_say_otherwise() -> None:
    context = Context(platform="x", action="reply", ai_generated=True, relationship="paid")

    assert facts_of(context)["ai_generated"] is True
    assert facts_of(context)["action"] == "reply"
    assert facts_of(Context(facts={"ai_generated": False}, ai_generated=True))["ai_generated"] is False
    assert facts_of(Context())["ai_generated"] is None


@pytest.mark.parametrize(
    ("hour", "window", "quiet"),
    [
        (23, [22, 8], True),
        (7, [22, 8], True),
        (8, [22, 8], False),
        (22, [22, 8], True),
        (12, [22, 8], False),
        (13, [12, 14], True),
        (14, [12, 14], False),
        (3, "22:00-08:00", True),
        (9, "22-8", False),
        (3, "at night", False),
        (3, [22], False),
        (None, [22, 8], False),
        (3, ["a", "b"], False),
        (3, None, False),
    ],
)
def test_quiet_hours_may_pass_midnight(hour: Any, window: Any, quiet: bool) -> None:
    facts = facts_of(Context(facts={"local_hour": hour, "quiet_hours": window}))

    assert facts.get("in_quiet_hours", False) is quiet


ACTIONS = st.sampled_from(["publish", "reply", "dm", "message", "send", "comment", "mention", "follow", "invite"])
FACTS = st.dictionaries(
    st.sampled_from(
        ["summoned", "via", "automated", "opt_in", "hours_since_user_message", "local_hour", "text", "tier"]
    ),
    st.none() | st.booleans() | st.integers(-5, 500) | st.text(max_size=12) | st.lists(st.integers(), max_size=2),
)


@settings(deadline=None)
@given(st.sampled_from(PLATFORMS), ACTIONS, FACTS)
def test_who_opted_out_is_left_alone_whatever_else_is_known(platform: str, action: str, facts: dict[str, Any]) -> None:
    assert ask(platform, action, facts | {"opted_out": True}).verdict == Verdict.BLOCK


@settings(deadline=None)
@given(st.sampled_from(PLATFORMS), ACTIONS, FACTS)
def test_a_suspended_account_does_nothing(platform: str, action: str, facts: dict[str, Any]) -> None:
    assert ask(platform, action, facts | {"account_health": "suspended"}).verdict == Verdict.BLOCK


@settings(deadline=None)
@given(st.sampled_from(PLATFORMS), st.sampled_from(["like", "follow", "unfollow", "upvote", "subscribe"]), FACTS)
def test_no_machine_likes_or_follows_anywhere(platform: str, action: str, facts: dict[str, Any]) -> None:
    assert ask(platform, action, facts | {"automated": True}).verdict == Verdict.BLOCK


@settings(deadline=None)
@given(st.sampled_from(PLATFORMS), st.integers(0, 60), st.integers(1, 60))
def test_rates_stop_exactly_at_their_limit(platform: str, sent: int, limit: int) -> None:
    facts = {"sent_last_hour": sent, "limit_per_hour": limit}

    assert (ask(platform, "publish", facts).verdict == Verdict.BLOCK) is (sent >= limit)


@settings(deadline=None)
@given(st.sampled_from(PLATFORMS), ACTIONS, FACTS, st.text(max_size=40))
def test_no_fact_breaks_an_engine(platform: str, action: str, facts: dict[str, Any], text: str) -> None:
    decision = ask(platform, action, facts, text)

    assert [run.error for run in decision.runs] == ["", ""]
    assert all(0 <= hit.start <= hit.end <= len(text) for hit in decision.hits)


@settings(deadline=None)
@given(st.sampled_from(PLATFORMS), ACTIONS)
def test_nothing_known_is_nothing_blocked(platform: str, action: str) -> None:
    assert ask(platform, action, {}).verdict == Verdict.ALLOW


def test_every_shipped_rule_says_why_and_what_to_do() -> None:
    rules = [rule for name in ("platform", "account", "links", "media") for rule in shipped_rules().of(name)]

    assert len(rules) > 120
    assert [rule.id for rule in rules if not (rule.message and rule.fix)] == []
    assert [rule.id for rule in rules if len(rule.message) > 160] == []


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"when": []},
        {"when": {"a": None}},
        {"text": {}},
        {"text": {"terms": []}},
        {"text": {"patterns": ["("]}},
        {"text": {"patterns": ["a*"]}},
        {"what": 1},
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(match: dict[str, Any]) -> None:
    check_match({"when": {"a": True}, "text": {"terms": ["b"], "patterns": ["c{0,3}"]}})
    with pytest.raises(BadPack):
        check_match(match)


@pytest.mark.parametrize(
    "pattern", ["a*", "a+b", "(?:ab)+", r"\w{3,}", "(?:a{1,9}){1,9}", "x|(?=a*)", "(?:(?:a?){9}){9}", "("]
)
def test_patterns_without_a_bound_are_refused(pattern: str) -> None:
    with pytest.raises(BadPack):
        check_bounded(pattern)


@pytest.mark.parametrize("pattern", ["(?:a|aa){1,100}x", r"(?:\w\w?){1,100}x", "(?:a{1,100}){1,5}x", "(?:a?a?){1,50}x"])
def test_patterns_that_could_try_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(BadPack):
        check_bounded(pattern)


def test_rules_over_facts_keep_to_few_ways() -> None:
    with pytest.raises(BadPack, match="too many ways"):
        check_match({"text": {"patterns": ["a{0,100}a{0,100}a{0,100}b"]}})


@pytest.mark.parametrize("pattern", ["a?", r"\w{1,30}", "(?: a{1,20}){0,3}", "(?<!b)a(?!c)", "a|b{2}"])
def test_bounded_patterns_pass(pattern: str) -> None:
    check_bounded(pattern)


def test_a_broken_rule_means_review_and_never_allow() -> None:
    rules = RuleSet([Rule("BAD", "platform", Severity.BLOCK, "x", match={"when": {"a": None}})])
    decision = check(Draft.of(""), Context(), rules, [FactEngine("platform")])

    assert decision.verdict == Verdict.REVIEW
    assert decision.runs[0].error == "BadPack"


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not here")
def test_answers_of_the_shared_rows() -> None:
    rows = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines() if line]
    right = [ask(row["platform"], row["action"], row["context"]).verdict == row["decision"] for row in rows]

    assert sum(right) >= 0.95 * len(rows)
