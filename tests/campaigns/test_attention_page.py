"""/attention/: what needs a person, by kind, with what to do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.attention import count_attention, count_for_navigation, navigation_of
from campaigns.models import Delivery, Post
from campaigns.rendering import render
from lib.clock import now, shifted
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, set_state
from tests.social.conftest import begin, connected, connection, sandbox, sandbox_process, visit_x  # noqa: F401

State = Delivery.State


@pytest.fixture
def stuck(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    """An approved post that did not go out."""

    def make(state: str = State.FAILED, code: str = "ended", text: str = "Beans.", to: Connection | None = None):
        row = Delivery.objects.get(post=add_post(bob_actor, to or roastery, text=text))
        why = {"problem_code": code, "problem_text": f"Because {code}.", "approved_hash": render(row).content_hash}
        at = now() - timedelta(hours=1)
        Delivery.objects.filter(pk=row.pk).update(state=state, scheduled_at=at, fence=1, **why)
        return Delivery.objects.get(pk=row.pk)

    return make


@pytest.fixture
def at_risk(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    def make(level: str = "red", hours: float = 1, state: str = State.SCHEDULED) -> Delivery:
        post = add_post(bob_actor, roastery, text="Risky beans.")
        at = now() + timedelta(hours=hours)
        set_state(post, state, scheduled_at=at, due_at=at, risk=level, risk_text="The budget is spent.")
        return Delivery.objects.get(post=post)

    return make


def page(client: Client, tab: str = "", **more: str) -> str:
    response = client.get("/attention/", {"tab": tab, **more} if tab else {})
    assert response.status_code == 200
    return response.content.decode()


def act(client: Client, path: str, **data: str):
    return client.post(path, {"page": "attention", **data}, follow=True)


# --- tabs -------------------------------------------------------------------------------------------------


def test_every_kind_is_counted(stuck, at_risk, alice_actor, submitted, bob_actor, roastery) -> None:
    for state in (State.FAILED, State.FAILED, State.UNCONFIRMED, State.MISSED):
        stuck(state)
    at_risk()
    submitted(add_post(bob_actor, roastery))
    Connection.objects.update(status="reconnect")
    counts = count_attention(alice_actor)
    assert {name: number for name, number in counts.items() if name != "all_reviews"} == {
        "failed": 2,
        "unconfirmed": 1,
        "missed": 1,
        "risk": 1,
        "reviews": 1,
        "connections": 1,
        "inbox": 0,
    }


def test_the_navigation_counts_all_that_the_tabs_do(
    stuck, at_risk, alice_actor, submitted, bob_actor, roastery
) -> None:
    for state in (State.FAILED, State.UNCONFIRMED, State.MISSED):
        stuck(state)
    at_risk()
    submitted(add_post(bob_actor, roastery))
    Connection.objects.update(status="reconnect")
    found = count_for_navigation(alice_actor)
    assert found == navigation_of(count_attention(alice_actor)) == {"attention": 5, "reviews": 1, "inbox": 0}


def test_the_navigation_counts_for_each_workspace_and_at_each_moment(
    at_risk, stuck, alice_actor, charlie_actor
) -> None:
    at_risk()
    assert [count_for_navigation(actor)["attention"] for actor in (alice_actor, charlie_actor)] == [1, 0]
    stuck()
    assert count_for_navigation(alice_actor)["attention"] == 2
    with shifted(timedelta(days=2)):
        # What was at risk is forgotten by then.
        assert count_for_navigation(alice_actor) == navigation_of(count_attention(alice_actor))
        assert count_for_navigation(alice_actor)["attention"] == 1
    Connection.objects.update(broken_until=now() + timedelta(hours=1))
    assert count_for_navigation(alice_actor)["attention"] == 3
    with shifted(timedelta(hours=2)):
        assert count_for_navigation(alice_actor)["attention"] == 2


@pytest.mark.parametrize("count", [count_attention, count_for_navigation])
def test_all_counts_cost_one_query(count, stuck, alice_actor) -> None:
    stuck()
    with CaptureQueriesContext(database) as queries:
        count(alice_actor)
    assert len(queries) == 1


def test_the_page_opens_at_the_first_kind_that_holds_something(stuck, bob_client: Client) -> None:
    stuck(State.MISSED)
    assert bob_client.get("/attention/").context["tab"] == "missed"


@pytest.mark.parametrize(
    ("tab", "said"),
    [
        ("failed", "Nothing failed"),
        ("unconfirmed", "Everything is certain"),
        ("missed", "Nothing was missed"),
        ("risk", "Nothing is at risk"),
        ("reviews", "Nothing waits for you"),
        ("connections", "Every account works"),
    ],
)
def test_an_empty_kind_says_so(bob_client: Client, in_workspace, tab: str, said: str) -> None:
    assert said in page(bob_client, tab)


def test_a_tab_that_does_not_exist_is_the_first(bob_client: Client, in_workspace) -> None:
    assert bob_client.get("/attention/", {"tab": "nonsense"}).context["tab"] == "failed"


# --- rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.FAILED, State.UNCONFIRMED, State.MISSED])
def test_a_row_says_what_where_when_and_why(stuck, bob_client: Client, state: str) -> None:
    stuck(state, text="Fresh beans from Peru")
    html = page(bob_client, state)
    for said in ("Fresh beans from Peru", "@roastery", "Europe/Berlin", "Because ended."):
        assert said in html, said


def test_what_is_at_risk_says_why_and_how_bad(at_risk, bob_client: Client) -> None:
    at_risk("amber")
    html = page(bob_client, "risk")
    assert "The budget is spent." in html
    assert "Amber" in html


def test_what_was_at_risk_and_is_settled_is_gone(at_risk, bob_client: Client, alice_actor) -> None:
    at_risk(state=State.PUBLISHED)
    at_risk(state=State.CANCELED)
    assert count_attention(alice_actor)["risk"] == 0


def test_a_draft_forgotten_for_days_is_no_risk_any_more(at_risk, alice_actor) -> None:
    at_risk(hours=-25, state=State.DRAFT)
    assert count_attention(alice_actor)["risk"] == 0


def test_what_waits_for_me_leads_to_the_review(rita_client: Client, post: Post, submitted) -> None:
    (review,) = submitted(post)
    assert f"/reviews/{review.pk}" in page(rita_client, "reviews")


def test_under_four_eyes_my_own_post_does_not_wait_for_me(alice_actor, workspace, roastery, submitted) -> None:
    submitted(add_post(alice_actor, roastery))
    assert count_attention(alice_actor)["reviews"] == 1
    Workspace.objects.update(four_eyes=True)
    workspace.refresh_from_db()
    assert count_attention(alice_actor)["reviews"] == 0


def test_under_four_eyes_a_post_of_others_waits_for_me(alice_actor, rita_actor, workspace, roastery, submitted) -> None:
    workspace.four_eyes = True
    submitted(add_post(alice_actor, roastery))
    assert count_attention(rita_actor)["reviews"] == 1


def test_an_editor_has_nothing_to_decide(bob_actor, post: Post, submitted) -> None:
    submitted(post)
    assert count_attention(bob_actor)["reviews"] == 0


def test_a_broken_account_says_how_many_posts_wait_for_it(alice_client: Client, post: Post) -> None:
    set_state(post, State.SCHEDULED)
    Connection.objects.update(status="reconnect", status_text="X took the access back.")
    html = page(alice_client, "connections")
    assert "X took the access back." in html
    assert "1 post waits for it." in html


def test_an_account_that_keeps_failing_is_shown(alice_actor, roastery) -> None:
    Connection.objects.update(broken_until=now() + timedelta(minutes=5))
    assert count_attention(alice_actor)["connections"] == 1


def test_an_account_that_rested_long_enough_is_fine_again(alice_actor, roastery) -> None:
    Connection.objects.update(broken_until=now() - timedelta(minutes=5))
    assert count_attention(alice_actor)["connections"] == 0


# --- one cause, one button --------------------------------------------------------------------------------


def test_failures_of_one_cause_stand_together(stuck, bob_client: Client) -> None:
    for _ in range(3):
        stuck()
    html = page(bob_client, "failed")
    assert "3 posts failed on @roastery" in html
    assert html.count("Because ended.") == 1
    assert "Retry all 3" in html


def test_a_large_cause_shows_some_and_leads_to_all(stuck, bob_client: Client, roastery) -> None:
    for number in range(7):
        stuck(text=f"number {number}")
    html = page(bob_client, "failed")
    assert html.count("attention-row") == 5
    assert "All 7 of them" in html
    assert page(bob_client, "failed", connection=str(roastery.pk), code="ended").count("attention-row") == 7


def test_a_cause_of_nonsense_is_empty(stuck, bob_client: Client) -> None:
    stuck()
    assert "attention-row" not in page(bob_client, "failed", connection="nonsense", code="ended")


def test_retry_all_plans_them_and_says_so(stuck, bob_client: Client, roastery) -> None:
    stuck()
    stuck(text="Second.")
    response = act(bob_client, f"/connections/{roastery.pk}/retry-failed", code="ended")
    assert "2 posts go out, a minute or more apart." in response.content.decode()
    assert Delivery.objects.filter(state=State.SCHEDULED).count() == 2


def test_retry_all_of_a_cause_leaves_what_was_missed(stuck, bob_client: Client, roastery) -> None:
    stuck(State.MISSED)
    act(bob_client, f"/connections/{roastery.pk}/retry-failed", code="ended")
    assert Delivery.objects.get().state == State.MISSED


def test_a_broken_account_is_reconnected_before_it_is_retried(stuck, alice_client: Client) -> None:
    stuck()
    Connection.objects.update(status="reconnect")
    html = page(alice_client, "failed")
    assert "Retry all" not in html
    assert "Reconnect @roastery" in html


def test_a_refused_retry_says_why(stuck, bob_client: Client, roastery) -> None:
    stuck()
    Connection.objects.update(status="reconnect")
    response = act(bob_client, f"/connections/{roastery.pk}/retry-failed", code="ended")
    assert "Reconnect it first." in response.content.decode()


def test_the_card_of_an_account_offers_to_retry_what_failed_on_it(stuck, alice_client: Client, roastery) -> None:
    stuck()
    stuck(State.MISSED)
    html = alice_client.get("/connections").content.decode()
    assert "Retry all 2" in html
    response = alice_client.post(f"/connections/{roastery.pk}/retry-failed", {"page": "connections"})
    assert response.headers["Location"].endswith("/connections")
    assert Delivery.objects.filter(state=State.SCHEDULED).count() == 2


def test_the_cards_of_all_accounts_cost_one_more_query(stuck, alice_client: Client, in_workspace) -> None:
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            alice_client.get("/connections")
        return len(queries)

    stuck()
    first = count()
    for number in range(3):
        stuck(to=add_connection(in_workspace, f"more-{number}"))
    assert count() == first


@pytest.fixture
def waiting(bob_actor: Actor, connection: Connection, workspace) -> None:  # noqa: F811
    """A post that failed because the log-in of a real account of the sandbox ended."""
    with workspace_scope(workspace.pk):
        set_state(add_post(bob_actor, connection), State.FAILED, problem_code="ended")
        Connection.objects.update(status="reconnect")


def test_a_new_log_in_says_what_can_be_sent_again(waiting, connection, begin, alice_actor, alice_client) -> None:  # noqa: F811
    key = alice_client.session.session_key
    back = visit_x(begin(alice_actor, session_key=key))
    html = alice_client.get(
        "/connections/x/callback", {"state": back.state, "code": back.code}, follow=True
    ).content.decode()
    assert "1 post did not go out on @roastery." in html
    assert "Retry all 1" in html


# --- acts on one ------------------------------------------------------------------------------------------


def test_a_retry_comes_back_to_the_list(stuck, bob_client: Client) -> None:
    row = stuck()
    response = act(bob_client, f"/deliveries/{row.pk}/publish")
    assert response.redirect_chain[-1][0].endswith("/attention/?tab=failed")
    assert Delivery.objects.get().state == State.SCHEDULED


def test_an_unconfirmed_post_is_settled_on_the_page(stuck, bob_client: Client) -> None:
    row = stuck(State.UNCONFIRMED)
    row.attempts.create(workspace=row.workspace, number=1, outcome="unknown", submitting_part=0)
    assert f"/deliveries/{row.pk}/live" in page(bob_client, "unconfirmed")
    act(bob_client, f"/deliveries/{row.pk}/live", link="https://x.com/roastery/status/77")
    assert Delivery.objects.get().state == State.PUBLISHED


def test_a_missed_post_can_be_dropped(stuck, bob_client: Client) -> None:
    row = stuck(State.MISSED)
    act(bob_client, f"/deliveries/{row.pk}/cancel")
    assert Delivery.objects.get().state == State.CANCELED


# --- who --------------------------------------------------------------------------------------------------


def test_a_viewer_looks_and_gets_no_buttons(stuck, vic_client: Client) -> None:
    stuck()
    html = page(vic_client, "failed")
    assert "Because ended." in html
    assert "Retry all" not in html
    assert "Send now" not in html


def test_a_viewer_cannot_retry(stuck, vic_client: Client, roastery) -> None:
    stuck()
    assert vic_client.post(f"/connections/{roastery.pk}/retry-failed").status_code == 403
    assert Delivery.objects.get().state == State.FAILED


def test_a_guest_is_not_let_in(gwen_client: Client, in_workspace) -> None:
    assert gwen_client.get("/attention/").status_code == 403
    assert 'href="/attention/"' not in gwen_client.get("/").content.decode()


def test_another_workspace_sees_nothing_of_it(stuck, charlie_client: Client, other_workspace: Workspace) -> None:
    stuck(text="Secret beans")
    with workspace_scope(other_workspace.pk):
        assert "Secret beans" not in page(charlie_client, "failed")


def test_a_foreign_account_is_not_found(roastery, charlie_client: Client) -> None:
    assert charlie_client.post(f"/connections/{roastery.pk}/retry-failed").status_code == 404


@pytest.mark.parametrize("tab", ["failed", "missed", "risk", "reviews"])
def test_more_rows_cost_no_more_queries(stuck, at_risk, submitted, bob_actor, roastery, rita_client, tab) -> None:
    def add() -> None:
        stuck()
        stuck(State.MISSED)
        at_risk()
        submitted(add_post(bob_actor, roastery, text=f"{now()}"))

    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            page(rita_client, tab)
        return len(queries)

    add()
    first = count()
    for _ in range(3):
        add()
    # Three or more that are missed at once are an outage, which the page names above the list.
    assert count() == first
