"""Funnels and segments as people define them."""

import csv
import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, Workspace
from accounts.scope import workspace_scope
from analytics.definitions import MOST_STEPS, delete_funnel, export_contacts, save_funnel, save_segment
from analytics.models import Funnel, Segment
from analytics.queries.funnels import USUAL
from analytics.segment_builder import Group, as_rules, change, read_groups, read_rules
from compliance.contacts import create_contact, restrict_contact
from tests.analytics.pages.test_results import page, text_of

GERMAN = {"field": "language", "op": "is", "value": "de"}


@pytest.fixture
def funnels(workspace: Workspace) -> str:
    return f"/w/{workspace.slug}/results/funnels"


@pytest.fixture
def segments(workspace: Workspace) -> str:
    return f"/w/{workspace.slug}/results/segments"


# --- funnels ----------------------------------------------------------------------------------------------


def test_an_editor_makes_changes_and_deletes_a_funnel(busy, funnels, workspace, bob_client) -> None:
    steps = {"kind": ["impressions", "click", "conversion"], "step_name": ["", "", "purchase"]}
    assert bob_client.post(f"{funnels}/new", {"name": "Shop", **steps}).status_code == 302
    with workspace_scope(workspace.pk):
        funnel = Funnel.objects.get()
    assert funnel.steps[2] == {"kind": "conversion", "name": "purchase"}
    shown = text_of(bob_client.get(funnels, {"days": "7"}))
    for words in ("Shop", "7,021", "Converted: purchase", "29 % of the step before"):
        assert words in shown, words
    rows = list(csv.reader(io.StringIO(page(bob_client, workspace, "/funnels/export", days="7").content.decode())))
    assert ["Shop", "Clicked", "21"] in [row[:3] for row in rows]
    assert bob_client.post(f"{funnels}/{funnel.pk}", {"name": "Till", **steps}).status_code == 302
    assert bob_client.post(f"{funnels}/{funnel.pk}/delete").status_code == 302
    with workspace_scope(workspace.pk):
        assert not Funnel.objects.exists()
        acts = (
            AuditEntry.objects.filter(action__startswith="funnel.").order_by("number").values_list("action", flat=True)
        )
        assert list(acts) == ["funnel.create", "funnel.update", "funnel.delete"]


def test_buttons_of_the_form_move_steps_and_save_nothing(funnels, workspace, bob_client) -> None:
    typed = {"name": "Shop", "kind": ["click", "view", "custom"], "step_name": ["lost", "basket", "called"]}

    def press(act: str) -> list[tuple[str, str]]:
        response = bob_client.post(f"{funnels}/new", {**typed, "act": act})
        assert response.status_code == 200
        return [(step["kind"], step["name"]) for step in response.context["steps"]]

    click, view, custom = ("click", ""), ("view", "basket"), ("custom", "called")
    assert press("add") == [click, view, custom, ("conversion", "")]
    assert press("remove-0") == [view, custom]
    assert press("up-2") == [click, custom, view]
    for nonsense in ("up-0", "up-9", "remove-9", "remove-x", "remove-", "explode"):
        assert press(nonsense) == [click, view, custom], nonsense
    with workspace_scope(workspace.pk):
        assert not Funnel.objects.exists()


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("", USUAL),
        ("Shop", USUAL[:1]),
        ("Shop", USUAL * MOST_STEPS),
        ("Shop", [{"kind": "love"}, {"kind": "click"}]),
        ("Shop", [{"kind": "custom", "name": " "}, {"kind": "click"}]),
        ("Shop", ["click", "view"]),
        ("Shop", {"kind": "click"}),
        ("Taken", USUAL),
    ],
)
def test_a_funnel_that_makes_no_sense_is_refused(in_workspace, alice_actor, name: str, steps) -> None:
    save_funnel("Taken", USUAL, by=alice_actor)
    with pytest.raises(ValidationError):
        save_funnel(name, steps, by=alice_actor)
    assert Funnel.objects.count() == 1


def test_a_refused_funnel_keeps_what_was_typed(funnels, bob_client) -> None:
    given = {"name": "Shop", "kind": ["custom", "click"], "step_name": ["", ""]}
    response = bob_client.post(f"{funnels}/new", given)
    assert response.status_code == 422
    assert "needs its name" in text_of(response)
    assert b'value="Shop"' in response.content


def test_viewers_look_at_funnels_and_change_none(in_workspace, funnels, alice_actor, actor_of, vic, client_of) -> None:
    funnel = save_funnel("Shop", USUAL, by=alice_actor)
    assert b"funnels/new" not in client_of(vic).get(funnels).content
    assert client_of(vic).get(f"{funnels}/new").status_code == 403
    with pytest.raises(PermissionDenied):
        delete_funnel(funnel, by=actor_of(vic))


# --- segments ---------------------------------------------------------------------------------------------


def fields(*groups: tuple[str, list[tuple[str, str, str]]], match: str = "all", **more: str) -> dict[str, str]:
    found = {"match": match, "name": "Germans", "subject": "contact", **more}
    for group_no, (how, rules) in enumerate(groups):
        found[f"g{group_no}-match"] = how
        for rule_no, rule in enumerate(rules):
            for part, value in zip(("field", "op", "value"), rule, strict=True):
                found[f"g{group_no}-r{rule_no}-{part}"] = value
    return found


@pytest.fixture
def people(workspace: Workspace, alice_actor) -> None:
    with workspace_scope(workspace.pk):
        create_contact(by=alice_actor, name="=Anna", email="anna@acme.example", language="de")
        create_contact(by=alice_actor, name="Ben", email="ben@acme.example", language="en")
        restrict_contact(create_contact(by=alice_actor, name="Tom", language="de"), by=alice_actor)


def test_an_editor_makes_a_segment_and_takes_its_contacts_out(people, segments, workspace, bob_client) -> None:
    given = fields(("all", [("language", "is", "de")]), ("any", [("email", "contains", "acme"), ("name", "is", "x")]))
    assert bob_client.post(f"{segments}/new", given).status_code == 302
    with workspace_scope(workspace.pk):
        segment = Segment.objects.get()
    assert segment.rules == {
        "all": [
            {"all": [GERMAN]},
            {
                "any": [
                    {"field": "email", "op": "contains", "value": "acme"},
                    {"field": "name", "op": "is", "value": "x"},
                ]
            },
        ]
    }
    assert "Germans Contacts 1" in text_of(bob_client.get(segments))
    rows = list(csv.reader(io.StringIO(bob_client.post(f"{segments}/{segment.pk}/export").content.decode("utf-8-sig"))))
    assert [row[:2] for row in rows] == [["name", "email"], ["'=Anna", "anna@acme.example"]]
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="segment.export").count() == 1
    assert bob_client.post(f"{segments}/{segment.pk}/delete").status_code == 302


def test_how_many_fit_is_told_while_somebody_types(people, segments, bob_client, vic, client_of) -> None:
    one = client_of(vic).post(f"{segments}/size", fields(("all", [("language", "is", "de")])))
    assert text_of(one).strip() == "1 contact now"
    all_of_them = bob_client.post(f"{segments}/size", fields(("any", [("email", "contains", "acme")])))
    assert text_of(all_of_them).strip() == "2 contacts now"
    unfinished = bob_client.post(f"{segments}/size", fields(("all", [("language", "is", "")])))
    assert "say what it is compared with" in text_of(unfinished)


def test_the_form_shows_what_is_stored(people, segments, in_workspace, alice_actor, bob_client) -> None:
    segment = save_segment(
        "Germans", "contact", {"any": [GERMAN, {"all": [GERMAN, {"any": [GERMAN]}]}]}, by=alice_actor
    )
    response = bob_client.get(f"{segments}/{segment.pk}")
    assert [len(group["rules"]) for group in response.context["groups"]] == [1, 2]
    assert response.context["match"] == "any"
    assert response.context["size"]["number"] == 1


def test_the_builder_is_a_fragment_for_htmx_and_a_page_without(people, segments, workspace, bob_client) -> None:
    given = fields(("all", [("language", "is", "de")]), act="rule-0")
    whole = bob_client.post(f"{segments}/new", given)
    part = bob_client.post(f"{segments}/new", given, headers={"HX-Request": "true"})
    assert (whole.status_code, part.status_code) == (200, 200)
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert b"g0-r1-field" in part.content
    with workspace_scope(workspace.pk):
        assert not Segment.objects.exists()


def test_a_refused_segment_keeps_what_was_typed(segments, bob_client) -> None:
    response = bob_client.post(f"{segments}/new", fields(("all", [("language", "is", "")])))
    assert response.status_code == 422
    assert "say what it is compared with" in text_of(response)
    assert b'value="Germans"' in response.content


def test_a_name_is_taken_once(in_workspace, alice_actor) -> None:
    save_segment("Germans", "contact", {"all": [GERMAN]}, by=alice_actor)
    for name in ("Germans", " "):
        with pytest.raises(ValidationError):
            save_segment(name, "contact", {"all": [GERMAN]}, by=alice_actor)


def test_visitors_have_no_names_to_take_out(in_workspace, alice_actor, segments, bob_client) -> None:
    segment = save_segment("Phones", "visitor", {"all": []}, by=alice_actor)
    with pytest.raises(ValidationError):
        export_contacts(segment, by=alice_actor)
    assert bob_client.post(f"{segments}/{segment.pk}/export").status_code == 302


def test_viewers_take_no_contacts_out(in_workspace, alice_actor, segments, actor_of, vic, client_of) -> None:
    segment = save_segment("Germans", "contact", {"all": [GERMAN]}, by=alice_actor)
    assert client_of(vic).post(f"{segments}/{segment.pk}/export").status_code == 403
    with pytest.raises(PermissionDenied):
        export_contacts(segment, by=actor_of(vic))


# --- the builder by itself --------------------------------------------------------------------------------


def test_what_is_typed_and_read_again_is_the_same() -> None:
    rules = {"any": [{"all": [GERMAN]}, {"any": [GERMAN, {"field": "gpc", "op": "is", "value": "yes"}]}]}
    match, groups = read_groups(rules)
    assert as_rules(match, groups) == rules
    posted = fields(
        *((group.match, [(rule["field"], rule["op"], rule["value"]) for rule in group.rules]) for group in groups),
        match=match,
    )
    assert as_rules(*read_rules("contact", posted)) == rules


def test_a_field_that_changed_gets_an_answer_that_fits() -> None:
    _match, groups = read_rules("contact", fields(("all", [("network", "contains", "de"), ("nosuch", "is", "x")])))
    assert groups[0].rules == [
        {"field": "network", "op": "is", "value": "x"},
        {"field": "name", "op": "is", "value": ""},
    ]


def test_buttons_add_and_take_away() -> None:
    def sizes(*acts: str) -> list[int]:
        match, groups = "all", [Group("all", [dict(GERMAN)]), Group("any", [dict(GERMAN), dict(GERMAN)])]
        for act in acts:
            match, groups = change("contact", match, groups, act)
        return [len(group.rules) for group in groups]

    wanted = [
        (("rule-0",), [2, 2]),
        (("drop-1-0",), [1, 1]),
        (("drop-0-0",), [2]),
        (("group",), [1, 2, 1]),
        (("ungroup-1",), [1]),
        (("ungroup-0", "ungroup-0"), [1]),
        (("group",) * 20, [1, 2, *[1] * 6]),
        (("rule-9", "drop-9-9", "drop-0", "nonsense", "rule-x", ""), [1, 2]),
    ]
    for acts, found in wanted:
        assert sizes(*acts) == found, acts
