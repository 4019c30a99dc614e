"""The workflow itself: what agents are asked, what becomes of their answers, and what it costs."""

import json
from datetime import timedelta

import pytest
from django.db.models import Sum

from accounts.models import Membership, UsageEntry
from agents.memory import remember
from agents.models import ModelCall, Run, Step
from campaigns.draft_text import is_in_language
from campaigns.models import Campaign, Plan, PlanLine, Post
from campaigns.plan_lines import new_times, rewrite_line
from campaigns.plans import cost_of_plan, follow_run, start_plan, stop_plan, try_again
from lib.clock import now
from social.networks.rules import RULES
from tests.campaigns.agents.conftest import lines_of

STRATEGY = {
    "name": "decaf",
    "goal": "Sell it",
    "audience": "Tea people",
    "angle": "Calm",
    "key_messages": ["Calm coffee"],
}
NOTHING = {"findings": []}


def written(text: str) -> dict:
    return {"text": text}


def variants(*texts: str) -> dict:
    return {"variants": [{"text": text, "angle": "opening"} for text in texts]}


def test_one_sentence_becomes_checked_texts_for_every_account_and_language(ready):
    lines = lines_of(ready)
    assert [(line.n, line.connection.network, line.language) for line in lines] == [
        (1, "telegram", "en"),
        (2, "telegram", "zh"),
        (3, "x", "en"),
        (4, "x", "zh"),
    ]
    assert ready.status == Plan.Status.READY
    assert set(ready.strategy) >= {"name", "goal", "audience", "angle", "key_messages"}
    assert not Post.objects.exists()
    assert not Campaign.objects.exists()
    for line in lines:
        rules = RULES[line.connection.network]
        for text in (line.text, *(variant["text"] for variant in line.variants)):
            assert is_in_language(text, line.language)
            assert rules.length(text) <= rules.limit(line.connection, False)
            assert "https://roastery.example/decaf" in text
            assert "#decaf" in text.casefold()
    for network in ("x", "telegram"):
        times = [line.planned_at for line in lines if line.connection.network == network]
        assert all(at > now() and at.weekday() < 5 for at in times)
        assert len({at.date() for at in times}) == len(times)


def test_cost_and_origin_are_those_of_the_ledger_and_the_steps(ready):
    calls = ModelCall.objects.filter(run_id=ready.run_id).aggregate(total=Sum("cost_micro"))["total"]
    entries = UsageEntry.objects.filter(kind="llm", status="settled").aggregate(total=Sum("amount_micro"))["total"]
    strategist = ModelCall.objects.get(step_key="strategist").cost_micro
    lines = sum(line.origin["cost_micro"] for line in lines_of(ready))
    assert calls > 0
    assert cost_of_plan(ready).spent_micro == calls == entries == lines + strategist
    assert cost_of_plan(ready).is_sandbox
    for origin in (line.origin for line in lines_of(ready)):
        assert origin["run_id"] == str(ready.run_id)
        assert Step.objects.get(run=ready.run_id, key=origin["step_key"]).prompt_sha256 == origin["prompt_sha256"]
        assert (origin["assistant"], origin["prompt_version"], origin["model"]) == ("writer", 0, "sandbox-writer")
        assert [source["kind"] for source in origin["sources"]] == ["claim"]


def test_writer_is_told_the_words_to_avoid_and_the_claims_and_has_no_tools(written_small):
    asked = Step.objects.get(run=written_small.run_id, key="line 1 write").input
    said = asked["messages"][0]["text"]
    assert "Words to avoid: cheap, 便宜" in said
    assert "at most 280 characters" in said
    assert "Our decaf is made without solvents." in said
    assert asked["tools"] == []


def test_blocked_text_is_written_once_more_with_the_findings(small, script, run_to_end):
    script(
        STRATEGY,
        written("The cheap decaf is here."),
        written("The new decaf is here."),
        NOTHING,
        NOTHING,
        variants("Try the new decaf."),
    )
    run_to_end(small.run_id)
    line = lines_of(small)[0]
    assert line.text.startswith("The new decaf is here.")
    assert not [note for note in line.notes if note["must_change"]]
    told = Step.objects.get(run=small.run_id, key="line 1 rewrite").input["messages"][0]["text"]
    assert "Earlier draft:" in told
    assert "“cheap” is on the brand's list of words to avoid." in told


def test_what_is_still_wrong_after_that_stays_flagged(small, script, run_to_end):
    script(STRATEGY, written("The cheap decaf."), written("Still the cheap decaf."), NOTHING, NOTHING, variants())
    run_to_end(small.run_id)
    line = lines_of(small)[0]
    assert "cheap" in line.text
    assert [note["quote"] for note in line.notes if note["must_change"]] == ["cheap"]
    assert not Step.objects.filter(run=small.run_id, key="line 1 rewrite 2").exists()


def test_long_text_loses_sentences_and_keeps_its_link(small, script, run_to_end):
    long = "The decaf is here. " + "It is good to drink in the evening and in the night. " * 40
    script(STRATEGY, written(long), NOTHING, NOTHING, variants(long + "!"))
    run_to_end(small.run_id)
    [short] = lines_of(small)
    assert RULES["x"].length(short.text) <= 280
    assert short.text.startswith("The decaf is here.")
    assert short.text.endswith("https://roastery.example/decaf\n\n#decaf")


def test_english_in_the_place_of_chinese_is_written_once_more(sandbox, roastery, bob_actor, script, run_to_end):
    plan = start_plan("Our decaf", by=bob_actor, connections=[roastery.pk], languages=["zh"])
    script(STRATEGY, written("The decaf is here."), written("低因咖啡到店了。"))
    run_to_end(plan.run_id)
    assert lines_of(plan)[0].text == "低因咖啡到店了。"
    told = Step.objects.get(run=plan.run_id, key="line 1 rewrite").input["messages"][0]["text"]
    assert "This does not look like Chinese." in told


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({"quote": "wins every award", "reason": "Nothing says so."}, ["Nothing says so."]),
        ({"quote": "words that are not there", "reason": "Made up."}, []),
    ],
)
def test_remarks_of_the_product_agent_count_where_they_quote_the_text(small, script, run_to_end, answer, kept):
    script(STRATEGY, written("It wins every award."), {"findings": [answer]}, NOTHING, variants())
    run_to_end(small.run_id)
    assert [note["text"] for note in lines_of(small)[0].notes if note["kind"] == "product"] == kept


def test_number_that_nothing_proves_is_noted(small, script, run_to_end):
    script(STRATEGY, written("Now 20 % off, and 97 % of drinkers agree."), NOTHING, NOTHING, variants())
    run_to_end(small.run_id)
    assert [note["quote"] for note in lines_of(small)[0].notes if note["kind"] == "claim"] == ["97 %"]


def test_link_and_account_that_nobody_gave_must_go(small, script, run_to_end):
    script(
        STRATEGY,
        written("See https://evil.example/x, says @stranger."),
        written("See it."),
        NOTHING,
        NOTHING,
        variants(),
    )
    run_to_end(small.run_id)
    told = Step.objects.get(run=small.run_id, key="line 1 rewrite").input["messages"][0]["text"]
    assert "“https://evil.example/x”" in told
    assert "“@stranger”" in told


def test_one_text_that_the_model_declines_keeps_no_other_back(plan, script, run_to_end):
    script(STRATEGY, {"refusal": "No."})
    run = run_to_end(plan.run_id)
    plan.refresh_from_db()
    assert (run.status, plan.status) == (Run.Status.SUCCEEDED, Plan.Status.READY)
    assert [line.n for line in lines_of(plan)] == [2, 3, 4]
    assert plan.strategy["skipped"] == ["@beanery, English (en): The model declined to answer this."]


def test_used_up_budget_ends_it_and_says_so(small, run_to_end, workspace):
    Run.objects.filter(pk=small.run_id).update(cap_micro=1)
    assert run_to_end(small.run_id).status == Run.Status.OVER_BUDGET
    follow_run(small)
    assert small.status == Plan.Status.FAILED
    assert "budget" in small.problem
    assert not ModelCall.objects.filter(status="done").exists()


def test_failed_plan_goes_on_after_its_last_step(plan, run_to_end, bob_actor):
    Run.objects.filter(pk=plan.run_id).update(cap_micro=700)
    run_to_end(plan.run_id)
    follow_run(plan)
    before = ModelCall.objects.filter(status="done").count()
    Run.objects.filter(pk=plan.run_id).update(cap_micro=None)
    plan = try_again(plan, by=bob_actor)
    assert plan.status == Plan.Status.WORKING
    run_to_end(plan.run_id)
    plan.refresh_from_db()
    assert plan.status == Plan.Status.READY
    assert len(lines_of(plan)) == 4
    assert 0 < before < 17 == ModelCall.objects.filter(status="done").count()


def test_stopped_plan_says_so_and_its_run_ends(small, bob_actor):
    small = stop_plan(small, by=bob_actor)
    assert (small.status, small.problem) == (Plan.Status.FAILED, "Stopped by a person.")
    assert Run.objects.get(pk=small.run_id).status == Run.Status.CANCELED


def test_line_is_written_anew_as_somebody_wishes(written_small, run_to_end, bob_actor):
    ready = written_small
    line = lines_of(ready)[0]
    run = rewrite_line(line, "Say that entry is free", by=bob_actor)
    run_to_end(run.pk)
    after = PlanLine.objects.get(pk=line.pk)
    assert after.variants[0] == {"text": line.text, "angle": "Before"}
    assert after.origin["run_id"] == str(run.pk)
    assert "rewriting" not in after.origin
    assert "Wish: Say that entry is free" in Step.objects.get(run=run, key="line write").input["messages"][0]["text"]
    ready.refresh_from_db()
    total = ModelCall.objects.aggregate(total=Sum("cost_micro"))["total"]
    assert cost_of_plan(ready).spent_micro == total


def test_line_that_was_decided_meanwhile_keeps_its_words(written_small, run_to_end, bob_actor):
    line = lines_of(written_small)[0]
    run = rewrite_line(line, "Shorter", by=bob_actor)
    PlanLine.objects.filter(pk=line.pk).update(status=PlanLine.Status.REJECTED)
    run_to_end(run.pk)
    assert PlanLine.objects.get(pk=line.pk).text == line.text


@pytest.mark.parametrize("lose", [lambda rows: rows.delete(), lambda rows: rows.update(role="viewer")])
def test_person_who_lost_the_right_gets_no_proposal(small, run_to_end, bob, workspace, lose):
    lose(Membership.objects.filter(user=bob, workspace=workspace))
    assert run_to_end(small.run_id).error["code"] == "forbidden"
    assert not lines_of(small)
    assert not ModelCall.objects.exists()


def test_times_of_a_plan_that_waited_are_suggested_anew(written_small, bob_actor):
    PlanLine.objects.filter(plan=written_small).update(planned_at=now() - timedelta(days=1))
    assert new_times(written_small, by=bob_actor) == 1
    assert all(line.planned_at > now() for line in lines_of(written_small))


def test_what_a_person_told_their_own_assistant_stays_out_of_what_others_read(small, bob_actor, bob, run_to_end):
    remember("My doctor says decaf from Huila is best for me.", by=bob_actor, user=bob)
    run = run_to_end(small.run_id)
    assert run.status == Run.Status.SUCCEEDED, run.error
    kept = json.dumps([[step.input, step.output] for step in run.steps.all()])
    assert "decaf from Huila" in kept
    assert "doctor" not in kept
