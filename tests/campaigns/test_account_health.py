"""Where people see that a network acts against one of their accounts."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from campaigns.account_health import health_cards
from campaigns.attention import broken_connections, count_attention
from campaigns.preflight import find_flights
from compliance.health import note_signal
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post, set_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(in_workspace, roastery):
    """The account in this state, by strikes."""

    def run(state: str, to=roastery) -> None:
        for _ in range(["healthy", "warned", "restricted", "suspended"].index(state)):
            note_signal(in_workspace, to.pk, "strike", "Reported by X")

    return run


@pytest.fixture
def planned(roastery, bob_actor):
    post = add_post(bob_actor, roastery)
    soon = now() + timedelta(hours=2)
    set_state(post, "scheduled", scheduled_at=soon, due_at=soon)
    return post


def findings(actor) -> list[tuple[str, str]]:
    found = [finding for flight in find_flights(actor) for finding in flight.findings]
    return [(finding.level, finding.text) for finding in found if finding.code.startswith("health_")]


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [
        ("warned", "amber", "@roastery has been warned: its posts go out slower, and each needs a look. A strike"),
        ("restricted", "amber", "@roastery is restricted: few posts go out, and each needs a look. 2 strikes"),
        ("suspended", "red", "@roastery is on hold: nothing goes out through it. 3 strikes"),
    ],
)
def test_preflight_tells_before_it_is_too_late(make, planned, bob_actor, state, level, words):
    make(state)
    ((found_level, text),) = findings(bob_actor)
    assert found_level == level
    assert text.startswith(words)


def test_preflight_is_silent_about_a_healthy_account(make, planned, bob_actor, in_workspace, roastery):
    note_signal(in_workspace, roastery.pk, "refusal")
    assert findings(bob_actor) == []


@pytest.mark.parametrize(("state", "number"), [("healthy", 0), ("warned", 0), ("restricted", 1), ("suspended", 1)])
def test_attention_names_accounts_that_need_a_person(make, alice_actor, in_workspace, roastery, state, number):
    make(state)
    assert broken_connections(in_workspace).count() == number
    assert count_attention(alice_actor)["connections"] == number


def test_an_account_that_is_off_anyway_is_not_listed_for_its_health(make, in_workspace, roastery):
    make("suspended")
    roastery.status = "paused"
    roastery.save()
    assert broken_connections(in_workspace).count() == 0


def test_the_attention_page_says_why(make, alice_client, roastery):
    make("suspended")
    html = alice_client.get("/attention/?tab=connections").content.decode()
    assert "It is on hold: nothing goes out through it. 3 strikes" in html


def test_the_card_says_why_and_how_it_ends(make, alice_client, roastery):
    assert "counts half as much" not in alice_client.get("/connections").content.decode()
    make("restricted")
    html = alice_client.get("/connections").content.decode()
    assert "2 strikes, last on" in html
    assert "Each of these counts half as much after two weeks" in html


def test_a_healthy_account_has_no_card(make, roastery, cafe):
    make("warned")
    make("healthy", cafe)
    assert set(health_cards([roastery.pk, cafe.pk])) == {roastery.pk}


def test_the_page_asks_once_for_all_accounts(make, alice_client, in_workspace, roastery):
    counts = []
    for number in range(2):
        make("warned", add_connection(in_workspace, f"more{number}"))
        make("warned", add_connection(in_workspace, f"and{number}"))
        with CaptureQueriesContext(database) as queries:
            alice_client.get("/connections")
        counts.append(sum("accounthealth" in query["sql"] for query in queries))
    assert counts[0] == counts[1]
