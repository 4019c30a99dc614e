"""A split of visitors from the first exposure to the verdict, on crowds whose true rates are known."""

import math
from datetime import timedelta

import pytest

from accounts.models import AuditEntry, Notification
from analytics.models import Conversion, Exposure
from experiments import exposures, services
from experiments.looks import look_at, read_again
from experiments.models import Experiment, Look
from experiments.segments import read_segments
from experiments.services import ArmDraft
from experiments.tasks import claim_due, tend
from lib.clock import now, shifted
from tests.experiments.cast import PAGES, Crowd, note_clicks, run_split

pytestmark = pytest.mark.django_db
Status, Verdict = Experiment.Status, Look.Verdict
THREE = (*PAGES, ArmDraft("Third page", {"url": "https://acme.example/third"}))


def after(experiment: Experiment, **delta: float) -> Look:
    """The look that is taken then."""
    with shifted(timedelta(**delta)):
        look = look_at(experiment)
    experiment.refresh_from_db()
    return look


def lift_of(look: Look, key: str = "b") -> dict:
    return next(arm["lift"] for arm in look.result["arms"] if arm["key"] == key)


def test_the_better_page_is_found_and_its_lift_is_shrunk(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"base_rate": 0.1, "value_micro": 20_000_000})
    Crowd(experiment, link, {"a": 0.10, "b": 0.15}).visit(4000)
    look = after(experiment, hours=30)
    lift = lift_of(look)
    assert look.verdict == Verdict.BETTER
    assert look.sentence.startswith("“New page” converts better than “Old page”: +")
    assert 0 < lift["shrunk"] < lift["raw"]
    assert lift["interval"][0] < 0.5 < lift["interval"][1]
    assert lift["chance_better"] > 0.99
    assert look.result["leader"] == "b"
    assert look.result["money"]["gain"]["mean_micro"] > 0
    # Found before its end, it goes on until a person decides.
    assert experiment.status == Status.RUNNING
    assert Notification.objects.filter(kind="experiment").exists()


def test_a_worse_page_is_called_harmful(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.15, "b": 0.08}).visit(4000)
    look = after(experiment, hours=30)
    assert look.verdict == Verdict.HARMFUL
    assert look.sentence.endswith("Keep “Old page”.")


def test_where_lower_is_better_the_lower_one_wins(link, bob_actor):
    experiment = run_split(bob_actor, link, lower_is_better=True)
    Crowd(experiment, link, {"a": 0.15, "b": 0.08}).visit(4000)
    look = after(experiment, hours=30)
    assert (look.verdict, look.result["leader"]) == (Verdict.BETTER, "b")
    assert lift_of(look)["chance_better"] > 0.99


def test_two_equal_pages_end_without_a_meaningful_difference(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"base_rate": 0.1, "mde": 0.3})
    crowd = Crowd(experiment, link, {"a": 0.1, "b": 0.1}, seed=3)
    crowd.visit(2000)
    going_on = after(experiment, days=7)
    assert going_on.verdict == Verdict.KEEP_GOING
    assert going_on.sentence.startswith("Keep going: ")
    crowd.visit(2000)
    look = after(experiment, days=28)
    assert look.verdict == Verdict.NO_DIFFERENCE
    assert look.sentence.startswith("No meaningful difference: ")
    assert (experiment.status, experiment.status_text) == (Status.STOPPED, "It reached its registered end.")
    link.refresh_from_db()
    assert link.split["share"] == 0


def test_too_few_visitors_at_the_end_are_no_proof_of_nothing(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.1, "b": 0.1}).visit(200)
    look = after(experiment, days=28)
    assert look.verdict == Verdict.CANNOT_TELL
    assert "too few to find a lift of 20%" in look.sentence


def test_nobody_came(link, bob_actor):
    look = after(run_split(bob_actor, link), hours=2)
    assert (look.verdict, look.result["days_left"]) == (Verdict.KEEP_GOING, 28)
    assert [arm["rate"] for arm in look.result["arms"]] == [None, None]


def test_bots_are_drawn_but_not_counted(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.5, "b": 0.5}).visit(100, bots=40)
    result = after(experiment, hours=2).result
    assert sum(arm["units"] for arm in result["arms"]) == 100
    assert sum(result["health"]["bots"].values()) == 40
    assert sum(result["health"]["unfiltered"]["counts"]) == 140


def test_a_split_that_loses_visitors_is_paused_and_has_no_verdict(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Crowd(experiment, link, {"a": 0.05, "b": 0.2}).visit(3000, lost={"b": 0.2})
    look = after(experiment, hours=2)
    assert (look.verdict, look.refusals[0]["code"]) == (Verdict.CANNOT_TELL, "broken_split")
    assert "better" not in look.sentence
    assert (experiment.status, experiment.due_at) == (Status.PAUSED, None)
    link.refresh_from_db()
    assert link.split["share"] == 0
    assert AuditEntry.objects.filter(action="experiment.pause", object_id=str(experiment.pk)).exists()
    assert Notification.objects.filter(kind="experiment", is_alert=True).exists()


def test_shares_that_somebody_moved_on_the_link_are_found(link, bob_actor):
    experiment = run_split(bob_actor, link)
    link.refresh_from_db()
    for arm, weight in zip(link.split["arms"], (0.7, 0.3), strict=True):
        arm["weight"] = weight
    link.save()
    Crowd(experiment, link, {"a": 0.1, "b": 0.1}).visit(1000)
    assert after(experiment, hours=2).refusals[0]["code"] == "broken_split"


def test_a_broken_device_or_day_is_named(link, bob_actor):
    experiment = run_split(bob_actor, link)
    crowd = Crowd(experiment, link, {"a": 0.1, "b": 0.1})
    crowd.visit(300)
    known = list(Exposure.objects.all())
    note_clicks(known, "desktop")
    crowd.visit(300, lost={"b": 0.6})
    phones = list(Exposure.objects.exclude(pk__in=[row.pk for row in known]))
    note_clicks(phones, "phone")
    health = after(experiment, hours=2).result["health"]
    assert sum(health["parts"]["device"]["phone"]["counts"]) == len(phones)
    assert "device phone" in health["broken_parts"]
    assert "device desktop" not in health["broken_parts"]


def test_a_guardrail_pauses_the_test(link, bob_actor):
    experiment = run_split(bob_actor, link, guardrails=[{"metric": "refund", "margin": 0.1}])
    Crowd(experiment, link, {"a": 0.1, "b": 0.1}).visit(800)
    for number, row in enumerate(Exposure.objects.filter(arm="b")[:60]):
        Conversion.objects.create(
            workspace=experiment.workspace,
            key=f"refund {number}",
            goal="refund",
            at=row.at + timedelta(hours=1),
            source="csv",
            visitor=row.unit,
        )
    look = after(experiment, hours=2)
    assert look.result["guardrails"][0]["is_broken"]
    assert experiment.status == Status.PAUSED
    assert "“New page” has more “refund”" in experiment.status_text


def test_as_many_refunds_in_both_arms_pause_nothing(link, bob_actor):
    experiment = run_split(bob_actor, link, guardrails=[{"metric": "refund", "margin": 0.1}])
    Crowd(experiment, link, {"a": 0.1, "b": 0.1}).visit(800)
    for key in "ab":
        for row in Exposure.objects.filter(arm=key)[:30]:
            Conversion.objects.create(
                workspace=experiment.workspace,
                key=f"refund {row.pk}",
                goal="refund",
                at=row.at,
                source="csv",
                visitor=row.unit,
            )
    assert [rail["is_broken"] for rail in after(experiment, hours=2).result["guardrails"]] == [False]


def test_a_goal_narrows_what_is_counted(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"goal": "purchase"})
    Crowd(experiment, link, {"a": 1, "b": 1}).visit(20)
    buyer, reader = Exposure.objects.order_by("pk")[:2]
    for row, goal in ((buyer, "purchase"), (buyer, "purchase"), (reader, "newsletter")):
        Conversion.objects.create(
            workspace=experiment.workspace,
            key=f"{row.pk} {goal} {Conversion.objects.count()}",
            goal=goal,
            at=row.at + timedelta(minutes=1),
            source="csv",
            visitor=row.unit,
        )
    assert sum(arm["hits"] for arm in after(experiment, hours=2).result["arms"]) == 1


def test_several_variants_are_held_against_the_control(link, bob_actor):
    experiment = run_split(bob_actor, link, arms=THREE)
    Crowd(experiment, link, {"a": 0.1, "b": 0.1, "c": 0.2}).visit(5000)
    look = after(experiment, hours=30)
    assert look.verdict == Verdict.BETTER
    assert look.sentence.startswith("“Third page”")
    assert not lift_of(look, "b")["is_significant"]
    assert math.isclose(sum(arm["p_best"] for arm in look.result["arms"]), 1)


def test_a_fixed_horizon_is_read_at_its_end_only(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"analysis": "fixed", "base_rate": 0.1})
    crowd = Crowd(experiment, link, {"a": 0.10, "b": 0.16})
    crowd.visit(3000)
    early = after(experiment, days=3)
    assert (early.verdict, early.refusals[0]["code"]) == (Verdict.CANNOT_TELL, "peeked")
    assert experiment.status == Status.RUNNING
    late = after(experiment, days=28)
    assert late.verdict == Verdict.BETTER
    assert late.result["method"] == "fixed horizon"


def test_a_few_conversions_are_answered_exactly(link, bob_actor):
    experiment = run_split(bob_actor, link, settings={"analysis": "fixed"})
    Crowd(experiment, link, {"a": 0, "b": 0}).visit(60)
    Exposure.objects.filter(pk__in=Exposure.objects.filter(arm="b").values("pk")[:3]).update(converted_at=now())
    lift = lift_of(after(experiment, days=28))
    assert 0.05 < lift["p"] < 0.5
    assert math.isfinite(lift["shrunk"])


def test_the_same_data_give_the_same_numbers(link, bob_actor):
    experiment = run_split(bob_actor, link, arms=THREE)
    Crowd(experiment, link, {"a": 0.1, "b": 0.12, "c": 0.2}).visit(500)
    look = after(experiment, hours=5)
    kept = Look.objects.get(pk=look.pk)
    result, refused, verdict, sentence = read_again(kept)
    assert (result, refused, verdict, sentence) == (kept.result, kept.refusals, kept.verdict, kept.sentence)
    from experiments.canonical import digest

    assert digest(kept.data) == kept.data_hash


def test_the_tick_claims_once_and_looks_hourly_at_first(link, bob_actor, workspace):
    experiment = run_split(bob_actor, link)
    assert claim_due() == []
    with shifted(timedelta(hours=1, minutes=1)):
        assert claim_due() == [(workspace.pk, experiment.pk)]
        # The lease keeps a second worker away.
        assert claim_due() == []
        assert tend(workspace.pk, experiment.pk)
        assert not tend(workspace.pk, experiment.pk)
        experiment.refresh_from_db()
        assert timedelta(minutes=59) < experiment.due_at - now() < timedelta(minutes=61)
    with shifted(timedelta(days=2)):
        assert tend(workspace.pk, experiment.pk)
        experiment.refresh_from_db()
        assert timedelta(hours=5) < experiment.due_at - now() < timedelta(hours=7)
    assert [look.number for look in experiment.looks.all()] == [2, 1]


def test_a_dead_workers_experiment_comes_again(link, bob_actor, workspace):
    experiment = run_split(bob_actor, link)
    with shifted(timedelta(hours=2)):
        assert claim_due()
    with shifted(timedelta(hours=3)):
        assert claim_due() == [(workspace.pk, experiment.pk)]


def test_one_that_reached_its_end_is_not_due_again(link, bob_actor, workspace):
    experiment = run_split(bob_actor, link)
    with shifted(timedelta(days=28, minutes=1)):
        assert tend(workspace.pk, experiment.pk)
        experiment.refresh_from_db()
        assert experiment.status == Status.STOPPED
        assert claim_due() == []


def test_finished_tests_teach_how_large_effects_are(link, bob_actor):
    from experiments.effects import past_looks, rate_prior, workspace_prior

    experiment = run_split(bob_actor, link)
    assert (workspace_prior(past_looks(experiment)), rate_prior(past_looks(experiment))) == (
        {"sd": 0.3, "tests": 0},
        [1, 1],
    )
    over = [services.new_version(experiment, by=bob_actor) for _ in range(20)]
    Experiment.objects.filter(pk__in=[row.pk for row in over]).update(status=Status.STOPPED)
    for number, row in enumerate(over):
        lift = {"log_ratio": 0.1 * (-1) ** number, "error": 0.01}
        Look.objects.create(
            workspace=row.workspace,
            experiment=row,
            number=1,
            verdict="keep_going",
            sentence="",
            data_hash="",
            result={"arms": [{"lift": None, "units": 1000, "hits": 90 + number}, {"lift": lift}]},
        )
    prior = workspace_prior(past_looks(experiment))
    assert prior["tests"] == 20
    assert prior["sd"] == pytest.approx(0.1, rel=0.05)
    a, b = rate_prior(past_looks(experiment))
    assert a / (a + b) == pytest.approx(0.0995)
    # However alike the past pages were, they never weigh more than a hundred visitors.
    assert a + b == pytest.approx(100)


@pytest.mark.parametrize("analysis", ["sequential", "fixed"])
def test_a_late_arm_is_not_held_against_better_days_before_it(link, bob_actor, analysis):
    experiment = run_split(bob_actor, link, settings={"analysis": analysis})
    crowd = Crowd(experiment, link, {"a": 0.2, "b": 0.2})
    crowd.visit(1000)
    services.add_arm(experiment, THREE[2], by=bob_actor)
    crowd.rates = dict.fromkeys("abc", 0.05)
    crowd.visit(1800)
    look = after(experiment, days=29)
    lift = lift_of(look, "c")
    assert abs(lift["log_ratio"]) < 2 * lift["error"]
    assert (lift["is_significant"], look.verdict) == (False, Verdict.CANNOT_TELL)
    rows = [row for row in read_segments(look, "day").rows if row["arm"] == "c"]
    assert [row["variant"][0] for row in rows] == [units_of(look, "c")]
    assert all(abs(row["log_ratio"]) < 2 * row["error"] for row in rows)


def units_of(look: Look, key: str) -> int:
    return next(arm["units"] for arm in look.result["arms"] if arm["key"] == key)


@pytest.mark.parametrize("query", [exposures.CELLS, exposures.DEVICES, exposures.AGES])
def test_no_visitor_is_looked_up_by_itself(link, bob_actor, query):
    experiment = run_split(bob_actor, link, settings={"goal": "purchase"})
    plan = exposures._rows(f"EXPLAIN {query}", experiment)
    assert not [line for (line,) in plan if "SubPlan" in line]
