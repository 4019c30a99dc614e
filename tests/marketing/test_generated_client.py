"""What a generator makes of the document works against the API: an integrator's first ten minutes."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from accounts.scope import workspace_scope
from accounts.services import create_api_key
from campaigns.models import Campaign
from marketing.wsgi import application

GENERATOR = Path(sys.executable).parent / "openapi-python-client"
# Files that are no JSON: the generator leaves their answers out and says so.
NOT_JSON = ("application/zip", "application/pdf")


@pytest.fixture(autouse=True)
def keep_connection():
    """As Django's own test client does: a request must not close the connection of the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package, imported, and what the generator complained about."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "schema.json"
    document.write_bytes(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True)))
    config = folder / "config.yaml"
    config.write_text(json.dumps({"post_hooks": []}))
    words = ["generate", "--path", document, "--meta", "none", "--output-path", folder / "rostrum_client"]
    done = subprocess.run(
        [GENERATOR, *words, "--config", config], capture_output=True, text=True, check=True, timeout=120
    )
    sys.path.insert(0, str(folder))
    yield done.stdout
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "rostrum_client"]:
        del sys.modules[name]


def test_the_generator_understands_every_route(generated):
    assert "Endpoint will not be generated" not in generated
    left_out = [line for line in generated.splitlines() if "will be omitted" in line]
    assert all(any(kind in line for kind in NOT_JSON) for line in left_out), left_out


def test_a_campaign_is_made_and_read_with_a_key(generated, alice_actor, workspace):
    client_module = importlib.import_module("rostrum_client.client")
    calls = {
        name: importlib.import_module(f"rostrum_client.api.campaigns.{name}") for name in ("campaigns", "campaign")
    }
    create = importlib.import_module("rostrum_client.api.campaigns.campaign_create")
    models = importlib.import_module("rostrum_client.models")
    with workspace_scope(workspace.pk):
        _key, secret = create_api_key("Smoke", ["read", "write"], by=alice_actor)
    client = client_module.AuthenticatedClient(
        base_url="http://testserver", token=secret, httpx_args={"transport": httpx.WSGITransport(app=application)}
    )
    made = create.sync(client=client, body=models.CampaignInputRequest(name="春季上市 🌱"))
    assert calls["campaign"].sync(made.id, client=client).name == "春季上市 🌱"
    assert [row.id for row in calls["campaigns"].sync(client=client).results] == [made.id]
    with workspace_scope(workspace.pk):
        assert Campaign.objects.get().pk == made.id


def test_a_refusal_comes_as_a_problem(generated, alice_actor, workspace):
    client_module = importlib.import_module("rostrum_client.client")
    campaigns = importlib.import_module("rostrum_client.api.campaigns.campaigns")
    transport = httpx.WSGITransport(app=application)
    nobody = client_module.AuthenticatedClient(
        "http://testserver", token="rk_none", httpx_args={"transport": transport}
    )
    answer = campaigns.sync_detailed(client=nobody)
    assert (answer.status_code, answer.parsed.status, answer.parsed.code) == (401, 401, "authentication_failed")
