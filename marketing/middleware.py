from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from marketing.logs import SECRET_PATH

CSP = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{forms}"
)
STYLES_INLINE = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# Pages that others wrote, and what they cannot do without. Scripts are never inline.
LOOSER = {
    # Unfold runs Alpine, which evaluates expressions and sets styles.
    "/admin/": STYLES_INLINE.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'"),
    # Swagger UI brings its styles along.
    "/docs": STYLES_INLINE,
}


def policy_for(path: str) -> str:
    return next((policy for prefix, policy in LOOSER.items() if path.startswith(prefix)), CSP)


class SecurityHeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Chromium applies form-action to the redirect that follows a form, so the authorise page must be named;
        # a page that ends at some other address names it itself.
        targets = [settings.X_AUTHORIZE_URL.split("?")[0], *getattr(response, "form_targets", ())]
        forms = "".join(f" {target}" for target in targets)
        response.headers.setdefault("Content-Security-Policy", policy_for(request.path_info).format(forms=forms))
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        # Static files and refused hosts never get as far as Django's own.
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        return response


class RequestLogMiddleware(RequestMiddleware):
    """Logs the path only, and no key in it: OAuth answers, invitations and reset links carry secrets."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        path = SECRET_PATH.sub(r"\1***", request.path)
        return f"{request.method} {path}"

    def prepare(self, request: HttpRequest) -> None:
        super().prepare(request)
        request.log_id = structlog.contextvars.get_contextvars()["request_id"]  # type: ignore[attr-defined]

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        name: str = request.log_id  # type: ignore[attr-defined]
        # A stream that nobody read to its end is cleaned up at any time, and takes away what is bound then.
        structlog.contextvars.bind_contextvars(request_id=name)
        response.headers["X-Request-Id"] = name
        super().handle_response(request, response)
