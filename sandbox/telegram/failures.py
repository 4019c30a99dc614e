"""Ordered faults in Telegram's own words."""

from collections.abc import Callable
from http.client import responses

from sandbox.router import Call
from sandbox.telegram import parameters, people, problems
from sandbox.wire import Refusal, Response, json_response

_WAIT_SECONDS = 7


def fail(call: Call) -> Response | None:
    if call.fault is None:
        return None
    answer = _ANSWERS.get(call.fault.kind)
    return answer(call) if answer else None


def _status(call: Call) -> Response:
    assert call.fault is not None
    status = int(call.fault.params.get("status", 503))
    if "body" in call.fault.params:
        response = json_response(status, call.fault.params["body"])
    else:
        response = problems.failure(status, responses.get(status, "Error"))
    response.headers.update({str(k).lower(): str(v) for k, v in call.fault.params.get("headers", {}).items()})
    return response


def _wait(call: Call) -> Response:
    assert call.fault is not None
    return problems.flood(int(call.fault.number("seconds", _WAIT_SECONDS))).response


def _migrated(call: Call) -> Response:
    assert call.fault is not None
    chat_id = int(call.fault.params.get("chat_id", people.SUPERGROUP_BASE - 1))
    return problems.migrated(chat_id).response


def _kicked(call: Call) -> Response:
    chat = people.named_chat(call.db, parameters.of(call).text("chat_id"))
    return problems.kicked(chat["type"] if chat else "channel").response


def _always(refusal: Callable[[], Refusal]) -> Callable[[Call], Response]:
    return lambda call: refusal().response


_ANSWERS: dict[str, Callable[[Call], Response]] = {
    "status": _status,
    "retry_after": _wait,
    "flood": _wait,
    "token_expired": _always(problems.unauthorized),
    "migrate_to_chat_id": _migrated,
    "bot_kicked": _kicked,
    "not_admin": _always(problems.not_admin),
}
