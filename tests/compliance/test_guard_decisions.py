"""Verdicts for a workspace: its own list over the law, what is kept and counted."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from compliance.decisions import guard_settings, judge, keep_decision, risk_of
from compliance.guard import Context, Decision, Draft, Hit, Verdict
from compliance.guard.port import Severity
from compliance.models import GuardDecision, RuleStat
from compliance.models.review import Risk
from compliance.rulesets import own_rules
from compliance.terms import TermDraft, add_term
from lib.clock import now
from lib.ids import uuid7

LAW = "国家级护肤品牌"
CHINA = {"jurisdictions": ("CN",), "industry": "cosmetics"}


def context(**fields: object) -> Context:
    return Context(**{"today": now().date()} | fields)


def decided(*severities: str) -> Decision:
    hits = tuple(Hit(f"R-{number}", Severity(severity)) for number, severity in enumerate(severities))
    verdict = Verdict.BLOCK if "block" in severities else Verdict.REVIEW if "review" in severities else Verdict.ALLOW
    return Decision(verdict, hits)


@pytest.mark.parametrize(
    ("kind", "verdict"), [("block", Verdict.BLOCK), ("review", Verdict.REVIEW), ("allow", Verdict.ALLOW)]
)
def test_a_word_does_what_the_list_says(
    kind: str, verdict: Verdict, alice_actor: Actor, in_workspace: Workspace
) -> None:
    add_term(TermDraft("frobnicate", kind=kind), by=alice_actor)
    assert judge(in_workspace, Draft.of("We frobnicate."), context()).verdict == verdict
    assert judge(in_workspace, Draft.of("We do not."), context()).verdict == Verdict.ALLOW


@pytest.mark.parametrize(
    ("term", "verdict"),
    [
        ("国家级护肤", Verdict.REVIEW),
        ("国家级", Verdict.REVIEW),
        ("护肤品牌", Verdict.BLOCK),
        ("国际级", Verdict.BLOCK),
    ],
)
def test_a_word_that_is_fine_softens_the_law_and_never_lifts_it(
    term: str, verdict: Verdict, alice_actor: Actor, in_workspace: Workspace
) -> None:
    assert judge(in_workspace, Draft.of(LAW), context(**CHINA)).verdict == Verdict.BLOCK
    add_term(TermDraft(term, kind="allow"), by=alice_actor)
    assert judge(in_workspace, Draft.of(LAW), context(**CHINA)).verdict == verdict


def test_a_fine_word_at_one_place_does_not_excuse_another(alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("国家级护肤", kind="allow"), by=alice_actor)
    assert judge(in_workspace, Draft.of(f"{LAW}，国家级品质"), context(**CHINA)).verdict == Verdict.BLOCK


def test_another_workspaces_list_does_not_count(
    alice_actor: Actor, in_workspace: Workspace, other_workspace: Workspace
) -> None:
    add_term(TermDraft("frobnicate"), by=alice_actor)
    with workspace_scope(other_workspace.pk):
        assert judge(other_workspace, Draft.of("We frobnicate."), context()).verdict == Verdict.ALLOW


def test_lists_read_before_spare_the_query(
    alice_actor: Actor, in_workspace: Workspace, django_assert_num_queries
) -> None:
    add_term(TermDraft("frobnicate"), by=alice_actor)
    lists = own_rules(in_workspace.pk)
    judge(in_workspace, Draft.of("warm up"), context(), lists)
    with django_assert_num_queries(0):
        assert judge(in_workspace, Draft.of("We frobnicate."), context(), lists).verdict == Verdict.BLOCK


def test_judging_writes_nothing(alice_actor: Actor, in_workspace: Workspace) -> None:
    judge(in_workspace, Draft.of(LAW), context(**CHINA))
    assert not GuardDecision.objects.exists()
    assert not RuleStat.objects.exists()
    assert guard_settings(in_workspace).pk is not None
    assert guard_settings(in_workspace)._state.adding


@pytest.mark.parametrize(
    ("severities", "fields", "risk"),
    [
        ([], {}, Risk.LOW),
        (["note"], {}, Risk.LOW),
        (["review"], {}, Risk.MEDIUM),
        ([], {"action": "reply"}, Risk.MEDIUM),
        ([], {"industry": "finance"}, Risk.MEDIUM),
        (["review"], {"industry": "medical"}, Risk.HIGH),
        (["review", "review"], {}, Risk.HIGH),
        (["block"], {}, Risk.HIGH),
    ],
)
def test_risk_grows_with_what_asks(severities: list[str], fields: dict, risk: Risk) -> None:
    assert risk_of(decided(*severities), context(**fields)) == risk


def keep(workspace: Workspace, decision: Decision, stage: str) -> None:
    keep_decision(decision, workspace=workspace, kind="test", object_id=uuid7(), action_hash="h", stage=stage)


def test_hits_and_what_was_let_through_are_counted_by_day(in_workspace: Workspace) -> None:
    decision = decided("block", "review")
    for stage in ("draft", "draft", "approval", "send"):
        keep(in_workspace, decision, stage)
    rows = RuleStat.objects.order_by("rule").values_list("rule", "day", "hits", "blocked", "approved")
    today = now().date()
    # A block that is approved counts as blocked each time it was met.
    assert [(rule, day, hits, approved) for rule, day, hits, _blocked, approved in rows] == [
        ("R-0", today, 2, 1),
        ("R-1", today, 2, 1),
    ]
    assert GuardDecision.objects.count() == 4


def test_counting_on_another_day_is_another_row(in_workspace: Workspace) -> None:
    keep(in_workspace, decided("review"), "draft")
    RuleStat.objects.update(day=now().date() - timedelta(days=1))
    keep(in_workspace, decided("review"), "draft")
    assert RuleStat.objects.count() == 2


def test_what_is_kept_says_all_that_was_found(in_workspace: Workspace) -> None:
    keep(in_workspace, judge(in_workspace, Draft.of(LAW), context(**CHINA)), "draft")
    row = GuardDecision.objects.get()
    assert row.verdict == "block"
    assert {"rule", "severity", "start", "end", "message", "citation", "fix"} <= set(row.hits[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM compliance_guarddecision")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(("platform", "verdict"), [("x", Verdict.REVIEW), ("telegram", Verdict.BLOCK)])
def test_a_word_that_is_fine_on_one_platform_is_not_on_others(
    platform: str, verdict: Verdict, alice_actor: Actor, in_workspace: Workspace
) -> None:
    add_term(TermDraft("国家级护肤", kind="allow", platforms=("x",)), by=alice_actor)
    assert judge(in_workspace, Draft.of(LAW), context(platform=platform, **CHINA)).verdict == verdict
