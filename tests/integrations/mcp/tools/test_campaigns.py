import pytest

from accounts.models import AuditEntry
from campaigns.models import Campaign
from campaigns.services import create_campaign
from tests.integrations.mcp.tools.cast import Program


def test_campaigns_come_in_pages_newest_first(bobs: Program) -> None:
    for number in range(5):
        create_campaign(by=bobs.actor, name=f"Campaign {number}")
    seen, cursor = [], None
    while True:
        page = bobs("list_campaigns", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [row["name"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"Campaign {number}" for number in (4, 3, 2, 1, 0)]


def test_campaigns_are_found_by_words_and_status(bobs: Program) -> None:
    create_campaign(by=bobs.actor, name="Spring", goal="Sell decaf")
    create_campaign(by=bobs.actor, name="Autumn")
    assert [row["name"] for row in bobs("list_campaigns", words="decaf")["items"]] == ["Spring"]
    assert bobs("list_campaigns", status="running")["items"] == []
    assert "status" in bobs.refused("list_campaigns", status="open").fields


def test_campaign_says_how_its_posts_stand_and_where_people_see_it(bobs: Program, cast) -> None:
    answer = bobs("get_campaign", campaign_id=str(cast.campaign.pk))
    assert (answer["name"], answer["goal"], answer["status"]) == ("Spring", "Sell decaf", "draft")
    assert answer["posts"] == {"draft": 1, "in_review": 1, "scheduled": 2, "published": 1, "failed": 0}
    assert answer["time_zone"] == "Europe/Berlin"
    assert answer["created_at"][-6:] in {"+01:00", "+02:00"}
    assert answer["page"].endswith(f"/w/{cast.campaign.workspace.slug}/campaigns/{cast.campaign.pk}")


def test_new_campaign_is_the_agents_act_in_its_persons_name(bobs: Program, bob) -> None:
    facts = {"name": " Autumn ", "goal": "Mugs", "starts_on": "2026-12-01", "ends_on": "2026-12-24", "markets": ["DE"]}
    answer = bobs("create_campaign", **facts)
    campaign = Campaign.objects.get(pk=answer["id"])
    assert (campaign.name, campaign.created_by, campaign.markets) == ("Autumn", bob, ["DE"])
    assert (answer["starts_on"], answer["ends_on"]) == ("2026-12-01", "2026-12-24")
    entry = AuditEntry.objects.get(action="campaign.create")
    assert entry.detail.actor == "MCP Test"


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": "  "}, "name"),
        ({"name": "A", "starts_on": "2026-12-24", "ends_on": "2026-12-01"}, "last day is before"),
        ({"name": "A", "starts_on": "soon"}, "starts_on"),
        ({"name": "A", "ends_on": "2026-02-30"}, "ends_on"),
        ({"name": "A" * 121}, "name"),
        ({"name": "A", "markets": ["Mars"]}, "markets"),
        ({"name": "A", "industry": "magic"}, "industry"),
        ({"name": "A", "config": {}}, "config"),
    ],
)
def test_wrong_campaign_is_refused_in_words(bobs: Program, wrong, word) -> None:
    refusal = bobs.refused("create_campaign", **wrong)
    assert refusal.code == "invalid"
    assert word in refusal.words
    assert not Campaign.objects.exists()
