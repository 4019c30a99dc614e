"""What pages have from Django's middleware, for the applications beside it: headers, and a name for each request."""

from uuid import uuid4

import structlog
from django.conf import settings
from starlette.datastructures import MutableHeaders
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
