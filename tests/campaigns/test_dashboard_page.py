from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from campaigns.dashboard import next_days
from campaigns.models import Campaign, Delivery, LivePart, Post
from campaigns.services import create_campaign, share_campaign
from lib.clock import now, shifted
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, mark_published, set_state

State = Delivery.State


def page(client: Client):
    return client.get("/")


def steps_done(client: Client) -> list[bool]:
    return [step.is_done for step in page(client).context["steps"]]


def planned(
    by: Actor, connection: Connection, at: datetime, state: str = State.SCHEDULED, text: str = "Beans."
) -> Post:
    post = add_post(by, connection, text=text)
    set_state(post, state, scheduled_at=at)
    return post


# --- the way to the first live post -----------------------------------------------------------------------


def test_an_empty_workspace_is_told_the_four_steps(alice_client: Client, in_workspace) -> None:
    html = page(alice_client).content.decode()
    assert steps_done(alice_client) == [False, False, False, False]
    assert html.index("Connect an account") < html.index("See it live")


def test_a_connected_account_ticks_the_first_step(alice_client: Client, roastery) -> None:
    assert steps_done(alice_client) == [True, False, False, False]


def test_a_disconnected_account_is_no_step(alice_client: Client, roastery: Connection) -> None:
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    assert steps_done(alice_client)[0] is False


def test_a_campaign_ticks_the_second_step(alice_client: Client, campaign) -> None:
    assert steps_done(alice_client) == [False, True, False, False]


def test_a_media_folder_ticks_the_second_step_too(alice_client: Client, alice_actor, in_workspace) -> None:
    from campaigns.sources import create_source

    create_source(by=alice_actor, name="Spring", folder="spring")
    assert steps_done(alice_client) == [False, True, False, False]


def test_an_approval_ticks_the_third_step(alice_client: Client, post: Post, approved) -> None:
    approved(post)
    assert steps_done(alice_client) == [True, False, True, False]


def test_the_steps_go_when_the_first_post_is_live(alice_client: Client, post: Post) -> None:
    mark_published(post)
    response = page(alice_client)
    assert response.context["steps"] == []
    assert "Four steps" not in response.content.decode()


# --- needs attention --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.FAILED, State.UNCONFIRMED, State.MISSED])
def test_what_did_not_go_out_needs_attention(alice_client: Client, post: Post, state: str) -> None:
    set_state(post, state, problem_text="X said no.")
    html = page(alice_client).content.decode()
    assert "Needs attention" in html
    assert "X said no." in html
    assert Delivery.objects.get().get_absolute_url() in html


@pytest.mark.parametrize("state", [State.DRAFT, State.SCHEDULED, State.PUBLISHED, State.CANCELED])
def test_what_runs_well_needs_none(alice_client: Client, post: Post, state: str) -> None:
    set_state(post, state)
    assert page(alice_client).context["attention"].is_empty


def test_an_account_to_reconnect_needs_attention(alice_client: Client, roastery: Connection) -> None:
    Connection.objects.update(status=Connection.Status.RECONNECT, status_text="X took the access back.")
    html = page(alice_client).content.decode()
    assert "@roastery must be reconnected" in html
    assert "X took the access back." in html


def test_a_reviewer_sees_what_waits_for_them(rita_client: Client, post: Post, submitted) -> None:
    (review,) = submitted(post)
    assert f"/reviews/{review.pk}" in page(rita_client).content.decode()


def test_an_editor_is_not_asked_to_approve(bob_client: Client, post: Post, submitted) -> None:
    (review,) = submitted(post)
    assert f"/reviews/{review.pk}" not in page(bob_client).content.decode()


@pytest.mark.parametrize(("who", "is_told"), [("bob", True), ("vic", False)])
def test_only_who_may_plan_is_told_how(request, in_workspace, who: str, is_told: bool) -> None:
    html = page(request.getfixturevalue(f"{who}_client")).content.decode()
    assert "Nothing is planned." in html
    assert ("Give a post a time" in html) is is_told


def test_a_viewer_is_not_asked_to_settle(vic_client: Client, bob_client: Client, post: Post) -> None:
    set_state(post, State.FAILED)
    assert ">Settle<" in page(bob_client).content.decode()
    assert ">Settle<" not in page(vic_client).content.decode()


# --- today and next ---------------------------------------------------------------------------------------


def test_days_are_those_of_the_workspace_not_of_utc(bob_actor: Actor, roastery: Connection) -> None:
    evening = datetime(2026, 12, 30, 22, 0, tzinfo=UTC)
    with shifted(evening - now()):
        # 23:30 UTC is half past midnight in Berlin.
        planned(bob_actor, roastery, datetime(2026, 12, 30, 22, 30, tzinfo=UTC), text="late")
        planned(bob_actor, roastery, datetime(2026, 12, 30, 23, 30, tzinfo=UTC), text="early")
        days = next_days(bob_actor)
    assert [(day.name, [str(row.post) for row in day.deliveries]) for day in days] == [
        ("Today", ["late"]),
        ("Tomorrow", ["early"]),
    ]


def test_what_was_planned_for_this_morning_is_still_shown(bob_actor: Actor, roastery: Connection) -> None:
    noon = datetime(2026, 12, 30, 11, 0, tzinfo=UTC)
    with shifted(noon - now()):
        planned(bob_actor, roastery, noon - timedelta(hours=3), State.RETRY_WAIT)
        planned(bob_actor, roastery, noon - timedelta(hours=13))
        assert [len(day.deliveries) for day in next_days(bob_actor)] == [1]


def test_the_page_names_the_zone_of_its_times(bob_client: Client, bob_actor: Actor, roastery: Connection) -> None:
    planned(bob_actor, roastery, now() + timedelta(hours=1))
    assert "Times in Europe/Berlin" in page(bob_client).content.decode()


def test_canceled_and_failed_posts_are_not_next(bob_client: Client, bob_actor: Actor, roastery: Connection) -> None:
    for state in (State.CANCELED, State.FAILED, State.MISSED, State.PUBLISHED):
        planned(bob_actor, roastery, now() + timedelta(days=1), state)
    assert page(bob_client).context["days"] == []


# --- published --------------------------------------------------------------------------------------------


def test_a_published_post_leads_to_the_network(bob_client: Client, post: Post, delivery: Delivery, workspace) -> None:
    mark_published(post)
    LivePart.objects.create(
        workspace=workspace,
        delivery=delivery,
        connection=delivery.connection,
        position=0,
        content_hash="0" * 64,
        remote_id="1",
        url="https://x.example/roastery/status/1",
    )
    assert 'href="https://x.example/roastery/status/1"' in page(bob_client).content.decode()


def test_the_week_is_compared_with_the_one_before(bob_client: Client, bob_actor: Actor, roastery: Connection) -> None:
    for days_ago in (1, 2, 3, 9, 20):
        published_at = now() - timedelta(days=days_ago)
        set_state(add_post(bob_actor, roastery), State.PUBLISHED, published_at=published_at)
    week = page(bob_client).context["week"]
    assert (week["published"], week["change"]) == (3, 2)


# --- who sees what ----------------------------------------------------------------------------------------


@pytest.fixture
def shared(alice_actor: Actor, roastery: Connection, campaign: Campaign, gwen: User) -> Post:
    share_campaign(campaign, gwen, by=alice_actor)
    post = add_post(alice_actor, roastery, text="For Gwen's eyes", campaign=campaign)
    set_state(post, State.SCHEDULED, scheduled_at=now() + timedelta(hours=1))
    return post


def test_a_guest_sees_what_is_shared(gwen_client: Client, shared: Post) -> None:
    html = page(gwen_client).content.decode()
    assert "For Gwen" in html
    assert "Shared with you" in html


def test_a_guest_sees_nothing_else(gwen_client: Client, shared: Post, alice_actor: Actor, roastery) -> None:
    planned(alice_actor, roastery, now() + timedelta(hours=1), text="Not for guests")
    set_state(add_post(alice_actor, roastery, text="Broken in private"), State.FAILED)
    html = page(gwen_client).content.decode()
    assert "Not for guests" not in html
    assert "Broken in private" not in html
    assert "Four steps" not in html


def test_another_workspace_shows_nothing_of_this_one(charlie_client: Client, shared: Post) -> None:
    assert "For Gwen" not in page(charlie_client).content.decode()


def test_more_rows_cost_no_more_queries(bob_client: Client, bob_actor: Actor, roastery: Connection, submitted) -> None:
    def add_rows() -> None:
        planned(bob_actor, roastery, now() + timedelta(hours=1))
        set_state(add_post(bob_actor, roastery), State.FAILED)
        mark_published(add_post(bob_actor, roastery))
        submitted(add_post(bob_actor, roastery, text=f"{now()}"))

    def count() -> int:
        with CaptureQueriesContext(
            database,
        ) as queries:
            assert page(bob_client).status_code == 200
        return len(queries)

    add_rows()
    first = count()
    for _ in range(3):
        add_rows()
    assert count() == first


def test_a_campaign_of_the_guest_is_a_link(gwen_client: Client, shared: Post, workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        address = Campaign.objects.get().get_absolute_url()
    assert f'href="{address}"' in page(gwen_client).content.decode()


def test_somebody_without_a_workspace_makes_one(client_of, db) -> None:
    nobody = User.objects.create_user("new@example.org", "pw")
    assert page(client_of(nobody)).headers["Location"] == "/workspaces/new"


def test_two_accounts_of_one_post_are_two_lines(bob_client: Client, bob_actor: Actor, roastery, cafe) -> None:
    post = add_post(bob_actor, roastery, cafe)
    set_state(post, State.SCHEDULED, scheduled_at=now() + timedelta(minutes=5))
    assert sum(len(day.deliveries) for day in page(bob_client).context["days"]) == 2


def test_the_name_of_a_post_cannot_break_out_of_the_page(bob_client: Client, bob_actor: Actor, roastery) -> None:
    planned(bob_actor, roastery, now() + timedelta(hours=1), text="<script>alert(1)</script>")
    assert "<script>alert" not in page(bob_client).content.decode()


def test_an_account_of_another_workspace_needs_no_attention_here(
    bob_client: Client, other_workspace: Workspace, in_workspace
) -> None:
    with workspace_scope(other_workspace.pk):
        add_connection(other_workspace, "bakery", status=Connection.Status.RECONNECT)
    assert "@bakery" not in page(bob_client).content.decode()


def test_a_campaign_alone_is_no_reason_to_hide_the_steps(alice_client: Client, alice_actor, in_workspace) -> None:
    create_campaign(by=alice_actor, name="Spring")
    assert "Four steps" in page(alice_client).content.decode()


@pytest.mark.parametrize("address", ["/reviews", "/sources", "/connections", "/settings", "/posts/new"])
def test_guests_are_not_led_where_they_may_not_go(
    gwen_client: Client, vic_client: Client, in_workspace, address
) -> None:
    assert f'href="{address}"' not in page(gwen_client).content.decode()
    assert gwen_client.get(address).status_code == 403
