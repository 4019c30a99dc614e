"""Events become one row for each endpoint that wants them, once."""

from uuid import uuid4

import pytest

from accounts.models import Event
from accounts.scope import workspace_scope
from accounts.services import emit
from campaigns.services import create_campaign
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import handing_on
from integrations.webhooks.handing_on import hand_on_batch, hand_on_events
from integrations.webhooks.services import create_endpoint

pytestmark = pytest.mark.django_db
OF_RUN = {"run": str(uuid4())}


def made():
    return sorted(WebhookDelivery.objects.values_list("endpoint__label", "kind"))


def test_each_endpoint_gets_what_it_asked_for(receiver, alice_actor, quiet, tell):
    for label, kinds in {
        "all": ["*"],
        "runs": ["run."],
        "failed": ["run.failed", "report.ready"],
        "none": ["post.created"],
    }.items():
        create_endpoint(receiver.url, kinds, by=alice_actor, label=label)
    tell(("run.failed", OF_RUN), ("run.succeeded", OF_RUN))
    both = ["run.failed", "run.succeeded"]
    assert made() == [("all", both[0]), ("all", both[1]), ("failed", both[0]), ("runs", both[0]), ("runs", both[1])]


def test_an_event_is_handed_on_once(endpoint, quiet, tell):
    assert len(tell(("workspace.stopped", {}))) == 1
    assert hand_on_events() == 0
    Event.objects.update(is_handed_on=False)
    hand_on_events()
    assert WebhookDelivery.objects.count() == 1
    assert not Event.objects.filter(is_handed_on=False).exists()


def test_without_an_endpoint_events_are_only_marked(in_workspace):
    emit(in_workspace, "workspace.stopped")
    assert hand_on_events() >= 1
    assert (Event.objects.filter(is_handed_on=False).count(), WebhookDelivery.objects.count()) == (0, 0)


def test_a_paused_endpoint_gets_nothing_new(endpoint, quiet, tell):
    WebhookEndpoint.objects.update(status="paused")
    assert tell(("workspace.stopped", {})) == []


def test_rows_are_in_the_order_of_what_happened(endpoint, quiet, in_workspace, tell):
    run = str(uuid4())
    rows = tell(*[("run.waiting", {"run": run, "action": str(n)}) for n in range(40)])
    assert [row.payload["data"]["action"] for row in rows] == [str(n) for n in range(40)]
    assert {row.ordering_key for row in rows} == {f"run:{run}"}


def test_more_than_a_batch_is_handed_on_in_one_tick(endpoint, quiet, in_workspace, monkeypatch):
    monkeypatch.setattr(handing_on, "BATCH", 3)
    for n in range(8):
        emit(in_workspace, "run.waiting", run=str(n))
    assert hand_on_batch(in_workspace.pk) == 3
    assert hand_on_events() == 5


def test_all_workspaces_have_their_turn(receiver, workspace, other_workspace, alice_actor, charlie_actor, monkeypatch):
    monkeypatch.setattr(handing_on, "BATCH", 2)
    for owner in (alice_actor, charlie_actor):
        with workspace_scope(owner.workspace.pk):
            create_endpoint(receiver.url, ["run."], by=owner)
            for n in range(5):
                emit(owner.workspace, "run.waiting", run=str(n))
    hand_on_events()
    for owner in (workspace, other_workspace):
        with workspace_scope(owner.pk):
            assert WebhookDelivery.objects.count() == 5
            assert set(WebhookDelivery.objects.values_list("workspace_id", flat=True)) == {owner.pk}


def test_the_body_says_what_it_is_about(settings, endpoint, quiet, alice_actor, in_workspace, tell):
    campaign = create_campaign(by=alice_actor, name="Spring")
    (row,) = tell()
    event = Event.objects.get(kind="campaign.created")
    assert row.payload == {
        "id": str(event.pk),
        "type": "campaign.created",
        "created_at": event.created_at.isoformat(),
        "workspace": {"id": str(in_workspace.pk), "slug": in_workspace.slug, "name": "Roastery"},
        "data": {
            "campaign": {
                "id": str(campaign.pk),
                "name": "Spring",
                "state": "draft",
                "link": f"{settings.BASE_URL}/w/{in_workspace.slug}/campaigns/{campaign.pk}",
            }
        },
    }
    assert row.event_id == event.pk


@pytest.mark.parametrize("run", ["", "no id", "0195c0f3-7a00-7c11-9d6e-2f3b8a41c0de"])
def test_what_is_gone_is_named_by_its_id(endpoint, quiet, tell, run):
    (row,) = tell(("run.failed", {"run": run, "workflow": "draft"}))
    assert row.payload["data"] == {"workflow": "draft"} | ({"run": {"id": run}} if run else {})


def test_a_kind_that_nobody_listed_is_told_all_the_same(endpoint, quiet, tell):
    (row,) = tell(("moon.rose", {"moon": "full"}))
    assert (row.kind, row.ordering_key) == ("moon.rose", "moon:full")
    assert row.payload["data"] == {"moon": {"id": "full"}}
