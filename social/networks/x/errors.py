"""X's answers, sorted into what the engine has to know."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import tweepy

from lib.clock import now
from lib.http import was_never_sent
from social.networks.port import Failure, NetworkError

REFUSALS: dict[int, tuple[Failure, str, str]] = {
    400: (Failure.REJECTED, "invalid", "X says the post is not valid."),
    401: (Failure.UNAUTHORIZED, "unauthorized", "X no longer accepts the log-in of this connection."),
    402: (Failure.PAUSED, "credits", "The X account has no credits left. Add credits, then resume the connection."),
    403: (Failure.REJECTED, "forbidden", "X does not allow this account to do that."),
    404: (Failure.REJECTED, "not_found", "X cannot find what the post refers to. It may have been deleted."),
    413: (Failure.REJECTED, "too_large", "X says the file is too large."),
    429: (Failure.RATE_LIMIT, "rate_limited", "X's rate limit is reached. The post goes out when the window opens."),
}
OTHER_REFUSAL = (Failure.REJECTED, "refused", "X refused the request.")


def from_exception(error: Exception, *, is_write: bool) -> NetworkError:
    """`is_write`: a broken connection leaves open whether the post exists."""
    if isinstance(error, tweepy.HTTPException):
        return from_response(error.response, is_write=is_write)
    if isinstance(error, requests.RequestException):
        if was_never_sent(error):
            return NetworkError(Failure.TEMPORARY, "unreachable", "X could not be reached.", raw=str(error))
        response = getattr(error, "response", None)
        status = response.status_code if response is not None else None
        code = "timeout" if isinstance(error, requests.Timeout) else "connection_lost"
        return _no_answer(code, str(error), is_write, status)
    # tweepy fails on a body that is a JSON list; the status is lost with it.
    return _no_answer("unreadable_answer", repr(error), is_write)


def _no_answer(code: str, raw: str, is_write: bool, status: int | None = None) -> NetworkError:
    if is_write:
        message = "X did not answer clearly, so the post may or may not be live."
        return NetworkError(Failure.UNKNOWN, code, message, raw=raw, http_status=status)
    return NetworkError(Failure.TEMPORARY, code, "X did not answer in time.", raw=raw, http_status=status)


def from_response(response: requests.Response, *, is_write: bool) -> NetworkError:
    status, problem = response.status_code, _problem(response)
    raw, request_id = response.text, response.headers.get("x-transaction-id", "")
    if status not in REFUSALS and not 400 <= status < 500:
        error = _no_answer(f"http_{status}", raw, is_write, status)
        error.request_id = request_id
        return error
    failure, code, message = REFUSALS.get(status, OTHER_REFUSAL)
    detail = str(problem.get("detail", ""))
    retry_at = None
    if status == 403 and "duplicate content" in detail:
        failure, code, message = Failure.DUPLICATE, "duplicate", "X says this text was posted before."
    elif status == 403 and "mentioned or otherwise engaged" in detail:
        code, message = "not_summoned", "X only allows replies to people who mentioned this account first."
    elif status == 429 and problem.get("title") == "UsageCapExceeded":
        failure, code, message = Failure.PAUSED, "usage_cap", "The monthly cap of the X plan is used up."
    elif status == 429:
        retry_at = _reset_time(response)
    elif status == 400 and detail:
        message = f"{message} {_first_message(problem) or detail}"
    return NetworkError(failure, code, message, raw=raw, http_status=status, request_id=request_id, retry_at=retry_at)


def _problem(response: requests.Response) -> dict[str, Any]:
    try:
        problem = json.loads(response.content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _first_message(problem: dict[str, Any]) -> str:
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    return str(first.get("message", ""))[:200] if isinstance(first, dict) else ""


def _reset_time(response: requests.Response) -> datetime:
    """The longest wait that any header names; a minute when none does."""
    headers = response.headers
    waits = [now() + timedelta(seconds=int(v)) for v in [headers.get("retry-after", "")] if v.isdigit()]
    for name in ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"):
        reset = headers.get(f"{name}-reset", "")
        if headers.get(f"{name}-remaining") == "0" and reset.isdigit():
            waits.append(datetime.fromtimestamp(int(reset), UTC))
    return max(waits, default=now() + timedelta(minutes=1))
