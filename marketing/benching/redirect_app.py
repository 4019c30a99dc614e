"""The product and, under /bare, a view of Django alone: one process, so that only the difference is measured."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from marketing.wsgi import application as product


def bare_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": "https://acme.example/"})


urlpatterns = [path("bare", bare_view)]


class BareHandler(WSGIHandler):
    """Django without any middleware."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._middleware_chain = self._bare

    def _bare(self, request: Any) -> HttpResponse:
        request.urlconf = __name__
        return self._get_response(request)  # type: ignore[attr-defined]


bare = BareHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return (bare if environ["PATH_INFO"] == "/bare" else product)(environ, start_response)
