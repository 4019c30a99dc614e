"""A workspace's own list: what is taken, files in and out, and what ends soon."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from hypothesis import given
from hypothesis import strategies as st

from accounts.access import Actor
from accounts.models import AuditDetail, Workspace
from accounts.scope import workspace_scope
from compliance import terms
from compliance.models import WorkspaceTerm
from compliance.places import clean_markets, jurisdictions_of
from compliance.terms import (
    TermDraft,
    add_term,
    change_term,
    clean_term,
    delete_term,
    ending_terms,
    export_terms,
    get_term,
    import_terms,
    read_text,
    visible_terms,
)
from lib.clock import now


def load(content: str | bytes, by: Actor, *, is_dry_run: bool = False) -> terms.FileReport:
    return import_terms(content.encode() if isinstance(content, str) else content, by=by, is_dry_run=is_dry_run)


def kept() -> dict[str, str]:
    return dict(WorkspaceTerm.objects.values_list("term", "kind"))


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (TermDraft(""), "term"),
        (TermDraft("…!"), "term"),
        (TermDraft("x" * 121), "term"),
        (TermDraft("\x00"), "term"),
        (TermDraft("x", kind="shout"), "kind"),
        (TermDraft("x", reason="r" * 201), "reason"),
        (TermDraft("x", replacement="r" * 121), "replacement"),
        (TermDraft("x", platforms=("myspace",)), "platforms"),
    ],
)
def test_what_is_wrong_is_named(draft: TermDraft, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        clean_term(draft)
    assert field in refused.value.message_dict


@given(st.text(max_size=130))
def test_a_word_is_taken_whole_or_refused(text: str) -> None:
    try:
        draft = clean_term(TermDraft(text))
    except ValidationError:
        return
    assert draft.term
    assert draft.term == " ".join(draft.term.split())
    assert clean_term(draft) == draft


@pytest.mark.parametrize("act", ["add", "change", "delete", "import"])
def test_only_those_who_set_settings_change_the_list(
    act: str, alice_actor: Actor, bob_actor: Actor, in_workspace: Workspace
) -> None:
    row = add_term(TermDraft("cheap"), by=alice_actor)
    acts = {
        "add": lambda: add_term(TermDraft("best"), by=bob_actor),
        "change": lambda: change_term(row, TermDraft("cheap", kind="allow"), by=bob_actor),
        "delete": lambda: delete_term(row, by=bob_actor),
        "import": lambda: load("term\nbest", bob_actor),
    }
    with pytest.raises(PermissionDenied):
        acts[act]()
    assert kept() == {"cheap": "block"}


def test_a_guest_sees_no_list(gwen_actor: Actor, in_workspace: Workspace) -> None:
    with pytest.raises(PermissionDenied):
        visible_terms(gwen_actor)


def test_the_list_is_the_workspaces_own(alice_actor: Actor, charlie_actor: Actor, in_workspace: Workspace) -> None:
    row = add_term(TermDraft("cheap"), by=alice_actor)
    with workspace_scope(charlie_actor.workspace.pk), pytest.raises(Http404):
        get_term(charlie_actor, row.pk)
    with workspace_scope(charlie_actor.workspace.pk):
        add_term(TermDraft("cheap"), by=charlie_actor)
    assert visible_terms(alice_actor).count() == 1


def test_a_list_has_an_end(alice_actor: Actor, in_workspace: Workspace, monkeypatch) -> None:
    monkeypatch.setattr(terms, "MAX_TERMS", 2)
    add_term(TermDraft("one"), by=alice_actor)
    for content in ("term\ntwo\nthree", "term\nfour\nfive"):
        with pytest.raises(ValidationError, match="holds at most"):
            load(content, alice_actor)
    add_term(TermDraft("two"), by=alice_actor)
    with pytest.raises(ValidationError, match="holds at most"):
        add_term(TermDraft("three"), by=alice_actor)
    # What is there may still change.
    assert load("term,kind\none,allow", alice_actor).changed == ["one"]


def test_a_change_that_changes_nothing_is_no_act(alice_actor: Actor, in_workspace: Workspace) -> None:
    row = add_term(TermDraft("cheap"), by=alice_actor)
    change_term(row, TermDraft(" cheap "), by=alice_actor)
    assert not AuditDetail.objects.filter(entry__action="guard_term.change").exists()


def test_renaming_onto_another_word_is_refused(alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("one"), by=alice_actor)
    row = add_term(TermDraft("two"), by=alice_actor)
    with pytest.raises(ValidationError, match="on the list already"):
        change_term(row, TermDraft("one"), by=alice_actor)


# --- files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "term,kind\ncheap,review\n",
        "\ufeffTERM , Kind\r\ncheap, REVIEW\r\n",
        "kind,other,term\nreview,ignored,cheap\n\n,,\n",
        "term,kind\ncheap,block\ncheap,review\n",
    ],
)
def test_files_as_spreadsheets_save_them(content: str, alice_actor: Actor, in_workspace: Workspace) -> None:
    report = load(content, alice_actor)
    assert (report.new, report.wrong) == (["cheap"], [])
    assert kept() == {"cheap": "review"}


def test_a_chinese_spreadsheet_is_read(alice_actor: Actor, in_workspace: Workspace) -> None:
    load("term,reason\n最便宜,不要说\n".encode("gb18030"), alice_actor)
    assert kept() == {"最便宜": "block"}
    assert read_text("最便宜".encode()) == "最便宜"


def test_a_dry_run_says_all_and_does_nothing(alice_actor: Actor, in_workspace: Workspace) -> None:
    add_term(TermDraft("same"), by=alice_actor)
    add_term(TermDraft("other"), by=alice_actor)
    content = (
        "term,kind,valid_to,platforms\nsame,block,,\nother,allow,,\nnew,,2027-01-31,x telegram\n,block,,\nlate,,soon,\n"
    )
    report = load(content, alice_actor, is_dry_run=True)
    assert (report.new, report.changed, report.same) == (["new"], ["other"], 1)
    assert [number for number, _ in report.wrong] == [5, 6]
    assert "“soon” is no day" in report.wrong[1][1]
    assert kept() == {"same": "block", "other": "block"}
    load(content, alice_actor)
    row = WorkspaceTerm.objects.get(term="new")
    assert (row.kind, row.valid_to, row.platforms) == ("block", date(2027, 1, 31), ["x", "telegram"])
    detail = AuditDetail.objects.get(entry__action="guard_term.import").data
    assert detail["before"]["other"]["kind"] == "block"
    assert set(detail["after"]) == {"new", "other"}
    again = load(content, alice_actor)
    assert not again.has_changes
    assert AuditDetail.objects.filter(entry__action="guard_term.import").count() == 1


@pytest.mark.parametrize("content", ["", "\n", "word\nx", b"\xff\xff\xff", 'term\n"' + "x" * 140_000])
def test_a_file_that_is_none_is_refused(content: str | bytes, alice_actor: Actor, in_workspace: Workspace) -> None:
    with pytest.raises(ValidationError) as refused:
        load(content, alice_actor)
    assert "file" in refused.value.message_dict


def test_a_file_comes_back_unchanged_and_calculates_nothing(alice_actor: Actor, in_workspace: Workspace) -> None:
    drafts = [
        TermDraft("=1+1", reason="@SUM(A1)", replacement="-2"),
        TermDraft("'=x", kind="review"),
        TermDraft('a "quoted", word', kind="allow", platforms=("x", "weibo"), valid_to=date(2027, 1, 31)),
        TermDraft("最便宜", reason="line"),
    ]
    for draft in drafts:
        add_term(draft, by=alice_actor)
    text = export_terms(visible_terms(alice_actor))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}]
    report = load(text, alice_actor)
    assert (report.new, report.changed, report.same, report.wrong) == ([], [], 4, [])


# --- places and ends --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markets", "places"),
    [
        ([], ()),
        (["CN"], ("CN",)),
        (["GB"], ("UK",)),
        (["DE", "US"], ("DE", "US", "EU")),
        (["EU", "DE"], ("EU", "DE")),
    ],
)
def test_a_member_state_brings_the_union(markets: list[str], places: tuple[str, ...]) -> None:
    assert jurisdictions_of(markets) == places


def test_markets_are_cleaned_and_unknown_ones_refused() -> None:
    assert clean_markets([" gb", "UK", "cn", ""]) == ["UK", "CN"]
    with pytest.raises(ValidationError, match="no market MOON"):
        clean_markets(["CN", "moon"])


def test_words_that_end_soon_in_order(alice_actor: Actor, in_workspace: Workspace) -> None:
    today = now().date()
    for days, term in ((3, "third"), (0, "today"), (-1, "past"), (9, "later")):
        add_term(TermDraft(term, valid_to=today + timedelta(days=days)), by=alice_actor)
    found = ending_terms(visible_terms(alice_actor), today + timedelta(days=7))
    assert [row.term for row in found] == ["today", "third"]
