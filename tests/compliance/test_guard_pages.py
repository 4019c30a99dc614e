"""Settings, the workspace's own list, the rules in force and the test box, as pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.access import Actor
from accounts.models import AuditDetail, Workspace
from compliance.decisions import guard_settings
from compliance.models import WorkspaceTerm
from compliance.terms import TermDraft, add_term

PAGES = ["/settings/guard", "/settings/guard/words", "/settings/guard/rules", "/settings/guard/try"]
SETTINGS = {
    "markets": ["CN", "DE"],
    "industry": "cosmetics",
    "pii_mode": "detect",
    "review_cert_number": "沪医广【2026】第01-01-001号",
    "allowed_contacts": "press@roastery.example\n+49 30 1234567",
    "allowed_domains": "https://www.Roastery.example/shop",
    "blocked_domains": "rival.example",
    "sla_high": "10",
    "sla_medium": "60",
    "sla_low": "600",
    "expires_after_hours": "48",
}


@pytest.mark.parametrize("path", PAGES)
def test_members_look_and_strangers_do_not(path: str, vic_client: Client, gwen_client: Client, client: Client) -> None:
    assert vic_client.get(path).status_code == 200
    assert gwen_client.get(path).status_code == 403
    assert client.get(path).status_code == 302


def test_an_admin_sets_what_counts(alice_client: Client, in_workspace: Workspace) -> None:
    assert alice_client.post("/settings/guard", SETTINGS).status_code == 302
    settings = guard_settings(in_workspace)
    assert (settings.markets, settings.industry, settings.pii_mode) == (["CN", "DE"], "cosmetics", "detect")
    assert settings.facts == {
        "review_cert_number": "沪医广【2026】第01-01-001号",
        "has_review_cert": True,
        "allowed_contacts": ["press@roastery.example", "+49 30 1234567"],
        "allowed_domains": ["roastery.example"],
        "blocked_domains": ["rival.example"],
    }
    assert settings.sla_minutes == {"high": 10, "medium": 60, "low": 600}
    detail = AuditDetail.objects.get(entry__action="guard.settings")
    assert detail.data["before"]["markets"] == []
    assert detail.data["after"]["markets"] == ["CN", "DE"]
    page = alice_client.get("/settings/guard").content.decode()
    assert "press@roastery.example" in page
    assert "沪医广" in page


def test_saving_the_same_again_writes_nothing(alice_client: Client, in_workspace: Workspace) -> None:
    alice_client.post("/settings/guard", SETTINGS)
    alice_client.post("/settings/guard", SETTINGS)
    assert AuditDetail.objects.filter(entry__action="guard.settings").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("allowed_contacts", "not an address", "is no e-mail address"),
        ("blocked_domains", "nonsense", "is no domain"),
        ("sla_high", "0", "greater than or equal to 1"),
        ("expires_after_hours", "100000", "less than or equal"),
        ("markets", "MOON", "not one of the available choices"),
        ("review_cert_number", "x" * 81, "at most 80"),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    alice_client: Client, in_workspace: Workspace, field: str, value: str, said: str
) -> None:
    answer = alice_client.post("/settings/guard", SETTINGS | {field: value})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert guard_settings(in_workspace).markets == []


@pytest.mark.parametrize("path", ["/settings/guard", "/settings/guard/words/new", "/settings/guard/words/import"])
def test_an_editor_changes_nothing(bob_client: Client, in_workspace: Workspace, path: str) -> None:
    assert bob_client.post(path, SETTINGS | {"term": "cheap", "kind": "block"}).status_code == 403
    assert guard_settings(in_workspace).markets == []
    assert not WorkspaceTerm.objects.exists()


def test_a_word_is_added_changed_and_deleted(alice_client: Client, in_workspace: Workspace) -> None:
    fields = {"term": " cheap  beans ", "kind": "block", "replacement": "fair beans", "reason": "We are not cheap."}
    assert alice_client.post("/settings/guard/words/new", fields).status_code == 302
    row = WorkspaceTerm.objects.get()
    assert row.term == "cheap beans"
    assert "We are not cheap." in alice_client.get("/settings/guard/words").content.decode()
    address = f"/settings/guard/words/{row.pk}"
    assert alice_client.post(address, fields | {"kind": "review", "valid_to": "2027-01-31"}).status_code == 302
    row.refresh_from_db()
    assert (row.kind, str(row.valid_to)) == ("review", "2027-01-31")
    assert alice_client.post(f"{address}/delete").status_code == 302
    assert not WorkspaceTerm.objects.exists()
    actions = ["guard_term.add", "guard_term.change", "guard_term.delete"]
    kept = AuditDetail.objects.filter(entry__action__in=actions).order_by("entry__number")
    assert [(row.data["before"] or {}).get("kind") for row in kept] == [None, "block", "review"]
    assert [(row.data["after"] or {}).get("kind") for row in kept] == ["block", "review", None]


@pytest.mark.parametrize("term", ["", "!!!", "x" * 121])
def test_a_word_nobody_could_find_is_refused(alice_client: Client, in_workspace: Workspace, term: str) -> None:
    answer = alice_client.post("/settings/guard/words/new", {"term": term, "kind": "block"})
    assert answer.status_code == 422
    assert not WorkspaceTerm.objects.exists()


def test_the_same_word_twice_is_refused(alice_client: Client, in_workspace: Workspace) -> None:
    for status in (302, 422):
        answer = alice_client.post("/settings/guard/words/new", {"term": "cheap", "kind": "block"})
        assert answer.status_code == status
    assert "on the list already" in answer.content.decode()


def test_a_file_is_shown_before_it_is_saved(alice_client: Client, alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("cheap"), by=alice_actor)
    content = "term,kind,replacement\ncheap,review,\nbest,block,good\n!!!,block,\n"
    upload = SimpleUploadedFile("words.csv", content.encode(), "text/csv")
    shown = alice_client.post("/settings/guard/words/import", {"file": upload})
    page = shown.content.decode()
    assert "best" in page
    assert "Line 4" in page
    assert set(WorkspaceTerm.objects.values_list("term", "kind")) == {("cheap", "block")}
    text = shown.context["text"]
    assert alice_client.post("/settings/guard/words/import", {"text": text, "apply": "yes"}).status_code == 302
    assert set(WorkspaceTerm.objects.values_list("term", "kind")) == {("cheap", "review"), ("best", "block")}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Choose a file"),
        ({"file": SimpleUploadedFile("a.csv", b"word\ncheap\n")}, "The first line names the columns"),
        ({"file": SimpleUploadedFile("a.csv", b"\xff\xfe\x00")}, "The file is no text"),
        ({"file": SimpleUploadedFile("a.csv", b"x" * 1_000_001)}, "1 MB at most"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    alice_client: Client, in_workspace: Workspace, files: dict, said: str
) -> None:
    answer = alice_client.post("/settings/guard/words/import", files)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_the_list_is_taken_away_as_csv(vic_client: Client, alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("=cheap", reason="+1"), by=alice_actor)
    answer = vic_client.get("/settings/guard/words/export")
    assert answer["Content-Disposition"] == 'attachment; filename="words.csv"'
    assert "'=cheap,block,,'+1,," in answer.content.decode()


def test_the_rules_are_searched(vic_client: Client, alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("cheap", reason="Never say cheap."), by=alice_actor)
    everything = vic_client.get("/settings/guard/rules").context["page"].paginator.count
    found = vic_client.get("/settings/guard/rules", {"q": "never CHEAP"}).context["page"]
    assert everything > 20
    assert [rule.message for rule in found] == ["Never say cheap."]
    chinese = vic_client.get("/settings/guard/rules", {"market": "CN", "severity": "block"}).context["page"]
    assert chinese.paginator.count
    assert all(not rule.jurisdictions or "CN" in rule.jurisdictions for rule in chinese.paginator.object_list)
    assert "Nothing found" in vic_client.get("/settings/guard/rules", {"q": "qqqqqq"}).content.decode()


def test_a_text_is_tried_and_not_kept(vic_client: Client, alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("cheap", replacement="fair", reason="We are not cheap."), by=alice_actor)
    answer = vic_client.post("/settings/guard/try", {"text": "So cheap <b>today</b>", "platform": "x"})
    page = answer.content.decode()
    assert '<mark class="is-block">cheap</mark>' in page
    assert "We are not cheap." in page
    assert "&lt;b&gt;today" in page
    assert answer.context["decision"].verdict == "block"
    assert vic_client.post("/settings/guard/try", {"text": ""}).status_code == 422


def test_another_workspace_has_no_such_word(
    charlie_client: Client, alice_actor: Actor, in_workspace: Workspace
) -> None:
    row = add_term(TermDraft("cheap"), by=alice_actor)
    for address in (f"/settings/guard/words/{row.pk}", f"/settings/guard/words/{row.pk}/delete"):
        assert charlie_client.post(address, {"term": "x", "kind": "block"}).status_code == 404
    assert "cheap" not in charlie_client.get("/settings/guard/words").content.decode()
