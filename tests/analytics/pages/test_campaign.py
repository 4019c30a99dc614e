"""Results of a campaign: for members with costs, for guests without; goals and media costs."""

import csv
import io
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from analytics.definitions import add_media_cost, delete_media_cost, delete_target, set_target
from analytics.models import MediaCost, Target
from campaigns.services import create_campaign, share_campaign
from tests.analytics.pages.test_results import text_of
from tests.analytics.results_cast import TODAY


@pytest.fixture
def url(busy, workspace) -> str:
    return f"/w/{workspace.slug}/campaigns/{busy.pk}/results"


def test_members_see_what_it_earned_and_what_it_cost(url, vic, client_of) -> None:
    response = client_of(vic).get(url, {"days": "7"})
    shown = text_of(response)
    for words in ("+11,900 %", "$120.00", "$0.40", "$0.60", "above 99 %", "No media cost is written down"):
        assert words in shown, words
    assert b"Set a goal" not in response.content
    assert b"Add a cost" not in response.content


def test_guests_see_results_and_no_costs(url, busy, workspace, alice_actor, gwen, client_of) -> None:
    assert client_of(gwen).get(url).status_code == 404
    with workspace_scope(workspace.pk):
        share_campaign(busy, gwen, by=alice_actor)
    response = client_of(gwen).get(url, {"days": "7"})
    assert "7,021" in text_of(response)
    for secret in ("$0.60", "Media costs", "Return on costs", "results/live", "results/funnels"):
        assert secret not in response.content.decode(), secret
    rows = client_of(gwen).get(f"{url}/export").content.decode()
    assert "Return" not in rows
    assert client_of(gwen).post(f"{url}/goals", {"metric": "clicks", "value": "5"}).status_code == 403


def test_the_page_of_the_campaign_leads_there(url, busy, alice_client, workspace) -> None:
    assert url.encode() in alice_client.get(f"/w/{workspace.slug}/campaigns/{busy.pk}").content


def test_its_file_holds_the_return(url, alice_client) -> None:
    rows = list(csv.reader(io.StringIO(alice_client.get(f"{url}/export", {"days": "7"}).content.decode("utf-8-sig"))))
    assert ["Revenue", "120.0"] in rows
    assert ["Return on costs", "119.0"] in rows


def test_a_campaign_without_anything_says_so(workspace, alice_actor, alice_client) -> None:
    with workspace_scope(workspace.pk):
        empty = create_campaign(by=alice_actor, name="Empty")
    shown = text_of(alice_client.get(f"/w/{workspace.slug}/campaigns/{empty.pk}/results"))
    for words in ("There is no return to show yet", "No post was measured in these days", "Say what this campaign"):
        assert words in shown, words


# --- goals ------------------------------------------------------------------------------------------------


def test_an_editor_sets_and_removes_a_goal(url, busy, workspace, bob_client) -> None:
    assert bob_client.post(f"{url}/goals", {"metric": "revenue", "value": "99.50"}).status_code == 302
    with workspace_scope(workspace.pk):
        target = Target.objects.get(campaign=busy)
        assert target.value == 99_500_000
        assert AuditEntry.objects.filter(action="target.set").count() == 1
    assert "$99.50" in text_of(bob_client.get(url))
    assert bob_client.post(f"{url}/goals/{target.pk}/delete").status_code == 302
    with workspace_scope(workspace.pk):
        assert not Target.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"metric": "clicks", "value": "1.5"},
        {"metric": "clicks", "value": "0"},
        {"metric": "clicks", "value": "-4"},
        {"metric": "clicks", "value": "9" * 20},
        {"metric": "clicks", "value": "NaN"},
        {"metric": "love", "value": "3"},
        {},
    ],
)
def test_a_goal_that_makes_no_sense_stays_in_the_form(url, bob_client, workspace, given) -> None:
    response = bob_client.post(f"{url}/goals", given)
    assert response.status_code == 422
    assert b"aria-invalid" in response.content
    with workspace_scope(workspace.pk):
        assert not Target.objects.exists()


def test_a_second_goal_for_the_same_takes_the_place_of_the_first(in_workspace, spring, alice_actor) -> None:
    set_target(spring, "clicks", 5, by=alice_actor)
    set_target(spring, "clicks", 7, by=alice_actor)
    assert [row.value for row in Target.objects.all()] == [7]


# --- media costs ------------------------------------------------------------------------------------------


def test_an_editor_writes_down_a_cost_and_takes_it_back(url, busy, workspace, bob_client) -> None:
    given = {"day": "2026-03-09", "amount": "12.34", "note": "Film\n=1"}
    assert bob_client.post(f"{url}/costs", given).status_code == 302
    with workspace_scope(workspace.pk):
        cost = MediaCost.objects.get()
        assert (cost.amount_micro, cost.day, cost.note) == (12_340_000, date(2026, 3, 9), "Film =1")
    shown = text_of(bob_client.get(url, {"days": "7"}))
    assert "$12.34" in shown
    assert "No media cost is written down" not in shown
    assert bob_client.post(f"{url}/costs/{cost.pk}/delete").status_code == 302
    with workspace_scope(workspace.pk):
        assert not MediaCost.objects.exists()
        assert AuditEntry.objects.filter(action__startswith="media_cost.").count() == 2


@pytest.mark.parametrize(
    "given",
    [{"day": "soon", "amount": "1"}, {"day": "1950-01-01", "amount": "1"}, {"day": "2026-03-09", "amount": "0"}, {}],
)
def test_a_cost_that_makes_no_sense_stays_in_the_form(url, bob_client, given) -> None:
    assert bob_client.post(f"{url}/costs", given).status_code == 422


def test_a_cost_is_removed_under_its_own_campaign_only(url, busy, workspace, alice_actor, bob_client) -> None:
    with workspace_scope(workspace.pk):
        other = create_campaign(by=alice_actor, name="Other")
        cost = add_media_cost(other, TODAY, 1_000_000, "", by=alice_actor)
        target = set_target(other, "clicks", 3, by=alice_actor)
    assert bob_client.post(f"{url}/costs/{cost.pk}/delete").status_code == 404
    assert bob_client.post(f"{url}/goals/{target.pk}/delete").status_code == 404


def test_viewers_change_nothing(in_workspace, spring, actor_of, vic, alice_actor) -> None:
    viewer = actor_of(vic)
    cost = add_media_cost(spring, TODAY, 1_000_000, "", by=alice_actor)
    target = set_target(spring, "clicks", 3, by=alice_actor)
    for act in (
        lambda: add_media_cost(spring, TODAY, 1, "", by=viewer),
        lambda: delete_media_cost(cost, by=viewer),
        lambda: set_target(spring, "clicks", 4, by=viewer),
        lambda: delete_target(target, by=viewer),
    ):
        with pytest.raises(PermissionDenied):
            act()
    with pytest.raises(ValidationError):
        add_media_cost(spring, TODAY, -1, "", by=alice_actor)
