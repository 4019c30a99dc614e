"""Secrets of every kind, sent through every door and every way to the log. None of them may come out of it."""

import base64
import io
import logging.config
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.conf import settings as django_settings
from django.core.cache import cache

from lib.http import open_session
from marketing.logs import hide_secrets, logging_config

MARK = "Zx9sEcReTzX9"
WORDS = {
    "key of the API": f"rk_{MARK}{MARK}",
    "bot": f"123456789:{MARK}{MARK}{MARK}abc",
    "password": f"{MARK} horse",
    "JWT": f"eyJhbGciOiJIUzI1NiJ9.{MARK}{MARK}.{MARK}",
    "model": f"sk-{MARK}{MARK}",
    "webhook": f"whsec_{MARK}{MARK}",
}


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    stream = io.StringIO()
    config = logging_config("DEBUG", "json")
    config["handlers"]["out"]["stream"] = stream
    structlog.configure(cache_logger_on_first_use=False)
    logging.config.dictConfig(config)
    yield stream.getvalue
    logging.config.dictConfig(logging_config(django_settings.LOG_LEVEL, django_settings.LOG_FORMAT))


def test_doors_log_none_of_what_they_are_given(log, client, api, alice_client, workspace, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    basic = base64.b64encode(f"me:{MARK}".encode()).decode()
    for path in ("/accounts/login/", "/api/auth/login", "/api/auth/register"):
        body = {"email": "alice@example.org", "login": "alice@example.org", "password": WORDS["password"]}
        client.post(path, body)
        client.post(path, body, content_type="application/json")
    for word in WORDS.values():
        for header in (f"Bearer {word}", f"Basic {basic}", word):
            client.get("/api/campaigns", headers={"Authorization": header, "Cookie": f"session={MARK}"})
        client.get(f"/no/such/page?token={word}&code={MARK}&state={MARK}")
        alice_client.get(f"/w/{workspace.slug}/posts?next=%2Fx%3Ftoken%3D{MARK}")
        client.get(f"/invitations/{MARK}")
        client.get(f"/accounts/password/reset/key/{MARK}/")
        client.get("/metrics", headers={"Authorization": f"Bearer {word}"})
        client.post("/api/campaigns", "{broken", content_type="application/json", headers={"X-Api-Key": word})
    cache.clear()
    assert "request_finished" in log()
    assert MARK not in log()
    assert basic not in log()


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS.keys())
def test_ways_to_the_log_hide_it_under_a_telling_name(log, word):
    logger = structlog.get_logger("tests")
    logger.info(
        "told", token=word, api_key=word, headers={"Authorization": word, "Cookie": word}, deep=[{"secret": word}]
    )
    logger.info("told", url=f"https://user:{MARK}@example.org/?token={word}")
    assert MARK not in log()
    assert log().count("told") == 2


# A password looks like anything: only its name or its place tells.
SPEAKING = {name: word for name, word in WORDS.items() if name != "password"}


@pytest.mark.parametrize("word", SPEAKING.values(), ids=SPEAKING.keys())
@pytest.mark.parametrize("fmt", ["structlog", "library"])
def test_error_texts_hide_what_speaks_for_itself(log, word, fmt):
    try:
        raise RuntimeError(f"HTTPConnectionPool: /bot{WORDS['bot']}/sendMessage refused, Authorization: Bearer {word}")
    except RuntimeError as error:
        if fmt == "structlog":
            structlog.get_logger("tests").exception("failed", error=str(error), why=[word])
        else:
            logging.getLogger("some.library").exception("failed with %s", word)
    assert "RuntimeError" in log()
    assert MARK not in log()


def test_what_nothing_marks_as_secret_would_be_found(log):
    structlog.get_logger("tests").info("told", note=MARK, path=f"/no/such/{MARK}")
    logging.getLogger("some.library").info("told %s", MARK)
    assert log().count(MARK) == 3


def test_call_that_fails_hides_its_address(log):
    try:
        open_session(0.1).get(f"http://127.0.0.1:9/bot{WORDS['bot']}/x?token={MARK}")
    except OSError:
        structlog.get_logger("tests").exception("call_failed")
    assert "call_failed" in log()
    assert MARK not in log()


@pytest.mark.parametrize(
    "text",
    [
        "Delivery 01a200de-b612-7245-82c9-e483fe6b6fa6 is late",
        "at 2026-11-22T01:26:14.089421Z",
        "12:30:45 task-retries 123456:78",
        "https://example.org/a/b?page=2#part",
        "risk_assessment_of_everything",
        "sha256 1cd76430601fbd5695c64662a3831c34fb0341d1508ab06fc090c0ee99012408",
    ],
)
def test_plain_words_stay_as_they_are(text):
    assert hide_secrets(None, "info", {"text": text}) == {"text": text}
