import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

VECTORS = Path(__file__).resolve().parents[3] / "shared/vectors/agents"


def ask(*questions: Any) -> list[dict[str, Any]]:
    raw = b"\n".join(json.dumps(question).encode() for question in questions)
    answers = io.StringIO()
    call_command("lab", "guard", stdin=io.BytesIO(raw), stdout=answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def rules(answer: dict[str, Any]) -> set[str]:
    return {hit["rule"] for hit in answer["hits"]}


def test_answer_has_verdict_disclosure_and_hits() -> None:
    (answer,) = ask({"text": "Lake with @oar", "platform": "x", "jurisdiction": "US", "relationship": "paid"})

    assert set(answer) == {"verdict", "disclosure", "hits"}
    assert (answer["verdict"], answer["disclosure"]) == ("block", "missing")
    (hit,) = answer["hits"]
    assert set(hit) == {"rule", "severity", "start", "end", "citation", "fix"}
    assert (hit["rule"], hit["severity"]) == ("DISC-US-PAID", "block")


def test_an_empty_question_is_allowed() -> None:
    assert ask({}) == [{"verdict": "allow", "disclosure": None, "hits": []}]


def test_spans_are_code_points_of_the_given_text() -> None:
    text = "😀 看 https://bit.ly/x"
    (answer,) = ask({"text": text})

    assert [text[hit["start"] : hit["end"]] for hit in answer["hits"]] == ["https://bit.ly/x"]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ({"platform": "x", "action": "reply", "context": {"summoned": False}}, {"X-SUMMON"}),
        ({"platform": "Twitter", "action": "reply", "context": {"summoned": False}}, {"X-SUMMON"}),
        ({"platform": "小红书", "action": "comment", "context": {"text": "加微信"}}, {"XHS-DIVERT"}),
        ({"context": {"platform": "x", "action": "like", "automated": True}}, {"X-NO-AUTO-LIKE", "AUTO-ENGAGEMENT"}),
        ({"platform": "any", "context": {"account_health": "suspended"}}, {"HEALTH-PAUSED"}),
        ({"text": "Lake", "jurisdiction": ["US", "UK"], "relationship": "paid"}, {"DISC-US-PAID", "DISC-UK-AD"}),
        ({"text": "Lake", "context": {"jurisdiction": "US", "relationship": "paid"}}, {"DISC-US-PAID"}),
        ({"text": "夏日海报", "jurisdiction": "CN", "ai_generated": True}, {"AI-LABEL"}),
        ({"text": "夏日海报", "jurisdiction": "CN", "context": {"ai_generated": True}}, {"AI-LABEL"}),
        ({"text": "夏日海报", "jurisdiction": "CN", "ai_generated": True, "label": "explicit"}, set()),
        ({"text": None, "platform": None, "jurisdiction": None, "context": None, "label": None}, set()),
    ],
)
def test_fields_and_facts_are_read_from_the_row_and_its_context(question: dict[str, Any], wanted: set[str]) -> None:
    assert rules(ask(question)[0]) == wanted


def test_what_a_row_says_of_itself_is_not_used() -> None:
    row = {"text": "Lake", "platform": "x", "jurisdiction": "US", "relationship": "paid"}
    said = {"id": "a", "verdict": "ok", "decision": "allow", "rule": "X", "rules": [], "why": "", "as_of": "2025"}

    assert ask(row | said) == ask(row)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"text": 1}, "“text” must be a string"),
        ({"context": []}, ""),
        ({"context": "x"}, "“context” must be an object"),
        ({"platform": 1}, "must be strings"),
        ({"relationship": ["paid"]}, "must be strings"),
        ({"jurisdiction": 1}, "“jurisdiction” must be"),
        ({"jurisdiction": [1]}, "“jurisdiction” must be"),
    ],
)
def test_an_unusable_line_gets_an_error_and_the_rest_go_on(question: dict[str, Any], reason: str) -> None:
    refused, answered = ask(question, {"text": "fine"})

    assert reason in refused.get("error", "")
    assert answered["verdict"] == "allow"


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not here")
@pytest.mark.parametrize(
    ("name", "key", "wanted", "least"),
    [("disclosure/disclosure", "disclosure", "verdict", 0.92), ("platform_tos/tos", "verdict", "decision", 0.95)],
)
def test_shared_rows_through_all_engines(name: str, key: str, wanted: str, least: float) -> None:
    rows = [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() if line]
    right = [answer[key] == row[wanted] for row, answer in zip(rows, ask(*rows), strict=True)]

    assert sum(right) >= least * len(rows)
