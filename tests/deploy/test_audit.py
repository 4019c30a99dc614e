"""`make audit` never says "clean" of what it could not ask about."""

import json

import pytest

from deploy.audit import CLEAN, HOLES, UNKNOWN, verdict

FINE = {"name": "django", "version": "5.2.19", "vulns": []}
HOLED = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-2022-1"}, {"id": "PYSEC-2022-2"}]}
LEFT_OUT = {"name": "tweepy", "skip_reason": "Dependency not found"}


def said(*packages: dict) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        (said(FINE), CLEAN, "1 packages, no known holes"),
        (said(FINE, HOLED), HOLES, "pillow 9.0.0: PYSEC-2022-2"),
        (said(LEFT_OUT, HOLED), HOLES, "2 known holes"),
        (said(FINE, LEFT_OUT), UNKNOWN, "1 of 2 packages could not be looked up"),
        (said(), UNKNOWN, "proves nothing"),
        ("", UNKNOWN, "nothing was audited"),
        ("{}", UNKNOWN, "nothing was audited"),
    ],
)
def test_verdict(output: str, code: int, words: str) -> None:
    found, text = verdict(output, "Traceback\nConnectionError: no way to api.osv.dev\n")
    assert found == code
    assert words in text


def test_the_reason_is_told_when_nobody_answers() -> None:
    assert "no way to api.osv.dev" in verdict("", "Traceback\nConnectionError: no way to api.osv.dev\n")[1]
