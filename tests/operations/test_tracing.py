"""Traces, as a collector gets them: one of real HTTP, and processes that were told its address."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKEN = "rk_very-secret-token"
# One process: a request that sends a task, the task as a worker gets it, and a call out of it that fails or not.
STORY = f"""
import os, django, logging
os.environ["DJANGO_SETTINGS_MODULE"] = "marketing.settings"
django.setup()
from django.test import Client
from django.http import HttpResponse
from django.urls import path
from celery import shared_task
from marketing import tracing, urls
from marketing.celery import app
from lib.http import open_session
import structlog
app.conf.task_always_eager = False
app.conf.broker_url = "memory://"
from agents.runs.identity import new_trace_id

@app.task(name="story.fails")
def fails():
    raise RuntimeError("{TOKEN}")

@app.task(name="story.calls")
def calls():
    structlog.get_logger("story").info("inside the task")
    open_session(5).get(os.environ["ELSEWHERE"] + "/elsewhere?token={TOKEN}", headers={{"Authorization": "{TOKEN}"}})

def page(request, key):
    print("RUN", new_trace_id())
    for task in (calls, fails):
        task.delay()
    structlog.get_logger("story").info("inside the request")
    return HttpResponse("fine")

urls.urlpatterns.append(path("story/<str:key>", page))
Client().get("/story/{TOKEN}?token={TOKEN}", headers={{"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}})

from kombu import Consumer
from celery.app.trace import build_tracer
from celery.worker.request import Request as Received
with app.connection_for_read() as broker:
    found = []
    queue = next(one for one in app.amqp.queues.values() if one.name == "celery")
    with Consumer(broker, [queue], callbacks=[lambda body, message: found.append(message) or message.ack()]):
        while len(found) < 2:
            broker.drain_events(timeout=5)
    for message in found:
        task = app.tasks[message.headers["task"]]
        trace = build_tracer(task.name, task, app=app)
        trace(message.headers["id"], (), {{}}, {{**message.headers, "is_eager": False, "delivery_info": {{}}}})
tracing.flush()
"""


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent. Anything but /v1/traces is somebody else's server."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.headers: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[dict]:
        return [
            span
            for one in self.sent
            for resource in one["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sent.append(json.loads(body))
        self.answer(200)

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers))
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def story(collector: Collector) -> subprocess.CompletedProcess[str]:
    told = {"OTLP_ENDPOINT": f"{collector.url}/v1/traces", "ELSEWHERE": collector.url, "LOG_FORMAT": "json"}
    told |= {"ALLOWED_HOSTS": "testserver", "LOG_LEVEL": "INFO"}
    return subprocess.run(
        [sys.executable, "-c", STORY],
        cwd=ROOT,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.fixture
def spans(collector, story) -> dict[str, dict]:
    assert story.returncode == 0, story.stderr
    return {span["name"]: span for span in collector.spans()}


def facts(span: dict) -> dict[str, object]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_request_tasks_and_calls_are_one_trace(spans):
    request, calls, call = spans["GET story/<str:key>"], spans["story.calls"], spans["GET"]
    assert {request["traceId"]} == {span["traceId"] for span in spans.values()}
    assert calls["parentSpanId"] == spans["story.fails"]["parentSpanId"] == request["spanId"]
    assert call["parentSpanId"] == calls["spanId"]
    assert [span["kind"] for span in (request, calls, call)] == [2, 5, 3]
    assert int(request["startTimeUnixNano"]) < int(request["endTimeUnixNano"])


def test_spans_say_what_happened(spans):
    request, call = facts(spans["GET story/<str:key>"]), facts(spans["GET"])
    assert (request["http.route"], request["http.response.status_code"]) == ("story/<str:key>", "200")
    assert len(request["rostrum.request_id"]) == 36
    assert (call["server.address"], call["http.response.status_code"]) == ("127.0.0.1", "204")
    assert spans["story.fails"]["status"]["code"] == 2
    assert spans["story.calls"]["status"]["code"] != 2


def test_strangers_trace_is_not_taken_over_and_ours_told_to_nobody(spans, collector):
    request = spans["GET story/<str:key>"]
    assert request["traceId"] != "a" * 32
    assert "parentSpanId" not in request
    assert [name for headers in collector.headers for name in headers if name.lower() == "traceparent"] == []
    assert len(collector.headers) == 1


def test_no_secret_stands_in_a_span(spans):
    assert TOKEN not in json.dumps(list(spans.values()))


def test_log_lines_and_runs_carry_the_trace(spans, story):
    trace = spans["GET story/<str:key>"]["traceId"]
    lines = [json.loads(line) for line in story.stderr.splitlines() if line.startswith("{")]
    inside = {line["event"]: line for line in lines if line["event"].startswith("inside")}
    assert {name: line["trace_id"] for name, line in inside.items()} == {
        "inside the request": trace,
        "inside the task": trace,
    }
    assert inside["inside the task"]["span_id"] == spans["story.calls"]["spanId"]
    assert f"RUN {trace}" in story.stdout


def test_nothing_is_loaded_or_sent_while_it_is_off():
    # Its metrics come with the Redis client.
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'marketing.settings'; django.setup(); "
        "from lib.http import WATCHERS; import marketing.celery; "
        "print(WATCHERS, [name for name in sys.modules if name.startswith('opentelemetry.sdk.trace')])"
    )
    bare = {name: value for name, value in os.environ.items() if name != "OTLP_ENDPOINT"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=bare, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
