import pytest
from django.contrib import admin
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.models import (
    Attempt,
    Campaign,
    Delivery,
    HourlyRollup,
    LivePart,
    MediaAsset,
    Post,
    PublishingLog,
    Source,
    SourceItem,
)
from campaigns.services import create_campaign
from campaigns.sources import create_source
from compliance.models import Review
from tests.campaigns.cast import add_asset, add_connection, add_post

pytestmark = pytest.mark.django_db
MODELS = [Attempt, Campaign, Delivery, HourlyRollup, MediaAsset, Post, PublishingLog, Review, Source, SourceItem]
# What a search finds in every list: a word that only its rows hold.
WORDS = {
    Attempt: "request-0",
    Campaign: "Campaign 0",
    Delivery: "Post 0",
    HourlyRollup: "Folder 0",
    MediaAsset: "file 0.png",
    Post: "Words of 0.",
    PublishingLog: "Said of 0.",
    Review: "reason-0",
    Source: "folder-0",
    SourceItem: "file-0",
}
FILTERS = {
    Attempt: "outcome__exact=unknown",
    Campaign: "status__exact=draft",
    Delivery: "state__exact=approved",
    HourlyRollup: "source__isempty=0",
    MediaAsset: "kind__exact=image",
    Post: "made_with_ai__exact=0",
    PublishingLog: "action=seen",
    Review: "status__exact=waiting",
    Source: "is_active__exact=1",
    SourceItem: "status__exact=problem",
}
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def list_url(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change_url(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def make(workspace, bob_actor):
    """One of everything, numbered."""

    def one(number: int) -> None:
        with workspace_scope(workspace.pk):
            account = add_connection(workspace, f"account-{number}")
            campaign = create_campaign(by=bob_actor, name=f"Campaign {number}")
            text, title = f"Words of {number}.", f"Post {number}"
            row = Delivery.objects.get(post=add_post(bob_actor, account, text=text, campaign=campaign, title=title))
            Delivery.objects.filter(pk=row.pk).update(state="approved", approved_hash="hash")
            row.attempts.create(workspace=workspace, number=1, outcome="unknown", request_id=f"request-{number}")
            part = {"remote_id": str(number), "content_hash": "x", "position": 0}
            LivePart.objects.create(workspace=workspace, delivery=row, connection=account, **part)
            source = create_source(
                by=bob_actor, name=f"Folder {number}", folder=f"folder-{number}", connections=[account.pk]
            )
            # The services' own lines and counts would hide the one to be found.
            PublishingLog.objects.exclude(action="seen").delete()
            HourlyRollup.objects.filter(source=None).delete()
            PublishingLog.objects.create(
                workspace=workspace, action="seen", status="info", message=f"Said of {number}."
            )
            HourlyRollup.objects.create(workspace=workspace, source=source, hour=row.created_at)
            SourceItem.objects.create(workspace=workspace, source=source, path=f"file-{number}", status="problem")
            add_asset(workspace, f"file {number}.png")
            review = {"kind": "delivery", "object_id": row.pk, "reason": f"reason-{number}"}
            Review.objects.create(workspace=workspace, action_hash="x", **review)

    return one


@pytest.fixture
def everything(make) -> None:
    make(0)
    make(1)


def first(model):
    with all_workspaces_scope("test"):
        return model.objects.select_related("workspace").order_by("pk").first()


def press(client, action: str, row):
    return client.post(list_url(type(row)), {"action": action, "_selected_action": [str(row.pk)]}, follow=True)


def said(page) -> str:
    return " ".join(str(message) for message in page.context["messages"])


def actions(workspace=None) -> list[str]:
    with all_workspaces_scope("test"):
        return list(AuditEntry.objects.filter(workspace=workspace).values_list("action", flat=True))


# --- lists and pages --------------------------------------------------------------------------------------------


@each_model
def test_list_shows_the_rows_of_all_workspaces(staff_client, everything, model):
    assert staff_client.get(list_url(model)).context["cl"].result_count == 2


@each_model
def test_list_can_be_searched(staff_client, everything, model):
    assert staff_client.get(list_url(model), {"q": WORDS[model]}).context["cl"].result_count == 1


@each_model
def test_list_can_be_searched_by_workspace(staff_client, everything, model):
    assert staff_client.get(list_url(model), {"q": "roastery"}).context["cl"].result_count == 2
    assert staff_client.get(list_url(model), {"q": "bakery"}).context["cl"].result_count == 0


@each_model
def test_list_can_be_filtered(staff_client, everything, model):
    page = staff_client.get(f"{list_url(model)}?{FILTERS[model]}")
    assert page.context["cl"].result_count == 2
    assert page.context["cl"].has_active_filters


def queries_by_list(client) -> dict[str, int]:
    found = {}
    for model in MODELS:
        with CaptureQueriesContext(database) as queries:
            client.get(list_url(model))
        found[model.__name__] = len(queries)
    return found


def test_lists_ask_as_often_for_20_rows_as_for_10(staff_client, make):
    for number in range(10):
        make(number)
    # What is cached by the first call of all is not to be compared.
    queries_by_list(staff_client)
    with_ten = queries_by_list(staff_client)
    for number in range(10, 20):
        make(number)
    assert queries_by_list(staff_client) == with_ten


@each_model
def test_page_of_one_row_opens(staff_client, everything, model):
    assert staff_client.get(change_url(first(model))).status_code == 200


@each_model
def test_nothing_can_be_typed_over(staff_client, everything, model):
    row = first(model)
    with all_workspaces_scope("test"):
        before = model.objects.filter(pk=row.pk).values().get()
    staff_client.post(change_url(row), {"name": "Mine", "title": "Mine", "state": "published", "status": "approved"})
    with all_workspaces_scope("test"):
        assert model.objects.filter(pk=row.pk).values().get() == before


@each_model
def test_nothing_is_added_or_deleted(staff_client, everything, model):
    row = first(model)
    info = model._meta.app_label, model._meta.model_name
    assert staff_client.get(reverse("admin:{}_{}_add".format(*info))).status_code == 403
    assert staff_client.post(reverse("admin:{}_{}_delete".format(*info), args=[row.pk])).status_code == 403


@each_model
def test_members_who_are_no_staff_are_sent_away(alice_client, everything, model):
    assert alice_client.get(list_url(model)).status_code == 302


def test_every_model_that_staff_should_see_is_registered():
    assert [model for model in MODELS if not admin.site.is_registered(model)] == []


def test_page_of_a_post_shows_its_text_and_where_it_goes(staff_client, everything):
    page = staff_client.get(change_url(first(Post))).content.decode()
    assert "Words of 0." in page
    assert "@account-0" in page


def test_page_of_a_delivery_shows_its_attempts_and_what_is_live(staff_client, everything):
    page = staff_client.get(change_url(first(Delivery))).content.decode()
    assert "request-0" in page
    assert "hash" in page


# --- actions ----------------------------------------------------------------------------------------------------


def test_staff_cancel_a_delivery(staff_client, everything, workspace):
    page = press(staff_client, "cancel", first(Delivery))
    assert (first(Delivery).state, said(page)) == ("canceled", "1 done.")
    assert actions(workspace)[-1] == "delivery.cancel"
    assert actions()[-1] == "delivery.cancel"


def test_act_of_staff_is_signed_in_the_workspaces_own_trail(staff_client, everything, workspace):
    press(staff_client, "cancel", first(Delivery))
    with all_workspaces_scope("test"):
        entry = AuditEntry.objects.filter(workspace=workspace).select_related("detail").last()
        assert entry.detail.actor == "staff staff@example.org"


def test_published_delivery_is_not_canceled(staff_client, everything):
    row = first(Delivery)
    with all_workspaces_scope("test"):
        Delivery.objects.filter(pk=row.pk).update(state="published")
    assert "too late to cancel" in said(press(staff_client, "cancel", row))
    assert first(Delivery).state == "published"
    assert "delivery.cancel" not in actions()


@pytest.mark.parametrize("state", ["failed", "missed", "retry_wait"])
def test_staff_queue_a_delivery_again(staff_client, everything, state):
    row = first(Delivery)
    with all_workspaces_scope("test"):
        Delivery.objects.filter(pk=row.pk).update(state=state, failures=6)
    press(staff_client, "requeue", row)
    row = first(Delivery)
    assert (row.state, row.failures, row.due_at is None) == ("scheduled", 0, False)
    assert actions()[-1] == "delivery.requeue"


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "published", "unconfirmed", "canceled"])
def test_nothing_else_is_queued_again(staff_client, everything, state):
    row = first(Delivery)
    with all_workspaces_scope("test"):
        Delivery.objects.filter(pk=row.pk).update(state=state)
    assert "nothing to repeat" in said(press(staff_client, "requeue", row))
    assert (first(Delivery).state, first(Delivery).due_at) == (state, None)


def test_staff_pause_a_campaign(staff_client, everything):
    row = first(Campaign)
    with all_workspaces_scope("test"):
        Campaign.objects.filter(pk=row.pk).update(status="running")
    press(staff_client, "pause", row)
    assert (first(Campaign).status, actions()[-1]) == ("paused", "campaign.pause")


def test_draft_campaign_is_not_paused(staff_client, everything):
    assert "cannot become paused" in said(press(staff_client, "pause", first(Campaign)))
    assert first(Campaign).status == "draft"


def test_staff_switch_off_a_source(staff_client, everything):
    press(staff_client, "switch_off", first(Source))
    assert (first(Source).is_active, actions()[-1]) == (False, "source.switch_off")
