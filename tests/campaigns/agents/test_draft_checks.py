"""The same rules for an agent's text as for a person's, and what is asked of it besides."""

import pytest

from campaigns.draft_checks import (
    Material,
    Place,
    check_text,
    is_blocked,
    judge_text,
    model_notes,
    must_change,
    read_findings,
)
from campaigns.forms_post import PartField, PostForm
from campaigns.guard_findings import find_in_form
from campaigns.guarding import gather_known
from campaigns.origins import offered
from campaigns.rendering import Rendered, render_part
from campaigns.workflows.material import material_of, message
from campaigns.workflows.writing import SOURCE_MARK
from compliance.models import GuardSettings

TEXTS = [
    "Fresh beans, every Friday.",
    "Call 13812345678 now",
    "Mail me: mei@example.org",
    "The best coffee in the world, guaranteed to cure your cold",
    "全国第一的咖啡，包治百病",
    "See http://bit.ly/abc",
    "x" * 400,
]


@pytest.mark.parametrize("text", TEXTS)
def test_an_agents_text_is_judged_as_the_composer_judges_it(roastery, text):
    GuardSettings.objects.create(workspace=roastery.workspace, markets=["US", "CN"])
    form = PostForm(parts=[PartField(text)], connection_ids=[roastery.pk], language="en", made_with_ai=True)
    rendered = Rendered(roastery.pk, "x", roastery.remote_id, (render_part(roastery, text),), True)
    known = gather_known(roastery.workspace, [rendered])
    by_hand = find_in_form(form, [(rendered, roastery)], {}, campaign=None, saved=None, known=known)
    stored = judge_text(roastery.workspace, text, Place(roastery), language="en")
    assert stored["verdict"] == by_hand.verdict
    assert read_findings(stored) == [one for part in by_hand.parts.values() for one in part]


@pytest.mark.parametrize(
    ("network", "limit", "full"), [("x", 280, 280), ("telegram", 900, 4096), ("any", 900, 1000), ("", 900, 1000)]
)
def test_place_says_how_long_a_text_may_be(network, limit, full):
    place = Place(network=network)
    assert (place.limit, place.full_limit) == (limit, full)
    assert place.length("咖啡") == (4 if network == "x" else 2)


def test_what_the_network_refuses_blocks_as_well(roastery):
    stored = judge_text(roastery.workspace, "x" * 281, Place(roastery), language="en")
    assert is_blocked(stored)
    assert "1 over the limit" in stored["problems"][0]
    assert not is_blocked(judge_text(roastery.workspace, "Fine.", Place(roastery), language="en"))


@pytest.mark.parametrize(
    ("text", "kinds", "changes"),
    [
        ("Coffee is here.", [], 0),
        ("咖啡到了，欢迎来看看。", ["language"], 1),
        ("A cheap coffee.", ["brand"], 1),
        ("Coffee for 42 people.", ["claim"], 0),
        ("Coffee for 20 people.", [], 0),
        ("See https://known.example/a", [], 0),
        ("See https://other.example/a", ["link"], 1),
        ("Ask @roastery or @stranger", ["link"], 1),
    ],
)
def test_what_no_rule_of_the_guard_knows(in_workspace, text, kinds, changes):
    material = Material("20 people at @roastery https://known.example/a", [{"text": "A claim."}], ["cheap"])
    checked = check_text(in_workspace, text, Place(), language="en", material=material)
    assert [note["kind"] for note in checked.notes] == kinds
    assert len(must_change(checked)) == changes


@pytest.mark.parametrize(
    "answer", [None, [], "text", {}, {"findings": []}, {"findings": [{"quote": "", "reason": "x"}]}]
)
def test_strange_answers_of_a_checking_agent_say_nothing(answer):
    assert model_notes("product", answer, "Coffee") == []


def test_messages_leave_out_what_is_empty():
    rows = (("About", "Coffee"), ("Link", ""), ("Knowledge", ["a", "b"]), ("Length", 5), ("Text", "one\ntwo"))
    assert message(*rows) == "About: Coffee\nKnowledge:\n- a\n- b\nLength: 5\nText:\none\ntwo"


def test_proof_is_what_was_given_and_nothing_the_strategist_said():
    facts = {
        "brief": "Brief 1",
        "brand": "Voice",
        "campaign": {"goal": "Goal 2"},
        "sources": [{"text": "Claim 3"}],
        "avoid": [],
        "strategy": {"angle": "Angle 4"},
    }
    proof = material_of(facts).proof
    assert all(word in proof for word in ("Brief 1", "Voice", "Goal 2", "Claim 3"))
    assert "Angle 4" not in proof


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Made without solvents [1].", "Made without solvents."),
        ("[018f0000-0000-7000-8000-000000000000] Fresh", " Fresh"),
        ("An array[100] stays", "An array[100] stays"),
        ("[sic] stays", "[sic] stays"),
    ],
)
def test_marks_of_sources_do_not_reach_readers(text, clean):
    assert SOURCE_MARK.sub("", text) == clean


@pytest.mark.parametrize(
    ("text", "kept", "accepted"),
    [
        ("One here. Two here.", None, [True, True]),
        ("One here. Two here.", "Two here. And mine.", [False, True]),
        ("", None, []),
        ("第一句。第二句。", "第一句。", [True, False]),
    ],
)
def test_sentences_are_marked_by_whether_they_stayed(text, kept, accepted):
    assert [one["is_accepted"] for one in offered(text, kept)] == accepted
