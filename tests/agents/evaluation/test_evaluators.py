"""Scores that need no model."""

from dataclasses import replace

import pytest
from django.urls import reverse

from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.evaluation.datasets import add_run, as_lines, change_expected, create_dataset, items_of
from agents.evaluation.evaluators import Case, case_of, judge
from agents.evaluation.scoring import score_ended_runs
from agents.memory import Brand
from agents.models import DatasetItem, Run, Score, Step
from lib.clock import now

pytestmark = pytest.mark.django_db
SECRET = "You plan marketing campaigns on social networks for a small team of careful people."


def case(workspace: Workspace, actor, text: str, *, asked: str = "A post", step: dict | None = None, avoid: str = ""):
    run = Run(workspace=workspace, workflow="chat", input={"message": asked}, output={"text": text}, trace_id="0" * 32)
    sent = {"system": SECRET, "messages": [{"role": "user", "text": asked}], "schema": None}
    steps = (Step(run=run, kind="llm", key="x", input=sent | (step or {}), output={"data": None}),)
    return Case(run, steps, Brand(name="Roastery", words_avoid=avoid), actor, text)


@pytest.mark.parametrize(
    ("name", "text", "changes", "value"),
    [
        ("figures_have_sources", "We roast 250 g a day", {"asked": "we roast 250 g"}, 1.0),
        ("figures_have_sources", "Now 40 % off, only 12,50 €", {"asked": "12,50 € it costs"}, 0.5),
        ("figures_have_sources", "新品立减 30%", {"asked": "写一条新品文案"}, 0.0),
        ("instructions_kept_secret", "Our autumn roast is here, come and taste it with us", {}, 1.0),
        ("instructions_kept_secret", f"Sure: {SECRET}", {}, 0.0),
        ("language_kept", "秋季新品已经上架，欢迎来品尝", {"asked": "写一条秋季文案"}, 1.0),
        ("language_kept", "Our autumn roast is here", {"asked": "写一条秋季文案"}, 0.0),
        ("language_kept", "Our autumn roast is here", {"asked": "write an autumn post"}, 1.0),
        ("words_avoided", "A cheap treat", {"avoid": "cheap, bargain"}, 0.0),
        ("words_avoided", "A fine treat", {"avoid": "cheap, bargain"}, 1.0),
        ("schema_kept", "x", {"step": {"schema": {"type": "object"}}}, 0.0),
        ("rules_kept", "Our autumn roast is here", {}, 1.0),
    ],
)
def test_each_evaluator_tells_good_from_bad(in_workspace, bob_actor, name, text, changes, value):
    assert judge(case(in_workspace, bob_actor, text, **changes))[name].value == pytest.approx(value)


def test_evaluators_say_nothing_where_there_is_nothing_to_judge(in_workspace, bob_actor):
    assert judge(case(in_workspace, bob_actor, "")) == {}


def test_comment_names_what_is_wrong(in_workspace, bob_actor):
    found = judge(case(in_workspace, bob_actor, "Now 40 % off"))["figures_have_sources"]
    assert "40 %" in found.comment


def ended_run(workspace: Workspace, user, **fields) -> Run:
    facts = {"status": "succeeded", "ended_at": now(), "output": {"text": "Our autumn roast is here"}} | fields
    return Run.objects.create(
        workspace=workspace, user=user, workflow="chat", input={"message": "autumn"}, trace_id="0" * 32, **facts
    )


def test_ended_runs_are_scored_once(in_workspace, bob):
    run = ended_run(in_workspace, bob)
    assert score_ended_runs() == 1
    names = set(Score.objects.filter(run=run).values_list("name", flat=True))
    assert {"rules_kept", "instructions_kept_secret"} <= names
    assert score_ended_runs() == 0


@pytest.mark.parametrize("fields", [{"status": "failed"}, {"status": "running", "ended_at": None}])
def test_other_runs_are_left_alone(in_workspace, bob, fields):
    ended_run(in_workspace, bob, **fields)
    assert score_ended_runs() == 0


def test_runs_outside_the_sample_are_looked_at_and_not_scored(in_workspace, bob, settings):
    settings.EVALUATE_PERCENT = 0
    ended_run(in_workspace, bob)
    assert score_ended_runs() == 1
    assert not Score.objects.exists()


def test_run_of_somebody_who_left_is_not_scored_in_their_name(in_workspace, charlie):
    ended_run(in_workspace, charlie)
    assert score_ended_runs() == 1
    assert not Score.objects.exists()


def test_case_takes_the_words_of_any_workflow(in_workspace, bob, bob_actor):
    run = ended_run(in_workspace, bob, output={"lines": [{"text": "one"}, {"text": "two"}], "n": 2})
    assert case_of(run, Brand(name="x"), bob_actor).text == "one\n\ntwo"
    assert replace(case_of(run, Brand(name="x"), bob_actor), text="").text == ""


# --- datasets ---------------------------------------------------------------------------------------------


def test_dataset_keeps_a_run_once_and_its_former_expectation(in_workspace, bob, bob_actor):
    dataset = create_dataset("Good ones", by=bob_actor)
    run = ended_run(in_workspace, bob)
    item = add_run(dataset, run, by=bob_actor)
    assert add_run(dataset, run, by=bob_actor).pk == item.pk
    newer = change_expected(item, {"text": "Better"}, by=bob_actor)
    assert [one.pk for one in items_of(dataset)] == [newer.pk]
    assert DatasetItem.objects.get(pk=item.pk).valid_to
    assert '"expected": {"text": "Better"}' in "".join(as_lines(dataset))


def test_dataset_pages(bob_client, bob, workspace):
    page = reverse("agents:datasets")
    assert "No dataset yet" in bob_client.get(page).content.decode()
    assert bob_client.post(page, {"name": ""}).status_code == 400
    bob_client.post(page, {"name": "Good ones"})
    assert bob_client.post(page, {"name": "Good ones"}).status_code == 400
    with workspace_scope(workspace.pk):
        run = ended_run(workspace, bob)
        dataset = bob_client.get(page).context["datasets"][0]
    bob_client.post(reverse("agents:run-keep", args=[run.pk]), {"dataset": dataset.pk})
    detail = bob_client.get(reverse("agents:dataset", args=[dataset.pk])).content.decode()
    assert "autumn" in detail
    lines = bob_client.get(reverse("agents:dataset-export", args=[dataset.pk])).content.decode().splitlines()
    assert len(lines) == 1
    with workspace_scope(workspace.pk):
        item = DatasetItem.objects.get()
    bob_client.post(reverse("agents:dataset-remove", args=[dataset.pk, item.pk]))
    assert "Nothing in it yet" in bob_client.get(reverse("agents:dataset", args=[dataset.pk])).content.decode()


def test_what_is_expected_is_changed_on_the_page_and_no_json_changes_nothing(bob_client, bob_actor, bob, workspace):
    with workspace_scope(workspace.pk):
        dataset = create_dataset("Good ones", by=bob_actor)
        item = add_run(dataset, ended_run(workspace, bob), by=bob_actor)
    path = reverse("agents:dataset-expect", args=[dataset.pk, item.pk])
    assert "not JSON" in bob_client.post(path, {"expected": "{no"}, follow=True).content.decode()
    text = bob_client.post(path, {"expected": '{"text": "Better"}'}, follow=True).content.decode()
    assert "Better" in text
    assert bob_client.post(path, {"expected": "{}"}).status_code == 404
