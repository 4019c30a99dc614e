"""The error bodies of X, word for word."""

from typing import Any

from sandbox.wire import Refusal, Response, json_response

# Live answers still carry the old host, although the published schema has moved on.
TYPE = "https://api.twitter.com/2/problems/"


def _plain(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return json_response(status, body, headers)


def unauthorized() -> Refusal:
    return Refusal(_plain(401, "Unauthorized", "Unauthorized"))


def forbidden(detail: str = "You are not permitted to perform this action.") -> Refusal:
    return Refusal(_plain(403, "Forbidden", detail))


def duplicate() -> Refusal:
    return forbidden("You are not allowed to create a Tweet with duplicate content.")


def not_summoned() -> Refusal:
    return forbidden(
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged "
        "by the author of the post you are replying to."
    )


def not_visible() -> Refusal:
    return forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")


def not_found(status: int) -> Response:
    title = "Method Not Allowed" if status == 405 else "Not Found"
    return _plain(status, title, title)


def too_many_requests(headers: dict[str, str]) -> Refusal:
    return Refusal(_plain(429, "Too Many Requests", "Too Many Requests", headers))


def usage_capped() -> Refusal:
    body = {
        "account_id": 1,
        "product_name": "standard-basic",
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": TYPE + "usage-capped",
    }
    return Refusal(json_response(429, body))


def credits_depleted(account_id: str) -> Refusal:
    detail = f"Your enrolled account [{account_id}] does not have any credits to fulfill this request."
    body = {"account_id": account_id, "title": "CreditsDepleted", "detail": detail, "type": TYPE + "credits"}
    return Refusal(json_response(402, body))


def client_not_enrolled(client_id: str) -> Refusal:
    body = {
        "client_id": client_id,
        "detail": "When authenticating requests to the API v2 endpoints, you must use keys and tokens from an "
        "App that is attached to a Project.",
        "reason": "client-not-enrolled",
        "required_enrollment": "Appropriate Level of API Access",
        "registration_url": "https://developer.x.com/en/docs/projects/overview",
        "title": "Client Forbidden",
        "type": TYPE + "client-forbidden",
    }
    return Refusal(json_response(403, body))


def invalid(parameter: str, value: Any, message: str) -> Refusal:
    shown = value if isinstance(value, str) else repr(value)
    body = {
        "errors": [{"parameters": {parameter: [shown]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": TYPE + "invalid-request",
    }
    return Refusal(json_response(400, body))


def missing(kind: str, parameter: str, resource_id: str) -> dict[str, Any]:
    """The partial error for a resource that is not there; the answer around it stays 200."""
    return {
        "value": resource_id,
        "detail": f"Could not find {kind} with {parameter}: [{resource_id}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": resource_id,
        "type": TYPE + "resource-not-found",
    }


def field_not_authorized(post_id: str, name: str) -> dict[str, Any]:
    return {
        "resource_id": post_id,
        "parameter": "id",
        "resource_type": "tweet",
        "section": "data",
        "title": "Field Authorization Error",
        "value": post_id,
        "detail": f"Sorry, you are not authorized to access '{name}' on the Tweet with id : [{post_id}].",
        "type": TYPE + "not-authorized-for-field",
        "field": name,
    }


def oauth(status: int, error: str, description: str) -> Refusal:
    return Refusal(json_response(status, {"error": error, "error_description": description}))
