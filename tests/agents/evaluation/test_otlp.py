"""Ended runs as OpenTelemetry traces, to a collector on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from accounts.models import Workspace
from agents.models import ModelCall, Run, Step
from agents.otlp import export_traces
from lib.clock import now

pytestmark = pytest.mark.django_db


class Collector:
    """Keeps what it is sent; answers with the next of `statuses`, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict, dict]] = []
        self.statuses: list[int] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.got.append((dict(self.headers), body))
                self.send_response(collector.statuses.pop(0) if collector.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def spans(self) -> list[dict]:
        return [span for _headers, body in self.got for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]


@pytest.fixture
def collector(settings):
    made = Collector()
    settings.OTLP_ENDPOINT = made.url
    settings.OTLP_HEADERS = ["Authorization=Basic abc=="]
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def run(in_workspace: Workspace, bob) -> Run:
    at = now()
    run = Run.objects.create(
        workspace=in_workspace,
        user=bob,
        workflow="chat",
        input={"message": "你好"},
        output={"text": "Hello"},
        status="succeeded",
        trace_id="ab" * 16,
        created_at=at,
        ended_at=at,
    )
    Step.objects.create(
        workspace=in_workspace,
        run=run,
        n=1,
        key="answer",
        kind="llm",
        agent="chat",
        output={"text": "Hello"},
        input_sha256="0" * 64,
        span_id="cd" * 8,
        started_at=at,
        input_tokens=20,
        output_tokens=5,
        cost_micro=1_500,
    )
    ModelCall.objects.create(
        workspace=in_workspace, key="k", run_id=run.pk, step_key="answer", role="chat", provider="anthropic", model="m"
    )
    return run


def facts(span: dict) -> dict:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_run_and_its_steps_arrive_as_one_tree(collector, run):
    assert export_traces() == 1
    root, step = collector.spans()
    assert (root["traceId"], root["name"], "parentSpanId" in root) == ("ab" * 16, "chat", False)
    assert (step["parentSpanId"], step["spanId"]) == (root["spanId"], "cd" * 8)
    assert facts(step)["gen_ai.usage.input_tokens"] == "20"
    assert facts(step)["gen_ai.usage.cost"] == pytest.approx(0.0015)
    assert facts(step)["gen_ai.request.model"] == "m"
    assert "你好" in facts(root)["input.value"]


def test_headers_go_along_and_ids_have_the_length_of_the_standard(collector, run):
    export_traces()
    headers, _body = collector.got[0]
    assert headers["Authorization"] == "Basic abc=="
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in collector.spans())
    assert all(span["endTimeUnixNano"] >= span["startTimeUnixNano"] for span in collector.spans())


def test_what_was_sent_is_not_sent_again(collector, run):
    export_traces()
    assert export_traces() == 0
    assert len(collector.got) == 1


def test_collector_that_is_down_gets_it_later(collector, run):
    collector.statuses = [503]
    assert export_traces() == 0
    assert export_traces() == 1


def test_without_an_address_nothing_is_sent(collector, run, settings):
    settings.OTLP_ENDPOINT = ""
    assert export_traces() == 0
    assert collector.got == []


def test_open_runs_are_not_sent(collector, run):
    Run.objects.update(ended_at=None, status="running")
    assert export_traces() == 0


def test_failure_is_marked(collector, run):
    Run.objects.update(status="failed", error={"code": "x", "message": "The till is stuck."})
    export_traces()
    assert collector.spans()[0]["status"] == {"code": 2, "message": "The till is stuck."}
