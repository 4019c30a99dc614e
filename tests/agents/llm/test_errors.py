"""From what providers write to our words: by status, by kind, by sentence, in every shape they use."""

import httpx2
import pytest

from agents.llm.types import ModelError, Usage
from agents.llm.wires.errors import RETRYABLE, TEXTS, from_body, translated, wire_error
from lib.http_sdk import LiveCallsOff, NotPublic


def anthropic(kind, message="x"):
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def openai(message="x", kind="invalid_request_error", code=None):
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def gemini(code, message="x", status="UNKNOWN"):
    return [{"error": {"code": code, "message": message, "status": status}}]


def openrouter(code, message="x", **more):
    return {"error": {"code": code, "message": message, **more}}


TOLD = [
    # (body, status or None inside a 200, our word)
    (anthropic("invalid_request_error"), 400, "bad_request"),
    (anthropic("authentication_error"), 401, "unauthorized"),
    (anthropic("billing_error"), 402, "no_credit"),
    (anthropic("permission_error"), 403, "unauthorized"),
    (anthropic("not_found_error"), 404, "not_found"),
    (anthropic("conflict_error"), 409, "server_error"),
    (anthropic("request_too_large"), 413, "too_long"),
    (anthropic("rate_limit_error"), 429, "rate_limited"),
    (anthropic("api_error"), 500, "server_error"),
    (anthropic("timeout_error"), 504, "timeout"),
    (anthropic("overloaded_error"), 529, "overloaded"),
    (anthropic("overloaded_error"), None, "overloaded"),
    (anthropic("api_error"), None, "server_error"),
    (anthropic("rate_limit_error"), None, "rate_limited"),
    (anthropic("invalid_request_error", "prompt is too long: 1000001 tokens > 1000000 maximum"), 400, "too_long"),
    (openai("Rate limit reached", "requests", "rate_limit_exceeded"), 429, "rate_limited"),
    (openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), 429, "no_credit"),
    (openai("Incorrect API key provided", code="invalid_api_key"), 401, "unauthorized"),
    (openai("The model `x` does not exist", code="model_not_found"), 404, "not_found"),
    (openai("Your input exceeds the context window of this model.", code="context_length_exceeded"), 400, "too_long"),
    (openai("This model's maximum context length is 8192 tokens."), 400, "too_long"),
    (openai("flagged", code="content_policy_violation"), 400, "refused"),
    (openai("flagged", code="content_filter"), 400, "refused"),
    (openai("The server had an error", "server_error"), 500, "server_error"),
    (openai("Bad gateway"), 502, "server_error"),
    (openai("unavailable"), 503, "overloaded"),
    ({"type": "error", "code": "server_error", "message": "x"}, None, "server_error"),
    (gemini(400), 400, "bad_request"),
    (gemini(429, "Resource has been exhausted (e.g. check quota)."), 429, "rate_limited"),
    (gemini(429), None, "rate_limited"),
    (gemini(503, "The model is overloaded."), 503, "overloaded"),
    (gemini(400, "The input token count exceeds the maximum number of tokens allowed (1048576)."), 400, "too_long"),
    (gemini(503), None, "overloaded"),
    (openrouter(402, "Insufficient credits"), 402, "no_credit"),
    (openrouter(403, "flagged", metadata={"reasons": ["violence"]}), 403, "refused"),
    (openrouter(403, "no"), 403, "unauthorized"),
    (openrouter(408), 408, "timeout"),
    (openrouter(502), 502, "server_error"),
    (openrouter(502), None, "server_error"),
    (openrouter(400, "Token limit reached"), None, "bad_request"),
    (openrouter(429), None, "rate_limited"),
    (None, 418, "bad_request"),
    (None, 599, "server_error"),
    (None, None, "server_error"),
    ("<html>busy</html>", 503, "overloaded"),
    ([], 500, "server_error"),
    ({"error": "a sentence"}, 400, "bad_request"),
    ({"error": None}, 500, "server_error"),
    ({"error": {"message": None, "code": None}}, 500, "server_error"),
    ([["nested"]], None, "server_error"),
]


@pytest.mark.parametrize(("body", "status", "code"), TOLD)
def test_what_a_provider_says(body, status, code):
    error = from_body(body, status, {})
    assert (error.code, error.text, error.is_retryable) == (code, TEXTS[code], code in RETRYABLE)
    assert not error.may_have_cost


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2), ("0.5", 0.5), ("0", 0), ("-1", None), ("soon", None), ("", None), ("nan", None), ("1e9", None)],
)
def test_how_long_a_provider_wants_to_be_left_alone(header, seconds):
    assert from_body(None, 429, {"retry-after": header}).retry_after_s == seconds
    assert from_body(None, 429, {}).retry_after_s is None


class APIConnectionError(Exception):
    """Called as the SDKs call theirs."""


CONNECTIONS = [
    # What was never sent cannot cost.
    (httpx2.ConnectError("refused"), "disconnected", False),
    (httpx2.ConnectTimeout("slow"), "disconnected", False),
    (httpx2.PoolTimeout("full"), "disconnected", False),
    (httpx2.ReadTimeout("slow"), "timeout", True),
    (httpx2.WriteTimeout("slow"), "timeout", True),
    (httpx2.ReadError("reset"), "disconnected", True),
    (httpx2.RemoteProtocolError("cut"), "disconnected", True),
    (LiveCallsOff("host"), "live_calls_off", False),
]


@pytest.mark.parametrize(("cause", "code", "may_have_cost"), CONNECTIONS)
def test_broken_connections(cause, code, may_have_cost):
    with pytest.raises(ModelError) as caught, translated():
        raise APIConnectionError("Connection error.") from cause
    assert (caught.value.code, caught.value.may_have_cost) == (code, may_have_cost)


@pytest.mark.parametrize("cause", [httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("cut")])
def test_a_stream_breaks_without_the_sdk_around_it(cause):
    with pytest.raises(ModelError) as caught, translated():
        raise cause
    assert caught.value.may_have_cost


def test_an_address_that_is_not_public_is_no_trouble_of_the_provider():
    inner = httpx2.ConnectError("not public")
    inner.__cause__ = NotPublic("not public")
    with pytest.raises(ModelError) as caught, translated():
        raise APIConnectionError from inner
    assert (caught.value.code, caught.value.is_retryable) == ("bad_request", False)


def test_what_a_listener_raises_passes_as_it_is():
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError
    own = wire_error("empty", usage=Usage(input=1))
    with pytest.raises(ModelError) as caught, translated():
        raise own
    assert caught.value is own


def test_raw_words_are_kept_short():
    assert len(from_body({"error": {"message": "x" * 10_000}}, 400, {}).raw) == 2000
