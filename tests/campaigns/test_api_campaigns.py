from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from campaigns.models import Campaign, Delivery, Post
from campaigns.services import create_campaign
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post, set_state

pytestmark = pytest.mark.django_db
URL = "/api/campaigns"
FULL = {
    "name": "Spring",
    "goal": "Sell beans",
    "brief": "Warm and plain.",
    "starts_on": "2090-03-01",
    "ends_on": "2090-04-01",
    "config": {"tone": "calm"},
}


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


@pytest.fixture
def campaign(in_workspace, bob_actor) -> Campaign:
    return create_campaign(by=bob_actor, name="Autumn", goal="Rest", config={"a": 1})


def at(campaign: Campaign) -> str:
    return f"{URL}/{campaign.pk}"


def names(answer) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


# --- list ---------------------------------------------------------------------------------------------------


def test_list_is_a_page_newest_first(bob_api, bob_actor, in_workspace):
    for name in ("One", "Two", "Three"):
        create_campaign(by=bob_actor, name=name)
    answer = bob_api.get(URL, {"page_size": 2})
    assert names(answer) == ["Three", "Two"]
    assert names(bob_api.get(answer.json()["next"])) == ["One"]


def test_list_rows_carry_everything_but_what_needs_another_query(bob_api, campaign):
    (row,) = bob_api.get(URL).json()["results"]
    assert (row["id"], row["status"], row["config"]) == (str(campaign.pk), "draft", {"a": 1})
    assert "deliveries" not in row


@pytest.mark.parametrize(("status", "found"), [("draft", ["Autumn"]), ("running", [])])
def test_list_can_be_cut_to_a_status(bob_api, campaign, status, found):
    assert names(bob_api.get(URL, {"status": status})) == found


@pytest.mark.parametrize(("text", "found"), [("autu", ["Autumn"]), ("rest", ["Autumn"]), ("winter", [])])
def test_list_can_be_searched(bob_api, campaign, text, found):
    assert names(bob_api.get(URL, {"search": text})) == found


@pytest.mark.parametrize("query", [{"status": "nonsense"}, {"search": "a\x00b"}])
def test_filter_that_makes_no_sense_is_refused(bob_api, campaign, query):
    answer = bob_api.get(URL, query)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == query.keys()


def test_list_asks_as_often_for_20_rows_as_for_10(bob_api, bob_actor, in_workspace):
    for number in range(10):
        create_campaign(by=bob_actor, name=str(number))
    bob_api.get(URL)
    with CaptureQueriesContext(database) as ten:
        bob_api.get(URL)
    for number in range(10):
        create_campaign(by=bob_actor, name=str(number))
    with CaptureQueriesContext(database) as twenty:
        assert len(bob_api.get(URL).json()["results"]) == 20
    assert len(twenty) == len(ten)


def test_guest_sees_only_what_is_shared(api, gwen, campaign, bob_actor):
    create_campaign(by=bob_actor, name="Secret")
    assign_perm("campaigns.view_campaign", gwen, campaign)
    assert names(api(gwen).get(URL)) == ["Autumn"]


# --- create -------------------------------------------------------------------------------------------------


def test_campaign_is_created_with_all_its_fields(bob_api, in_workspace, bob):
    answer = bob_api.post(URL, FULL, format="json")
    assert answer.status_code == 201
    assert FULL.items() <= answer.json().items()
    stored = Campaign.objects.get(pk=answer.json()["id"])
    assert (stored.workspace, stored.created_by, stored.status) == (in_workspace, bob, "draft")


def test_a_name_is_enough(bob_api):
    body = bob_api.post(URL, {"name": "Spring"}, format="json").json()
    assert (body["goal"], body["starts_on"], body["config"], body["deliveries"]) == ("", None, {}, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", None),
        ("goal", "x" * 201),
        ("brief", "a\x00b"),
        ("starts_on", "soon"),
        ("config", ["a list"]),
        ("config", {"a": "\x00"}),
    ],
)
def test_wrong_field_is_named(bob_api, field, value):
    answer = bob_api.post(URL, FULL | {field: value}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("value", ['{"a": 1e999}', '{"a": "\\ud800"}', '{"a\\u0000": 1}'])
def test_config_that_the_database_cannot_keep_is_refused(bob_api, value):
    answer = bob_api.post(URL, f'{{"name": "x", "config": {value}}}', content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["config"])


def test_last_day_before_the_first_is_refused(bob_api, in_workspace):
    answer = bob_api.post(URL, FULL | {"ends_on": "2090-02-01"}, format="json")
    assert answer.status_code == 400
    assert "before the first" in str(answer.json()["errors"])
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "{"])
def test_body_that_is_no_object_is_refused(bob_api, body):
    answer = bob_api.post(URL, body, content_type="application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_same_key_creates_one_campaign(bob_api, in_workspace):
    answers = [bob_api.post(URL, FULL, format="json", HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Campaign.objects.count() == 1


# --- read and change ------------------------------------------------------------------------------------------


def test_detail_counts_the_deliveries_by_state(bob_api, campaign, bob_actor, in_workspace):
    x, y = add_connection(in_workspace), add_connection(in_workspace, "bakery")
    add_post(bob_actor, x, y, campaign=campaign)
    set_state(add_post(bob_actor, x, campaign=campaign), "published")
    assert bob_api.get(at(campaign)).json()["deliveries"] == {"draft": 2, "published": 1}


def test_put_replaces_everything(bob_api, campaign):
    assert bob_api.put(at(campaign), {"name": "Winter"}, format="json").status_code == 200
    campaign.refresh_from_db()
    assert (campaign.name, campaign.goal, campaign.config) == ("Winter", "", {})


def test_put_without_a_name_is_refused(bob_api, campaign):
    answer = bob_api.put(at(campaign), {"goal": "More"}, format="json")
    assert list(answer.json()["errors"]) == ["name"]


def test_patch_changes_what_is_named(bob_api, campaign):
    body = bob_api.patch(at(campaign), {"goal": "More"}, format="json").json()
    assert (body["name"], body["goal"], body["config"]) == ("Autumn", "More", {"a": 1})


def test_patch_cannot_set_the_status(bob_api, campaign):
    bob_api.patch(at(campaign), {"status": "running"}, format="json")
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_change_is_in_the_audit_trail(bob_api, campaign):
    bob_api.patch(at(campaign), {"goal": "More"}, format="json")
    assert AuditEntry.objects.get(action="campaign.update").detail.data == {"changed": ["goal"]}


def test_campaign_is_deleted_with_its_drafts(bob_api, campaign, bob_actor):
    add_post(bob_actor, campaign=campaign)
    assert bob_api.delete(at(campaign)).status_code == 204
    assert not Post.objects.exists()


def test_campaign_of_which_something_was_sent_is_not_deleted(bob_api, campaign, bob_actor, in_workspace):
    post = add_post(bob_actor, add_connection(in_workspace), campaign=campaign)
    set_state(post, "published", fence=1)
    answer = bob_api.delete(at(campaign))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")
    assert Delivery.objects.exists()


# --- lost updates -----------------------------------------------------------------------------------------------


def test_change_with_the_current_etag_is_taken(bob_api, campaign):
    etag = bob_api.get(at(campaign)).headers["ETag"]
    answer = bob_api.patch(at(campaign), {"goal": "More"}, format="json", HTTP_IF_MATCH=etag)
    assert (answer.status_code, answer.headers["ETag"] != etag) == (200, True)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_change_with_an_old_etag_is_refused(bob_api, campaign, method):
    etag = bob_api.get(at(campaign)).headers["ETag"]
    Campaign.objects.filter(pk=campaign.pk).update(goal="Theirs", updated_at=now() + timedelta(seconds=1))
    answer = getattr(bob_api, method)(at(campaign), {"name": "Mine"}, format="json", HTTP_IF_MATCH=etag)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert Campaign.objects.get().goal == "Theirs"


@pytest.mark.parametrize("tag", ["*", 'W/{}, "other"'])
def test_other_ways_to_write_the_current_etag_are_taken(bob_api, campaign, tag):
    etag = bob_api.get(at(campaign)).headers["ETag"]
    answer = bob_api.patch(at(campaign), {"goal": "More"}, format="json", HTTP_IF_MATCH=tag.format(etag))
    assert answer.status_code == 200


# --- status -----------------------------------------------------------------------------------------------------


def test_campaign_is_started_paused_and_archived(bob_api, campaign):
    for status in ("running", "paused", "completed", "archived"):
        answer = bob_api.post(f"{at(campaign)}/status", {"status": status}, format="json")
        assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_step_that_does_not_follow_is_a_conflict(bob_api, campaign):
    answer = bob_api.post(f"{at(campaign)}/status", {"status": "paused"}, format="json")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "A draft campaign cannot become paused."


def test_unknown_status_is_refused(bob_api, campaign):
    answer = bob_api.post(f"{at(campaign)}/status", {"status": "gone"}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["status"])


def test_campaigns_of_two_workspaces_stay_apart(api, charlie, charlie_actor, campaign):
    with workspace_scope(charlie_actor.workspace.pk):
        create_campaign(by=charlie_actor, name="Bread")
    assert names(api(charlie).get(URL)) == ["Bread"]
