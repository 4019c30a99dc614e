"""From a request to what the socket will do, decided and committed before the first byte leaves."""

import sys
import traceback
from dataclasses import dataclass, replace
from http.client import responses

from sandbox import faults, ledger
from sandbox.router import Call, Match, NotYet, Platform, find_route
from sandbox.wire import MalformedBody, Refusal, Request, Response, html_response, json_response
from sandbox.world import World

EDGE_PAGE = "<html><head><title>503 Service Temporarily Unavailable</title></head><body>upstream</body></html>"

# How long a long poll goes without a look at the clock, which tests move.
PATIENCE_SECONDS = 0.5

# Faults that leave the answer alone and spoil only its way back.
SPOILED_DELIVERY = {
    "accept_then_hang": ("hang", 60.0),
    "accept_then_drop": ("drop", 0.0),
    "drop_before_accept": ("drop", 0.0),
    "refresh_rotated_but_lost": ("drop", 0.0),
    "late_accept": ("drop", 0.0),
    "slow_headers": ("slow_headers", 5.0),
    "slow_body": ("slow_body", 5.0),
    "timeout": ("hang", 30.0),
    # Half of the body; a stream has cut itself by then.
    "disconnect": ("cut", 0.0),
}


@dataclass(frozen=True)
class Delivery:
    response: Response
    # send, slow_headers, slow_body, hang (silence, then a closed socket), drop (a closed socket), cut (half a body)
    mode: str = "send"
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        return self.mode if self.mode in ("hang", "drop", "cut") else str(self.response.status)


def answer(world: World, platforms: list[Platform], request: Request) -> Delivery:
    match = find_route(platforms, request)
    if match is None:
        return Delivery(json_response(404, {"detail": "Not Found"}))
    if match.route is None:
        return Delivery(match.platform.not_found(405 if match.is_known_path else 404))
    call = Call(world, replace(request, path=match.path), match.route, match.args, world.clock.now())
    try:
        return _decide_in_time(call, match)
    except Exception:  # the sandbox must go on serving the other clients
        traceback.print_exc(file=sys.stderr)
        return _broken(call, match.platform)


def _decide_in_time(call: Call, match: Match) -> Delivery:
    """A long poll waits here, between two looks at the state and outside of any transaction."""
    while True:
        seen = call.world.news.count
        with call.world.store.transaction():
            delivery = _decide(call, match)
        if delivery is not None:
            return delivery
        call.world.news.wait(seen, PATIENCE_SECONDS)
        if call.world.stopping.is_set():
            return Delivery(Response(503), "drop")


def _decide(call: Call, match: Match) -> Delivery | None:
    for_all = match.platform
    for_all.catch_up(call.world)
    try:
        response = _respond(call, for_all)
    except NotYet:
        call.is_waiting = True
        return None
    response.headers = {**for_all.headers(call), **response.headers}
    delivery = _delivery(call, response)
    _record(call, for_all, delivery.outcome)
    return delivery


def _respond(call: Call, platform: Platform) -> Response:
    try:
        if call.is_waiting:
            return call.route.handler(call)
        platform.admit(call)
        if call.route.is_api:
            call.fault = faults.take(call.db, platform.name, call.route.name, call.account)
        if call.fault_is("drop_before_accept"):
            return Response(503)
        return platform.fail(call) or edge_failure(call) or call.route.handler(call)
    except Refusal as refusal:
        return refusal.response
    except MalformedBody as error:
        return platform.error(400, "Invalid Request", str(error))


def edge_failure(call: Call) -> Response | None:
    """Faults in front of any platform: chosen statuses, HTML from the edge, a list where an object belongs."""
    if call.fault is None:
        return None
    params = call.fault.params
    match call.fault.kind:
        case "status":
            status = int(params.get("status", 503))
            words = responses.get(status, "Error")
            body = {"title": words, "detail": words, "type": "about:blank", "status": status}
            response = json_response(status, params.get("body", body))
            response.headers.update({str(k).lower(): str(v) for k, v in params.get("headers", {}).items()})
            return response
        case "html_5xx":
            return html_response(int(params.get("status", 503)), EDGE_PAGE)
        case "json_list_error":
            return json_response(int(params.get("status", 400)), [{"message": "Bad Request", "code": 0}])
        case "retry_after":
            seconds = int(params.get("seconds", 7))
            status = int(params.get("status", 503))
            body = {"title": "Slow Down", "detail": "Slow Down", "type": "about:blank", "status": status}
            return json_response(status, body, {"retry-after": str(seconds)})
    return None


def _delivery(call: Call, response: Response) -> Delivery:
    if call.fault is None or call.fault.kind not in SPOILED_DELIVERY:
        return Delivery(response)
    mode, seconds = SPOILED_DELIVERY[call.fault.kind]
    # The seconds of a late post are the sandbox's own; the connection is cut at once.
    return Delivery(response, mode, 0.0 if mode == "drop" else call.fault.seconds(seconds))


def _record(call: Call, platform: Platform, outcome: str) -> None:
    if not call.route.is_api:
        return
    fault = call.fault.kind if call.fault else None
    ledger.write(
        call.db,
        ledger.Entry(
            call.now,
            platform.name,
            call.request,
            outcome,
            call.account,
            call.account_id,
            call.effect,
            fault,
            call.cost_micro,
        ),
    )


def _broken(call: Call, platform: Platform) -> Delivery:
    call.effect = None
    with call.world.store.transaction():
        _record(call, platform, "500")
    return Delivery(platform.error(500, "Internal Error", "The sandbox failed; see its log."))
