"""The address / has three readers: a monitor that wants JSON, a visitor, and a member."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from campaigns.views.dashboard import dashboard
from marketing.health import healthz


def home(request: HttpRequest) -> HttpResponse:
    response = _answer(request)
    patch_vary_headers(response, ["Accept"])
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return healthz(request)
    # Under a workspace's address a visitor is asked to log in, and comes back to it.
    slug: str = getattr(request, "workspace_slug", "")
    if request.user.is_authenticated or slug:
        return dashboard(request)
    return render(request, "marketing/landing.html")
