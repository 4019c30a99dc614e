"""The lines in docs/webhooks.md that check a signature do check ours, and refuse others."""

import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from integrations.models import WebhookEndpoint
from integrations.webhooks import sending
from integrations.webhooks.payloads import body_of
from lib.clock import now

PAGE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
RUN_NODE = """
const [headers, body, secret] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
process.stdout.write(String(isGenuine(headers, Buffer.from(body, "utf8"), secret)));
"""


def code(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def in_python(headers, body: bytes, secret: str) -> bool:
    names: dict = {}
    exec(code("python"), names)
    return names["is_genuine"](headers, body, secret)


def in_node(headers, body: bytes, secret: str) -> bool:
    given = json.dumps([{name.lower(): value for name, value in headers.items()}, body.decode(), secret])
    done = subprocess.run(
        ["node", "-e", code("javascript") + RUN_NODE], input=given, capture_output=True, text=True, check=True
    )
    return done.stdout == "true"


@pytest.fixture
def call():
    endpoint = SimpleNamespace(secret="whsec_new", old_secret="whsec_old", old_secret_until=now().replace(year=2100))
    payload = {"id": "018f", "type": "run.failed", "data": {"text": "发布会 “ok”"}}
    body = body_of(payload)
    return sending.headers_of(endpoint, payload, body), body


@pytest.mark.parametrize("check", [in_python, in_node])
def test_a_genuine_call_is_told_from_others(check, call):
    headers, body = call
    old = str(int(headers["X-Rostrum-Timestamp"]) - 301)
    answers = {
        "new": check(headers, body, "whsec_new"),
        "old": check(headers, body, "whsec_old"),
        "wrong secret": check(headers, body, "whsec_other"),
        "other body": check(headers, body + b" ", "whsec_new"),
        "other id": check(headers | {"X-Rostrum-Id": "018e"}, body, "whsec_new"),
        "old time": check(headers | {"X-Rostrum-Timestamp": old}, body, "whsec_new"),
        "nonsense": check(headers | {"X-Rostrum-Signature": "v2=,v1=a"}, body, "whsec_new"),
    }
    assert [name for name, is_genuine in answers.items() if is_genuine] == ["new", "old"]


def test_an_endpoint_that_never_rotated_signs_once(call):
    row = WebhookEndpoint(secret="whsec_one")
    assert "," not in sending.headers_of(row, {"id": "1", "type": "run.failed"}, b"{}")["X-Rostrum-Signature"]


@pytest.mark.parametrize("number", [sending.AT_ONCE, sending.TRIES, sending.TIMEOUT_S, sending.ANSWER_CHARACTERS])
def test_the_page_names_what_the_code_does(number):
    words = {3: "three calls at once", 8: "Eight tries", 10.0: "within ten seconds", 1000: "first 1,000 characters"}
    assert words[number] in " ".join(PAGE.split())
