import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from compliance.pii import DECLARED


def ask(*questions: dict[str, Any]) -> list[dict[str, Any]]:
    lines = "\n".join(map(json.dumps, questions)).encode()
    answers = io.StringIO()
    call_command("lab", "pii", stdin=io.BytesIO(lines), stdout=answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_values_come_with_type_place_and_score() -> None:
    assert ask({"text": "加VX13812345678"}) == [
        {"entities": [{"type": "CN_MOBILE", "start": 3, "end": 14, "score": 0.95}]}
    ]


def test_types_may_be_chosen() -> None:
    text = "13812345678 a@example.com"
    chosen, both = ask({"text": text, "entities": ["EMAIL_ADDRESS"]}, {"text": text})

    assert [found["type"] for found in chosen["entities"]] == ["EMAIL_ADDRESS"]
    assert [found["type"] for found in both["entities"]] == ["CN_MOBILE", "EMAIL_ADDRESS"]


def test_claimed_types_are_listed() -> None:
    assert ask({"declared": True}) == [{"declared": list(DECLARED)}]


def test_types_we_do_not_claim_find_nothing() -> None:
    assert ask({"text": "13812345678", "entities": ["PERSON"]}) == [{"entities": []}]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({}, "“text” must be a string"),
        ({"text": 7}, "“text” must be a string"),
        ({"text": "a", "entities": "CN_MOBILE"}, "“entities” must be a list"),
        ({"text": "a", "entities": [7]}, "“entities” must be a list"),
        ({"declared": False}, "“text” must be a string"),
    ],
)
def test_unusable_line_gets_an_error_and_the_next_an_answer(question: dict[str, Any], reason: str) -> None:
    refused, answered = ask(question, {"text": "nothing"})

    assert reason in refused["error"]
    assert answered == {"entities": []}
