import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from marketing.management.commands import lab

ROOT = Path(__file__).resolve().parents[2]
FINE = {"network": "telegram", "text": "fine"}
FINE_ANSWER = {"utf16_length": 4, "valid": True}


def ask(*lines: bytes | dict[str, Any], end: bytes = b"\n") -> list[dict[str, Any]]:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    answers = io.StringIO()
    call_command("lab", "count-text", stdin=io.BytesIO(b"\n".join(raw) + end), stdout=answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_x_text_gets_what_the_parser_of_x_says() -> None:
    assert ask({"network": "x", "text": "Hi http://test.co"}) == [
        {
            "weighted_length": 26,
            "valid": True,
            "permillage": 92,
            "display_range": [0, 16],
            "valid_range": [0, 16],
        }
    ]


def test_telegram_text_gets_its_utf16_length() -> None:
    assert ask({"network": "telegram", "text": "😀"}) == [{"utf16_length": 2, "valid": True}]


def test_answers_come_in_the_order_of_the_questions() -> None:
    questions = [{"network": "telegram", "text": "x" * length} for length in (3, 1, 2)]

    assert [answer["utf16_length"] for answer in ask(*questions)] == [3, 1, 2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"not json", "not JSON", id="prose"),
        pytest.param(b"", "is empty", id="empty line"),
        pytest.param(b'{"network": "x"', "not JSON", id="cut short"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep nesting"),
        pytest.param(b"9" * 10_000, "not JSON", id="endless number"),
        pytest.param(b"[1]", "not a JSON object", id="list"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param(b"\xff\xfe", "not UTF-8", id="foreign bytes"),
        pytest.param({"text": "a"}, "“network” must be a string", id="no network"),
        pytest.param({"network": 1, "text": "a"}, "“network” must be a string", id="network of a wrong type"),
        pytest.param({"network": ["x"], "text": "a"}, "“network” must be a string", id="network in a list"),
        pytest.param({"network": "icq", "text": "a"}, "one of: x, telegram", id="unknown network"),
        pytest.param({"network": "x"}, "“text” must be a string", id="no text"),
        pytest.param({"network": "x", "text": None}, "“text” must be a string", id="text of a wrong type"),
    ],
)
def test_unusable_line_gets_an_error_and_the_rest_go_on(line: bytes | dict[str, Any], reason: str) -> None:
    refused, answered = ask(line, FINE)

    assert list(refused) == ["error"]
    assert reason in refused["error"]
    assert answered == FINE_ANSWER


def test_last_line_needs_no_newline() -> None:
    assert ask(FINE, FINE, end=b"") == [FINE_ANSWER, FINE_ANSWER]


def test_lines_may_end_as_on_windows() -> None:
    assert ask(json.dumps(FINE).encode() + b"\r") == [FINE_ANSWER]


def test_no_input_gets_no_output() -> None:
    assert ask(end=b"") == []


def test_large_line_is_answered() -> None:
    assert ask({"network": "telegram", "text": "x" * 2_000_000}) == [{"utf16_length": 2_000_000, "valid": False}]


def test_line_too_large_to_hold_is_skipped_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "MAX_LINE_BYTES", 100)

    refused, answered = ask(b"x" * 1_000, FINE)

    assert "longer than 100 bytes" in refused["error"]
    assert answered == FINE_ANSWER


def test_too_large_last_line_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "MAX_LINE_BYTES", 100)

    assert len(ask(b"x" * 1_000, end=b"")) == 1


def test_line_of_exactly_the_largest_size_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "MAX_LINE_BYTES", len(json.dumps(FINE)))

    assert ask(FINE, FINE) == [FINE_ANSWER, FINE_ANSWER]


def test_surrogate_without_its_partner_survives_the_way_in_and_out() -> None:
    assert ask(b'{"network": "telegram", "text": "\\ud83d"}') == [{"utf16_length": 1, "valid": True}]
    assert "error" in ask(b'{"network": "\\ud83d", "text": "a"}')[0]


def test_failure_inside_a_lab_costs_only_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lab.LABS, "count-text", lambda question: {"half": 1 / len(question["text"])})

    assert ask({"text": ""}, {"text": "ab"}) == [{"error": "the lab failed: ZeroDivisionError"}, {"half": 0.5}]


def test_unknown_lab_names_those_there_are() -> None:
    with pytest.raises(CommandError, match=r"“alchemy”.*count-text"):
        call_command("lab", "alchemy", stdin=io.BytesIO(), stdout=io.StringIO())


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    # Addresses where nothing listens: the lab must need neither.
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "lab", "count-text"],
        cwd=ROOT,
        env={**os.environ, **nowhere},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as running:
        yield running
        running.kill()


def test_answer_arrives_before_the_next_question_and_without_any_server(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    for text in ("a", "bc"):
        process.stdin.write(json.dumps({"network": "telegram", "text": text}).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"utf16_length": len(text), "valid": True}
    process.stdin.close()

    assert process.wait(timeout=30) == 0
