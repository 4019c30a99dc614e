from datetime import date, timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import AuditEntry, User
from campaigns.campaign_queries import STEPS, next_statuses, progress_of, with_progress
from campaigns.models import Campaign, Delivery, Post
from campaigns.services import create_campaign, share_campaign
from campaigns.sources import create_source
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_post, mark_published, set_state

State, Status = Delivery.State, Campaign.Status
LIST = "/campaigns"
FORM = {"name": "Spring launch", "goal": "Sell 400 bags", "brief": "Warm.", "starts_on": "", "ends_on": ""}


def url_of(campaign: Campaign, act: str = "") -> str:
    return f"/campaigns/{campaign.pk}{act}"


def names(client: Client, **query: str) -> list[str]:
    return [campaign.name for campaign in client.get(LIST, query).context["page"]]


def counted(campaign: Campaign) -> dict[str, int]:
    found = with_progress(Campaign.objects.filter(pk=campaign.pk)).get()
    return {part.state: part.number for part in progress_of(found)}


# --- list -------------------------------------------------------------------------------------------------


@pytest.fixture
def three(in_workspace, alice_actor: Actor) -> None:
    for name, status in (("Spring", Status.RUNNING), ("Summer", Status.PAUSED), ("Winter", Status.DRAFT)):
        campaign = create_campaign(by=alice_actor, name=name, goal=f"Sell in {name.lower()}")
        Campaign.objects.filter(pk=campaign.pk).update(status=status)


def test_without_campaigns_an_editor_is_invited_to_create_one(bob_client: Client, in_workspace) -> None:
    assert "Create the first" in bob_client.get(LIST).content.decode()


def test_a_viewer_is_not(vic_client: Client, in_workspace) -> None:
    html = vic_client.get(LIST).content.decode()
    assert "No campaigns yet" in html
    assert "/campaigns/new" not in html


def test_the_newest_comes_first(bob_client: Client, three) -> None:
    assert names(bob_client) == ["Winter", "Summer", "Spring"]


def test_a_pill_holds_its_status_and_counts_it(bob_client: Client, three) -> None:
    assert names(bob_client, status="paused") == ["Summer"]
    assert ("paused", "Paused", 1) in bob_client.get(LIST).context["pills"]


@pytest.mark.parametrize("words", ["summer", "SUMMER sell", "sell in summer"])
def test_search_finds_words_of_name_and_goal(bob_client: Client, three, words: str) -> None:
    assert names(bob_client, q=words) == ["Summer"]


def test_search_and_status_narrow_together(bob_client: Client, three) -> None:
    assert names(bob_client, q="sell", status="draft") == ["Winter"]


@pytest.mark.parametrize("query", [{"status": "nonsense"}, {"page": "99"}, {"q": ""}])
def test_an_unknown_filter_shows_everything(bob_client: Client, three, query: dict) -> None:
    assert len(names(bob_client, **query)) == 3


def test_a_zero_byte_finds_nothing_and_breaks_nothing(bob_client: Client, three) -> None:
    assert bob_client.get(LIST, {"q": "a\x00b"}).status_code == 200


def test_nothing_found_offers_everything(bob_client: Client, three) -> None:
    assert "Show all campaigns" in bob_client.get(LIST, {"q": "autumn"}).content.decode()


def test_ten_and_twenty_campaigns_cost_the_same_queries(bob_client: Client, alice_actor: Actor, roastery) -> None:
    def add(number: int) -> None:
        for n in range(number):
            add_post(alice_actor, roastery, campaign=create_campaign(by=alice_actor, name=f"Campaign {n}"))

    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            assert bob_client.get(LIST).status_code == 200
        return len(queries)

    add(10)
    with_ten = count()
    add(10)
    assert count() == with_ten


def test_the_list_has_pages(bob_client: Client, alice_actor: Actor, in_workspace) -> None:
    for n in range(21):
        create_campaign(by=alice_actor, name=f"Campaign {n}")
    assert len(names(bob_client)) == 20
    assert names(bob_client, page="2") == ["Campaign 0"]


# --- progress ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "group"),
    [
        (State.DRAFT, "draft"),
        (State.IN_REVIEW, "in_review"),
        (State.APPROVED, "scheduled"),
        (State.SCHEDULED, "scheduled"),
        (State.RETRY_WAIT, "scheduled"),
        (State.PUBLISHED, "published"),
        (State.FAILED, "failed"),
        (State.UNCONFIRMED, "failed"),
        (State.MISSED, "failed"),
    ],
)
def test_a_post_counts_in_the_group_of_its_state(alice_actor, roastery, campaign, state: str, group: str) -> None:
    set_state(add_post(alice_actor, roastery, campaign=campaign), state)
    assert {name: number for name, number in counted(campaign).items() if number} == {group: 1}


def test_a_post_without_an_account_is_a_draft(alice_actor, campaign) -> None:
    add_post(alice_actor, campaign=campaign)
    assert counted(campaign)["draft"] == 1


def test_a_campaign_without_posts_has_no_drafts(campaign) -> None:
    assert set(counted(campaign).values()) == {0}


def test_a_post_to_two_accounts_is_one_post(alice_actor, roastery, cafe, campaign) -> None:
    add_post(alice_actor, roastery, cafe, campaign=campaign)
    assert counted(campaign)["draft"] == 1
    assert with_progress(Campaign.objects.all()).get().posts_all == 1


# --- writing ----------------------------------------------------------------------------------------------


def test_an_editor_creates_a_campaign(bob_client: Client, in_workspace) -> None:
    response = bob_client.post("/campaigns/new", FORM | {"starts_on": "2026-12-01", "ends_on": "2026-12-24"})
    campaign = Campaign.objects.get()
    assert response.headers["Location"] == url_of(campaign)
    assert (campaign.name, campaign.ends_on) == ("Spring launch", date(2026, 12, 24))


def test_a_campaign_that_ends_before_it_starts_is_refused_beside_the_field(bob_client: Client, in_workspace) -> None:
    response = bob_client.post("/campaigns/new", FORM | {"starts_on": "2026-12-24", "ends_on": "2026-12-01"})
    assert response.status_code == 422
    assert response.context["form"].errors == {"ends_on": ["The last day is before the first."]}


def test_what_was_typed_is_kept(bob_client: Client, in_workspace) -> None:
    html = bob_client.post("/campaigns/new", FORM | {"name": "", "brief": "A long brief"}).content.decode()
    assert "A long brief" in html
    assert "Sell 400 bags" in html


def test_a_name_of_spaces_is_refused(bob_client: Client, in_workspace) -> None:
    assert bob_client.post("/campaigns/new", FORM | {"name": "   "}).status_code == 422
    assert not Campaign.objects.exists()


def test_an_editor_changes_a_campaign(bob_client: Client, campaign: Campaign) -> None:
    assert bob_client.post(url_of(campaign, "/edit"), FORM).status_code == 302
    campaign.refresh_from_db()
    assert campaign.goal == "Sell 400 bags"


def test_a_refused_change_does_not_show_in_the_heading(bob_client: Client, campaign: Campaign) -> None:
    response = bob_client.post(url_of(campaign, "/edit"), FORM | {"name": "x" * 200})
    assert response.status_code == 422
    assert response.context["campaign"].name == "Spring"


def test_the_form_shows_the_days_as_browsers_want_them(bob_client: Client, campaign: Campaign) -> None:
    Campaign.objects.update(starts_on=date(2026, 12, 1))
    assert 'value="2026-12-01"' in bob_client.get(url_of(campaign, "/edit")).content.decode()


@pytest.mark.parametrize("who", ["rita_client", "vic_client", "gwen_client"])
def test_others_may_not_write(request: pytest.FixtureRequest, campaign: Campaign, who: str) -> None:
    client = request.getfixturevalue(who)
    assert client.post("/campaigns/new", FORM).status_code == 403
    assert client.post(url_of(campaign, "/edit"), FORM).status_code == 403
    assert Campaign.objects.get().name == "Spring"


# --- one campaign -----------------------------------------------------------------------------------------


def test_the_page_holds_goal_brief_posts_and_sources(bob_client: Client, bob_actor, campaign: Campaign) -> None:
    Campaign.objects.update(goal="Sell 400 bags", brief="Warm, exact.\nNever shouting.")
    add_post(bob_actor, text="The first bags", campaign=campaign)
    create_source(by=bob_actor, name="Pictures", folder="spring", campaign=campaign)
    html = bob_client.get(url_of(campaign)).content.decode()
    assert "Sell 400 bags" in html
    assert "Never shouting." in html
    assert "The first bags" in html
    assert "Pictures" in html


def test_posts_stand_in_the_order_of_their_times(bob_client: Client, bob_actor, roastery, campaign: Campaign) -> None:
    add_post(bob_actor, roastery, text="someday", campaign=campaign)
    for text, days in (("later", 2), ("sooner", 1)):
        post = add_post(bob_actor, roastery, text=text, campaign=campaign)
        set_state(post, State.SCHEDULED, scheduled_at=now() + timedelta(days=days))
    mark_published(add_post(bob_actor, roastery, text="live", campaign=campaign))
    page = bob_client.get(url_of(campaign)).context["page"]
    assert [str(post) for post in page] == ["live", "sooner", "later", "someday"]


def test_posts_of_other_campaigns_are_not_shown(bob_client: Client, bob_actor, campaign: Campaign) -> None:
    add_post(bob_actor, text="Somewhere else")
    assert "Somewhere else" not in bob_client.get(url_of(campaign)).content.decode()


def test_more_posts_cost_no_more_queries(bob_client: Client, bob_actor, roastery, campaign: Campaign) -> None:
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            assert bob_client.get(url_of(campaign)).status_code == 200
        return len(queries)

    add_post(bob_actor, roastery, campaign=campaign)
    with_one = count()
    for _ in range(9):
        add_post(bob_actor, roastery, campaign=campaign)
    assert count() == with_one


def test_admins_see_what_was_decided(alice_client: Client, alice_actor, campaign: Campaign) -> None:
    add_post(alice_actor, text="The first bags", campaign=campaign)
    html = alice_client.get(url_of(campaign)).content.decode()
    assert "created the campaign" in html
    assert "wrote “The first bags”" in html


def test_an_erased_detail_leaves_the_deed_without_a_name(alice_client: Client, campaign: Campaign) -> None:
    AuditEntry.objects.get(action="campaign.create").detail.delete()
    assert [deed.who for deed in alice_client.get(url_of(campaign)).context["activity"]] == ["Somebody"]


def test_editors_may_not_read_the_audit_trail(bob_client: Client, campaign: Campaign) -> None:
    assert bob_client.get(url_of(campaign)).context["activity"] == []


# --- status -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", Status.values)
def test_the_buttons_are_those_of_the_status_machine(campaign: Campaign, status: str) -> None:
    campaign.status = status
    assert {step.status for step in next_statuses(campaign)} == Campaign.NEXT[Status(status)]


def test_every_button_belongs_to_a_step_that_exists() -> None:
    assert all(after in Campaign.NEXT[before] for before, after in STEPS)


def test_an_editor_starts_and_pauses(bob_client: Client, campaign: Campaign) -> None:
    bob_client.post(url_of(campaign, "/status"), {"status": "running"})
    campaign.refresh_from_db()
    assert campaign.status == Status.RUNNING
    bob_client.post(url_of(campaign, "/status"), {"status": "paused"})
    assert "This campaign is paused." in bob_client.get(url_of(campaign)).content.decode()


def test_a_step_the_machine_does_not_know_answers_409_with_the_reason(bob_client: Client, campaign: Campaign) -> None:
    response = bob_client.post(url_of(campaign, "/status"), {"status": "completed"})
    assert response.status_code == 409
    assert "A draft campaign cannot become completed." in response.content.decode()


def test_a_status_nobody_knows_is_refused(bob_client: Client, campaign: Campaign) -> None:
    assert bob_client.post(url_of(campaign, "/status"), {"status": "exploded"}).status_code == 422


def test_a_reviewer_may_not_start_it(rita_client: Client, campaign: Campaign) -> None:
    assert rita_client.post(url_of(campaign, "/status"), {"status": "running"}).status_code == 403
    assert 'value="running"' not in rita_client.get(url_of(campaign)).content.decode()


def test_a_status_changes_only_by_post(bob_client: Client, campaign: Campaign) -> None:
    assert bob_client.get(url_of(campaign, "/status"), {"status": "running"}).status_code == 405


# --- delete -----------------------------------------------------------------------------------------------


def test_an_unsent_campaign_goes_with_its_posts(bob_client: Client, bob_actor, campaign: Campaign) -> None:
    add_post(bob_actor, campaign=campaign)
    assert bob_client.post(url_of(campaign, "/delete")).headers["Location"] == LIST
    assert not Post.objects.exists()


def test_what_was_sent_keeps_its_campaign(bob_client: Client, bob_actor, roastery, campaign: Campaign) -> None:
    mark_published(add_post(bob_actor, roastery, campaign=campaign))
    response = bob_client.post(url_of(campaign, "/delete"))
    assert response.status_code == 409
    assert "Archive it instead" in response.content.decode()
    assert Campaign.objects.exists()


def test_deleting_asks_first(bob_client: Client, campaign: Campaign) -> None:
    assert 'data-confirm="Delete Spring?"' in bob_client.get(url_of(campaign)).content.decode()


# --- strangers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["", "/edit"])
def test_a_strangers_campaign_is_a_missing_page(charlie_client: Client, campaign: Campaign, act: str) -> None:
    assert charlie_client.get(url_of(campaign, act)).status_code == 404


@pytest.mark.parametrize("act", ["/status", "/delete", "/share", "/unshare"])
def test_a_stranger_changes_nothing(charlie_client: Client, campaign: Campaign, act: str) -> None:
    assert charlie_client.post(url_of(campaign, act), {"status": "running"}).status_code == 404


def test_a_guest_reads_a_shared_campaign(gwen_client: Client, gwen: User, alice_actor, campaign: Campaign) -> None:
    assert gwen_client.get(url_of(campaign)).status_code == 404
    share_campaign(campaign, gwen, by=alice_actor)
    html = gwen_client.get(url_of(campaign)).content.decode()
    assert "<h1>Spring</h1>" in html
    assert "data-confirm" not in html
    assert "Add a post" not in html


def test_a_guest_lists_only_what_is_shared(gwen_client: Client, gwen: User, alice_actor, three) -> None:
    assert "Nothing is shared with you yet" in gwen_client.get(LIST).content.decode()
    share_campaign(Campaign.objects.get(name="Summer"), gwen, by=alice_actor)
    assert names(gwen_client) == ["Summer"]


def test_a_viewer_reads_without_buttons(vic_client: Client, campaign: Campaign, roastery: Connection) -> None:
    html = vic_client.get(url_of(campaign)).content.decode()
    assert "Start</button>" not in html
    assert "Add a post" not in html
