"""What would keep a delivery from going out in time, and the board that shows it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import Switch, UsageTotal, Workspace
from accounts.usage import month_scope
from campaigns.link_checks import hash_of
from campaigns.models import Campaign, Delivery, LinkCheck, MediaAsset
from campaigns.preflight import check_flight, count_levels, due_before, find_flights, flights_of
from campaigns.preflight_facts import gather_facts
from campaigns.rendering import render
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, set_campaign_status
from compliance.rulesets import instance_rules
from lib.clock import now
from social.models import Connection, Credential, NetworkState
from tests.campaigns.cast import add_connection, add_post

State = Delivery.State
HOUR = timedelta(hours=1)


@pytest.fixture
def roastery(roastery: Connection) -> Connection:
    """An account that is logged in for good."""
    Credential.objects.create(
        workspace=roastery.workspace, connection=roastery, access_token="t", expires_at=now() + HOUR
    )
    return roastery


@pytest.fixture
def planned(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    """Approved, and due in so many hours."""

    def make(hours: float = 3, state: str = State.SCHEDULED, to: Connection | None = None, **post) -> Delivery:
        post.setdefault("text", f"Beans at {hours}.")
        row = Delivery.objects.get(post=add_post(bob_actor, to or roastery, **post))
        at = now() + hours * HOUR
        approved = render(row).content_hash if state not in {State.DRAFT, State.IN_REVIEW} else ""
        due = None if state in {State.DRAFT, State.IN_REVIEW} else at
        Delivery.objects.filter(pk=row.pk).update(state=state, scheduled_at=at, due_at=due, approved_hash=approved)
        return row

    return make


def loaded(*rows: Delivery) -> list[Delivery]:
    return list(due_before(Delivery.objects.filter(pk__in=[row.pk for row in rows]), now() + 400 * 24 * HOUR))


def found(row: Delivery) -> dict[str, str]:
    """Code to level."""
    [flight] = flights_of(loaded(row))
    return {finding.code: finding.level for finding in flight.findings}


def text_of(row: Delivery) -> str:
    return " ".join(finding.text for finding in flights_of(loaded(row))[0].findings)


def codes(actor: Actor) -> list[list[str]]:
    return [[finding.code for finding in flight.findings] for flight in find_flights(actor)]


# --- one finding each -------------------------------------------------------------------------------------


def test_what_is_ready_is_green(planned) -> None:
    row = planned()
    assert found(row) == {}
    assert flights_of(loaded(row))[0].level == "green"


def test_the_check_is_pure(planned, django_assert_num_queries) -> None:
    [row] = loaded(planned())
    facts = gather_facts([row])
    with django_assert_num_queries(0):
        check_flight(row, facts)


@pytest.mark.parametrize("field", ["is_stopped", "is_suspended"])
def test_a_stopped_workspace_is_red(planned, workspace, field: str) -> None:
    row = planned()
    Workspace.objects.update(**{field: True})
    assert set(found(row).values()) == {"red"}


def test_a_stop_says_why(planned, workspace) -> None:
    Workspace.objects.update(is_stopped=True, stopped_text="A crisis.")
    assert "A crisis." in text_of(planned())


def test_a_stopped_installation_is_red(planned) -> None:
    Switch.objects.create(name=Switch.PUBLISHING, is_on=True)
    assert found(planned()) == {"instance_stopped": "red"}


@pytest.mark.parametrize("status", ["paused", "completed"])
def test_a_campaign_that_does_not_run_is_red(planned, campaign, alice_actor, status: str) -> None:
    row = planned(campaign=campaign)
    set_campaign_status(campaign, "running", by=alice_actor)
    assert found(row) == {}
    set_campaign_status(campaign, status, by=alice_actor)
    assert found(row) == {"campaign": "red"}


def test_a_campaign_begins_with_its_first_approved_post(planned, campaign: Campaign) -> None:
    assert "campaign" not in found(planned(state=State.IN_REVIEW, campaign=campaign))


@pytest.mark.parametrize(("hours", "level"), [(3, "amber"), (0.9, "red"), (-1, "red")])
@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW])
def test_what_is_not_approved_is_urgent_within_the_hour(planned, state: str, hours: float, level: str) -> None:
    assert found(planned(hours, state)) == {"approval": level}


def test_content_that_changed_after_the_approval_is_red(planned) -> None:
    row = planned()
    row.post.parts.update(text="Something else")
    assert found(row) == {"changed": "red"}


def test_what_is_held_is_red(planned) -> None:
    assert found(planned(state=State.PAUSED)) == {"held": "red"}


@pytest.mark.parametrize("status", ["reconnect", "paused", "suspended", "disconnected"])
def test_an_account_that_cannot_post_is_red(planned, status: str) -> None:
    row = planned()
    Connection.objects.update(status=status, status_text="X took the access back.")
    assert found(row) == {f"account_{status}": "red"}
    assert "X took the access back." in text_of(row)


def test_a_missing_permission_is_red(planned) -> None:
    row = planned()
    Connection.objects.update(scopes=["tweet.read", "users.read", "offline.access"])
    assert found(row) == {"missing_scopes": "red"}


def test_an_account_without_a_log_in_is_red(planned) -> None:
    row = planned()
    Credential.objects.all().delete()
    assert found(row) == {"no_access": "red"}


@pytest.mark.parametrize(("ends_in", "level"), [(2, "red"), (3.5, "amber"), (9, None)])
def test_a_log_in_that_ends_and_cannot_be_renewed_is_told(planned, ends_in: float, level: str | None) -> None:
    row = planned(3)
    Connection.objects.update(scopes=["tweet.read", "tweet.write", "users.read"])
    Credential.objects.update(expires_at=now() + ends_in * HOUR)
    assert found(row).get("access_ends") == level


def test_a_log_in_that_is_renewed_by_itself_may_end(planned) -> None:
    row = planned(3)
    Credential.objects.update(expires_at=now() + HOUR)
    assert found(row) == {}


def test_keys_of_ones_own_do_not_end(planned) -> None:
    row = planned(3)
    Connection.objects.update(scopes=["oauth1"])
    Credential.objects.update(kind="oauth1", expires_at=None)
    assert found(row) == {}


@pytest.mark.parametrize(("field", "code"), [("limited_until", "rate_limit"), ("broken_until", "breaker")])
def test_an_account_that_rests_beyond_the_time_is_amber(planned, field: str, code: str) -> None:
    row = planned(3)
    Connection.objects.update(**{field: now() + 4 * HOUR})
    assert found(row) == {code: "amber"}


@pytest.mark.parametrize("field", ["limited_until", "broken_until"])
def test_a_rest_that_ends_before_the_time_is_no_finding(planned, field: str) -> None:
    row = planned(3)
    Connection.objects.update(**{field: now() + 2 * HOUR})
    assert found(row) == {}


def test_a_network_that_fails_for_everybody_is_amber(planned) -> None:
    row = planned(0.1)
    NetworkState.objects.create(network="x", failures_in_row=9, broken_until=now() + HOUR)
    assert found(row) == {"network_breaker": "amber"}


def test_what_was_refused_for_now_says_by_what(planned) -> None:
    row = planned(0.1, State.RETRY_WAIT)
    Delivery.objects.update(problem_text="X is tired.")
    assert found(row) == {"retrying": "amber"}
    assert "X is tired." in text_of(row)


def test_what_is_overdue_and_still_waits_is_amber(planned) -> None:
    assert found(planned(-0.2)) == {"overdue": "amber"}


def test_what_the_network_would_refuse_is_red(planned) -> None:
    row = planned(text="x" * 281)
    assert found(row) == {"rules": "red"}
    assert "over the limit" in text_of(row)


def test_a_reply_nobody_asked_for_is_red(planned) -> None:
    row = planned(reply_to="77")
    # The rule of X says so, too.
    assert found(row) == {"not_summoned": "red", "guard_blocked": "red"}


def test_a_reply_that_was_asked_for_is_green(planned) -> None:
    row = planned(reply_to="77")
    row.post.__class__.objects.update(reply_facts={"is_summoned": True})
    assert found(row) == {}


# --- files ------------------------------------------------------------------------------------------------


@pytest.fixture
def illustrated(bob_actor, roastery, picture: MediaAsset) -> Delivery:
    part = PartDraft("With a cup.", (MediaDraft(picture.pk),))
    row = Delivery.objects.get(post=create_post(PostDraft((part,), connections=(roastery.pk,)), by=bob_actor))
    at = now() + 3 * HOUR
    Delivery.objects.update(state="scheduled", scheduled_at=at, due_at=at, approved_hash=render(row).content_hash)
    return row


def test_a_file_in_its_place_is_green(illustrated) -> None:
    assert found(illustrated) == {}


def test_a_file_that_is_gone_is_red(illustrated, picture) -> None:
    default_storage.delete(picture.file)
    assert found(illustrated) == {"file_missing": "red"}


def test_a_file_of_another_size_is_red(illustrated, picture) -> None:
    MediaAsset.objects.update(size_bytes=picture.size_bytes + 1)
    assert found(illustrated) == {"file_changed": "red"}


# --- links ------------------------------------------------------------------------------------------------


def add_check(workspace: Workspace, url: str, is_ok: bool) -> None:
    LinkCheck.objects.create(
        workspace=workspace, url=url, url_hash=hash_of(url), is_ok=is_ok, problem="" if is_ok else "There is no page."
    )


@pytest.mark.parametrize(("is_ok", "expected"), [(True, {}), (False, {"link": "amber"})])
def test_a_link_that_leads_nowhere_is_amber(planned, workspace, is_ok: bool, expected: dict[str, str]) -> None:
    row = planned(text="See https://beans.coffee/new for more.")
    add_check(workspace, "https://beans.coffee/new", is_ok)
    assert found(row) == expected


def test_a_link_nobody_looked_at_yet_is_no_finding(planned) -> None:
    assert found(planned(text="See https://beans.coffee/new for more.")) == {}


# --- money ------------------------------------------------------------------------------------------------


def spend(workspace: Workspace, micro: int, at: datetime | None = None) -> None:
    UsageTotal.objects.create(workspace=workspace, scope=month_scope(at or now()), spent_micro=micro)


@pytest.fixture
def mid_month(monkeypatch) -> datetime:
    """So that a few hours ahead are still in this month."""
    from lib.clock import shifted

    with shifted(datetime(2026, 12, 10, 12, tzinfo=UTC) - now()):
        yield now()


def test_a_spent_budget_is_red(mid_month, planned, workspace) -> None:
    row = planned()
    Workspace.objects.update(monthly_cap_micro=1_000_000)
    spend(workspace, 999_999)
    assert found(row) == {"budget": "red"}
    assert "The monthly cap" in text_of(row)


def test_money_that_is_left_is_no_finding(mid_month, planned, workspace) -> None:
    row = planned()
    Workspace.objects.update(monthly_cap_micro=1_000_000)
    assert found(row) == {}


def test_the_first_posts_take_the_money_of_the_later_ones(mid_month, planned, workspace, bob_actor) -> None:
    for hours in (1, 2, 3):
        planned(hours)
    # A plain post on X costs 15,000 micro-dollars.
    Workspace.objects.update(monthly_cap_micro=35_000)
    assert codes(bob_actor) == [[], [], ["budget"]]


def test_a_campaign_has_a_budget_of_its_own(mid_month, planned, campaign, alice_actor) -> None:
    set_campaign_status(campaign, "running", by=alice_actor)
    row = planned(campaign=campaign)
    Campaign.objects.update(cap_micro=1_000)
    assert found(row) == {"budget": "red"}


def test_next_month_has_money_again(planned, workspace, bob_actor) -> None:
    from lib.clock import shifted

    with shifted(datetime(2026, 12, 31, 20, tzinfo=UTC) - now()):
        planned(1)
        planned(6)
        Workspace.objects.update(monthly_cap_micro=1_000_000)
        spend(workspace, 1_000_000)
        assert codes(bob_actor) == [["budget"], []]


# --- among each other -------------------------------------------------------------------------------------


def test_two_posts_within_minutes_on_one_account_are_amber(planned, bob_actor) -> None:
    planned(3), planned(3.1)
    assert codes(bob_actor) == [["clash"], ["clash"]]


def test_two_posts_within_minutes_on_two_accounts_are_fine(planned, bob_actor, cafe) -> None:
    Credential.objects.create(workspace=cafe.workspace, connection=cafe, access_token="t")
    planned(3), planned(3.1, to=cafe)
    assert codes(bob_actor) == [[], []]


def test_the_later_of_two_that_say_the_same_is_amber(planned, bob_actor) -> None:
    planned(3, text="Same."), planned(6, text="Same.")
    assert codes(bob_actor) == [[], ["same_text"]]


def test_on_x_another_account_may_not_say_the_same_either(planned, bob_actor, cafe) -> None:
    Credential.objects.create(workspace=cafe.workspace, connection=cafe, access_token="t")
    planned(3, text="Same."), planned(6, text="Same.", to=cafe)
    assert codes(bob_actor) == [[], ["same_text"]]


# --- the board --------------------------------------------------------------------------------------------


def test_the_board_holds_the_next_24_hours_and_what_is_overdue_in_order(planned, bob_actor) -> None:
    soon, late = planned(2), planned(-1)
    planned(25)
    assert [flight.delivery.pk for flight in find_flights(bob_actor)] == [late.pk, soon.pk]


@pytest.mark.parametrize("state", [State.PUBLISHED, State.CANCELED, State.FAILED, State.MISSED, State.UNCONFIRMED])
def test_what_is_decided_is_not_on_the_board(planned, bob_actor, state: str) -> None:
    planned(2, state)
    assert find_flights(bob_actor) == []


def test_a_draft_of_last_month_is_not_overdue(planned, bob_actor) -> None:
    planned(-24 * 8, State.DRAFT)
    assert find_flights(bob_actor) == []


def test_levels_are_counted(planned, bob_actor) -> None:
    planned(2)
    planned(4, State.IN_REVIEW)
    planned(0.5, State.IN_REVIEW)
    assert count_levels(find_flights(bob_actor)) == {"green": 1, "amber": 1, "red": 1}


def test_the_worst_finding_comes_first(planned) -> None:
    row = planned(-0.2)
    Connection.objects.update(status="reconnect")
    [flight] = flights_of(loaded(row))
    assert [finding.level for finding in flight.findings] == ["red", "amber"]


def test_twenty_cost_as_many_queries_as_ten(planned, bob_actor, in_workspace, campaign) -> None:
    def count() -> int:
        # Whether the rules are looked up again is a question of time.
        instance_rules()
        with CaptureQueriesContext(database) as queries:
            find_flights(bob_actor)
        return len(queries)

    for number in range(10):
        planned(number + 1, text=f"https://beans.coffee/{number}", campaign=campaign)
    ten = count()
    for number in range(10):
        planned(number + 11, text=f"https://beans.coffee/{number}", to=add_connection(in_workspace, f"a{number}"))
    assert len(find_flights(bob_actor)) == 20
    assert count() == ten


# --- pages ------------------------------------------------------------------------------------------------


def page(client: Client, **query: str) -> str:
    response = client.get("/preflight/", query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_shows_each_with_its_level_and_reason(planned, vic_client: Client) -> None:
    planned(0.5, State.IN_REVIEW, text="Not yet approved beans")
    html = page(vic_client)
    assert "Not yet approved beans" in html
    assert "It waits for approval; it needs that within the hour." in html
    assert "Europe/Berlin" in html


def test_the_page_can_show_one_level(planned, vic_client: Client) -> None:
    planned(2, text="Good beans")
    planned(4, State.DRAFT, text="Draft beans")
    html = page(vic_client, level="amber")
    assert "Draft beans" in html
    assert "Good beans" not in html


def test_a_level_of_nonsense_shows_all(planned, vic_client: Client) -> None:
    planned(2, text="Good beans")
    assert "Good beans" in page(vic_client, level="purple")


def test_the_page_refreshes_itself(vic_client: Client, in_workspace) -> None:
    assert 'hx-trigger="every 60s"' in page(vic_client)


def test_guests_have_no_board(gwen_client: Client, in_workspace) -> None:
    assert gwen_client.get("/preflight/").status_code == 403


def test_another_workspace_has_its_own_board(planned, charlie_client: Client) -> None:
    planned(2, text="Secret beans")
    assert "Secret beans" not in page(charlie_client)


def test_the_page_of_a_delivery_shows_its_findings(planned, bob_client: Client) -> None:
    row = planned(2, State.IN_REVIEW)
    assert "It waits for approval." in bob_client.get(f"/deliveries/{row.pk}").content.decode()


def test_the_page_of_a_delivery_far_ahead_shows_none(planned, bob_client: Client) -> None:
    row = planned(48, State.IN_REVIEW)
    assert "Before it goes out" not in bob_client.get(f"/deliveries/{row.pk}").content.decode()


def test_the_dashboard_counts_the_levels(planned, bob_client: Client) -> None:
    planned(2)
    planned(4, State.IN_REVIEW)
    planned(-30, State.PUBLISHED)
    html = bob_client.get("/flights").content.decode()
    assert ">1 green</a>" in html
    assert ">1 amber</a>" in html
    assert ">0 red</a>" in html
