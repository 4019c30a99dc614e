"""Who calls a model: any key will do, but there must be one."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.clock import iso
from sandbox.llm import calls, problems
from sandbox.router import Call
from sandbox.wire import Refusal

REQUEST_LIMIT = 4_000
TOKEN_LIMIT = 4_000_000


@dataclass
class Caller:
    provider: str
    request_id: str
    key: str = ""
    # Row of llm_calls; 0 for requests that ask no model.
    record_id: int = 0


def admit_to(provider: str) -> Callable[[Call], None]:
    def admit(call: Call) -> None:
        call.caller = Caller(provider, problems.new_request_id(provider))
        key = _key(call)
        if not key:
            raise Refusal(problems.error(call, provider, 401, _MISSING[provider]))
        call.caller.key = call.account = call.account_id = key
        if call.request.method == "POST":
            call.caller.record_id = calls.open_record(call, key)

    return admit


_MISSING = {
    "anthropic": "Authentication is required: send a bearer token in the Authorization header",
    "openai": "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer"
    " auth (i.e. Authorization: Bearer YOUR_KEY).",
    "gemini": "Missing or invalid Authorization header.",
    "openrouter": "No auth credentials found",
}


def _key(call: Call) -> str:
    headers = call.request.headers
    scheme, _, key = (headers.get("Authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    # Anthropic goes on taking what its clients sent before.
    return (headers.get("X-Api-Key") or "").strip() if call.caller.provider == "anthropic" else ""


def headers(call: Call) -> dict[str, str]:
    """What every answer of a provider carries, errors included."""
    if call.caller is None:
        return {}
    if call.caller.provider == "anthropic":
        return {"request-id": call.caller.request_id, "anthropic-organization-id": "org_sandbox", **_windows(call)}
    if call.caller.provider == "openai":
        return {
            "x-request-id": call.caller.request_id,
            "openai-processing-ms": "1",
            "openai-version": "2020-10-01",
            "x-ratelimit-limit-requests": str(REQUEST_LIMIT),
            "x-ratelimit-remaining-requests": str(REQUEST_LIMIT - 1),
            "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-limit-tokens": str(TOKEN_LIMIT),
            "x-ratelimit-remaining-tokens": str(TOKEN_LIMIT - 1),
            "x-ratelimit-reset-tokens": "6ms",
        }
    return {"x-request-id": call.caller.request_id, "x-trace": secrets.token_hex(8)}


def _windows(call: Call) -> dict[str, str]:
    reset = iso(call.now + 60)[:19] + "Z"
    sizes = {"requests": REQUEST_LIMIT, "tokens": TOKEN_LIMIT, "input-tokens": TOKEN_LIMIT, "output-tokens": 800_000}
    told: dict[str, str] = {}
    for name, size in sizes.items():
        told |= {
            f"anthropic-ratelimit-{name}-limit": str(size),
            f"anthropic-ratelimit-{name}-remaining": str(size - 1),
            f"anthropic-ratelimit-{name}-reset": reset,
        }
    return told
