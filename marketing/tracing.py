"""OpenTelemetry: a span for each request, task and call out of here, in one trace, where OTLP_ENDPOINT is set.

Log lines and runs of agents carry the trace's id. What strangers send as `traceparent` is not believed, and nobody
outside is told ours. Nothing of OpenTelemetry is imported while tracing is off.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun, worker_process_shutdown
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from agents import otlp
from lib import http

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

HEADER = "traceparent"
# By the protocol's numbers, which are one more than the SDK's.
KIND_OFFSET = 1
QUEUE_MS = 2_000


def connect() -> None:
    """Once per process, from the app's `ready`: after structlog's own, which begins each task with empty values."""
    if not settings.OTLP_ENDPOINT:
        return
    before_task_publish.connect(note_origin, weak=False)
    task_prerun.connect(begin_task, weak=False)
    task_postrun.connect(end_task, weak=False)
    worker_process_shutdown.connect(flush, weak=False)
    http.WATCHERS.append(watch_call)


def provider() -> "TracerProvider":
    # The thread that sends does not survive a fork.
    return _provider(os.getpid())


@lru_cache(maxsize=1)
def _provider(_pid: int) -> "TracerProvider":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class JsonExporter(SpanExporter):
        """By the sender of the runs' traces: same address, same form."""

        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            is_sent = otlp.send([as_json(span) for span in spans], scope="marketing")
            return SpanExportResult.SUCCESS if is_sent else SpanExportResult.FAILURE

    made = TracerProvider(resource=Resource.create({"service.name": "rostrum"}))
    made.add_span_processor(BatchSpanProcessor(JsonExporter(), schedule_delay_millis=QUEUE_MS))
    return made


def flush(**_kwargs: object) -> None:
    provider().force_flush(5_000)


def as_json(span: "ReadableSpan") -> dict[str, Any]:
    context, parent = span.get_span_context(), span.parent
    assert context is not None, "a span that was begun"
    return {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        **({"parentSpanId": f"{parent.span_id:016x}"} if parent else {}),
        "name": span.name,
        "kind": span.kind.value + KIND_OFFSET,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": otlp.attributes(dict(span.attributes or {})),
        "status": {"code": span.status.status_code.value},
    }


@contextmanager
def span(name: str, kind: str, parent: str = "", **facts: Any) -> Iterator[Any]:
    """The current one of this context; an error inside marks it, by its type only: texts may hold anything."""
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({HEADER: parent}) if parent else None
    begun = provider().get_tracer("marketing").start_span(name, context, trace.SpanKind[kind], attributes=facts)
    try:
        with trace.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield begun
    except BaseException as error:
        fail(begun, type(error).__name__)
        raise


def fail(begun: Any, kind: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    begun.set_attribute("error.type", kind)
    begun.set_status(Status(StatusCode.ERROR))


def current() -> str:
    """As a header; empty outside of any span."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(HEADER, "")


def bind(begun: Any) -> None:
    context = begun.get_span_context()
    structlog.contextvars.bind_contextvars(trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}")


# --- doors --------------------------------------------------------------------------------------------------


class TracingMiddleware:
    """Behind the one that gives a request its id. Of an address only its pattern: paths hold keys."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = structlog.contextvars.get_contextvars()
        facts = {"http.request.method": request.method or "", "rostrum.request_id": str(known.get("request_id", ""))}
        with span(request.method or "HTTP", "SERVER", **facts) as begun:
            bind(begun)
            response = self.get_response(request)
            match = request.resolver_match
            route = match.route if match else "unknown"
            begun.update_name(f"{request.method} {route}")
            begun.set_attributes({"http.route": route, "http.response.status_code": response.status_code})
            if response.status_code >= 500:
                fail(begun, str(response.status_code))
            return response


def note_origin(headers: dict[str, Any] | None = None, **_kwargs: object) -> None:
    if headers is not None and (origin := current()):
        headers[HEADER] = origin


def begin_task(task: Any = None, **_kwargs: object) -> None:
    manager = span(task.name, "CONSUMER", _origin(task), **{"messaging.message.id": str(task.request.id)})
    begun = manager.__enter__()
    bind(begun)
    task.request.tracing = manager, begun


def _origin(task: Any) -> str:
    found = getattr(task.request, HEADER, None) or (task.request.headers or {}).get(HEADER, "")
    return str(found or "")


def end_task(task: Any = None, state: str | None = None, **_kwargs: object) -> None:
    tracing = getattr(task.request, "tracing", None)
    if tracing:
        manager, begun = tracing
        if state == "FAILURE":
            fail(begun, "task failed")
        manager.__exit__(None, None, None)


@contextmanager
def watch_call(method: str, url: str) -> Iterator[Callable[[int], None]]:
    """Without path and query, which may hold tokens. The exporter's own calls are not traced."""
    host = urlsplit(url).hostname or ""
    if host == urlsplit(settings.OTLP_ENDPOINT).hostname and url.startswith(settings.OTLP_ENDPOINT):
        yield lambda _status: None
        return
    with span(method, "CLIENT", **{"http.request.method": method, "server.address": host}) as begun:
        yield lambda status: begun.set_attribute("http.response.status_code", status)
