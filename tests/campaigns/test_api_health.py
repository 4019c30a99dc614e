"""/api/connections/health: how the networks treat the workspace's accounts."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from compliance.health import note_signal
from compliance.models import AccountHealth
from tests.campaigns.cast import add_connection

pytestmark = pytest.mark.django_db
ALL = "/api/connections/health"


def one(connection) -> str:
    return f"/api/connections/{connection.pk}/health"


def test_a_healthy_account_says_so(api, vic, roastery):
    healthy = {
        "connection": str(roastery.pk),
        "state": "healthy",
        "text": "",
        "reasons": [],
        "since": None,
        "is_forced": False,
    }
    assert api(vic).get(one(roastery)).json() == healthy
    assert api(vic).get(ALL).json() == {"results": [healthy]}


@pytest.mark.parametrize(("strikes", "state"), [(1, "warned"), (2, "restricted"), (3, "suspended")])
def test_what_happened_is_told_with_its_reasons(api, vic, in_workspace, roastery, cafe, strikes, state):
    for _ in range(strikes):
        note_signal(in_workspace, roastery.pk, "strike", "Reported by X")
    answer = api(vic).get(one(roastery)).json()
    assert (answer["state"], answer["is_forced"]) == (state, False)
    assert answer["text"]
    assert "strike" in answer["reasons"][0].lower()
    assert answer["since"]
    states = {row["connection"]: row["state"] for row in api(vic).get(ALL).json()["results"]}
    assert states == {str(roastery.pk): state, str(cafe.pk): "healthy"}


def test_what_staff_force_is_marked(api, vic, in_workspace, roastery):
    note_signal(in_workspace, roastery.pk, "refusal")
    AccountHealth.objects.update(forced_state="suspended")
    answer = api(vic).get(one(roastery)).json()
    assert (answer["state"], answer["is_forced"]) == ("suspended", True)


def test_many_accounts_cost_no_more_queries(api, vic, in_workspace, roastery):
    client = api(vic)

    def queries() -> int:
        with CaptureQueriesContext(database) as found:
            assert client.get(ALL).status_code == 200
        return len(found)

    queries()
    few = queries()
    for number in range(8):
        add_connection(in_workspace, f"shop{number}")
    assert queries() == few


def test_every_member_reads_it_and_nobody_else(api, api_key, bob, gwen, charlie, other_workspace, roastery):
    for caller, all_of_them, this_one in (
        (bob, 200, 200),
        (api_key("read"), 200, 200),
        (gwen, 403, 403),
        (charlie, 200, 404),
        (None, 401, 401),
    ):
        client = api(caller)
        assert (client.get(ALL).status_code, client.get(one(roastery)).status_code) == (all_of_them, this_one)
    assert api(charlie).get(ALL).json() == {"results": []}
