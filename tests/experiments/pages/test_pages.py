"""The pages of experiments: the guided form, results, refusals, and what can be pressed."""

import json
from datetime import timedelta

import pytest

from experiments import services
from experiments.forms import ARM_WORDS, DraftForm, arm_rows, fields_of, metrics_of, read_arms
from experiments.looks import read_again
from experiments.models import Experiment, Look
from experiments.proposals import QUESTIONS
from experiments.words import settings_in_words
from lib.clock import now
from tests.experiments.cast import Crowd, draft_split, run_split
from tests.experiments.test_other_designs import planned

pytestmark = pytest.mark.django_db
LANDING = "question=landing&visitors_per_day=500&base_rate=5&lift=30"


@pytest.fixture
def w(workspace) -> str:
    return f"/w/{workspace.slug}/experiments"


def draft_fields(link, **more) -> dict:
    return {
        "name": "Landing page",
        "hypothesis": "The short page converts better.",
        "metric": "conversions",
        "mde": "30",
        "horizon_days": "28",
        "links": [str(link.pk)],
        "base_rate": "5",
        "allocation": "fixed",
        "margin": "10",
        "arm_name": ["Old", "New", "", ""],
        "arm_content": ["https://acme.example/old", "https://acme.example/new", "", ""],
    } | more


# --- list and guided form -------------------------------------------------------------------------------


def test_an_empty_list_says_what_an_honest_test_is(bob_client, w):
    page = bob_client.get(w).content.decode()
    assert "No experiment yet" in page
    assert "Plan the first one" in page


def test_viewers_cannot_plan(vic_client, w):
    assert "New experiment" not in vic_client.get(w).content.decode()
    assert vic_client.get(f"{w}/new").status_code == 403


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_gets_a_proposal_and_its_form(bob_client, w, in_workspace, roastery, question):
    page = bob_client.get(f"{w}/new?question={question}&posts_per_week=7&visitors_per_day=300").content.decode()
    assert "2. The proposal" in page
    assert "What may be claimed:" in page
    assert "Save the draft" in page


def test_a_question_that_takes_too_long_says_what_could_be_found(bob_client, w):
    page = bob_client.get(f"{w}/new?question=landing&visitors_per_day=20&base_rate=2&lift=5").content.decode()
    assert "Not feasible in 90 days" in page
    assert "smallest detectable lift" in page


@pytest.mark.parametrize("query", ["question=why", "question=landing&visitors_per_day=-1", "question=landing&lift=abc"])
def test_a_wrong_question_is_asked_again(bob_client, w, query):
    answer = bob_client.get(f"{w}/new?{query}")
    assert answer.status_code == 400
    assert "2. The proposal" not in answer.content.decode()


def test_the_draft_is_saved_and_shown_before_it_starts(bob_client, w, link):
    answer = bob_client.post(f"{w}/new?{LANDING}", draft_fields(link), follow=True)
    page = answer.content.decode()
    experiment = Experiment.objects.get()
    assert experiment.settings["links"] == [str(link.pk)]
    assert experiment.settings["mde"] == pytest.approx(0.3)
    assert [arm.name for arm in experiment.arms.all()] == ["Old", "New"]
    assert "What will be written down at the start" in page
    assert "The short page converts better." in page


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"hypothesis": ""}, "This field is required"),
        ({"arm_content": ["https://acme.example/old", "", "", ""]}, "“New” is empty"),
        ({"arm_content": ["javascript:alert(1)", "https://acme.example/new", "", ""]}, "begins with https"),
        ({"arm_name": ["Old"], "arm_content": ["https://acme.example/old"]}, "2 to 10 arms"),
        ({"links": []}, "This field is required"),
        ({"mde": "nan"}, "Enter a number"),
        ({"horizon_days": "4000"}, "less than or equal to 366"),
    ],
)
def test_what_is_wrong_stands_there_and_nothing_is_lost(bob_client, w, link, wrong, why):
    answer = bob_client.post(f"{w}/new?{LANDING}", draft_fields(link, **wrong))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert why in page
    assert 'value="Landing page"' in page
    assert not Experiment.objects.exists()


def test_a_draft_can_be_changed_and_a_running_one_not(bob_client, w, bob_actor, link):
    experiment = draft_split(bob_actor, link)
    page = bob_client.get(f"{w}/{experiment.pk}/edit").content.decode()
    assert "https://acme.example/old" in page
    bob_client.post(f"{w}/{experiment.pk}/edit", draft_fields(link, name="Other"))
    experiment.refresh_from_db()
    assert experiment.name == "Other"
    services.start_experiment(experiment, by=bob_actor)
    answer = bob_client.get(f"{w}/{experiment.pk}/edit", follow=True)
    assert "Make a new version to change it" in answer.content.decode()


# --- forms by design ------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", Experiment.Design.values)
def test_each_design_has_a_form_that_knows_its_fields(bob_actor, in_workspace, design):
    form = DraftForm(actor=bob_actor, design=design)
    assert set(form.fields) == fields_of(design)
    assert form.fields["metric"].choices
    assert metrics_of(design)


def test_paragraphs_are_contents_of_their_own():
    first, second = read_arms("C", ["A", "B"], ["One?\r\n\r\nTwo?", "One.\n\nTwo."])
    assert first.content == {"texts": ["One?", "Two?"]}
    assert (first.is_control, second.is_control) == (True, False)


def test_designs_without_arms_have_none():
    assert read_arms("F", ["A"], ["x"]) == []
    assert "F" not in ARM_WORDS


def test_rows_are_filled_up():
    assert [row.name for row in arm_rows("A", [], [])] == ["Control", "", "", ""]
    assert len(arm_rows("C", [], [])) == 2
    assert len(arm_rows("A", ["x"] * 6, ["y"] * 6)) == 6


# --- results --------------------------------------------------------------------------------------------


@pytest.fixture
def seen(bob_actor, link) -> Experiment:
    """A clear winner among 4,000 visitors, and a look."""
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.05, "b": 0.12}).visit(2500, bots=20)
    services.look_now(experiment, by=bob_actor)
    return experiment


def test_the_verdict_comes_first_with_its_numbers(bob_client, w, seen):
    look = Look.objects.get()
    page = bob_client.get(f"{w}/{seen.pk}").content.decode()
    assert look.verdict == "better"
    assert look.sentence.split("”")[0][1:] in page
    assert "Chance to be best" in page
    assert page.index("verdict-mark") < page.index("All checks of the split")
    assert page.count("data-chart=") >= 2
    assert look.data_hash in page
    assert seen.registered_hash in page


def test_a_refusal_has_a_reason_and_a_next_step_and_no_verdict(bob_client, w, bob_actor, link):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.05, "b": 0.12}).visit(1500, lost={"b": 0.5})
    look = services.look_now(experiment, by=bob_actor)
    page = bob_client.get(f"{w}/{experiment.pk}").content.decode()
    assert look.refusals
    assert "Nothing is concluded" in page
    assert f"Next: {look.refusals[0]['next'][:20]}" in page
    assert "Chance to be best" not in page
    assert "Lifts as they were seen" not in page
    assert "Parts of the visitors" not in page
    assert "do not arrive in the shares" in page


def test_parts_of_the_visitors_are_marked_as_ideas(bob_client, w, seen):
    page = bob_client.get(f"{w}/{seen.pk}").content.decode()
    assert "Parts of the visitors" in page
    assert "Exploratory: it was not named before the start" in page


def test_before_anybody_came_nothing_is_told_of_chances(bob_client, w, bob_actor, link):
    experiment = run_split(bob_actor, link)
    services.look_now(experiment, by=bob_actor)
    page = bob_client.get(f"{w}/{experiment.pk}").content.decode()
    assert "Chance to be best" in page
    assert 'class="interval"' not in page
    assert "50.0 %" not in page.split("Shares over time")[0]


def test_the_export_lets_anybody_compute_it_again(bob_client, w, seen):
    document = json.loads(bob_client.get(f"{w}/{seen.pk}/export").content)
    (look,) = document["looks"]
    row = Look.objects.get()
    assert look["data_hash"] == row.data_hash
    result, refusals, verdict, sentence = read_again(row)
    assert (result, refusals, verdict, sentence) == (
        look["result"],
        look["refusals"],
        look["verdict"],
        look["sentence"],
    )
    assert document["registered_hash"] == seen.registered_hash
    assert document["epochs"][0]["weights"] == {"a": 0.5, "b": 0.5}


def test_the_list_tells_the_verdict(bob_client, w, seen):
    page = bob_client.get(w).content.decode()
    assert "verdict-better" in page
    assert "left" in page


# --- acts -----------------------------------------------------------------------------------------------


def act(client, w, experiment, name, **data):
    return client.post(f"{w}/{experiment.pk}/{name}", data, follow=True)


def test_what_could_not_start_is_not_called_started(bob_client, w, bob_actor, link):
    experiment = draft_split(bob_actor, link)
    link.is_active = False
    link.save(update_fields=["is_active"])
    page = bob_client.post(f"{w}/{experiment.pk}/start", follow=True).content.decode()
    assert "Switch the link" in page
    assert "Started." not in page


def test_the_way_from_start_to_archive(bob_client, w, bob_actor, link):
    experiment = draft_split(bob_actor, link)
    for name, status in [
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("look", "running"),
        ("stop", "stopped"),
        ("archive", "archived"),
    ]:
        assert act(bob_client, w, experiment, name).status_code == 200
        experiment.refresh_from_db()
        assert experiment.status == status, name


def test_any_arm_may_win_and_the_link_leads_there(bob_client, w, seen, link):
    page = act(bob_client, w, seen, "winner", arm="a").content.decode()
    seen.refresh_from_db()
    assert (seen.winner, seen.status) == ("a", "stopped")
    assert "The winner is set." in page
    assert "Winner" in page


def test_a_winner_that_is_none_is_refused(bob_client, w, seen):
    assert "Choose one of the arms." in act(bob_client, w, seen, "winner", arm="z").content.decode()


def test_what_is_not_allowed_now_says_why(bob_client, w, bob_actor, link):
    experiment = draft_split(bob_actor, link)
    assert "does not run" in act(bob_client, w, experiment, "stop").content.decode()
    assert "does not run" in act(bob_client, w, experiment, "look").content.decode()
    act(bob_client, w, experiment, "delete")
    assert not Experiment.objects.exists()


def test_a_new_version_keeps_the_arms(bob_client, w, seen):
    page = act(bob_client, w, seen, "version").content.decode()
    fresh = Experiment.objects.get(parent=seen)
    assert fresh.arms.count() == 2
    assert "version 2" in page


def test_a_programme_takes_in_planned_drafts_and_leaves_out_what_must_not_count(
    bob_client, w, bob_actor, in_workspace, roastery
):
    styles = [services.ArmDraft("Plain", {"style": "Plain"}), services.ArmDraft("Question", {"style": "Ends with ?"})]
    facts = {"name": "Style", "hypothesis": "Questions work.", "metric": "engagement_rate"}
    settings = {"connection": str(roastery.pk), "posts": 10}
    programme = services.create_experiment(by=bob_actor, design="E", arms=styles, settings=settings, **facts)
    services.start_experiment(programme, by=bob_actor)
    assert "No planned draft of this account waits" in bob_client.get(f"{w}/{programme.pk}").content.decode()
    delivery = planned(bob_actor, roastery, now() + timedelta(days=2))
    assert "Draw its style" in bob_client.get(f"{w}/{programme.pk}").content.decode()
    page = act(bob_client, w, programme, "enter", delivery=str(delivery.pk)).content.decode()
    unit = programme.units.get()
    assert unit.arm.content["style"] in page
    assert "cannot enter" in act(bob_client, w, programme, "enter", delivery=str(delivery.pk)).content.decode()
    assert "cannot enter" in act(bob_client, w, programme, "enter", delivery="nonsense").content.decode()
    assert "Say why" in act(bob_client, w, programme, "exclude", unit=str(unit.pk), reason=" ").content.decode()
    act(bob_client, w, programme, "exclude", unit=str(unit.pk), reason="A typo in it")
    unit.refresh_from_db()
    assert (unit.state, unit.reason) == ("excluded", "A typo in it")


def test_an_unknown_act_is_nothing(bob_client, w, seen):
    assert bob_client.post(f"{w}/{seen.pk}/explode").status_code == 404
    assert bob_client.get(f"{w}/{seen.pk}/stop").status_code == 405


def test_viewers_look_but_press_nothing(vic_client, w, seen):
    page = vic_client.get(f"{w}/{seen.pk}").content.decode()
    assert "Make “" not in page
    assert vic_client.post(f"{w}/{seen.pk}/stop").status_code == 403


def test_guests_see_none(gwen_client, w, seen):
    assert gwen_client.get(w).status_code in {403, 404}
    assert gwen_client.get(f"{w}/{seen.pk}").status_code in {403, 404}


def test_what_is_written_down_is_in_words(bob_client, w, bob_actor, link, roastery):
    """Shares as percentages, links and accounts by their names, and nothing that decides nothing here."""
    link.title = "Sale"
    link.save(update_fields=["title"])
    experiment = draft_split(bob_actor, link, settings={"mde": 0.3, "value_micro": 4_500_000})
    page = bob_client.get(f"{w}/{experiment.pk}").content.decode()
    for text in ("<dd>Sale</dd>", "<dd>30 %</dd>", "<dd>4.50</dd>"):
        assert text in page
    assert str(link.pk) not in page
    assert "Least share of a variant" not in page
    slots = [{"weekday": 1, "time": "17:00"}, {"weekday": 9}]
    paired = Experiment(design="C", settings={"connection": str(roastery.pk), "slots": slots, "title": ""})
    assert settings_in_words(paired) == {"connection": str(roastery), "slots": "Tue 17:00, ? "}
