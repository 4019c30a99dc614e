from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import User
from campaigns.models import Delivery, Post
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, share_campaign
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post, set_state

URL = "/posts"


def titles(client: Client, **query: object) -> list[str]:
    return [row.title for row in client.get(URL, query).context["rows"]]


def counts(client: Client, **query: object) -> dict[str, int]:
    return {tab.name: tab.count for tab in client.get(URL, query).context["tabs"]}


@pytest.fixture
def one_in_each_state(bob_actor: Actor, roastery) -> None:
    for state in Delivery.State.values:
        set_state(add_post(bob_actor, roastery, text=f"is {state}"), state)


def test_a_new_workspace_is_told_what_to_do(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(URL).content.decode()
    assert "No posts yet" in html
    assert "Write a post" in html


def test_who_may_not_write_is_not_told_to(vic_client: Client, bob_client: Client, in_workspace) -> None:
    assert "/posts/new" in bob_client.get(URL).content.decode()
    html = vic_client.get(URL).content.decode()
    assert "No posts yet" in html
    assert "/posts/new" not in html


@pytest.mark.parametrize(
    ("tab", "states"),
    [
        ("drafts", {"draft"}),
        ("review", {"in_review"}),
        ("scheduled", {"approved", "scheduled", "publishing", "retry_wait", "paused"}),
        ("published", {"published"}),
        ("attention", {"failed", "unconfirmed", "missed"}),
    ],
)
def test_a_tab_holds_its_states_and_counts_them(bob_client: Client, one_in_each_state, tab: str, states: set) -> None:
    assert set(titles(bob_client, tab=tab)) == {f"is {state}" for state in states}
    assert counts(bob_client)[tab] == len(states)


def test_all_holds_every_state(bob_client: Client, one_in_each_state) -> None:
    assert len(titles(bob_client)) == len(Delivery.State.values)
    assert counts(bob_client)[""] == len(Delivery.State.values)


def test_a_post_without_an_account_is_a_draft(bob_client: Client, bob_actor: Actor, in_workspace) -> None:
    add_post(bob_actor, text="An idea")
    assert titles(bob_client, tab="drafts") == ["An idea"]


def test_a_post_to_two_accounts_stands_once_in_a_tab_and_in_both(bob_client: Client, bob_actor, roastery, cafe) -> None:
    post = add_post(bob_actor, roastery, cafe)
    assert titles(bob_client, tab="drafts") == ["Fresh beans."]
    assert counts(bob_client)["drafts"] == 1
    Delivery.objects.filter(post=post, connection=cafe).update(state="failed")
    assert titles(bob_client, tab="drafts") == titles(bob_client, tab="attention") == ["Fresh beans."]
    assert counts(bob_client)[""] == 1


def test_an_unknown_tab_shows_all(bob_client: Client, post: Post) -> None:
    assert titles(bob_client, tab="nonsense") == ["Fresh beans."]


def test_what_is_planned_next_comes_first(bob_client: Client, bob_actor: Actor, roastery) -> None:
    for text, days in [("later", 2), ("sooner", 1)]:
        set_state(add_post(bob_actor, roastery, text=text), "scheduled", scheduled_at=now() + timedelta(days=days))
    set_state(add_post(bob_actor, roastery, text="no time"), "approved")
    assert titles(bob_client, tab="scheduled") == ["sooner", "later", "no time"]


def test_what_went_out_last_comes_first(bob_client: Client, bob_actor: Actor, roastery) -> None:
    for text, days in [("newest", 1), ("older", 5)]:
        set_state(add_post(bob_actor, roastery, text=text), "published", published_at=now() - timedelta(days=days))
    assert titles(bob_client, tab="published") == ["newest", "older"]


@pytest.mark.parametrize("words", ["beans", "BEANS", "fresh beans", "beans fresh", '"fresh beans"'])
def test_search_finds_words_in_any_part(bob_client: Client, post: Post, words: str) -> None:
    assert titles(bob_client, q=words) == ["Fresh beans."]


def test_search_looks_into_later_parts_and_names(bob_client: Client, bob_actor: Actor, in_workspace) -> None:
    create_post(PostDraft(parts=(PartDraft("one"), PartDraft("hidden treasure")), title="Named"), by=bob_actor)
    assert titles(bob_client, q="treasure") == titles(bob_client, q="named") == ["Named"]


@pytest.mark.parametrize("words", ["tea", "beans tea", "%", "\x00"])
def test_search_that_finds_nothing_offers_a_way_back(bob_client: Client, bob_actor: Actor, words: str, post) -> None:
    html = bob_client.get(URL, {"q": words + " tea"}).content.decode()
    assert "Nothing matches" in html
    assert "Show all posts" in html


def test_the_tabs_count_what_the_filters_leave(bob_client: Client, bob_actor, roastery, cafe) -> None:
    add_post(bob_actor, roastery)
    add_post(bob_actor, cafe)
    assert counts(bob_client, connection=cafe.pk)["drafts"] == 1


def test_filters_by_campaign_and_account(bob_client: Client, bob_actor, roastery, cafe, campaign) -> None:
    add_post(bob_actor, roastery, text="in campaign", campaign=campaign)
    add_post(bob_actor, cafe, text="to cafe")
    assert titles(bob_client, campaign=campaign.pk) == ["in campaign"]
    assert titles(bob_client, connection=cafe.pk) == ["to cafe"]
    assert len(titles(bob_client, connection="nonsense", campaign="nonsense")) == 2


def test_pages_of_twenty(bob_client: Client, bob_actor: Actor, roastery) -> None:
    for number in range(21):
        add_post(bob_actor, roastery, text=f"post {number}")
    assert len(titles(bob_client)) == 20
    assert titles(bob_client, page=2) == ["post 0"]
    assert titles(bob_client, page="nonsense") == titles(bob_client)


def test_a_cut_name_shows_as_the_text_it_was_cut_from(bob_client: Client, bob_actor: Actor, roastery) -> None:
    text = "A sentence that goes on for longer than any name of a post may be, and then on."
    add_post(bob_actor, roastery, text=text)
    assert titles(bob_client) == [text]


def test_a_row_shows_picture_account_state_and_plan(bob_client: Client, bob_actor, roastery, picture) -> None:
    draft = PostDraft(parts=(PartDraft("look", (MediaDraft(picture.pk),)),), connections=(roastery.pk,))
    post = create_post(draft, by=bob_actor)
    set_state(post, "scheduled", scheduled_at=now().replace(year=2030, month=7, day=1, hour=7, minute=0))
    html = bob_client.get(URL).content.decode()
    assert f"/media/{picture.pk}/thumb" in html
    assert "@roastery" in html
    assert "Scheduled" in html
    assert '1 Jul 2030, 09:00</time> <span class="muted">Europe/Berlin' in html


def test_ten_and_twenty_rows_cost_the_same_queries(bob_client: Client, bob_actor, in_workspace, picture) -> None:
    accounts = [add_connection(in_workspace, f"account{number}") for number in range(2)]
    ids = tuple(account.pk for account in accounts)
    measured = []
    for _ in range(2):
        for _ in range(10):
            parts = (PartDraft("one", (MediaDraft(picture.pk),)), PartDraft("two"))
            create_post(PostDraft(parts=parts, connections=ids), by=bob_actor)
        bob_client.get(URL)
        with CaptureQueriesContext(database) as queries:
            page = bob_client.get(URL)
        measured.append((len(page.context["rows"]), len(queries)))
    assert [rows for rows, _queries in measured] == [10, 20]
    assert measured[0][1] == measured[1][1]


def test_a_guest_sees_only_the_posts_of_a_shared_campaign(
    gwen_client: Client, gwen: User, alice_actor, bob_actor, roastery, cafe, campaign
) -> None:
    add_post(bob_actor, roastery, text="shared", campaign=campaign)
    add_post(bob_actor, cafe, text="secret")
    assert titles(gwen_client) == []
    share_campaign(campaign, gwen, by=alice_actor)
    assert titles(gwen_client) == ["shared"]
    assert "@cafe" not in gwen_client.get(URL).content.decode()


def test_a_stranger_sees_the_posts_of_the_own_workspace_only(charlie_client: Client, post: Post) -> None:
    assert titles(charlie_client) == []
