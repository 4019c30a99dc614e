import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from accounts.models import Event
from accounts.services import emit
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.handing_on import hand_on_events
from integrations.webhooks.sending import claim_due, send_claimed
from integrations.webhooks.services import create_endpoint


@dataclass
class Receiver:
    """What it heard, and what it answers next: (status, headers), 200 when there is nothing left."""

    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    always: int = 200
    body: bytes = b"thanks"

    @property
    def kinds(self) -> list[str]:
        return [headers["X-Rostrum-Event"] for headers, _body in self.heard]


@pytest.fixture(scope="session")
def listening():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heard.append((dict(self.headers), body))
            status, headers = receiver.answers.pop(0) if receiver.answers else (receiver.always, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_args):
            pass

    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver(listening, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    listening.heard.clear()
    listening.answers.clear()
    listening.always, listening.body = 200, b"thanks"
    return listening


@pytest.fixture
def no_jitter(monkeypatch):
    """Pauses at their ceiling."""
    from lib import signing

    monkeypatch.setattr(signing.random, "uniform", lambda _low, high: high)


@pytest.fixture
def endpoint(receiver, in_workspace, alice_actor) -> WebhookEndpoint:
    return create_endpoint(receiver.url, ["*"], by=alice_actor, label="Ours")[0]


@pytest.fixture
def quiet(in_workspace) -> None:
    """Nothing of what the fixtures did waits to be told."""
    Event.objects.update(is_handed_on=True)


@pytest.fixture
def tell(in_workspace):
    """Emit events and make their webhooks: `tell(("run.failed", {"run": "1"}), …)`."""

    def emit_all(*events: tuple[str, dict[str, str]]) -> list[WebhookDelivery]:
        for kind, payload in events:
            emit(in_workspace, kind, **payload)
        hand_on_events()
        return list(WebhookDelivery.objects.order_by("id"))

    return emit_all


@pytest.fixture
def send():
    """Send what is due in rounds, until nothing is; the number of calls."""

    def all_due() -> int:
        calls = 0
        while claims := claim_due():
            calls += sum(send_claimed(claim) is not None for claim in claims)
        return calls

    return all_due
