"""Answers in Telegram's form, and its error texts, word for word."""

from http.client import responses
from typing import Any

from sandbox.wire import Refusal, Response, json_response


def success(result: Any) -> Response:
    return json_response(200, {"ok": True, "result": result})


def failure(status: int, description: str, parameters: dict[str, int] | None = None) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = parameters
    return json_response(status, body)


def unexpected(status: int, title: str, detail: str) -> Response:
    """For errors in front of any method: only the status has words of Telegram's."""
    if status == 400:
        return bad_request(detail).response
    return failure(status, responses.get(status, title))


def not_found(status: int) -> Response:
    return failure(404, "Not Found")


def unauthorized() -> Refusal:
    return Refusal(failure(401, "Unauthorized"))


def bad_request(text: str, parameters: dict[str, int] | None = None) -> Refusal:
    """The first letter is lowered as Telegram does, unless a whole word stands in capitals."""
    is_word = len(text) > 1 and not text[1].isupper() and text[1] != "_"
    return Refusal(failure(400, "Bad Request: " + (text[0].lower() + text[1:] if is_word else text), parameters))


def forbidden(text: str) -> Refusal:
    return Refusal(failure(403, f"Forbidden: {text}"))


def conflict(text: str) -> Refusal:
    return Refusal(failure(409, f"Conflict: {text}"))


def too_large() -> Refusal:
    return Refusal(failure(413, "Request Entity Too Large"))


def flood(seconds: int) -> Refusal:
    refusal = Refusal(failure(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds}))
    refusal.response.headers["retry-after"] = str(seconds)
    return refusal


def migrated(chat_id: int) -> Refusal:
    return bad_request("group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": chat_id})


def chat_not_found() -> Refusal:
    return bad_request("chat not found")


def kicked(chat_type: str) -> Refusal:
    return forbidden(f"bot was kicked from the {chat_type} chat")


def not_a_member(chat_type: str) -> Refusal:
    return forbidden(f"bot is not a member of the {chat_type} chat")


def not_admin() -> Refusal:
    return bad_request("need administrator rights in the channel chat")


def bad_token() -> Refusal:
    return Refusal(failure(404, "Not Found"))
