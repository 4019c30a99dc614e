"""/api/webhooks, asked by every role, by keys of every scope, by strangers and by nobody."""

from uuid import uuid4

import pytest

from accounts.access import SCOPES
from integrations.models import WebhookDelivery, WebhookEndpoint
from tests.api_walk import Route, ask, expected, label, statuses

pytestmark = pytest.mark.django_db
ADMIN = "admin"
NEW = {"url": "https://hooks.invalid/x", "kinds": ["run."]}
ROUTES = [
    Route("webhooks", "get", "webhooks", ADMIN),
    Route("webhooks", "post", "webhooks", ADMIN, NEW, success=201),
    Route("webhook-kinds", "get", "webhooks/kinds", ADMIN),
    Route("webhook", "get", "webhooks/{webhook}", ADMIN),
    Route("webhook", "patch", "webhooks/{webhook}", ADMIN, {"label": "Chat"}),
    Route("webhook", "delete", "webhooks/{webhook}", ADMIN, success=204),
    Route("webhook-rotate", "post", "webhooks/{webhook}/rotate", ADMIN),
    Route("webhook-pause", "post", "webhooks/{webhook}/pause", ADMIN),
    Route("webhook-resume", "post", "webhooks/{webhook}/resume", ADMIN),
    Route("webhook-test", "post", "webhooks/{webhook}/test", ADMIN),
    Route("webhook-replay-failed", "post", "webhooks/{webhook}/replay", ADMIN, {"since": "2026-01-01T00:00:00Z"}),
    Route("webhook-deliveries", "get", "webhooks/{webhook}/deliveries", ADMIN),
    Route("webhook-delivery", "get", "webhooks/deliveries/{sent}", ADMIN),
    Route("webhook-replay", "post", "webhooks/deliveries/{sent}/replay", ADMIN, success=201),
]


@pytest.fixture
def ids(endpoint, quiet, tell) -> dict[str, str]:
    (row,) = tell(("run.failed", {"run": "1"}))
    WebhookDelivery.objects.update(status="failed")
    return {"webhook": str(endpoint.pk), "sent": str(row.pk)}


def test_admins_and_keys_for_webhooks_may_do_everything_and_nobody_else_anything(
    api, ids, workspace, alice, bob, rita, vic, gwen, charlie, api_key, other_workspace
):
    for may in (api(alice, workspace=workspace), api(api_key("webhooks"))):
        assert statuses(may, ids, ROUTES) == expected({ADMIN}, ROUTES)
    others = [api(user, workspace=workspace) for user in (bob, rita, vic, gwen)]
    for may_not in (*others, api(api_key(*(SCOPES.keys() - {"webhooks"})))):
        assert statuses(may_not, ids, ROUTES) == expected(set(), ROUTES)
    assert set(statuses(api(), ids, ROUTES).values()) == {401}
    about_one = [route for route in ROUTES if "{" in route.path]
    missing = {"webhook": str(uuid4()), "sent": str(uuid4())}
    for wanted in (ids, missing):
        assert set(statuses(api(charlie), wanted, about_one).values()) == {404}, label


def test_its_secret_is_shown_once(api, alice, workspace, settings):
    client = api(alice, workspace=workspace)
    made = client.post("/api/webhooks", NEW, format="json", headers={"Idempotency-Key": "1"})
    assert made.data["secret"].startswith("whsec_")
    again = client.post("/api/webhooks", NEW, format="json", headers={"Idempotency-Key": "1"})
    assert (again.status_code, again.json()["secret"], again.json()["id"]) == (201, None, made.json()["id"])
    one = f"/api/webhooks/{made.data['id']}"
    assert "secret" not in client.get(one).data
    rotated = client.post(f"{one}/rotate").data
    assert rotated["secret"] not in (None, made.data["secret"])
    assert rotated["old_secret_until"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://hooks.invalid/x"}, "kinds"),
        ({"kinds": ["*"]}, "url"),
        ({"url": "ftp://hooks.invalid", "kinds": ["*"]}, "url"),
        ({"url": "https://hooks.invalid/x", "kinds": ["moon.rose"]}, "kinds"),
        ({"url": "https://hooks.invalid/x", "kinds": []}, "kinds"),
        ({"url": "https://hooks.invalid/x", "kinds": "*"}, "kinds"),
    ],
)
def test_what_cannot_be_made_says_which_field(api, alice, workspace, body, field):
    refused = api(alice, workspace=workspace).post("/api/webhooks", body, format="json")
    assert refused.status_code == 400
    assert field in str(refused.data)


def test_a_test_tells_what_was_answered(api, alice, workspace, ids, receiver):
    receiver.answers.append((503, {}))
    told = api(alice, workspace=workspace).post(f"/api/webhooks/{ids['webhook']}/test").data
    assert (told["kind"], told["status"], told["log"][0]["status_code"]) == ("webhook.test", "failed", 503)
    assert told["log"][0]["answer"] == "thanks"


def test_the_log_is_narrowed_and_paged(api, alice, workspace, endpoint, quiet, tell):
    tell(*[("run.waiting", {"run": str(n)}) for n in range(3)], ("run.failed", {"run": "9"}))
    WebhookDelivery.objects.filter(kind="run.failed").update(status="delivered")
    client, log = api(alice, workspace=workspace), f"/api/webhooks/{endpoint.pk}/deliveries"
    for query, count in {
        "": 4,
        "?status=delivered": 1,
        "?kind=run.waiting": 3,
        "?kind=%00": 4,
        "?status=nothing": 4,
        "?status=failed": 0,
    }.items():
        assert len(client.get(log + query).json()["results"]) == count, query
    first = client.get(f"{log}?page_size=3").json()
    assert len(client.get(first["next"]).json()["results"]) == 1


def test_the_kinds_come_with_examples(api, alice, workspace):
    kinds = api(alice, workspace=workspace).get("/api/webhooks/kinds").json()["kinds"]
    assert {"kind", "text", "example"} == kinds[0].keys()
    assert all(row["example"]["type"] == row["kind"] for row in kinds)


def test_deleting_ends_it(api, alice, workspace, ids):
    client = api(alice, workspace=workspace)
    assert ask(client, ROUTES[5], ids).status_code == 204
    assert ask(client, ROUTES[3], ids).status_code == 404
    assert not WebhookEndpoint.objects.exists()
