"""The pixel's two addresses: anybody may ask, from any page."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from analytics.tracking import pixel
from analytics.tracking.tracking import by_pixel

# What a header cannot say: outcomes name keys that strangers made up.
UNFIT = re.compile(r"[^ -~]")
OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


@require_safe
def pixel_gif(request: HttpRequest, key: str) -> HttpResponse:
    found = by_pixel(key)
    outcome = pixel.take_call(request, *found) if found and request.method == "GET" else "Nobody's pixel."
    headers = {**OPEN, "Cache-Control": "no-store", "X-Outcome": UNFIT.sub("?", outcome)[:200]}
    return HttpResponse(pixel.GIF, content_type="image/gif", headers=headers)


@require_safe
@cache_control(public=True, max_age=3600)
def pixel_js(request: HttpRequest, key: str) -> HttpResponse:
    if by_pixel(key) is None:
        raise Http404("Nobody's pixel.")
    return HttpResponse(pixel.SCRIPT, content_type="text/javascript; charset=utf-8", headers=OPEN)
