"""The product and, under /bare, a page as Django alone makes it: its own middleware, one query, one template."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.test import override_settings
from django.urls import path

from marketing.wsgi import application as product

# What `startproject` writes into MIDDLEWARE.
OWN_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PAGE = Engine().from_string(
    "<!doctype html><title>Campaigns</title><p>{{ user }}</p><table>"
    "{% for row in rows %}<tr><td>{{ row.name }}<td>{{ row.status }}<td>{{ row.created_at|date }}{% endfor %}</table>"
)


def bare_page(request: HttpRequest) -> HttpResponse:
    # Apps are ready only when the product is loaded.
    from accounts.scope import all_workspaces_scope
    from campaigns.models import Campaign

    with all_workspaces_scope("benchmark"):
        rows = list(Campaign.objects.order_by("-id").values("name", "status", "created_at")[:50])
    return HttpResponse(PAGE.render(Context({"rows": rows, "user": request.user})))


urlpatterns = [path("bare", bare_page)]


class BareHandler(WSGIHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(MIDDLEWARE=OWN_MIDDLEWARE):
            super().load_middleware(is_async)

    def get_response(self, request: Any) -> HttpResponse:
        request.urlconf = __name__
        return super().get_response(request)  # type: ignore[return-value]


bare = BareHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return (bare if environ["PATH_INFO"] == "/bare" else product)(environ, start_response)
