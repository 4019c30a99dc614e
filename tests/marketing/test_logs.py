"""What the lines of the log hold, and what they never hold. accounts/test_logs.py asks the same of whole requests."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.conf import settings as django_settings

from marketing.logs import drop_noise, hide_secrets, logging_config

SECRET = "geheimnis"


@pytest.fixture
def lines() -> Iterator[Callable[..., Callable[[], list[str]]]]:
    """`lines("json")` sets the log up; calling what it answers reads the lines so far."""

    def set_up(fmt: str, level: str = "INFO") -> Callable[[], list[str]]:
        stream = io.StringIO()
        config = logging_config(level, fmt)
        config["handlers"]["out"]["stream"] = stream
        # Bound loggers of other modules keep what they have; only this test's are made anew.
        structlog.configure(cache_logger_on_first_use=False)
        logging.config.dictConfig(config)
        return lambda: stream.getvalue().splitlines()

    yield set_up
    logging.config.dictConfig(logging_config(django_settings.LOG_LEVEL, django_settings.LOG_FORMAT))


# --- secrets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        *("token", "access_token", "refreshToken", "client_secret", "password", "Authorization"),
        *("code_verifier", "api_key", "apikey", "set-cookie"),
    ],
)
def test_value_under_a_telling_name_is_hidden(key) -> None:
    assert hide_secrets(None, "info", {key: SECRET}) == {key: "***"}


@pytest.mark.parametrize("value", ["", None, 0])
def test_missing_secret_is_told_from_a_hidden_one(value) -> None:
    assert hide_secrets(None, "info", {"token": value}) == {"token": value}


@pytest.mark.parametrize("key", ["author", "connection", "keyboard", "event"])
def test_value_under_another_name_is_kept(key) -> None:
    assert hide_secrets(None, "info", {key: SECRET}) == {key: SECRET}


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        (f"/back?code={SECRET}&lang=en", "/back?code=***&lang=en"),
        (f"/back?lang=en&state={SECRET}", "/back?lang=en&state=***"),
        (f"/back?STATE={SECRET}", "/back?STATE=***"),
        (f"/back?oauth_verifier={SECRET}", "/back?oauth_verifier=***"),
        (f"/back?client_secret={SECRET} failed", "/back?client_secret=*** failed"),
        (f"/login/?next=/back%3Fcode%3D{SECRET}%26state%3D{SECRET}", "/login/?next=/back%3Fcode%3D***%26state%3D***"),
    ],
)
def test_secret_in_an_address_is_hidden_and_the_rest_kept(address, hidden) -> None:
    assert hide_secrets(None, "info", {"event": address}) == {"event": hidden}


@pytest.mark.parametrize("text", ["country code = 49", "/posts?page=2&sort=state", "zip?barcode=1"])
def test_text_without_a_secret_is_left_alone(text) -> None:
    assert hide_secrets(None, "info", {"event": text}) == {"event": text}


def test_values_that_are_no_text_are_left_alone() -> None:
    assert hide_secrets(None, "info", {"parts": [1, 2], "count": 3}) == {"parts": [1, 2], "count": 3}


# --- noise --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event", [{"event": "request_started"}, {"event": "request_finished", "request": "GET /healthz"}]
)
def test_noise_is_dropped(event) -> None:
    with pytest.raises(structlog.DropEvent):
        drop_noise(None, "info", event)


@pytest.mark.parametrize("event", [{"event": "request_finished", "request": "GET /posts"}, {"event": "healthz"}, {}])
def test_everything_else_is_kept(event) -> None:
    assert drop_noise(None, "info", event) is event


# --- lines --------------------------------------------------------------------------------------------------


def test_json_has_one_object_a_line_with_fields(lines) -> None:
    read = lines("json")
    structlog.get_logger("campaigns.engine").info("post_sent", delivery="d1", text="咖啡")
    (line,) = map(json.loads, read())
    assert line.pop("timestamp").endswith("Z")
    expected = {"event": "post_sent", "delivery": "d1", "text": "咖啡", "level": "info", "logger": "campaigns.engine"}
    assert line == expected
    assert "咖啡" in read()[0]


def test_lines_of_libraries_take_the_same_shape_and_hide_the_same(lines) -> None:
    read = lines("json")
    logging.getLogger("some.library").warning("called %s", f"https://x.test/?code={SECRET}")
    (line,) = map(json.loads, read())
    assert (line["event"], line["logger"]) == ("called https://x.test/?code=***", "some.library")


@pytest.mark.parametrize("fmt", ["json", "text"])
def test_exception_comes_with_its_place_and_without_local_variables(lines, fmt) -> None:
    read = lines(fmt)
    hidden_local = SECRET
    try:
        raise ValueError(len(hidden_local))
    except ValueError:
        structlog.get_logger("tests").exception("it_failed")
    written = "\n".join(read())
    assert "it_failed" in written
    assert "test_logs.py" in written
    assert "ValueError: 9" in written
    assert SECRET not in written


def test_exception_in_json_stays_on_one_line(lines) -> None:
    read = lines("json")
    structlog.get_logger("tests").error("it_failed", exc_info=ValueError("why"))
    (line,) = map(json.loads, read())
    assert "ValueError: why" in line["exception"]


def test_text_is_for_people(lines) -> None:
    read = lines("text")
    structlog.get_logger("tests").info("post_sent", delivery="d1", token=SECRET)
    (line,) = read()
    assert "post_sent" in line
    assert "delivery=d1" in line
    assert "token=***" in line
    assert "\x1b" not in line


def test_level_is_obeyed(lines) -> None:
    read = lines("json", "WARNING")
    structlog.get_logger("tests").info("too_quiet")
    structlog.get_logger("tests").warning("loud_enough")
    assert [json.loads(line)["event"] for line in read()] == ["loud_enough"]


@pytest.mark.parametrize("name", ["tweepy", "urllib3", "requests_oauthlib", "oauthlib"])
def test_libraries_that_print_headers_stay_quiet_at_debug(lines, name) -> None:
    read = lines("json", "DEBUG")
    logging.getLogger(f"{name}.client").debug("Authorization: Bearer %s", SECRET)
    logging.getLogger("others").debug("heard")
    assert [json.loads(line)["event"] for line in read()] == ["heard"]


def test_context_of_the_request_is_on_every_line(lines) -> None:
    read = lines("json")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("tests").info("inside")
    assert json.loads(read()[0])["request_id"] == "r1"


@pytest.mark.parametrize("name", ["gunicorn.error", "uvicorn.error"])
def test_servers_that_set_up_their_own_log_write_ours(lines, name) -> None:
    server = logging.getLogger(name)
    own = logging.StreamHandler(io.StringIO())
    server.addHandler(own)
    server.parent.addHandler(own)
    read = lines("json")
    server.error("Bearer %s", SECRET)
    assert [json.loads(line)["event"] for line in read()] == ["Bearer ***"]
    server.parent.removeHandler(own)
    assert own.stream.getvalue() == ""
