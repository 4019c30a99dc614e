"""Errors in the words and the shape of each provider."""

import secrets
from typing import Any

from sandbox.router import Call
from sandbox.wire import Response, json_response

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OPENAI_TYPES = {429: "requests", 500: "server_error", 502: "server_error", 503: "server_error", 529: "server_error"}
_GOOGLE_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_MESSAGES = {
    "anthropic": {
        401: "invalid bearer token",
        402: "Your credit balance is too low to access the API. Please go to Plans & Billing to purchase credits.",
        429: "This request would exceed your organization's rate limit. Please try again later.",
        500: "Internal server error",
        504: "Request timed out",
        529: "Overloaded",
    },
    "openai": {
        401: "Incorrect API key provided.",
        429: "Rate limit reached for requests per min. Please try again later.",
        500: "The server had an error while processing your request. Sorry about that!",
        503: "The engine is currently overloaded, please try again later",
        529: "The engine is currently overloaded, please try again later",
    },
    "gemini": {
        401: "Request had invalid authentication credentials.",
        429: "Resource has been exhausted (e.g. check quota).",
        503: "The model is overloaded. Please try again later.",
        529: "The model is overloaded. Please try again later.",
    },
    "openrouter": {
        401: "No auth credentials found",
        402: "Insufficient credits. Add more using https://openrouter.ai/credits",
        429: "Rate limit exceeded",
        502: "Provider returned error",
        503: "No allowed providers are available for the selected model.",
    },
}
_OPENAI_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def body(
    provider: str,
    status: int,
    message: str | None = None,
    *,
    kind: str | None = None,
    param: str | None = None,
    code: str | None = None,
    request_id: str | None = None,
) -> Any:
    words = message or _MESSAGES[provider].get(status, "Something went wrong.")
    if provider == "anthropic":
        error = {"type": kind or _ANTHROPIC_TYPES.get(status, "api_error"), "message": words}
        return {"type": "error", "error": error, "request_id": request_id or new_request_id("anthropic")}
    if provider == "openai":
        kind = kind or _OPENAI_TYPES.get(status, "invalid_request_error")
        return {"error": {"message": words, "type": kind, "param": param, "code": code or _OPENAI_CODES.get(status)}}
    if provider == "gemini":
        return [{"error": {"code": status, "message": words, "status": _GOOGLE_STATUSES.get(status, "INTERNAL")}}]
    return {"error": {"code": status, "message": words}}


def error(call: Call | None, provider: str, status: int, message: str | None = None, **details: Any) -> Response:
    request_id = call.caller.request_id if call and call.caller else None
    return json_response(status, body(provider, status, message, request_id=request_id, **details))


def not_found(provider: str, status: int) -> Response:
    words = "Not Found" if provider == "anthropic" else "Invalid URL"
    response = json_response(status, body(provider, status, words, code="unknown_url"))
    if provider == "anthropic":
        response.headers["request-id"] = new_request_id(provider)
    return response


def new_request_id(provider: str) -> str:
    return f"req_011{secrets.token_hex(10)}" if provider == "anthropic" else f"req_{secrets.token_hex(16)}"
