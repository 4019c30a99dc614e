"""What pages have from Django's middleware, for the applications beside it: headers, and a name for each request."""

from uuid import uuid4

import structlog
from django.conf import settings
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class BodyTooLarge(Exception):
    """More came than was allowed."""


class Limited:
    """Refuses larger bodies before their end is read: Django writes all of one to the disk, whoever sent it.

    `max_unsaid` is for bodies that do not say how long they are: views look at what is said, and read the rest at once.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_unsaid: int) -> None:
        self.app, self.max_bytes, self.max_unsaid = app, max_bytes, max_unsaid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said, taken = _said_bytes(scope), 0
        most = self.max_unsaid if said is None else said

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise BodyTooLarge
            return message

        try:
            if most > self.max_bytes:
                raise BodyTooLarge
            await self.app(scope, receive_counted, send)
        except BodyTooLarge:
            # What still comes is not waited for.
            refusal = PlainTextResponse("This is larger than anything taken here.", 413, {"Connection": "close"})
            refusal.headers.update(headers())
            await refusal(scope, receive, send)


def _said_bytes(scope: Scope) -> int | None:
    """None where it is not said, as of bodies that come in chunks."""
    try:
        return int(Headers(scope=scope)["content-length"])
    except (KeyError, ValueError):
        return None


class Framed:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, status = str(uuid4()), 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(headers() | {"X-Request-Id": request_id})
            await send(message)

        # Logs, and the tasks that the request starts, name it.
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_framed)
            log.info("request_finished", code=status, request=f"{scope['method']} {scope['path']}")


def headers() -> dict[str, str]:
    if not settings.SECURE_HSTS_SECONDS:
        return HEADERS
    scope = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
    return HEADERS | {"Strict-Transport-Security": f"max-age={settings.SECURE_HSTS_SECONDS}{scope}"}
