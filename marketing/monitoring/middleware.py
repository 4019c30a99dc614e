import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from marketing.monitoring.meters import METER


class MeterMiddleware:
    """Counts every answer by its view, with how long it took. A stream is counted without."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        name = match.view_name if match and match.view_name else "unknown"
        ms = None if response.streaming else (time.perf_counter() - started) * 1000
        METER.note("request", name[:80], ms, is_error=response.status_code >= 500)
        return response
