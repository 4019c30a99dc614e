import io
import json
import math
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.lab import COMMANDS, answer
from experiments.stats.errors import StatsError
from tests.experiments.stats.oracles import contract, near, needs_vectors, vectors

QUADRATURE = {"bayes_beta", "pbest"}
# Where the optimiser behind the vector stopped short: its slope there is 1e-5, that of our answer 1e-13.
LOOSE = {"betabin": 2e-6, "eb_normal": 1e-6}
FOR_CONTRAST = ("gbstats", "via")
ROWS = contract()
TWO_PROP = {"x1": 2, "n1": 100, "x2": 10, "n2": 100}
FINE = {"cmd": "two_prop", "in": TWO_PROP}


def out(command, **given):
    return answer({"cmd": command, "in": given})["out"]


def ask(*lines: bytes | dict) -> list[dict]:
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    answers = io.StringIO()
    call_command("lab", "stats", stdin=io.BytesIO(raw), stdout=answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def hold_against(row) -> None:
    found = json.loads(json.dumps(answer({"cmd": row["cmd"], "in": row["in"]}), allow_nan=False))["out"]
    for key, expected in row["out"].items():
        if key.startswith(FOR_CONTRAST):
            continue
        if key == "roi":
            assert found[key] == near(expected, absolute=1e-4)
            continue
        absolute = 1e-4 if row["cmd"] in QUADRATURE else 1e-9
        assert read_word(found[key]) == near(expected, LOOSE.get(row["cmd"], 1e-6), absolute), key


def read_word(value):
    if isinstance(value, list):
        return [read_word(each) for each in value]
    return math.inf if value == "inf" else value


@needs_vectors
@pytest.mark.parametrize("row", ROWS, ids=[f"{row['cmd']}-{index}" for index, row in enumerate(ROWS)])
def test_contract_is_answered(row) -> None:
    hold_against(row)


@needs_vectors
def test_examples_of_each_method_are_answered() -> None:
    bayes, sequential = vectors("bayes.json"), vectors("sequential.json")
    bandits = [row for row in vectors("bandits.json")["pbest"] if "cmd" in row]
    rows = vectors("frequentist.json")["oracle_examples"] + bayes["exact_examples"] + bayes["pbest_examples"] + bandits
    rows += sequential["ratio_eprocess_examples"] + sequential["oracle_asym"]
    rows += vectors("sample_size.json")["examples"] + vectors("paired_slots.json")["cases"]
    for row in rows:
        hold_against(row)
    assert len(rows) > 20


def test_every_command_has_its_required_keys() -> None:
    required = {
        "two_prop": (TWO_PROP, {"diff", "ratio", "p_pooled", "p_fisher", "ci_diff_score", "ci_ratio_score"}),
        "welch": (
            {"n1": 9, "sum1": 9, "sumsq1": 19, "n2": 9, "sum2": 18, "sumsq2": 50},
            {"diff", "t", "p", "df", "ci_diff", "fieller_ratio"},
        ),
        "bayes_beta": (TWO_PROP, {"chance_to_win", "risk_choose_variant", "risk_choose_control", "lift_ci", "diff_ci"}),
        "pbest": ({"x": [1, 2], "n": [9, 9]}, {"p_best", "expected_loss"}),
        "seq_ratio": ({"xa": 1, "xb": 2, "wb": 0.5}, {"log_e", "p", "ratio_cs", "reject"}),
        "seq_asym": ({"estimate": 0.1, "se": 0.03, "n": 80}, {"ci", "p", "rho2"}),
        "srm": ({"counts": [4, 5], "weights": [1, 1]}, {"df", "p_chi2", "p_exact_binomial", "p_sequential"}),
        "sample_size": ({"p1": 0.2, "lift": 0.25}, {"n_pooled", "n_unpooled", "ceil_pooled"}),
        "mde": ({"p1": 0.2, "n": 1094}, {"p2", "mde_abs", "mde_rel"}),
        "pairs": (
            {"d": [1, 2, 3, 4, 5, 6]},
            {"mean", "p", "min_attainable_p", "hodges_lehmann", "ci_inverted"},
        ),
        "eb_normal": ({"y": [1, 2], "v": [1, 1]}, {"mu", "tau", "posterior_mean"}),
        "betabin": ({"x": [1, 9], "n": [20, 20]}, {"a", "b", "mu", "rho"}),
        "hash": ({"seed": "s", "value": "v", "version": 2}, {"hash"}),
    }
    assert required.keys() == COMMANDS.keys()
    for command, (given_, keys) in required.items():
        assert keys <= out(command, **given_).keys(), command


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        pytest.param({"cmd": "anova", "in": {}}, "must be one of: two_prop", id="unknown command"),
        pytest.param({"in": {}}, "must be one of: two_prop", id="no command"),
        pytest.param({"cmd": ["welch"], "in": {}}, "must be one of: two_prop", id="command in a list"),
        pytest.param({"cmd": "welch"}, "“in” must be an object", id="no input"),
        pytest.param({"cmd": "welch", "in": [1]}, "“in” must be an object", id="input in a list"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": 101}}, "x1 must not be more than n1", id="x above n"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": -1}}, "x1 must be from 0", id="negative count"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": 0, "n1": 0}}, "n1 must be from 1", id="no trials"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": 1.5}}, "x1 must be a whole number", id="half a click"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": "2"}}, "“x1” must be a number", id="string"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": True}}, "“x1” must be a number", id="boolean"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"x1": math.nan}}, "“x1” must be a finite", id="NaN"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"n1": math.inf}}, "“n1” must be a finite", id="infinity"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"n1": 10**400}}, "“n1” must be a finite", id="endless int"),
        pytest.param({"cmd": "two_prop", "in": {"x1": 1}}, "“n1” is missing", id="missing key"),
        pytest.param({"cmd": "two_prop", "in": TWO_PROP | {"alpha": 1}}, "“alpha” must be between", id="alpha"),
        pytest.param({"cmd": "pbest", "in": {"x": [], "n": []}}, "“x” must be a list of 1 to", id="no arms"),
        pytest.param({"cmd": "pbest", "in": {"x": [1], "n": [2, 3]}}, "the same length", id="arms without trials"),
        pytest.param({"cmd": "pbest", "in": {"x": [3], "n": [2]}}, "x of arm 1 must not be more", id="arm above n"),
        pytest.param(
            {"cmd": "pbest", "in": {"x": [1, "a"], "n": [2, 3]}}, "“x[1]” must be a number", id="word in list"
        ),
        pytest.param({"cmd": "bayes_beta", "in": TWO_PROP | {"a0": 0}}, "a0 must be above 0", id="no prior"),
        pytest.param(
            {"cmd": "srm", "in": {"counts": [1, 2], "weights": [1, -1]}}, "not be negative", id="weight below 0"
        ),
        pytest.param({"cmd": "srm", "in": {"counts": [1, 2], "weights": [0, 0]}}, "above 0", id="no weight"),
        pytest.param(
            {"cmd": "srm", "in": {"counts": [1, 2], "weights": [1]}}, "one number for each", id="weights short"
        ),
        pytest.param({"cmd": "sample_size", "in": {"p1": 0.2, "lift": 0}}, "must not be 0", id="no lift"),
        pytest.param(
            {"cmd": "sample_size", "in": {"p1": 0.9, "lift": 0.2}}, "p2, the rate with the lift", id="above 1"
        ),
        pytest.param({"cmd": "seq_ratio", "in": {"epochs": [[0.5, 1]]}}, "epochs must be a list of", id="short epoch"),
        pytest.param({"cmd": "seq_ratio", "in": {"epochs": 5}}, "“epochs” must be a list", id="epochs a number"),
        pytest.param({"cmd": "seq_ratio", "in": {"epochs": [[1, 1, 1]]}}, "propensity must be between", id="sure arm"),
        pytest.param({"cmd": "seq_ratio", "in": {"xa": 1, "xb": 1, "wb": 0}}, "wb must be between", id="share of 0"),
        pytest.param(
            {"cmd": "welch", "in": {"n1": 1, "sum1": 1, "sumsq1": 1, "n2": 9, "sum2": 9, "sumsq2": 10}},
            "n1 must be from 2",
            id="sample of one",
        ),
        pytest.param(
            {"cmd": "welch", "in": {"n1": 9, "sum1": 9, "sumsq1": 1, "n2": 9, "sum2": 9, "sumsq2": 10}},
            "sumsq1 is too small",
            id="impossible squares",
        ),
        pytest.param(
            {"cmd": "eb_normal", "in": {"y": [1, 2], "v": [1, 0]}}, "each of v must be above 0", id="no variance"
        ),
        pytest.param({"cmd": "betabin", "in": {"x": [0], "n": [0]}}, "at least one arm must have trials", id="no data"),
        pytest.param({"cmd": "pairs", "in": {"d": [1, None]}}, "“d[1]” must be a number", id="null in list"),
        pytest.param({"cmd": "hash", "in": {"seed": 1, "value": "a"}}, "“seed” must be a string", id="seed a number"),
        pytest.param(
            {"cmd": "hash", "in": {"seed": "", "value": "a", "version": 1.5}}, "whole number", id="half version"
        ),
        pytest.param(
            {"cmd": "bayes_beta", "in": TWO_PROP | {"n_future": -1}}, "“n_future” must be at least", id="past"
        ),
    ],
)
def test_unusable_question_says_what_is_wrong_and_the_rest_go_on(question, reason) -> None:
    refused, answered = ask(question, FINE)

    assert list(refused) == ["error"]
    assert reason in refused["error"]
    assert answered["out"]["diff"] == near(0.08)


def test_infinity_and_nothing_have_words_that_json_knows() -> None:
    found = out("two_prop", x1=0, n1=100, x2=6, n2=100)

    assert found["ratio"] is None
    assert found["ci_ratio_score"][1] == "inf"
    assert found["ci_ratio_log"] is None


@pytest.mark.parametrize(
    ("command", "given_"),
    [
        ("two_prop", {"x1": 0, "n1": 10, "x2": 0, "n2": 10}),
        ("two_prop", {"x1": 10, "n1": 10, "x2": 10, "n2": 10}),
        ("two_prop", {"x1": 0, "n1": 1, "x2": 1, "n2": 1, "slow": True}),
        ("two_prop", {"x1": 10**11, "n1": 10**12, "x2": 10**11 + 1, "n2": 10**12, "slow": True}),
        ("two_prop", {"x1": 0, "n1": 10, "x2": 0, "n2": 10, "slow": True}),
        ("bayes_beta", {"x1": 0, "n1": 0, "x2": 0, "n2": 0}),
        ("bayes_beta", {"x1": 10**12, "n1": 10**12, "x2": 0, "n2": 10**12}),
        ("bayes_beta", {"x1": 0, "n1": 10**12, "x2": 0, "n2": 10**12, "a0": 0.01, "b0": 0.01}),
        ("pbest", {"x": [0], "n": [0]}),
        ("pbest", {"x": [0, 10**12, 5], "n": [0, 10**12, 10**12]}),
        ("seq_ratio", {"xa": 0, "xb": 0, "wb": 0.5}),
        ("seq_ratio", {"xa": 0, "xb": 10**12, "wb": 0.001}),
        ("seq_ratio", {"epochs": [[0.5, 0, 0]]}),
        ("seq_ratio", {"epochs": [[0.001, 10**12, 0], [0.999, 0, 10**12]]}),
        ("srm", {"counts": [0, 0], "weights": [1, 1]}),
        ("srm", {"counts": [10**12, 10**12, 0], "weights": [1, 1, 0]}),
        ("srm", {"counts": [10**12, 10**12, 0], "weights": [1, 1, 1e-9]}),
        ("srm", {"counts": [5], "weights": [2]}),
        ("welch", {"n1": 2, "sum1": 0, "sumsq1": 0, "n2": 2, "sum2": 0, "sumsq2": 0}),
        ("mde", {"p1": 0.9, "n": 3}),
        ("mde", {"p1": 0.000001, "n": 10**15}),
        ("pairs", {"d": [0.5]}),
        ("pairs", {"d": [0, 0, 0]}),
        ("pairs", {"d": [1e90, -1e-90] * 15}),
        ("eb_normal", {"y": [1], "v": [1]}),
        ("eb_normal", {"y": [5, 5, 5], "v": [1, 1, 1]}),
        ("betabin", {"x": [0, 0], "n": [9, 9]}),
        ("betabin", {"x": [3, 3, 3], "n": [9, 9, 9]}),
        ("betabin", {"x": [0, 9], "n": [9, 9]}),
        ("hash", {"seed": "", "value": "", "version": 7}),
    ],
)
def test_edges_are_answered(command, given_) -> None:
    json.dumps(out(command, **given_), allow_nan=False)


SCALARS = st.one_of(
    st.sampled_from([0, 1, -1, 1e12, 1e300, 5e-324, 10**400, math.nan, math.inf, "x", None, True, [], {}, [1], 0.5]),
    st.integers(-5, 200),
    st.floats(allow_nan=True),
)
SEEDS = ROWS or [{"cmd": "two_prop", "in": TWO_PROP}, {"cmd": "pairs", "in": {"d": [1.0, -2.0]}}]


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nonsense_is_answered_or_refused(row, data) -> None:
    spoiled = dict(row["in"])
    for key in data.draw(st.lists(st.sampled_from(sorted(spoiled)), min_size=1, max_size=2)):
        old = spoiled[key]
        if isinstance(old, list) and data.draw(st.booleans()):
            spoiled[key] = [*old[:4], data.draw(SCALARS)]
        else:
            spoiled[key] = data.draw(SCALARS)
    # Anything but a refusal in words would end the test.
    with suppress(StatsError):
        json.dumps(answer({"cmd": row["cmd"], "in": spoiled}), allow_nan=False)


def test_same_question_gets_the_same_digits() -> None:
    questions = [
        ("pairs", {"d": [math.sin(index) + 0.2 for index in range(40)]}),
        ("srm", {"counts": [900, 95, 1], "weights": [0.9, 0.099, 0.001]}),
        ("bayes_beta", TWO_PROP),
    ]
    for command, given_ in questions:
        assert out(command, **given_) == out(command, **given_)


def test_money_at_stake_is_the_chance_that_the_variant_earns_its_cost() -> None:
    given_ = TWO_PROP | {"n_future": 1000, "value": 2.0, "cost": 50.0}
    gain, sure, none = (out("bayes_beta", **given_ | change)["roi"] for change in ({}, {"cost": -1e9}, {"value": 0}))

    assert gain["expected_net"] == near(1000 * 2 * (11 / 102 - 3 / 102) - 50)
    assert 0.9 < gain["p_net_positive"] < out("bayes_beta", **TWO_PROP)["chance_to_win"]
    assert sure["p_net_positive"] == 1
    assert none == {"expected_net": -50, "p_net_positive": 0}


def test_lab_needs_no_statistics_until_it_is_asked() -> None:
    source = Path("marketing/management/commands/lab.py").read_text()
    assert "\nfrom experiments" not in source
