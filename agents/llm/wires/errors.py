"""From what an SDK raises, or a provider writes into an answer, to one of our words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from agents.llm.types import ModelError, Usage
from agents.llm.wires.port import WireError
from lib.http_sdk import LiveCallsOff, NotPublic

TEXTS = {
    "rate_limited": "The model's provider asks us to slow down.",
    "overloaded": "The model's provider is overloaded.",
    "timeout": "The model took too long to answer.",
    "disconnected": "The connection to the model's provider broke.",
    "unauthorized": "The model's provider refuses the key.",
    "no_credit": "The account at the model's provider has no credit left.",
    "bad_request": "The model's provider does not accept this request.",
    "too_long": "This is too long for the model.",
    "not_found": "The model's provider does not know this model.",
    "refused": "The model's provider declined to answer this.",
    "empty": "The model gave an empty answer.",
    "server_error": "The model's provider has a problem.",
    "live_calls_off": "Calls to model providers are switched off here.",
}
RETRYABLE = {"rate_limited", "overloaded", "timeout", "disconnected", "empty", "server_error"}
_STATUSES = {
    400: "bad_request",
    401: "unauthorized",
    402: "no_credit",
    403: "unauthorized",
    404: "not_found",
    408: "timeout",
    409: "server_error",
    413: "too_long",
    422: "bad_request",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
# As providers write them where there is no status to go by.
_KINDS = {
    "overloaded_error": "overloaded",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "authentication_error": "unauthorized",
    "invalid_api_key": "unauthorized",
    "permission_error": "unauthorized",
    "billing_error": "no_credit",
    "insufficient_quota": "no_credit",
    "not_found_error": "not_found",
    "model_not_found": "not_found",
    "request_too_large": "too_long",
    "context_length_exceeded": "too_long",
    "invalid_request_error": "bad_request",
    "timeout_error": "timeout",
    "content_filter": "refused",
    "content_policy_violation": "refused",
}
_TOO_LONG = ("context_length", "context window", "context length", "too long", "maximum number of tokens")


def wire_error(
    code: str,
    raw: str = "",
    *,
    retry_after_s: float | None = None,
    usage: Usage | None = None,
    may_have_cost: bool = False,
) -> WireError:
    error = WireError(
        code,
        TEXTS[code],
        raw=raw[:2000],
        is_retryable=code in RETRYABLE,
        retry_after_s=retry_after_s,
        usage=usage,
    )
    error.may_have_cost = may_have_cost
    return error


@contextmanager
def translated() -> Iterator[None]:
    """Everything an SDK may raise leaves as a WireError. What comes from a listener passes as it is."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        if found := _translate(error):
            raise found from error
        raise


def _translate(error: Exception) -> WireError | None:
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
        body = getattr(error, "body", None)
        # A stream that began well may bring an error of its own.
        return from_body(body, status if status >= 400 else None, headers, raw=str(error))
    cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__
    if _is_connection_error(error) or isinstance(cause, httpx2.HTTPError):
        return _from_connection(cause, str(error))
    if isinstance(error, json.JSONDecodeError):
        return wire_error("server_error", f"no JSON: {error}", may_have_cost=True)
    if type(error).__module__.partition(".")[0] in ("anthropic", "openai"):
        return _from_sdk(error)
    return None


def _is_connection_error(error: Exception) -> bool:
    return type(error).__name__ in ("APIConnectionError", "APITimeoutError")


def _from_connection(cause: BaseException | None, raw: str) -> WireError:
    if isinstance(cause, LiveCallsOff):
        return wire_error("live_calls_off", str(cause))
    raw = f"{type(cause).__name__}: {cause or raw}"
    if isinstance(cause, NotPublic) or isinstance(cause and cause.__cause__, NotPublic):
        return wire_error("bad_request", raw)
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return wire_error("disconnected", raw)
    code = "timeout" if isinstance(cause, httpx2.TimeoutException) else "disconnected"
    return wire_error(code, raw, may_have_cost=True)


def _from_sdk(error: Exception) -> WireError:
    """An `APIError` without a status: an error event of a stream, or an answer that is none."""
    body = getattr(error, "body", None)
    if body is not None:
        return from_body(body, None, {}, raw=str(error))
    return wire_error("server_error", repr(error), may_have_cost=True)


def from_body(body: Any, status: int | None, headers: Mapping[str, str], *, raw: str = "") -> WireError:
    """`body` is an object, a list with one, or text; `status` is None where the answer began as a success."""
    told = _told(body)
    words = json.dumps(body, ensure_ascii=False, default=str) if body else raw
    return wire_error(_code(told, status), words, retry_after_s=_retry_after_s(headers))


def _told(body: Any) -> Mapping[str, Any]:
    """The error inside: {"error": {…}}, [{"error": {…}}] or the error itself."""
    if isinstance(body, list):
        body = body[0] if body else {}
    inner = body.get("error", body) if isinstance(body, Mapping) else {}
    return inner if isinstance(inner, Mapping) else {"message": str(inner)}


def _code(told: Mapping[str, Any], status: int | None) -> str:
    number = told.get("code") if isinstance(told.get("code"), int) else None
    status = status or number
    message = str(told.get("message", "")).lower()
    kinds = [_KINDS.get(str(told.get(name))) for name in ("code", "type")]
    if status in (400, 413, 422, None) and ("too_long" in kinds or any(words in message for words in _TOO_LONG)):
        return "too_long"
    if status == 403 and isinstance(told.get("metadata"), Mapping) and "reasons" in told["metadata"]:
        return "refused"
    exact = next((kind for kind in kinds if kind in ("no_credit", "refused", "overloaded")), None)
    by_status = _STATUSES.get(status or 0) or ("server_error" if status is None or status >= 500 else "bad_request")
    if exact:
        return exact
    if status is None:
        return next(filter(None, kinds), by_status)
    return by_status


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86_400 else None
