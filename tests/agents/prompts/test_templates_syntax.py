import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prompts import PromptError, render
from agents.prompts.compose import MAX_BODY, Source, Wanted, references, resolve
from agents.prompts.syntax import names_in
from agents.prompts.tokens import estimate_tokens
from agents.prompts.validation import validate_prompt
from tests.agents.prompts.test_serving import put

VECTORS = Path(__file__).parents[4] / "shared/vectors/agents/prompts/template_validation.json"


def cases():
    if not VECTORS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="the shared vectors are absent"))]
    return [pytest.param(row, id=row["id"]) for row in json.loads(VECTORS.read_text())]


@pytest.mark.parametrize("row", cases())
def test_templates_are_judged_as_the_vectors_say(row, in_workspace):
    put(in_workspace, "base", "One", "Two", production=1)
    put(in_workspace, "self", "Old", production=1)
    body = "x" * 200_001 if row["id"] == "prm-15" else row["template"]
    report = validate_prompt(in_workspace, body, key="self", values=row["variables"])
    kind, _, wanted = row["expect"].partition(":")
    if kind == "render":
        assert not report.findings
        assert render(report.text, row["variables"]) == wanted
    elif kind == "resolve":
        assert report.graph["self@0"] == [wanted]
        assert report.is_valid
    else:
        assert [f.code for f in report.findings] == [wanted]
        assert report.findings[0].severity == kind
        assert report.is_valid is (kind == "warn")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{{}}", "unsupported_syntax"),
        ("{{ }}", "unsupported_syntax"),
        ("{{a b}}", "unsupported_syntax"),
        ("{{1a}}", "unsupported_syntax"),
        ("{{a|upper}}", "unsupported_syntax"),
        ("{{a", "unsupported_syntax"),
        ("{{a}", "unsupported_syntax"),
        ("{{{{a}}}}", "unsupported_syntax"),
        ('{{"a": 1}}', "unsupported_syntax"),
        ("{{" + "n" * 65 + "}}", "unsupported_syntax"),
        ("@@@prompt:base@@@", "unsupported_syntax"),
        ("@@@prompt:name=base|version=1|label=x@@@", "unsupported_syntax"),
        ("@@@prompt:name=base|version=0@@@", "unsupported_syntax"),
        ("@@@prompt:name=base|version=99999999999@@@", "unsupported_syntax"),
        ("@@@prompt:name=base|name=base@@@", "unsupported_syntax"),
        ("@@@prompt:name=base", "unsupported_syntax"),
        ("@@@prompt:name=base|version=9@@@", "not_found"),
        ("@@@prompt:name=base|label=staging@@@", "not_found"),
        ("@@@prompt:name=writer|version=1@@@", "not_found"),
        (" \n\t", "empty"),
        ("x" * (MAX_BODY + 1), "too_long"),
        ("key sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFFGGGG", "secret_in_template"),
        ("password: hunter2-Rk9x", "secret_in_template"),
        ("postgres://app:s3cretpw@db.example.org/x", "secret_in_template"),
    ],
)
def test_what_a_prompt_may_not_hold_is_an_error(body, code, in_workspace):
    put(in_workspace, "base", "One", production=1)
    report = validate_prompt(in_workspace, body, key="own")
    assert [f.code for f in report.errors][:1] == [code]
    assert {f.code for f in report.errors} == {code}


@pytest.mark.parametrize(
    "body",
    [
        "A } and }} and { are text",
        '{"a": {"b": {{n}}}}',
        "100{ % }",
        "{{हिन्दी}} {{naïve}} {{_x1}}",
        "👩‍👩‍👧 emoji are joined",
        "@@@prompt:name=base@@@ @@@prompt: name=base | version=1 @@@ mail@@@example",
        "Never write risk-management-for-everybody.",
        "@@@prompt:name=ground_rules@@@",
    ],
)
def test_what_a_prompt_may_hold_is_no_finding(body, in_workspace):
    put(in_workspace, "base", "One", production=1)
    assert validate_prompt(in_workspace, body, key="own").findings == []


@pytest.mark.parametrize(
    ("body", "hidden"), [("a\u202eb", 1), ("a\u00adb\ufeff", 2), ("\u200b" * 99, 20), ("a\x07", 1), ("\U000e0041", 1)]
)
def test_characters_that_nobody_sees_are_pointed_at(body, hidden, in_workspace):
    findings = validate_prompt(in_workspace, body).findings
    assert [f.code for f in findings] == ["invisible_characters"] * hidden
    assert not body[findings[0].start : findings[0].end].isprintable()


def test_the_rules_for_words_look_at_prompts_too(in_workspace):
    english = "Call it the 国家级 brand"
    finding = validate_prompt(in_workspace, english).findings[0]
    assert (finding.code, finding.severity, english[finding.start : finding.end]) == ("adlaw_term", "warn", "国家级")


def test_values_and_declared_names_are_held_against_the_names_in_it(in_workspace):
    put(in_workspace, "base", "In {{language}}.", production=1)
    body = "@@@prompt:name=base@@@ {{name}}"

    def codes(**given):
        return [(f.code, f.start) for f in validate_prompt(in_workspace, body, key="own", **given).findings]

    assert codes() == []
    assert codes(values={}) == [("missing_variable", 0), ("missing_variable", 23)]
    assert codes(values={"language": "en", "name": "", "x": 1}) == [("unused_variable", 0)]
    assert codes(declared=["name", "other"]) == [("unused_variable", 0), ("undeclared_variable", 0)]
    assert codes(declared=["name", "language"]) == []


# --- prompts inside prompts -----------------------------------------------------------------------------------


def finder(**bodies):
    def find(wanted: Wanted):
        return Source(wanted.key, 1, bodies[wanted.key]) if wanted.key in bodies else None

    return find


def ref(key):
    return f"@@@prompt:name={key}@@@"


def codes_of(body, **bodies):
    with pytest.raises(PromptError) as refusal:
        resolve(Source("top", 0, body), finder(**bodies))
    return [(f.code, f.start, f.end) for f in refusal.value.findings]


def test_the_graph_says_what_came_from_where():
    bodies = {"a": f"A{ref('c')}", "b": f"B{ref('c')}", "c": "C"}
    found = resolve(Source("top", 3, f"{ref('a')}-{ref('b')}-{ref('a')}"), finder(**bodies))
    assert found.body == "AC-BC-AC"
    assert found.graph == {"top@3": ["a@1", "b@1"], "a@1": ["c@1"], "b@1": ["c@1"], "c@1": []}


def test_circles_are_found_at_any_depth():
    assert codes_of(f"  {ref('top')}") == [("cycle", 2, 23)]
    assert codes_of(ref("a"), a=ref("b"), b=ref("c"), c=ref("a")) == [("cycle", 0, 19)]
    chain = {f"n{n}": ref(f"n{n + 1}") for n in range(20)}
    assert codes_of(ref("n0"), **chain) == [("cycle", 0, 20)]


def test_a_missing_one_deep_inside_is_marked_where_the_outermost_names_it():
    assert codes_of(f"ab {ref('a')}", a=ref("gone")) == [("not_found", 3, 22)]


def test_texts_that_double_at_every_step_are_stopped():
    bodies = {f"n{n}": ref(f"n{n + 1}") * 20 for n in range(6)} | {"n6": "x" * 500}
    assert "too_long" in {code for code, *_ in codes_of(ref("n0"), **bodies)}


def test_a_reference_in_a_value_is_text():
    assert render("{{a}}", {"a": ref("base")}) == ref("base")


# --- properties ---------------------------------------------------------------------------------------------

names = st.text(alphabet="abcxyz客户名éñ_", min_size=1, max_size=6)
plain = st.text(max_size=30).filter(lambda text: not re.search(r"\{[{%]|@@@|\{$", text))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(plain, names), max_size=5), plain, st.text(max_size=20))
def test_every_variable_is_replaced_once_and_the_rest_stays(pieces, tail, value):
    body = "".join(f"{text}{{{{{name}}}}}" for text, name in pieces) + tail
    given_values = {name: f"{value}{name}" for _text, name in pieces}
    expected = "".join(f"{text}{given_values[name]}" for text, name in pieces) + tail
    assert render(body, given_values) == expected
    assert set(names_in(body)) == set(given_values)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}%@ a|=:promtvesinlb1\n", max_size=80))
def test_no_text_breaks_the_reader(body):
    list(references(body))
    try:
        text, findings = render(body, {"a": "A"}), []
    except PromptError as error:
        text, findings = "", error.findings
    assert "{{" not in text
    assert {f.code for f in findings} <= {"unsupported_syntax", "missing_variable"}
    assert all(0 <= f.start < f.end <= len(body) for f in findings)


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (3, "3"), (1.5, "1.5"), (True, "true"), (None, "null"), ({"价": [1]}, '{"价": [1]}')],
)
def test_values_of_other_types_are_written_as_json(value, text):
    assert render("{{v}}", {"v": value}) == text


def test_names_are_the_same_in_either_unicode_form():
    assert render("{{caf\u00e9}}", {"cafe\u0301": "ok"}) == "ok"


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("咖啡", 2), ("a word", 2), ("extraordinary", 4), ("Hi, 李!", 4), ("...", 3)]
)
def test_tokens_are_estimated_by_script(text, tokens):
    assert estimate_tokens(text) == tokens
