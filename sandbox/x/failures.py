"""Ordered faults in X's own words."""

from collections.abc import Callable

from sandbox.router import Call
from sandbox.wire import Refusal, Response
from sandbox.x import problems
from sandbox.x.windows import SHORT_SECONDS, consume, exhaust

_REFUSALS: dict[str, Callable[[Call], Refusal]] = {
    "token_expired": lambda call: problems.unauthorized(),
    "usage_cap": lambda call: problems.usage_capped(),
    "credits_depleted": lambda call: problems.credits_depleted(call.account_id or "0"),
    "duplicate": lambda call: problems.duplicate(),
    "not_summoned": lambda call: problems.not_summoned(),
    "client_not_enrolled": lambda call: problems.client_not_enrolled(_client_id(call)),
}


def fail(call: Call) -> Response | None:
    if call.fault is None:
        return None
    if call.fault.kind == "rate_limit":
        return _close_window(call).response
    refusal = _REFUSALS.get(call.fault.kind)
    return refusal(call).response if refusal else None


def _client_id(call: Call) -> str:
    # The token endpoints have no caller yet.
    return call.caller.client_id if call.caller else call.request.form.get("client_id", "")


def _close_window(call: Call) -> Refusal:
    """Really exhausts the window, so that it stays shut until the clock passes its reset."""
    if call.caller is None or not call.caller.windows:
        return problems.too_many_requests({})
    assert call.fault is not None
    index = -1 if call.fault.params.get("window") == "24hour" else 0
    seconds = call.fault.number("seconds", SHORT_SECONDS)
    exhaust(call.db, call.caller.windows[index], call.now, seconds)
    _, call.caller.rate_headers = consume(call.db, call.caller.windows, call.now)
    return problems.too_many_requests(call.caller.rate_headers)
