"""The admin door under /_sandbox: what tests use to look inside and to make trouble."""

import os
from collections.abc import Callable
from typing import Any

from sandbox import faults, ledger, visitors
from sandbox.clock import iso
from sandbox.router import Call, Platform, Route
from sandbox.wire import MalformedBody, Refusal, Response, json_response
from sandbox.world import World
from sandbox.x import console
from sandbox.x.accounts import BadHandle

MAX_ENTRIES = 100_000


def platform(played: list[Platform], furnish: Callable[[World], None]) -> Platform:
    """`played` tells which routes faults may name; `furnish` refills the world after a reset."""

    def reset(call: Call) -> Response:
        call.world.forget_everything()
        furnish(call.world)
        return json_response(200, {"reset": True})

    def order_fault(call: Call, body: dict[str, Any]) -> Response:
        return _order_fault(call, body, played)

    def catch_up(world: World) -> None:
        for each in played:
            each.catch_up(world)

    def own_doors(each: Platform) -> list[tuple[str, str, Callable[[Call], Response]]]:
        return [
            (
                door.method,
                f"/{each.name}{door.path}",
                _with_body(door.handler) if door.method == "POST" else _guarded(door.handler),
            )
            for door in each.doors
        ]

    doors = [
        ("GET", "/health", _health),
        ("GET", "/ledger", _read_ledger),
        ("GET", "/posts", console.list_posts),
        ("POST", "/posts", _with_body(console.write_post)),
        ("GET", "/accounts", console.list_accounts),
        ("POST", "/accounts", _with_body(console.create_account)),
        ("POST", "/tokens", _with_body(console.create_tokens)),
        ("GET", "/apps", console.list_apps),
        ("POST", "/apps", _with_body(console.save_app)),
        ("POST", "/mentions", _with_body(console.create_mention)),
        ("GET", "/clock", _show_clock),
        ("POST", "/clock", _with_body(_advance_clock)),
        ("GET", "/faults", _list_faults),
        ("POST", "/faults", _with_body(order_fault)),
        ("DELETE", "/faults", _clear_faults),
        ("POST", "/reset", reset),
        *[door for each in played for door in own_doors(each)],
    ]
    return Platform(
        "admin",
        "/_sandbox",
        [*(Route(method, path, handler, is_api=False) for method, path, handler in doors), *visitors.PAGES],
        not_found=lambda status: json_response(status, {"error": "no such door"}),
        catch_up=catch_up,
    )


def _with_body(handler: Callable[[Call, dict[str, Any]], Response]) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        body = call.request.json()
        if not isinstance(body, dict):
            raise MalformedBody("a JSON object is expected")
        return _guarded(lambda same: handler(same, body))(call)

    return handle


def _guarded(handler: Callable[[Call], Response]) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        try:
            return handler(call)
        except BadHandle as error:
            raise Refusal(json_response(400, {"error": f"not a handle: {error}"})) from None
        except (console.BadOrder, TypeError, ValueError) as error:
            raise Refusal(json_response(400, {"error": str(error)})) from None

    return handle


def _health(call: Call) -> Response:
    return json_response(200, {"status": "ok", "now": iso(call.now), "pid": os.getpid()})


def _read_ledger(call: Call) -> Response:
    query = call.request.query
    try:
        since_seq = int(query.get("since_seq", "0"))
        limit = min(int(query.get("limit", MAX_ENTRIES)), MAX_ENTRIES)
    except ValueError:
        raise Refusal(json_response(400, {"error": "since_seq and limit are whole numbers"})) from None
    entries = ledger.read(call.db, query.get("account"), query.get("effect"), since_seq, limit)
    return json_response(200, {"entries": entries})


def _show_clock(call: Call) -> Response:
    return json_response(200, {"now": iso(call.world.clock.now()), "offset": call.world.clock.offset})


def _advance_clock(call: Call, body: dict[str, Any]) -> Response:
    seconds = float(body.get("advance", 0))
    if not 0 <= seconds < 10**9:
        raise console.BadOrder("advance is a number of seconds, and time does not go back")
    call.world.clock.advance(seconds)
    call.world.news.tell()
    return _show_clock(call)


def _list_faults(call: Call) -> Response:
    return json_response(200, faults.waiting(call.db))


def _clear_faults(call: Call) -> Response:
    faults.clear(call.db)
    return json_response(200, faults.waiting(call.db))


def _order_fault(call: Call, body: dict[str, Any], played: list[Platform]) -> Response:
    _check_shapes(body)
    name, route = body.get("platform", "x"), body.get("route")
    known = {route.name for platform in played if platform.name == name for route in platform.routes}
    if not known:
        raise console.BadOrder(f"no platform {name}")
    if route is not None and route not in known:
        raise console.BadOrder(f"no route {route}; there are {sorted(known)}")
    params = body.get("params") or {}
    if "probabilities" in body:
        probabilities = {str(kind): float(share) for kind, share in body["probabilities"].items()}
        _check_kinds(name, list(probabilities))
        fault_id = faults.plan(
            call.db, name, route, body.get("account"), int(body.get("seed", 1)), probabilities, params
        )
    else:
        kind = str(body.get("kind"))
        _check_kinds(name, [kind])
        fault_id = faults.enqueue(call.db, name, kind, route, body.get("account"), int(body.get("count", 1)), params)
    return json_response(201, {"id": fault_id})


def _check_shapes(body: dict[str, Any]) -> None:
    for name, kind in (("params", dict), ("probabilities", dict), ("account", str), ("route", str)):
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise console.BadOrder(f"{name} has the wrong type")


def _check_kinds(platform: str, kinds: list[str]) -> None:
    known = faults.kinds_of(platform)
    unknown = [kind for kind in kinds if kind not in known]
    if unknown:
        raise console.BadOrder(f"no fault {unknown[0]}; there are {sorted(known)}")
