"""Who sets a plan: staff, or a shop that signs what it says."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from accounts import billing
from accounts.billing_services import checkout_url, portal_url, set_plan
from accounts.models import AuditEntry, Event, Notification, Workspace
from accounts.plans import plan_of
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import now

pytestmark = pytest.mark.django_db
HOOK = "/hooks/billing"


@pytest.fixture
def shop(settings):
    settings.DEFAULT_PLAN = "free"
    settings.BILLING_PROVIDER = "signed"
    settings.BILLING_WEBHOOK_SECRET = "a secret"
    settings.BILLING_CHECKOUT_URL = "https://shop.example/buy?w={workspace}&p={plan}"
    settings.BILLING_PORTAL_URL = "https://shop.example/c/{customer}"


def signed(body, at):
    """As docs/personal.md tells a shop."""
    seconds = str(int(at.timestamp()))
    made = hmac.new(b"a secret", f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={made.hexdigest()}"


@pytest.fixture
def say(client, shop):
    """`say(workspace, plan=…)`: what the shop sends, signed."""

    def send(workspace, at=None, header=None, raw=None, **fields):
        said = {"id": str(uuid4()), "workspace": str(workspace.pk), "revision": 1, "plan": "pro"} | fields
        said["workspace"] = said.pop("workspace_id", said["workspace"])
        body = raw if raw is not None else json.dumps(said).encode()
        signature = signed(body, at or now()) if header is None else header
        return client.post(HOOK, body, content_type="application/json", headers={billing.SIGNATURE: signature})

    return send


def plan(workspace):
    return plan_of(Workspace.objects.get(pk=workspace.pk)).name


def test_what_was_bought_counts_at_once_and_is_told_and_recorded(say, workspace, alice, bob):
    assert say(workspace, customer="c-7").json() == {"applied": True}
    workspace.refresh_from_db()
    assert (plan(workspace), workspace.billing_ref) == ("pro", "c-7")
    with workspace_scope(workspace.pk):
        assert [(note.user, note.kind) for note in Notification.objects.all()] == [(alice, "plan")]
        assert Event.objects.get(kind="workspace.plan").payload == {"plan": "pro"}
        assert AuditEntry.objects.filter(action="workspace.plan").count() == 1


def test_the_same_message_twice_changes_nothing(say, workspace):
    assert [say(workspace, id="e1").json()["applied"] for _ in range(3)] == [True, False, False]
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="workspace.plan").count() == 1


def test_messages_may_come_out_of_order(say, workspace):
    say(workspace, revision=3, plan="")
    assert say(workspace, revision=2, plan="business").json() == {"applied": False}
    assert plan(workspace) == "free"
    say(workspace, revision=4, plan="business")
    assert plan(workspace) == "business"


def test_a_plan_ends_by_itself(say, workspace):
    say(workspace, until=(now() + timedelta(days=30)).isoformat())
    assert plan(workspace) == "pro"
    Workspace.objects.filter(pk=workspace.pk).update(plan_until=now())
    assert plan(workspace) == "free"


def test_another_workspace_is_not_touched(say, workspace, other_workspace):
    say(workspace, plan="business")
    assert plan(other_workspace) == "free"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "t=,v1=",
        "t=1,v1=00",
        "v1=00",
        "t=²,v1=00",
        "t=99999999999999999999,v1=00",
        f"t={int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())},v1=é",
    ],
)
def test_who_cannot_sign_is_refused(header, say, workspace):
    assert say(workspace, header=header).status_code == 400
    assert plan(workspace) == "free"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_signature_is_refused(minutes, say, workspace):
    assert say(workspace, at=now() + timedelta(minutes=minutes)).status_code == 400


def test_a_body_that_was_changed_is_refused(say, workspace):
    signature = signed(json.dumps({"plan": "free"}).encode(), now())
    assert say(workspace, header=signature).status_code == 400


def test_without_a_secret_nobody_can_sign(say, workspace, settings):
    settings.BILLING_WEBHOOK_SECRET = ""
    assert say(workspace).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": "gold"},
        {"plan": ["pro"]},
        {"revision": 0},
        {"revision": -1},
        {"revision": 2**63},
        {"revision": "many"},
        {"revision": None},
        {"workspace_id": "x"},
        {"until": "soon"},
        {"until": "2027-01-01T00:00"},
        {"customer": "a\x00b"},
        {"customer": "\ud800"},
        {"id": "a\x00b"},
        {"id": "\ud800"},
        {"revision": float("inf")},
        {"until": "9999-12-31T23:59:59-23:00"},
        # Empty, and yet no word that a plan has ended.
        {"plan": []},
        {"plan": 0},
        {"plan": False},
        {"raw": b""},
        {"raw": b"[]"},
        {"raw": b"{}"},
        {"raw": b"\xff"},
        {"raw": b"[" * 5000},
    ],
)
def test_a_signed_message_that_says_nothing_we_know_is_refused(fields, say, workspace):
    assert say(workspace, **fields).status_code == 400
    assert plan(workspace) == "free"


def test_a_message_about_nobody_is_not_found(say):
    assert say(Workspace(pk=uuid4())).status_code == 404


def test_without_a_provider_there_is_no_hook(say, workspace, settings):
    settings.BILLING_PROVIDER = ""
    assert say(workspace).status_code == 404


def test_the_hook_takes_no_get(client, shop):
    assert client.get(HOOK).status_code == 405


# --- the shop's pages -------------------------------------------------------------------------------------------


def test_an_admin_is_sent_to_the_shop(shop, workspace, alice_actor, bob_actor):
    assert checkout_url("pro", by=alice_actor) == f"https://shop.example/buy?w={workspace.pk}&p=pro"
    assert portal_url(by=alice_actor) == ""
    workspace.billing_ref = "c/7 ?"
    assert portal_url(by=alice_actor) == "https://shop.example/c/c%2F7%20%3F"
    with pytest.raises(PermissionDenied):
        checkout_url("pro", by=bob_actor)


@pytest.mark.parametrize("wanted", ["gold", ""])
def test_what_nobody_sells_cannot_be_bought(wanted, shop, alice_actor):
    with pytest.raises(ValidationError, match="Ask the operator"):
        checkout_url(wanted, by=alice_actor)


def test_without_a_shop_nothing_is_for_sale(alice_actor):
    with pytest.raises(ValidationError, match="Ask the operator"):
        checkout_url("pro", by=alice_actor)


# --- staff ------------------------------------------------------------------------------------------------------


def test_staff_sets_a_plan_once_and_says_why(workspace, staff):
    with all_workspaces_scope("test"):
        assert set_plan(workspace, "pro", staff=staff, reason="A gift.")
        assert not set_plan(workspace, "pro", staff=staff, reason="A gift.")
        assert plan(workspace) == "pro"
        entries = AuditEntry.objects.filter(action="workspace.plan")
        assert sorted(entry.workspace_id is None for entry in entries) == [False, True]


@pytest.mark.parametrize(("wanted", "reason"), [("gold", "Why not."), ("pro", " ")])
def test_staff_is_refused_what_makes_no_sense(wanted, reason, workspace, staff):
    with all_workspaces_scope("test"), pytest.raises(ValidationError):
        set_plan(workspace, wanted, staff=staff, reason=reason)


@pytest.mark.parametrize(
    ("action", "expected"), [("plan_free", "free"), ("plan_pro", "pro"), ("plan_default", "business")]
)
def test_the_admin_has_an_action_for_each_plan(action, expected, client_of, staff, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(plan="business" if expected != "business" else "free")
    said = {"action": action, "_selected_action": [str(workspace.pk)], "reason": "They asked."}
    answer = client_of(staff).post(reverse("admin:accounts_workspace_changelist"), said, follow=True)
    assert answer.status_code == 200
    assert plan(workspace) == expected
