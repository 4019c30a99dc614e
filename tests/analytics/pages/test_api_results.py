"""/api/analytics: the numbers of the pages for programs, with nulls and reasons."""

import pytest

from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.definitions import set_target
from campaigns.services import share_campaign
from tests.analytics.results_cast import DAY, NOON, add_measured
from tests.campaigns.cast import add_connection

DASHBOARD = "/api/analytics/dashboard"


def test_the_dashboard_has_the_numbers_of_the_page(busy, workspace, api, api_key) -> None:
    found = api(api_key("read")).get(DASHBOARD, {"days": 7}).json()
    assert found["period"] == {"from": "2026-03-04", "to": "2026-03-10", "zone": "Europe/Berlin"}
    assert found["against"]["from"] == "2026-02-25"
    assert found["totals"] == {
        "impressions": 7021,
        "engagements": 91,
        "clicks": 21,
        "bot_clicks": 7,
        "visitors": 21,
        "conversions": 6,
        "revenue_micro": 120_000_000,
        "joins": None,
        "posts": 7,
        "ai_cost_micro": 400_000,
        "network_cost_micro": 600_000,
        "media_cost_micro": 0,
    }
    assert set(found["notes"]) == {"joins"}
    assert found["changes"]["clicks"] == {"now": 18, "before": 18, "percent": 0}
    assert found["series"]["clicks"][-1] == {"day": "2026-03-10", "value": 3}
    assert [step["value"] for step in found["funnel"]] == [7021, 91, 21, 6]
    assert found["best_posts"][0]["text"] == "Post 6"
    assert found["accounts"][0]["followers"] == 500


def test_what_was_not_measured_is_null_and_has_a_reason(workspace, alice, api) -> None:
    found = api(alice, workspace=workspace).get(DASHBOARD).json()
    for name in ("impressions", "clicks", "conversions", "revenue_micro"):
        assert found["totals"][name] is None, name
        assert found["notes"][name], name
        assert {point["value"] for point in found["series"][name]} == {None}, name
    assert len(found["series"]["clicks"]) == 28


def test_filters(busy, workspace, alice, api) -> None:
    with workspace_scope(workspace.pk):
        cafe = add_connection(workspace, "cafe")
        add_measured(cafe, NOON - DAY, impressions=3)
    client = api(alice, workspace=workspace)
    assert client.get(DASHBOARD, {"campaign": str(busy.pk)}).json()["totals"]["posts"] == 28
    of_account = client.get(DASHBOARD, {"connection": str(cafe.pk)}).json()
    assert (of_account["totals"]["impressions"], of_account["totals"]["clicks"]) == (3, None)
    assert of_account["funnel"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-03-01", "to": "2026-03-05", "than": "2025-03-01"}, 200),
        ({"days": "28", "than": "2026-01-01"}, 200),
        ({"days": "8"}, 400),
        ({"from": "2026-03-01"}, 400),
        ({"from": "2026-03-05", "to": "2026-03-01"}, 400),
        ({"from": "2026-03-05", "to": "2026-03-11"}, 400),
        ({"from": "2020-01-01", "to": "2026-03-01"}, 400),
        ({"from": "1999-01-01", "to": "2026-03-01"}, 400),
        ({"from": "soon", "to": "2026-03-01"}, 400),
        ({"days": "7", "than": "2026-03-05"}, 400),
        ({"campaign": "x"}, 400),
        ({"campaign": "018f0000-0000-7000-8000-000000000000"}, 404),
        ({"connection": "018f0000-0000-7000-8000-000000000000"}, 404),
    ],
)
def test_what_is_asked_is_checked(workspace, alice, api, query, status: int) -> None:
    assert api(alice, workspace=workspace).get(DASHBOARD, query).status_code == status


def test_a_campaign_has_goals_and_a_return(busy, workspace, alice, alice_actor, api) -> None:
    with workspace_scope(workspace.pk):
        set_target(busy, "conversions", 12, by=alice_actor)
    found = api(alice, workspace=workspace).get(f"/api/analytics/campaigns/{busy.pk}", {"days": 7}).json()
    assert found["campaign"] == str(busy.pk)
    assert found["roi"]["ratio"] == 119
    assert found["roi"]["ratio_low"] < 119 < found["roi"]["ratio_high"]
    assert found["roi"]["costs_micro"] == 1_000_000
    assert found["goals"][0]["metric"] == "conversions"
    assert found["goals"][0]["value"] == 12


def test_guests_get_the_campaign_without_its_costs(busy, workspace, alice_actor, gwen, api) -> None:
    client = api(gwen, workspace=workspace)
    address = f"/api/analytics/campaigns/{busy.pk}"
    assert client.get(address).status_code == 404
    with workspace_scope(workspace.pk):
        share_campaign(busy, gwen, by=alice_actor)
    found = client.get(address, {"days": 7}).json()
    assert found["totals"]["clicks"] == 21
    assert (found["totals"]["ai_cost_micro"], found["roi"]) == (None, None)
    assert found["notes"]["ai_cost_micro"] == "Not shown to guests."
    assert client.get(DASHBOARD).status_code == 403


def test_strangers_and_nobody(busy, workspace: Workspace, charlie, other_workspace, api) -> None:
    address = f"/api/analytics/campaigns/{busy.pk}"
    assert api().get(DASHBOARD).status_code == 401
    assert api(charlie, workspace=other_workspace).get(address).status_code == 404
    assert api(charlie, workspace=other_workspace).get(DASHBOARD, {"campaign": str(busy.pk)}).status_code == 404
    assert api(charlie, workspace=other_workspace).get(DASHBOARD).json()["totals"]["posts"] == 0
