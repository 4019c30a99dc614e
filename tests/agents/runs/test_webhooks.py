"""The call at a run's end: signed, guarded, at least once, and not for ever."""

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agents import tasks
from agents.models import Run
from agents.runs import webhooks
from agents.runs.services import cancel_run, resume_run
from agents.runs.webhooks import due_webhooks, send_webhook, webhook_secret
from lib import clock, signing
from lib.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def listening():
    """A receiver, what it heard, and the statuses it answers next (200 when there are none)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((dict(self.headers), body))
            status = statuses.pop(0) if statuses else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_args):
            pass

    heard, statuses = [], []
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", heard, statuses
    server.shutdown()


@pytest.fixture
def receiver(listening, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    _url, heard, statuses = listening
    heard.clear()
    statuses.clear()
    return listening


@pytest.fixture
def ended(define, start, go, receiver):
    """A run with a webhook that has ended."""
    define(lambda flow: {"answer": "忽"})
    return lambda **fields: go(start(**{"webhook_url": receiver[0]} | fields))


def test_the_end_is_told_and_signed(ended, receiver, workspace):
    run = ended()
    assert due_webhooks() == [(workspace.pk, run.pk)]
    assert send_webhook(workspace.pk, run.pk)
    ((headers, body),) = receiver[1]
    told = json.loads(body)
    assert (told["event"], told["run"]["id"], told["run"]["output"]) == ("run.succeeded", str(run.pk), {"answer": "忽"})
    signed = f"{headers['X-Rostrum-Timestamp']}.".encode() + body
    expected = hmac.new(webhook_secret(workspace).encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Rostrum-Signature"] == f"v1={expected}"
    assert abs(int(headers["X-Rostrum-Timestamp"]) - now().timestamp()) < 60


def test_it_is_told_once(ended, receiver, workspace):
    run = ended()
    send_webhook(workspace.pk, run.pk)
    assert not send_webhook(workspace.pk, run.pk)
    assert due_webhooks() == []
    assert len(receiver[1]) == 1
    assert Run.objects.get().webhook_sent_at


def test_each_workspace_has_a_secret_of_its_own(workspace, other_workspace):
    assert webhook_secret(workspace) != webhook_secret(other_workspace)


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_failure_is_tried_again_later_and_later(ended, receiver, workspace, status):
    run = ended()
    receiver[2].append(status)
    assert not send_webhook(workspace.pk, run.pk)
    assert due_webhooks() == []
    with clock.shifted(timedelta(seconds=61)):
        assert send_webhook(workspace.pk, run.pk)
    assert len(receiver[1]) == 2


def test_it_gives_up_in_the_end(ended, receiver, workspace):
    run = ended()
    receiver[2].extend([500] * 20)
    for n in range(webhooks.TRIES + 3):
        with clock.shifted(timedelta(hours=2 * n)):
            send_webhook(workspace.pk, run.pk)
    with clock.shifted(timedelta(days=30)):
        assert due_webhooks() == []
    assert len(receiver[1]) == webhooks.TRIES
    assert Run.objects.get().webhook_sent_at is None


def test_pauses_grow(monkeypatch):
    monkeypatch.setattr(signing.random, "uniform", lambda low, high: high)
    assert [webhooks._pause_s(n) for n in (1, 2, 3, 8)] == [60, 120, 240, 3600]


def test_an_address_inside_is_not_called(ended, receiver, workspace, settings):
    settings.OUTBOUND_ALLOW_CIDRS = []
    run = ended()
    assert not send_webhook(workspace.pk, run.pk)
    assert receiver[1] == []


def test_without_an_address_nobody_is_called(ended, workspace):
    run = ended(webhook_url="")
    assert due_webhooks() == []
    assert not send_webhook(workspace.pk, run.pk)


def test_a_run_that_is_not_over_is_not_told(define, start, receiver, workspace):
    run = start(define(lambda flow: None), webhook_url=receiver[0])
    assert due_webhooks() == []
    assert not send_webhook(workspace.pk, run.pk)


def test_another_workspace_cannot_send_it(ended, receiver, other_workspace):
    assert not send_webhook(other_workspace.pk, ended().pk)
    assert receiver[1] == []


def test_a_run_that_went_on_is_told_again_at_its_next_end(define, start, go, receiver, workspace, bob_actor):
    from agents.runs.errors import RunFailed

    answers = [RunFailed("closed", "The shop is closed."), None]

    def work(flow):
        if error := answers.pop(0):
            raise error

    run = go(start(define(work), webhook_url=receiver[0]))
    send_webhook(workspace.pk, run.pk)
    go(resume_run(run, by=bob_actor))
    send_webhook(workspace.pk, run.pk)
    assert [json.loads(body)["event"] for _headers, body in receiver[1]] == ["run.failed", "run.succeeded"]


def test_the_tasks_send_it(ended, receiver, start, bob_actor, django_capture_on_commit_callbacks):
    from marketing.celery import app

    app.conf.task_always_eager = True
    try:
        ended()
        tasks.send_webhooks()
        assert len(receiver[1]) == 1
        waiting = start(webhook_url=receiver[0])
        with django_capture_on_commit_callbacks(execute=True):
            cancel_run(waiting, by=bob_actor)
    finally:
        app.conf.task_always_eager = False
    assert [json.loads(body)["event"] for _headers, body in receiver[1]] == ["run.succeeded", "run.canceled"]
