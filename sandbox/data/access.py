"""Any key will do, but there must be one; and the faults in the provider's own words."""

from sandbox.router import Call
from sandbox.wire import Refusal, Response, json_response


def admit(call: Call) -> None:
    scheme, _, key = (call.request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refusal(error(401, "unauthorized", "Send your key as a bearer token."))
    call.account = call.account_id = key.strip()


def fail(call: Call) -> Response | None:
    if call.fault_is("rate_limit"):
        response = error(429, "rate_limited", "Too many requests.")
        response.headers["retry-after"] = str(int(call.fault.number("seconds", 7)) if call.fault else 7)
        return response
    if call.fault_is("no_credit"):
        return error(402, "no_credit", "The account has no credit left.")
    return None


def error(status: int, code: str, message: str) -> Response:
    return json_response(status, {"error": {"code": code, "message": message}})
