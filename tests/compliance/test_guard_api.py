"""/api/guard: check, rules, settings and the workspace's own list."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.access import Actor
from accounts.models import AuditDetail, User, Workspace
from compliance.guard_settings import update_guard_settings
from compliance.models import GuardDecision, WorkspaceTerm
from compliance.terms import TermDraft, add_term

Api = Callable[..., APIClient]
CHECK, RULES, SETTINGS, TERMS = "/api/guard/check", "/api/guard/rules", "/api/guard/settings", "/api/guard/terms"


@pytest.fixture
def cheap(alice_actor: Actor, in_workspace: Workspace) -> WorkspaceTerm:
    draft = TermDraft("cheap", replacement="fair", reason="We are not cheap.", platforms=("x",))
    return add_term(draft, by=alice_actor)


def test_a_text_is_checked_as_the_workspace_set_it(api: Api, vic: User, cheap: WorkspaceTerm) -> None:
    answer = api(vic).post(CHECK, {"text": "So cheap.", "platform": "x"}, format="json")
    assert answer.status_code == 200
    data = answer.json()
    assert set(data) == {"verdict", "disclosure", "hits"}
    assert data["verdict"] == "block"
    [hit] = [hit for hit in data["hits"] if hit["severity"] == "block"]
    assert hit == {
        "rule": f"OWN-{cheap.pk}",
        "severity": "block",
        "part": 0,
        "start": 3,
        "end": 8,
        "message": "We are not cheap.",
        "citation": "Your workspace's list",
        "fix": "Write “fair” instead.",
        "replacement": "fair",
    }
    assert not GuardDecision.objects.exists()


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"platform": "telegram"}, "allow"),
        ({"platform": "x"}, "block"),
        ({"platform": "telegram", "context": {"opted_out": True}, "action": "dm"}, "block"),
    ],
)
def test_the_answer_follows_platform_and_facts(api: Api, vic: User, cheap, more: dict, verdict: str) -> None:
    answer = api(vic).post(CHECK, {"text": "So cheap.", **more}, format="json")
    assert answer.json()["verdict"] == verdict


@pytest.mark.parametrize(
    ("asked", "markets", "verdict"),
    [
        ({}, [], "allow"),
        ({}, ["CN"], "block"),
        ({"jurisdiction": "CN"}, [], "block"),
        ({"jurisdictions": ["us", "cn"]}, [], "block"),
        ({"jurisdictions": []}, ["CN"], "allow"),
    ],
)
def test_without_a_market_the_workspaces_own_count(
    api: Api, vic: User, alice_actor: Actor, in_workspace, asked: dict, markets: list[str], verdict: str
) -> None:
    update_guard_settings(by=alice_actor, markets=markets)
    question = {"text": "国家级护肤品牌", "industry": "cosmetics", **asked}
    assert api(vic).post(CHECK, question, format="json").json()["verdict"] == verdict


@pytest.mark.parametrize(
    "wrong",
    [
        {"jurisdiction": "MOON"},
        {"industry": "dragons"},
        {"text": "x" * 25_001},
        {"context": {"a": "x" * 30_000}},
        {"context": []},
        {"ai_generated": "perhaps"},
    ],
)
def test_what_cannot_be_asked_is_refused(api: Api, vic: User, wrong: dict) -> None:
    answer = api(vic).post(CHECK, {"text": "Hello"} | wrong, format="json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_the_rules_in_force_are_listed_and_searched(api: Api, vic: User, cheap: WorkspaceTerm) -> None:
    rules = api(vic).get(RULES).json()["results"]
    assert rules[0]["id"] == f"OWN-{cheap.pk}"
    assert rules[0]["platforms"] == ["x"]
    chinese = api(vic).get(RULES, {"jurisdiction": "cn", "severity": "block", "search": "广告法"}).json()["results"]
    assert chinese
    assert all("CN" in rule["jurisdictions"] and rule["severity"] == "block" for rule in chinese)
    assert api(vic).get(RULES, {"severity": "loud"}).status_code == 400


def test_settings_are_read_by_all_and_changed_by_admins(api: Api, alice: User, bob: User, in_workspace) -> None:
    assert api(bob).get(SETTINGS).json()["sla_minutes"] == {"high": 15, "medium": 240, "low": 1440}
    change = {"markets": ["gb", "DE"], "sla_minutes": {"high": 5}, "blocked_domains": ["https://Rival.example/x"]}
    assert api(bob).patch(SETTINGS, change, format="json").status_code == 403
    answer = api(alice).patch(SETTINGS, change, format="json")
    assert answer.status_code == 200
    data = api(bob).get(SETTINGS).json()
    assert data["markets"] == ["UK", "DE"]
    assert data["sla_minutes"] == {"high": 5, "medium": 240, "low": 1440}
    assert data["blocked_domains"] == ["rival.example"]
    detail = AuditDetail.objects.get(entry__action="guard.settings").data
    assert set(detail["after"]) == {"markets", "sla_minutes", "blocked_domains"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"markets": ["MOON"]}, "markets"),
        ({"industry": "dragons"}, "industry"),
        ({"allowed_contacts": ["nonsense"]}, "allowed_contacts"),
        ({"expires_after_hours": 0}, "expires_after_hours"),
        ({"sla_minutes": {"high": -1}}, "sla_minutes"),
        ({"pii_mode": "shout"}, "pii_mode"),
    ],
)
def test_wrong_settings_are_named(api: Api, alice: User, in_workspace, change: dict, field: str) -> None:
    answer = api(alice).patch(SETTINGS, change, format="json")
    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert not AuditDetail.objects.filter(entry__action="guard.settings").exists()


def test_words_are_kept_through_the_api(api: Api, alice: User, in_workspace) -> None:
    client = api(alice)
    made = client.post(TERMS, {"term": "cheap", "kind": "review", "valid_to": "2027-01-31"}, format="json")
    assert made.status_code == 201
    address = f"{TERMS}/{made.json()['id']}"
    assert client.get(address).json() == made.json()
    assert [row["term"] for row in client.get(TERMS).json()["results"]] == ["cheap"]
    changed = client.put(address, {"term": "cheap", "replacement": "fair"}, format="json").json()
    assert (changed["kind"], changed["replacement"], changed["valid_to"]) == ("block", "fair", None)
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"term": ""}, {"term": "…"}, {"term": "x", "kind": "shout"}, {"term": "x", "platforms": ["myspace"]}]
)
def test_words_nobody_can_use_are_refused(api: Api, alice: User, in_workspace, wrong: dict) -> None:
    assert api(alice).post(TERMS, wrong, format="json").status_code == 400
    assert not WorkspaceTerm.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_word_is_an_admins_to_change(api: Api, bob: User, charlie: User, other_workspace, cheap, method: str) -> None:
    address = f"{TERMS}/{cheap.pk}"
    assert getattr(api(bob), method)(address, {"term": "x"}, format="json").status_code == 403
    assert getattr(api(charlie), method)(address, {"term": "x"}, format="json").status_code == 404
    assert api(bob).post(TERMS, {"term": "y"}, format="json").status_code == 403


def test_nobody_asks_without_a_workspace(api: Api, in_workspace) -> None:
    for address in (RULES, SETTINGS, TERMS):
        assert api().get(address).status_code == 401
