"""X's answers, sorted into what the engine has to know."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from lib.clock import now
from lib.http import was_never_sent
from social.networks.port import Failure, NetworkError, RateWindow

Outcome = tuple[Failure, str, str]

REFUSALS: dict[int, Outcome] = {
    400: (Failure.REJECTED, "invalid", "X says the post is not valid."),
    401: (Failure.UNAUTHORIZED, "unauthorized", "X no longer accepts the log-in of this connection."),
    402: (Failure.PAUSED, "credits", "The X account has no credits left. Add credits, then resume the connection."),
    403: (Failure.REJECTED, "forbidden", "X does not allow this account to do that."),
    404: (Failure.REJECTED, "not_found", "X cannot find what the post refers to. It may have been deleted."),
    413: (Failure.REJECTED, "too_large", "X says the file is too large."),
    429: (Failure.RATE_LIMIT, "rate_limited", "X's rate limit is reached. The post goes out when the window opens."),
}
OTHER_REFUSAL = (Failure.REJECTED, "refused", "X refused the request.")
EDGE_REFUSAL = (Failure.TEMPORARY, "edge_refused", "X turned the request away before looking at it.")
DUPLICATE = (Failure.DUPLICATE, "duplicate", "X says this text was posted before.")
# One status has several meanings: these words, anywhere in the problem, tell them apart.
TOLD_BY_WORDS: list[tuple[int, str, Outcome]] = [
    (403, "duplicate content", DUPLICATE),
    (403, "Status is a duplicate", DUPLICATE),
    (
        403,
        "mentioned or otherwise engaged",
        (Failure.REJECTED, "not_summoned", "X only allows replies to people who mentioned this account first."),
    ),
    (
        403,
        "deleted or not visible",
        (Failure.REJECTED, "target_gone", "The post that this one answers was deleted, or X does not show it."),
    ),
    (
        403,
        "client-not-enrolled",
        (Failure.PAUSED, "not_enrolled", "The X app is not enrolled in a plan. Its owner has to do that at X."),
    ),
    (
        429,
        "UsageCapExceeded",
        (Failure.PAUSED, "usage_cap", "The monthly cap of the X plan is used up."),
    ),
]
# Header to whose window it is.
WINDOWS = {"x-rate-limit": "user", "x-user-limit-24hour": "user", "x-app-limit-24hour": "app"}
EPOCH = datetime.fromtimestamp(0, UTC)
LONGEST_WAIT = timedelta(hours=25)
SHORTEST_WAIT = timedelta(seconds=1)


def from_exception(error: Exception, *, is_write: bool) -> NetworkError:
    """No answer came. `is_write`: a broken connection leaves open whether the post exists."""
    if isinstance(error, requests.RequestException) and was_never_sent(error):
        return NetworkError(Failure.TEMPORARY, "unreachable", "X could not be reached.", raw=str(error))
    response = getattr(error, "response", None)
    status = response.status_code if response is not None else None
    failure, code, message = _unclear("timeout" if isinstance(error, requests.Timeout) else "connection_lost", is_write)
    return NetworkError(failure, code, message, raw=str(error), http_status=status)


def _unclear(code: str, is_write: bool) -> Outcome:
    if is_write:
        return Failure.UNKNOWN, code, "X did not answer clearly, so the post may or may not be live."
    return Failure.TEMPORARY, code, "X did not answer in time."


def from_response(response: requests.Response, *, is_write: bool) -> NetworkError:
    status, problem = response.status_code, _problem(response)
    failure, code, message = _outcome(status, problem, is_write)
    if code == "invalid" and (detail := _first_message(problem)):
        message = f"{message} {detail}"
    return NetworkError(
        failure,
        code,
        message,
        raw=response.text,
        http_status=status,
        request_id=response.headers.get("x-transaction-id", ""),
        retry_at=_retry_at(response, failure),
        windows=windows_of(response),
    )


def windows_of(response: requests.Response) -> tuple[RateWindow, ...]:
    """The rate windows that the headers of an answer tell of."""
    found = []
    for name, scope in WINDOWS.items():
        limit, left, reset = (response.headers.get(f"{name}-{what}", "") for what in ("limit", "remaining", "reset"))
        resets_at = _wait(reset, since=EPOCH)
        if resets_at and limit.isdecimal() and left.isdecimal() and len(limit + left) < 18:
            found.append(RateWindow(scope, int(limit), int(left), min(resets_at, now() + LONGEST_WAIT)))
    return tuple(found)


def _outcome(status: int, problem: Any, is_write: bool) -> Outcome:
    if not 400 <= status < 500 or status == 408:
        return _unclear(f"http_{status}", is_write)
    if problem is None and status in {400, 403, 404}:
        # HTML: a firewall in front of X, which has not seen the request.
        return EDGE_REFUSAL
    words = json.dumps(problem)
    for told_status, phrase, outcome in TOLD_BY_WORDS:
        if status == told_status and phrase in words:
            return outcome
    return REFUSALS.get(status, OTHER_REFUSAL)


def _problem(response: requests.Response) -> Any:
    """The body as JSON, mostly an object, sometimes a list; None when it is something else."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _first_message(problem: Any) -> str:
    """The most precise sentence of a problem."""
    if isinstance(problem, list):
        problem = {"errors": problem}
    if not isinstance(problem, dict):
        return ""
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    message = first.get("message") if isinstance(first, dict) else ""
    return str(message or problem.get("detail") or "")[:200]


def _retry_at(response: requests.Response, failure: Failure) -> datetime | None:
    """The longest wait that any header names; a minute for a rate limit when none does."""
    headers, at = response.headers, now()
    waits = [_wait(headers.get("retry-after", ""))]
    if failure is Failure.RATE_LIMIT:
        for name in WINDOWS:
            if headers.get(f"{name}-remaining") == "0":
                waits.append(_wait(headers.get(f"{name}-reset", ""), since=EPOCH))
    moments = [moment for moment in waits if moment]
    if failure not in {Failure.RATE_LIMIT, Failure.TEMPORARY} or not moments:
        return at + timedelta(minutes=1) if failure is Failure.RATE_LIMIT else None
    # A clock that is wrong, theirs or ours, must neither stop an account for years nor make it spin.
    return min(max(*moments, at + SHORTEST_WAIT), at + LONGEST_WAIT)


def _wait(text: str, since: datetime | None = None) -> datetime | None:
    return (since or now()) + timedelta(seconds=int(text)) if text.isdecimal() and len(text) <= 10 else None


@contextmanager
def reading(response: requests.Response) -> Iterator[Any]:
    """The body of a good answer as JSON; one failure for whatever is not as expected inside the block."""
    try:
        yield json.loads(response.content)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NetworkError(
            Failure.TEMPORARY,
            "unreadable_answer",
            "X's answer could not be read.",
            raw=response.text,
            http_status=response.status_code,
            request_id=response.headers.get("x-transaction-id", ""),
        ) from error
