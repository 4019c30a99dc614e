"""Small versions of what `make prove` runs at full size."""

import json
from functools import partial

import numpy as np
import pytest

from experiments.simulations import (
    accuracy,
    archive,
    assignment,
    bandits,
    posts,
    repeat,
    runner,
    search,
    sequences,
    speed,
)
from experiments.simulations.measures import Measure, at_least, at_most, near


def only(measures, part):
    (found,) = [measure for measure in measures if part in measure.name]
    return found.measured


@pytest.mark.parametrize(
    ("measure", "passed"),
    [
        (at_most("m", 1.0, 1.0), True),
        (at_most("m", 1.1, 1.0), False),
        (at_least("m", 1.0, 1.0), True),
        (at_least("m", 0.9, 1.0), False),
        (near("m", 1.1, 1.0, 0.2), True),
        (near("m", 1.3, 1.0, 0.2), False),
        (at_most("m", float("nan"), 1.0), False),
        (near("m", float("nan"), 1.0, 1.0), False),
    ],
)
def test_a_measure_is_held_against_its_bound(measure, passed):
    assert measure.passed is passed


def test_units_are_split_evenly_and_none_moves():
    found = [*assignment.splits(ids=8_000, salts=4), *assignment.ramp(units=800)]
    assert all(measure.passed for measure in found)


@pytest.mark.parametrize("method", sorted(accuracy.METHODS))
def test_every_method_agrees_with_another_way_to_its_answer(method):
    found = accuracy._agreement(method, accuracy.METHODS[method], 3)
    assert found.measured == 1


def test_a_wrong_answer_does_not_agree():
    assert not accuracy._agrees([1.0, 2.0], [1.0, 2.001], accuracy.EXACT)
    assert not accuracy._agrees([float("nan")], [1.0], accuracy.INTEGRAL)


def test_edges_are_answered_or_refused():
    assert accuracy.edges()[0].passed
    assert not accuracy._answers_or_refuses(lambda: 1 / 0)
    assert not accuracy._answers_or_refuses(lambda: float("nan"))


def test_the_display_unit_decides_nothing():
    assert accuracy.display_unit(tables=60)[0].measured == 0


def test_looking_often_finds_little_where_there_is_nothing():
    assert max(measure.measured for measure in sequences.false_positives(runs=15)) <= 0.2


def test_looking_often_finds_a_clear_difference():
    powers = [measure.measured for measure in sequences.powers(runs=30)]
    assert powers[1] > max(powers[0], 0.7)


def test_a_bandit_of_equal_arms_rarely_claims_a_winner():
    assert sequences.bandit_false_positives(runs=3)[0].measured <= 0.34


def test_posts_are_judged_as_posts():
    assert posts.unpaired_false_positives(runs=300)[0].measured <= 0.12
    assert only(posts.paired_power(runs=60, pairs=12, lift=0.6), "power") > 0.6


def test_waiting_for_late_conversions_is_not_held_against_arms():
    early, late = bandits.delayed(runs=1)
    assert early.measured < 85
    assert late.measured < 65


def test_published_regret_of_thompson_sampling_is_met_in_a_short_run():
    measure = bandits.published_regret(100, runs=2, steps=60_000)[0]
    assert measure.measured == pytest.approx(bandits.PUBLISHED_REGRET[100] * 0.06, rel=0.4)


def test_few_conversions_are_shared_as_they_should():
    assert all(measure.passed for measure in bandits.few_conversions())


def test_winners_shrink_as_predicted():
    found = archive.winners_curse(archive.make_archive(tests=500)[0])
    assert only(found, "predicted") == pytest.approx(1, abs=0.3)
    assert only(found, "apparent") > 1.3
    assert archive.batting_averages()[0].passed


def test_broken_splits_are_found():
    tests, broken = archive.make_archive(tests=300)
    assert archive.broken_splits(tests, broken, 0.02)[0].passed
    assert all(measure.passed for measure in archive.split_behaviours())


def test_an_archive_is_read_from_its_file(tmp_path):
    path = tmp_path / "archive.csv"
    path.write_text("clickability_test_id,headline,impressions,clicks\na,x,100,3\nb,x,50,1\na,y,110,5\n")
    (test,) = archive.read_archive(path)
    assert test.tolist() == [[100, 110], [3, 5]]


def test_a_real_archive_is_judged_beside_the_made_one(tmp_path):
    path = tmp_path / "real.csv"
    rows = [
        f"{number},{impressions},{clicks}"
        for number, test in enumerate(archive.make_archive(tests=80)[0])
        for impressions, clicks in test.T
    ]
    path.write_text("\n".join(["clickability_test_id,impressions,clicks", *rows]))
    (found,) = runner.real_splits(str(path))
    assert "real.csv" in found.name
    assert 0.05 < found.measured < 0.3
    assert only(runner.real_winners(str(path)), "predicted") > 0


def test_known_functions_are_what_is_published():
    assert search.branin({"x": np.pi, "y": 2.275}) == pytest.approx(search.BRANIN_BEST)
    best = [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]
    assert search.hartmann({f"x{number}": x for number, x in enumerate(best)}) == pytest.approx(search.HARTMANN_BEST)


def test_a_loud_send_time_is_found():
    assert search.send_times(runs=1, posts=24, noise=0.1)[0].passed


def test_speeds_are_measured():
    found = speed.speeds(bandits=3, units=500, repeats=1)
    assert len(found) == 6
    assert all(measure.measured > 0 for measure in found)


def test_the_same_data_give_the_same_numbers():
    assert repeat._gap(repeat.numbers(), repeat.numbers()) <= 1e-12
    assert repeat._gap([1.0, 2.0], [1.0, 2.1]) == pytest.approx(0.05)


def test_checks_run_in_processes_of_their_own_and_come_back_by_criterion():
    findings = runner.run(
        parallel=[("A10", archive.split_behaviours)], alone=[("A9", partial(archive.batting_averages))]
    )
    assert [finding.criterion for finding in findings] == ["A9", "A10"]
    assert runner.all_passed(findings)


def test_the_table_names_what_is_not_met():
    missed = Measure("power", 0.31, ">= 0.45", False)
    findings = [runner.Finding("A5", 1.0, [missed, at_most("gap", 0.0, 1e-12)])]
    first, second = runner.lines(findings)
    assert first.split() == ["A5", "power", "0.31", ">=", "0.45", "NOT", "MET"]
    assert second.endswith("ok")
    summary = json.loads(runner.summary(findings))
    assert summary["passed"] is False
    assert summary["A5"][0] == {"name": "power", "measured": 0.31, "bound": ">= 0.45", "passed": False}
