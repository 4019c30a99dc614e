"""The engine with the rules we ship, and with rules of a workspace's own."""

from typing import Any

import pytest

from compliance.guard.engines import ENGINES
from compliance.guard.engines.pii import PiiEngine
from compliance.guard.pipeline import FAILED, check
from compliance.guard.port import Context, Draft, Hit, Severity, Verdict, verdict_of
from compliance.guard.rules import PACKS, RuleSet, read_pack, rule_from
from compliance.pii import DECLARED, IMPERSONAL

SHIPPED = RuleSet(rule_from(data, pack) for pack, data in read_pack(PACKS / "pii.yaml"))
ROWS = [(rule.id, row) for rule in SHIPPED.rules for row in rule.tests]


def hits(text: str | Draft, rules: RuleSet = SHIPPED, **context: Any) -> tuple[Hit, ...]:
    draft = Draft.of(text) if isinstance(text, str) else text
    return PiiEngine().check(draft, Context(**context), rules).hits


def ids(text: str, **facts: Any) -> list[str]:
    return [hit.rule for hit in hits(text, facts=facts)]


def own_rule(**data: Any) -> RuleSet:
    return RuleSet([rule_from({"id": "OWN", "engine": "pii", "severity": "block", "message": "No."} | data)])


@pytest.mark.parametrize(("rule", "row"), ROWS, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(ROWS)])
def test_each_rule_answers_its_own_rows(rule: str, row: dict[str, Any]) -> None:
    found = hits(row["text"], **row.get("context", {}))

    assert verdict_of(found) == row["verdict"]
    assert (rule in {hit.rule for hit in found}) == row["hit"]


def test_every_rule_has_rows_for_both_answers() -> None:
    for rule in SHIPPED.rules:
        assert {row["hit"] for row in rule.tests} == {True, False}, rule.id


def test_every_personal_type_has_one_rule() -> None:
    ruled = {type_: [] for type_ in DECLARED}
    for rule in SHIPPED.rules:
        for type_ in DECLARED:
            if type_ in rule.match["types"] or (type_.startswith("SECRET_") and "SECRET_*" in rule.match["types"]):
                ruled[type_].append(rule.id)

    assert {type_: len(rules) for type_, rules in ruled.items()} == {
        type_: 0 if type_ in IMPERSONAL else 1 for type_ in DECLARED
    }


def test_every_rule_says_what_to_do() -> None:
    for rule in SHIPPED.rules:
        assert rule.message.endswith((".", "?"))
        assert rule.severity == Severity.NOTE or (rule.fix and rule.citation)


def test_engine_is_among_those_asked() -> None:
    assert [engine.name for engine in ENGINES].count("pii") == 1


def test_hit_names_part_place_and_mask() -> None:
    draft = Draft(("Good morning", "退款到卡号6217 0091 6261 1302，谢谢"))

    (hit,) = hits(draft)

    assert (hit.rule, hit.part, hit.start, hit.end) == ("PII-BANK", 1, 5, 24)
    assert hit.replacement == "████ ████ ████ 1302"


def test_replacing_every_span_settles_the_draft() -> None:
    text = "联系人王女士13589364683，护照E12345678，a@example.com，password=Tr0ub4dor&3，车牌鄂BF34650"
    for hit in reversed(hits(text)):
        text = text[: hit.start] + str(hit.replacement) + text[hit.end :]

    assert hits(text) == ()


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("致电13589364683", "13589364683"),
        ("致电135-8936-4683", "+86 135 8936 4683"),
        ("致电+8613589364683", "13589364683"),
        ("致电１３５８９３６４６８３", "13589364683"),
        ("Call +44 20 7946 0958", "020 7946 0958"),
        ("电话 0755-43800204", "+86 755 43800204"),
        ("Mail Hello@Example.com", "hello@example.com"),
        ("加微信wx_skin_577", "WX_skin_577"),
        ("QQ:1310367366", " 1310367366 "),
    ],
)
def test_own_public_contacts_may_be_published(text: str, contact: str) -> None:
    assert ids(text) != []
    assert ids(text, allowed_contacts=["other@example.com", contact]) == []


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("致电13589364683", "13589364684"),
        ("致电13589364683", "4683"),
        ("致电13589364683", "9364683"),
        ("致电13589364683", ""),
        ("致电13589364683", "0"),
        ("Call +44 20 7946 0958", "+1 415 555 0132"),
        ("Mail hello@example.com", "example.com"),
        ("Mail xhello@example.com", "hello@example.com"),
        ("加微信wx_skin_577", "wx_skin_57"),
    ],
)
def test_a_contact_frees_only_itself(text: str, contact: str) -> None:
    assert ids(text, allowed_contacts=[contact]) == ids(text) != []


def test_a_contact_frees_no_card_and_no_secret() -> None:
    text = "6217 0091 6261 1302 password=Tr0ub4dor&3"

    assert ids(text, allowed_contacts=["6217009162611302", "Tr0ub4dor&3"]) == ["PII-BANK", "SECRET"]


@pytest.mark.parametrize("listed", [None, [], (), [None, 7]])
def test_contacts_that_are_missing_or_odd_free_nothing(listed: Any) -> None:
    assert ids("致电13589364683", allowed_contacts=listed) == ["PII-CONTACT"]


def test_dates_links_and_post_codes_are_never_held() -> None:
    assert hits("2025-11-01 https://example.com/a SW1A 1AA 80331 邮编100000") == ()


def test_rule_outside_its_market_stays_silent() -> None:
    rules = own_rule(match={"types": ["CN_MOBILE"]}, jurisdictions=["CN"])

    assert hits("13589364683", rules, jurisdictions=("DE",)) == ()
    assert [hit.rule for hit in hits("13589364683", rules, jurisdictions=("CN", "DE"))] == ["OWN"]


def test_two_rules_over_one_type_both_answer() -> None:
    rules = SHIPPED.extended(own_rule(match={"types": ["CN_*"]}).rules)

    assert {hit.rule for hit in hits("13589364683", rules)} == {"PII-CONTACT", "OWN"}


@pytest.mark.parametrize("match", [{}, {"types": []}, {"types": ["CN_MOBIL"]}, {"types": ["CN_MOBILE", "SECRETS_*"]}])
def test_rule_over_no_known_type_sends_the_draft_to_a_person(match: dict[str, Any]) -> None:
    decision = check(Draft.of("13589364683"), Context(), own_rule(match=match), [PiiEngine()])

    assert decision.verdict == Verdict.REVIEW
    assert [hit.rule for hit in decision.hits] == [FAILED]


def test_without_rules_nothing_is_held() -> None:
    assert hits("13589364683", RuleSet([])) == ()


def test_every_type_we_claim_is_documented() -> None:
    text = (PACKS.parents[1] / "docs" / "guard.md").read_text()

    assert [type_ for type_ in DECLARED if type_.removeprefix("SECRET_") not in text] == []
